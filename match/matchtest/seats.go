package matchtest

import (
	"slices"
	"time"

	"muster/match"
	"muster/netcode"
)

// Join lets a player take a free seat, from 1 to Rules.Seats. The Join hook runs with the next tick; whether it refused
// is in Refused then.
func (r *Room) Join(n netcode.Seat, id, name string) { r.t.Helper(); r.JoinTeam(n, id, name, 0) }

// JoinTeam is Join for a player whom the matchmaker has put into a team, counted from 1.
func (r *Room) JoinTeam(n netcode.Seat, id, name string, team uint16) {
	r.t.Helper()
	s := r.place(n)
	if s.taken {
		r.t.Fatalf("matchtest: seat %d is %s's already, %s cannot join there", n, s.player.ID, id)
	}
	*s = seat{player: match.Player{Seat: n, ID: id, Name: name, Team: team}, taken: true, inputs: s.inputs}
	if s.inputs == nil {
		rules := r.game.Rules()
		s.inputs = netcode.NewInputBuffer(rules.Inputs, rules.TickRate, rules.InputsPerTick)
	}
	s.inputs.Reset()
	r.joins++
	r.change(match.SeatJoined, s)
}

// Start starts the match with the next tick in which anybody has a seat, as a server does at the deadline when enough
// players have come. In a room without Config.Expect, and once as many have joined, that happens by itself.
func (r *Room) Start() { r.enough = true }

// starts says whether the match starts with the tick that is being made.
func (r *Room) starts() bool {
	return !r.run.Started() && (r.enough || r.joins >= r.expect) && slices.ContainsFunc(r.seats, func(s seat) bool { return s.taken })
}

// Drop cuts a player's connection: the Drop hook runs with the next tick. The seat is held for Rules.Grace of ticks, then
// it is given up as by Leave.
func (r *Room) Drop(n netcode.Seat) {
	r.t.Helper()
	s := r.present(n)
	rules := r.game.Rules()
	grace := max(1, int64(rules.Grace)*int64(rules.TickRate)/int64(time.Second))
	s.gone, s.deadline = true, r.run.Tick()+1+uint32(grace) //nolint:gosec // far below
	r.change(match.SeatDropped, s)
}

// Resume brings a dropped player back: the Resume hook runs with the next tick.
func (r *Room) Resume(n netcode.Seat) {
	r.t.Helper()
	s := r.place(n)
	if !s.taken || !s.gone {
		r.t.Fatalf("matchtest: seat %d has nobody who was dropped", n)
	}
	s.gone = false
	r.change(match.SeatResumed, s)
}

// Leave gives a seat up: the Leave hook runs with the next tick.
func (r *Room) Leave(n netcode.Seat) {
	r.t.Helper()
	s := r.place(n)
	if !s.taken {
		r.t.Fatalf("matchtest: seat %d is free, nobody can leave it", n)
	}
	r.leave(s)
}

// Connected says whether a seat has a player who is there, neither dropped nor gone, and so can make inputs.
func (r *Room) Connected(n netcode.Seat) bool {
	r.t.Helper()
	s := r.place(n)
	return s.taken && !s.gone
}

func (r *Room) leave(s *seat) {
	r.change(match.SeatLeft, s)
	s.free()
}

// free makes the seat ready for another player.
func (s *seat) free() { s.taken, s.gone, s.events = false, false, nil }

func (r *Room) change(kind match.SeatChangeKind, s *seat) {
	r.rec.Seats = append(r.rec.Seats, match.SeatChange{Kind: kind, Player: s.player})
}

// place returns a seat of the room.
func (r *Room) place(n netcode.Seat) *seat {
	r.t.Helper()
	if n == 0 || int(n) >= len(r.seats) {
		r.t.Fatalf("matchtest: there is no seat %d: a room of game %q has 1 to %d", n, r.game.Name(), len(r.seats)-1)
	}
	return &r.seats[n]
}

// present returns the seat of a player who is there.
func (r *Room) present(n netcode.Seat) *seat {
	r.t.Helper()
	s := r.place(n)
	switch {
	case !s.taken:
		r.t.Fatalf("matchtest: seat %d is free: nobody has joined there, or the player left or was refused", n)
	case s.gone:
		r.t.Fatalf("matchtest: seat %d has lost its connection: Resume it first", n)
	}
	return s
}

// expire gives up the seats whose players did not come back in time.
func (r *Room) expire(rec *match.TickRecord) {
	for i := range r.seats {
		if s := &r.seats[i]; s.taken && s.gone && s.deadline <= rec.Tick {
			rec.Seats = append(rec.Seats, match.SeatChange{Kind: match.SeatLeft, Player: s.player})
			s.free()
		}
	}
}
