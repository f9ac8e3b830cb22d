package match

import (
	"muster/netcode"
	"muster/proto"
)

// A spectator has a connection and no seat: it is sent what everybody may see and is otherwise nobody. The rules do not
// know of it, records do not name it, no room stays open or awake for it. However many there are, the room says the same
// to all of them, once: see [Cast].

const (
	// maxPublicBytes is how much of the events for everyone may wait for the journal, in bytes.
	maxPublicBytes = 64 << 10
	// beginEvery is how many seconds lie between two casts at which who watches can begin.
	beginEvery = 2
)

// casting is how the room's goroutine makes casts.
type casting struct {
	gen   uint32 // of the broadcast, for which these are made; 0 while none are
	began uint32 // the tick at which one could begin last
	holed bool   // frames were left out: all begin anew
	main  way
	entry way
	joins bool // the entries have not joined yet
}

// way is one of the two ways through the casts.
type way struct {
	view  netcode.View
	head  proto.Head // of the frame before
	begun bool       // there is one
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

// castFrames adds the frame of the tick, and from time to time one for those who begin.
func (rm *Instance) castFrames(c *Cast) {
	k := &rm.casting
	if rm.broadcast.full.Load() {
		k.holed = true
		rm.metrics.castsLeftOut.Inc()
		return
	}
	if k.holed || !k.main.begun {
		*k = casting{gen: k.gen, began: rm.tick}
		c.Begins = true
		c.Frame = rm.frameOf(&k.main)
		return
	}
	if !k.joins && rm.tick-k.began >= uint32(beginEvery*rm.game.rules.TickRate) { //nolint:gosec // 1 to 128
		k.entry, k.began, k.joins = way{}, rm.tick, true
		c.Begins = true
	}
	c.Frame = rm.frameOf(&k.main)
	if k.joins {
		c.Entry = rm.frameOf(&k.entry)
		c.Joins = k.entry.view.Same(&k.main.view)
		k.joins = !c.Joins
	}
}

// frameOf makes the frame that follows on a way.
func (rm *Instance) frameOf(w *way) []byte {
	head := proto.Head{Epoch: rm.spec.Epoch, Tick: rm.tick, Scopes: rm.encoder.PublicScopes()}
	blocks := rm.encoder.Prepare(&w.view, head.Scopes)
	var prev *proto.Head
	var hashes []proto.Hash
	if w.begun {
		prev = &w.head
		if netcode.HashDue(prev.Tick, head.Tick) {
			hashes = rm.encoder.Hashes(&w.view)
		}
	}
	rm.out.Reset()
	head.Append(rm.out, prev, hashes, len(blocks))
	for i := range blocks {
		blocks[i].Append(rm.out)
	}
	scopes := w.head.Scopes[:0]
	w.head, w.begun = head, true
	w.head.Scopes = append(scopes, head.Scopes...) //nolint:gocritic // the encoder's own are not kept, their memory here is
	return append([]byte(nil), rm.out.Bytes()...)
}

// publish keeps an event for those who watch, until it may be told.
func (rm *Instance) publish(body []byte) {
	if rm.casting.gen == 0 {
		return
	}
	if rm.public.bytes+len(body) > maxPublicBytes || rm.broadcast.packed.Load() {
		rm.metrics.eventsForgotten.Inc() // it gets no number: what comes later follows what came before
		return
	}
	rm.public.add(rm.tick, body)
}
