package matchtest

import (
	"fmt"
	"reflect"
	"slices"

	"muster/match"
	"muster/netcode"
	"muster/proto"
)

// Refusal is a command that the rules refused, a player whom the Join hook did, or, of seat 0, what the Feed hook did.
type Refusal struct {
	Seat   netcode.Seat
	Seq    uint32 // which of the seat's inputs, counted from 1; 0 for a player
	Reason string
}

// Refused returns what was refused since the last call, in order. A sample that Check refused is left out, as nobody is
// told of it.
func (r *Room) Refused() []Refusal {
	list := r.refused
	r.refused = nil
	return list
}

// Kicked returns the seats that the hooks kicked since the last call. Each is left with the tick after.
func (r *Room) Kicked() []netcode.Seat {
	list := r.kicked
	r.kicked = nil
	return list
}

// Events returns the events that a seat was sent since the last call, oldest first: structs of the types in
// Rules.Events, as a client decodes them.
func (r *Room) Events(n netcode.Seat) []any {
	r.t.Helper()
	s := r.place(n)
	list := s.events
	s.events = nil
	return list
}

// Works returns the kinds of the work that Room.Do began and that has no result yet, oldest first. It is not done here:
// Work says what comes of it.
func (r *Room) Works() (kinds []string) {
	for _, w := range r.works {
		kinds = append(kinds, w.Kind)
	}
	return kinds
}

// Work gives the oldest work of a kind its result: the Done hook runs with the next tick.
func (r *Room) Work(kind string, data []byte, err error) {
	r.t.Helper()
	i := slices.IndexFunc(r.works, func(w match.BegunWork) bool { return w.Kind == kind })
	if i < 0 {
		r.t.Fatalf("matchtest: no work of kind %q is under way, but %q", kind, r.Works())
	}
	r.rec.Results = append(r.rec.Results, r.works[i].Result(slices.Clone(data), err))
	r.works = slices.Delete(r.works, i, i+1)
}

// outcome takes what a tick wants done outside its state.
func (r *Room) outcome() {
	r.t.Helper()
	refused := r.run.RefusedJoins()
	for i := range r.seats {
		if reason, ok := refused[netcode.Seat(i)]; ok {
			r.refuse(Refusal{Seat: netcode.Seat(i), Reason: reason})
			r.seats[i].free()
		}
	}
	for _, why := range r.run.RefusedOrders() {
		r.refuse(Refusal{Reason: why})
	}
	for _, f := range r.run.Refused() {
		r.refuse(Refusal{Seat: f.Seat, Seq: f.Seq, Reason: f.Reason})
	}
	r.emitted()
	for _, n := range r.run.Kicked() {
		r.say("seat %d is kicked", n)
		if int(n) < len(r.seats) && r.seats[n].taken {
			r.kicked = append(r.kicked, n)
			r.leave(&r.seats[n])
		}
	}
	r.begun()
}

func (r *Room) refuse(f Refusal) {
	r.refused = append(r.refused, f)
	r.say("refused: %+v", f)
}

// begun takes the work that was begun.
func (r *Room) begun() {
	for _, w := range r.run.Works() {
		r.works = append(r.works, w)
		r.say("work %d begins: %s", w.ID, w.Kind)
	}
}

// emitted hands events to the seats that they are for.
func (r *Room) emitted() {
	r.t.Helper()
	for _, e := range r.run.Emitted() {
		event := r.sent(e.Event)
		r.say("event %T%+v to %+v", event, event, e.To)
		for _, p := range r.run.Players() {
			if s := &r.seats[p.Seat]; s.taken && e.To.Includes(p.Seat, p.Team) {
				s.events = append(s.events, event)
			}
		}
	}
}

// maxEvent is how long an event may be, in bytes.
const maxEvent = 8 << 10

// sent is an event as a client gets it.
func (r *Room) sent(event any) any {
	r.t.Helper()
	w := proto.NewWriter()
	if err := r.game.Schema().WriteEvent(w, event); err != nil {
		r.t.Fatalf("matchtest: tick %d emits what cannot be sent: %v", r.run.Tick(), err)
	}
	if w.Len() > maxEvent {
		r.t.Fatalf("matchtest: tick %d emits a %T of %d bytes, at most %d allowed", r.run.Tick(), event, w.Len(), maxEvent)
	}
	got, err := r.game.Schema().ReadEvent(w.Bytes())
	if err != nil {
		r.t.Fatalf("matchtest: tick %d emits a %T that a client cannot read: %v", r.run.Tick(), event, err)
	}
	return reflect.ValueOf(got).Elem().Interface()
}

// say notes what a tick had for the world outside, for comparisons.
func (r *Room) say(format string, args ...any) { r.said = append(r.said, fmt.Sprintf(format, args...)) }
