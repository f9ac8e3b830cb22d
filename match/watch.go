package match

import "muster/proto"

// A spectator has a connection and no seat: it is sent what everybody may see and is otherwise nobody. The rules do not
// know of it, records do not name it, no room stays open or awake for it. However many there are, the room says the same
// to all of them, once: see [Cast].

// maxPublicBytes is how much of the events for everyone may wait for the journal, in bytes.
const maxPublicBytes = 64 << 10

// casting is how the room's goroutine makes casts.
type casting struct {
	gen   uint32 // of the broadcast, for which these are made; 0 while none are
	ways  Ways
	waits bool // there was no place for the last frame
}

// cast makes what those who watch are to be told of the tick, and gives it to the broadcast. frames says whether there
// may be a frame, close that the match is over.
func (rm *Instance) cast(frames bool, end *proto.End) {
	gen := rm.broadcast.wanted.Load()
	if gen != rm.casting.gen {
		rm.casting = casting{gen: gen}
		rm.public.reset()
	}
	if gen == 0 {
		return
	}
	c := &Cast{Tick: rm.tick, Event: rm.public.sent}
	rm.public.unsent(&rm.events, rm.mayTell(), func(m *proto.Events) {
		rm.out.Reset()
		m.Append(rm.out)
		c.Said = append(c.Said, append([]byte(nil), rm.out.Bytes()...))
	})
	rm.public.ack(rm.public.sent)
	c.Told = rm.public.sent
	if end != nil {
		rm.out.Reset()
		end.Append(rm.out)
		c.Said = append(c.Said, append([]byte(nil), rm.out.Bytes()...))
		rm.broadcast.lastWords(c)
		return
	}
	if frames && rm.tick%rm.host.load.sendEvery() == 0 {
		rm.castFrames(c)
	}
	if c.Frame != nil || c.Said != nil {
		rm.broadcast.put(c, gen)
	}
}

// castFrames adds the frame of the tick, and from time to time one for those who begin. Where there is no place for frames
// all begin anew with the next one.
func (rm *Instance) castFrames(c *Cast) {
	k := &rm.casting
	if k.waits = !rm.broadcast.frames(k.waits); k.waits {
		k.ways = Ways{}
		rm.metrics.castsLeftOut.Inc()
		return
	}
	head := proto.Head{Epoch: rm.spec.Epoch, Tick: rm.tick, Scopes: rm.encoder.PublicScopes()}
	k.ways.Add(c, rm.encoder, &head, rm.game.rules.TickRate, rm.out)
}

// publish keeps an event for those who watch, until it may be told.
func (rm *Instance) publish(body []byte) {
	if rm.casting.gen == 0 {
		return
	}
	if rm.public.bytes+len(body) > maxPublicBytes || !rm.broadcast.events() {
		rm.metrics.eventsForgotten.Inc() // it gets no number: what comes later follows what came before
		return
	}
	rm.public.add(rm.tick, body)
}
