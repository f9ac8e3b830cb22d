package canvas

import (
	"errors"
	"strings"

	"muster/match"
	"muster/netcode"
	"muster/proto"
)

const (
	tickRate = 10 // per second: what one does oneself shows at once, what others do a tenth of a second later
	seats    = 32
)

// Game is the canvas as servers run it.
//
// What somebody has typed and seen there must not be lost, and a document is written to rarely: so every command is in
// the journal before it counts as durable, and the whole document is written twice a minute alone.
var Game = match.Define[World, Input]("canvas", Canvas{}, match.Rules{
	Version: "1", TickRate: tickRate, Seats: seats, Inputs: proto.Commands, InputsPerTick: 8,
	Persist: true, Sleep: true, Durability: match.Journal, CheckpointEvery: 30e9, // half a minute
})

const maxName = 24 // bytes, as Author.Name has

// Join gives a player a cursor, and the number under which he has written before, or a new one.
func (Canvas) Join(r *match.Room[World], p match.Player) error {
	w := r.State()
	a := w.authorOf(p.ID)
	if a == nil {
		return errors.New("too many have written here")
	}
	a.Here, a.Name = true, strings.ToValidUTF8(p.Name[:min(len(p.Name), maxName)], "")
	if w.Cursors.Add(Cursor{Owner: p.Seat, Author: a.Number}) == 0 {
		return errors.New("there is no place")
	}
	return nil
}

// Drop marks the cursor of one whose connection is lost.
func (Canvas) Drop(r *match.Room[World], p match.Player) { setAway(r.State(), p.Seat, true) }

// Resume takes the mark away.
func (Canvas) Resume(r *match.Room[World], p match.Player) { setAway(r.State(), p.Seat, false) }

func setAway(w *World, seat netcode.Seat, away bool) {
	if c := w.cursor(seat); c != nil {
		c.Away = away
	}
}

// Leave takes a player's cursor away. What he has written stays.
func (Canvas) Leave(r *match.Room[World], p match.Player) {
	w := r.State()
	for id, c := range w.Cursors.All() {
		if c.Owner == p.Seat {
			if a := w.author(c.Author); a != nil {
				a.Here = false
			}
			w.Cursors.Remove(id)
		}
	}
}

// authorOf returns the author that a player is. One who was never here takes a new number or, where there are none left,
// that of somebody who is gone and of whom nothing is left; he counts on from there, so that no two characters have ever
// the same name. It is nil where there is no such.
func (w *World) authorOf(player string) *Author {
	x := w.indexed()
	var spare *Author
	for _, a := range w.Authors.All() {
		if a.Player == player {
			return a
		}
		if h := x.of(a.Number); spare == nil && !a.Here && len(h.runs) == 0 && len(h.lines) == 0 {
			spare = a
		}
	}
	number := uint16(w.Authors.Len() + 1) //nolint:gosec // at most 1024
	if id := w.Authors.Add(Author{Number: number, Next: 1, Player: player}); id != 0 {
		x.who[number] = id
		return w.Authors.Get(id)
	}
	if spare == nil {
		return nil
	}
	for _, r := range w.Runs.All() {
		if r.By == spare.Number {
			r.By = 0 // what he deleted is not another's to restore
		}
	}
	spare.Player = player
	return spare
}

var (
	_ match.Joiner[World]  = Canvas{}
	_ match.Dropper[World] = Canvas{}
	_ match.Resumer[World] = Canvas{}
	_ match.Leaver[World]  = Canvas{}
)
