package arena

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"muster/match"
	"muster/netcode"
	"muster/proto"
)

// tickRate is ticks per second.
const tickRate = 20

// Game is the arena as servers run it.
var Game = match.Define[World, Input]("arena", Arena{}, match.Rules{
	Version: "2", TickRate: tickRate, Seats: 16, Inputs: proto.Samples, Events: events, Config: Config{},
})

// Config is what a room may be created with.
type Config struct {
	// RoundSeconds is how long the round goes, 10 to 180; 0 is 180.
	RoundSeconds int `json:"round_seconds"`
}

// Validate implements match.Validator.
func (c Config) Validate() error {
	if c.RoundSeconds != 0 && (c.RoundSeconds < 10 || c.RoundSeconds > roundTime) {
		return fmt.Errorf("round_seconds is %d, 10 to %d allowed", c.RoundSeconds, roundTime)
	}
	return nil
}

// maxName is what Ship.Name holds, in bytes.
const maxName = 24

// Join gives a player a ship, which the next step brings into play.
func (Arena) Join(r *match.Room[World], p match.Player) error {
	w := r.State()
	if w.Round.V.Phase == Podium {
		return errors.New("the round is over")
	}
	name := strings.ToValidUTF8(p.Name[:min(len(p.Name), maxName)], "")
	if w.Ships.Add(Ship{X: Size / 2, Y: Size / 2, Owner: p.Seat, Name: name}) == 0 {
		return errors.New("there is no place for another ship")
	}
	return nil
}

// Drop marks the ship of a player whose connection is lost; it drifts on while the seat is held.
func (Arena) Drop(r *match.Room[World], p match.Player) { setAway(r.State(), p.Seat, true) }

// Resume takes the mark away.
func (Arena) Resume(r *match.Room[World], p match.Player) { setAway(r.State(), p.Seat, false) }

func setAway(w *World, seat netcode.Seat, away bool) {
	for _, ship := range w.Ships.All() {
		if ship.Owner == seat {
			ship.Away = away
		}
	}
}

// Leave takes a player's ship and bullets out, so that the seat's next player has nothing to do with them.
func (Arena) Leave(r *match.Room[World], p match.Player) {
	w := r.State()
	for id, ship := range w.Ships.All() {
		if ship.Owner == p.Seat {
			w.Ships.Remove(id)
		}
	}
	for id, b := range w.Bullets.All() {
		if b.Owner == p.Seat {
			w.Bullets.Remove(id)
		}
	}
}

// After gives the round, which Step begins, the length that the room was created with, and ends the match when the
// podium's time is up.
func (Arena) After(r *match.Room[World]) {
	switch round := &r.State().Round.V; {
	case round.Phase == Playing && round.Ends == r.Tick()+roundTime*tickRate: // it has just begun
		if n := match.ConfigOf[Config](r).RoundSeconds; n > 0 {
			round.Ends = r.Tick() + uint32(n)*tickRate //nolint:gosec // Validate
		}
	case round.Phase == Podium && r.Tick() >= round.Ends:
		r.End(placements(r))
	}
}

// placements ranks the players by score; equal scores have equal ranks.
func placements(r *match.Room[World]) []match.Placement {
	var list []match.Placement
	for _, ship := range r.State().Ships.All() {
		p, _ := r.Player(ship.Owner)
		list = append(list, match.Placement{Seat: uint16(ship.Owner), Player: p.ID, Score: int64(ship.Score)})
	}
	slices.SortStableFunc(list, func(a, b match.Placement) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Seat, b.Seat))
	})
	for i := range list {
		list[i].Rank = uint16(i + 1)
		if i > 0 && list[i].Score == list[i-1].Score {
			list[i].Rank = list[i-1].Rank
		}
	}
	return list
}

var (
	_ match.Joiner[World]  = Arena{}
	_ match.Dropper[World] = Arena{}
	_ match.Resumer[World] = Arena{}
	_ match.Leaver[World]  = Arena{}
	_ match.Afterer[World] = Arena{}
)
