package main

import (
	"time"

	"muster/match"
	"muster/netcode"
	"muster/proto"
)

// perRoom is how many players a room has at most.
const perRoom = 64

// world is what the rooms of the benchmark keep: a ship for each player, all of which move in every tick.
type world struct {
	Ships netcode.Table[ship] `net:"max=64"`
}

type ship struct {
	Owner netcode.Seat
	X, Y  float32 `net:"range=0:1000,step=0.25"`
	Dir   uint8   `net:"server"`
}

// steer is a command: each counts, and is in the frame of the tick after it came.
type steer struct{ Dir uint8 }

type ships struct{}

func (ships) Join(r *match.Room[world], p match.Player) error { //nolint:unparam // the hook's form
	r.State().Ships.Add(ship{Owner: p.Seat, X: float32(p.Seat) * 15, Y: 500})
	return nil
}

func (ships) Leave(r *match.Room[world], p match.Player) {
	for id, s := range r.State().Ships.All() {
		if s.Owner == p.Seat {
			r.State().Ships.Remove(id)
			return
		}
	}
}

// moves are the eight directions.
var moves = [8][2]float32{{1, 0}, {1, 1}, {0, 1}, {-1, 1}, {-1, 0}, {-1, -1}, {0, -1}, {1, -1}}

func (ships) Step(s *netcode.Step[world, steer]) {
	for seat, in := range s.Inputs() {
		for _, v := range s.State.Ships.All() {
			if v.Owner == seat {
				v.Dir = in.Dir & 7
			}
		}
	}
	for _, v := range s.State.Ships.All() {
		m := moves[v.Dir&7]
		v.X, v.Y = wrap(v.X+m[0]), wrap(v.Y+m[1])
	}
}

func wrap(x float32) float32 {
	switch {
	case x < 0:
		return x + 1000
	case x >= 1000:
		return x - 1000
	}
	return x
}

// games are the same rules twice: rooms that keep nothing, and rooms with a journal.
func games() (plain, kept match.Game) {
	rules := match.Rules{Seats: perRoom, Inputs: proto.Commands, InputsPerTick: 4, Empty: time.Minute, Grace: time.Second}
	plain = match.Define[world, steer](gamePlain, ships{}, rules)
	rules.Durability = match.Journal
	kept = match.Define[world, steer](gameKept, ships{}, rules)
	return plain, kept
}

// Names of the games.
const (
	gamePlain = "plain"
	gameKept  = "kept"
)
