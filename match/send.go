package match

import (
	"muster/netcode"
	"muster/proto"
	"muster/proto/token"
)

// send hands the tick to the edges: welcomes for those who are new, events, then one frame for each edge.
func (rm *Instance) send() {
	for i := range rm.frames {
		clear(rm.frames[i].Views)
		rm.frames[i].Views = rm.frames[i].Views[:0]
	}
	for i := range rm.seats {
		s := &rm.seats[i]
		if s.viewer == nil {
			continue
		}
		if !s.welcomed {
			rm.welcome(s)
		}
		rm.sendEvents(s)
		if rm.tick%rm.host.load.sendEvery() != 0 {
			continue // under load: what a frame misses the next one has
		}
		f := rm.frame(s.viewer.Edge())
		f.Views = append(f.Views, View{s.viewer, proto.Head{
			Epoch: rm.spec.Epoch, Tick: rm.tick, Processed: s.inputs.Processed(), Durable: rm.durableSeq(s), Lead: s.inputs.Lead(),
			Scopes: rm.encoder.Scopes(netcode.Seat(i)),
		}})
	}
	rm.cast(true, nil)
	for i := range rm.frames {
		if len(rm.frames[i].Views) > 0 {
			rm.edges[i].Send(&rm.frames[i])
		}
	}
	if rm.tick%edgesKept == 0 {
		rm.forgetEdges()
	}
}

// edgesKept is each how many ticks edges without a viewer are forgotten.
const edgesKept = 1024

// forgetEdges forgets the edges that have no viewer now: those of other nodes come and go.
func (rm *Instance) forgetEdges() {
	n := 0
	for i := range rm.frames {
		if len(rm.frames[i].Views) > 0 {
			rm.frames[n], rm.edges[n] = rm.frames[i], rm.edges[i]
			n++
		}
	}
	clear(rm.frames[n:])
	clear(rm.edges[n:])
	rm.frames, rm.edges = rm.frames[:n], rm.edges[:n]
}

// sendEvents sends a viewer the events that it has not had.
func (rm *Instance) sendEvents(s *seat) {
	if s.events.sent == s.events.last {
		return
	}
	s.events.unsent(&rm.events, rm.mayTell(), func(m *proto.Events) {
		rm.out.Reset()
		m.Append(rm.out)
		s.viewer.Message(rm.out.Bytes())
	})
}

// frame returns this tick's frame for an edge. Edges are few: one for this process and one for each other node that has
// viewers of the room.
func (rm *Instance) frame(e Edge) *Frame {
	for i := range rm.edges {
		if rm.edges[i] == e {
			return &rm.frames[i]
		}
	}
	rm.edges = append(rm.edges, e)
	rm.frames = append(rm.frames, Frame{Room: rm.spec.ID, Encoder: rm.encoder})
	return &rm.frames[len(rm.frames)-1]
}

// welcome tells a new connection who it is. The secret's counter is one above the highest accepted, so that an older
// secret stays good until this one was used: a welcome can be lost.
func (rm *Instance) welcome(s *seat) {
	s.welcomed = true
	m := rm.greeting()
	m.Seat, m.Player = uint16(s.player.Seat), s.player.ID
	m.Seq, m.Event, m.Kept = s.inputs.Seq(), s.events.acked, s.events.kept
	s.viewer.Welcome(&m, token.Resume{
		Room: rm.spec.ID, Seat: uint16(s.player.Seat), Player: s.player.ID, Name: s.player.Name,
		Counter: s.counter + 1, PlayerExpires: s.expires,
	})
}

// greeting is what a welcome says to everybody.
func (rm *Instance) greeting() proto.Welcome {
	rules := &rm.game.rules
	return proto.Welcome{
		Version: proto.Version, Room: rm.spec.ID, Game: rm.game.name, Rules: rules.Version,
		Epoch: rm.spec.Epoch, Tick: rm.tick, Rate: uint8(rules.TickRate), //nolint:gosec // 1 to 128
		Inputs: rules.Inputs, Schema: rm.schema,
	}
}
