package matchtest

import (
	"muster/match"
	"muster/netcode"
	"muster/proto"
)

// Input sends an input of a seat for the next tick, as a client does: it is encoded, so that its numbers are on the
// wire's grid, and decoded again. Of several samples for one tick the last counts; one that no other follows counts for
// half a second more. Of commands a tick applies Rules.InputsPerTick, the others wait.
func Input[In any](r *Room, n netcode.Seat, in In) {
	r.t.Helper()
	s, schema := r.present(n), r.game.Schema()
	w := proto.NewWriter()
	err := schema.WriteInput(w, &in)
	if err == nil {
		err = schema.CheckInput(w.Bytes())
	}
	switch {
	case err != nil:
		r.t.Fatalf("matchtest: seat %d's input %+v: %v", n, in, err)
	case w.Len() > proto.MaxInputBody:
		r.t.Fatalf("matchtest: seat %d's input has %d bytes, at most %d allowed", n, w.Len(), proto.MaxInputBody)
	}
	next := r.run.Tick() + 1
	view := max(0, float64(next-1)-s.late)
	s.seq++
	sent := proto.Input{Seq: s.seq, Tick: next, View: uint32(view), Body: w.Bytes()}
	sent.Frac = uint8(256 * (view - float64(sent.View)))
	if !s.inputs.Push(&sent, next) {
		r.t.Fatalf("matchtest: seat %d has %d commands waiting, which is all that a server keeps", n, s.inputs.Len())
	}
}

// Late says by how many ticks a seat sees the world later than the newest state, from now on: what its inputs tell
// Step.Rewind. 0, the default, is a player who has no delay at all; a quarter of a second is usual.
func (r *Room) Late(n netcode.Seat, ticks float64) {
	r.t.Helper()
	r.present(n).late = ticks
}

// collect moves the inputs of the tick into its record.
func (r *Room) collect(rec *match.TickRecord) {
	for i := range r.seats {
		s := &r.seats[i]
		if !s.taken {
			continue
		}
		for _, in := range s.inputs.Take(rec.Tick) {
			rec.Inputs = append(rec.Inputs, match.InputRecord{
				Seat: uint16(i), Seq: in.Seq, View: in.View, Frac: in.Frac, Body: append([]byte(nil), in.Body...),
			})
		}
	}
}
