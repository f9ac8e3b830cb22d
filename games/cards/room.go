package cards

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

const (
	version  = "2"
	tickRate = 10 // ticks per second
)

// Game is the game as servers run it. Its matches outlive their machines: nobody wants a hand dealt again. While nobody is
// connected a table stands still.
var Game = match.Define[World, Input]("cards", Cards{}, match.Rules{
	Version: version, TickRate: tickRate, Seats: places, Inputs: proto.Commands, Events: events, Config: Config{},
	Durability: match.Journal, Grace: 300e9, // five minutes: nobody has to give a hand up for a bad line
	Sleep: true, Spectators: 100,
})

// Config is what a room may be created with.
type Config struct {
	// Bots is how many chairs the rules fill, 0 to 3. They give way to players who come later.
	Bots int `json:"bots"`
	// Target is the points that are played for, 10 to 500; 0 is 100.
	Target int `json:"target"`
	// TurnSeconds is how long a turn goes, 5 to 120; 0 is 20.
	TurnSeconds int `json:"turn_seconds"`
	// GatherSeconds is how long others are waited for once two are here, 1 to 600; 0 is 10. All who are here can begin before.
	GatherSeconds int `json:"gather_seconds"`
}

// Validate implements match.Validator.
func (c Config) Validate() error {
	for _, f := range []struct {
		name            string
		is, least, most int
	}{
		{"bots", c.Bots, 0, places - 1},
		{"target", c.Target, 10, 500},
		{"turn_seconds", c.TurnSeconds, 5, 120},
		{"gather_seconds", c.GatherSeconds, 1, 600},
	} {
		if f.is != 0 && (f.is < f.least || f.is > f.most) {
			return fmt.Errorf("%s is %d, %d to %d allowed", f.name, f.is, f.least, f.most)
		}
	}
	return nil
}

// Open lays the table.
func (Cards) Open(r *match.Room[World]) error {
	c := match.ConfigOf[Config](r)
	r.State().Round.V = Round{
		Target: uint16(cmp.Or(c.Target, target)), Bots: uint8(c.Bots), //nolint:gosec // Validate
		Turns:  cmp.Or(uint32(c.TurnSeconds)*tickRate, turnTime),     //nolint:gosec // Validate
		Gather: cmp.Or(uint32(c.GatherSeconds)*tickRate, gatherTime), //nolint:gosec // Validate
		Dealer: places - 1,
	}
	return nil
}

// Start lets the bots come, and cards be dealt.
func (Cards) Start(r *match.Room[World]) {
	w := r.State()
	w.Round.V.Open = true
	for range w.Round.V.Bots {
		if w.Seats.Len() < places {
			place := w.freePlace()
			w.Seats.Add(Chair{Owner: FirstBot + netcode.Seat(place), Place: place, Name: botNames[place], Bot: true})
		}
	}
}

// botNames are the bots' names, by their places.
var botNames = [places]string{"Clementine", "Dashiell", "Henrietta", "Sebastian"}

// maxName is what Chair.Name holds, in bytes.
const maxName = 24

// Join gives a player a chair: his own, where he has left before and comes again, or a free one, at which cards are dealt
// with the next round, or a bot's. A bot's chair is had with its hand and its points.
func (Cards) Join(r *match.Room[World], p match.Player) error {
	w := r.State()
	if w.Round.V.Phase == Over {
		return errors.New("the match is over")
	}
	name := strings.ToValidUTF8(p.Name[:min(len(p.Name), maxName)], "")
	c := w.bot(func(c *Chair) bool { return c.Left != 0 && c.Player == p.ID })
	if c == nil && w.Seats.Len() < places {
		w.Seats.Add(Chair{Owner: p.Seat, Place: w.freePlace(), Name: name, Player: p.ID})
		return nil
	}
	if c == nil {
		c = w.bot(func(*Chair) bool { return true })
	}
	if c == nil {
		return errors.New("the table is full")
	}
	w.reseat(c, p.Seat)
	c.Name, c.Player, c.Left, c.Bot, c.Away, c.Missed = name, p.ID, 0, false, false, false
	return nil
}

// bot is the first chair of a bot of which something is so, or nil.
func (w *World) bot(is func(*Chair) bool) *Chair {
	for _, c := range w.Seats.All() {
		if c.Bot && is(c) {
			return c
		}
	}
	return nil
}

// Drop marks the chair of a player whose connection is lost: when it is his turn and his time is up the rules play for him.
func (Cards) Drop(r *match.Room[World], p match.Player) {
	if c := r.State().chair(p.Seat); c != nil {
		c.Away, c.Missed, c.Ready = true, false, false
	}
}

// Resume takes the mark away. His hand is what it was.
func (Cards) Resume(r *match.Room[World], p match.Player) {
	if c := r.State().chair(p.Seat); c != nil {
		c.Away, c.Missed = false, false
	}
}

// Leave lets a bot play on with the hand of a player who has left, so that the others can end their round. Before the first
// round his chair is free.
func (Cards) Leave(r *match.Room[World], p match.Player) {
	w := r.State()
	for id, c := range w.Seats.All() {
		switch {
		case c.Owner != p.Seat:
		case w.Round.V.Phase == Waiting:
			w.Seats.Remove(id)
		default:
			w.reseat(c, FirstBot+netcode.Seat(c.Place))
			c.Bot, c.Left, c.Away, c.Ready = true, p.Seat, false, false
		}
	}
}

// reseat gives a chair, with all that belongs to it, to another seat.
func (w *World) reseat(c *Chair, seat netcode.Seat) {
	for _, held := range w.Hands.All() {
		if held.Owner == c.Owner {
			held.Owner = seat
		}
	}
	for _, laid := range w.Pile.All() {
		if laid.By == c.Owner {
			laid.By = seat
		}
	}
	r := &w.Round.V
	if r.Turn == c.Owner {
		r.Turn = seat
	}
	if r.Winner == c.Owner {
		r.Winner = seat
	}
	c.Owner = seat
}

// freePlace is the lowest place at which nobody sits.
func (w *World) freePlace() uint8 {
	for place := range uint8(places) {
		taken := false
		for _, c := range w.Seats.All() {
			taken = taken || c.Place == place
		}
		if !taken {
			return place
		}
	}
	return places // the table has no more chairs than places
}

// Scopes hides hands: a card is in the scope of its owner's seat alone, until all are laid open. Nobody has a bot's scope.
func (Cards) Scopes(w *World, sc *netcode.Scopes) {
	if phase := w.Round.V.Phase; phase == Scored || phase == Over {
		return
	}
	for id, held := range w.Hands.All() {
		sc.Place(&w.Hands, id, netcode.OnlySeat(held.Owner))
	}
}

// After ends the match.
func (Cards) After(r *match.Room[World]) {
	round := &r.State().Round.V
	if round.Phase != Over {
		return
	}
	r.SetOpen(false)
	if r.Tick() >= round.Ends {
		r.End(placements(r.State()))
	}
}

// placements ranks the players by their points; equal points have equal ranks. Whoever left before the end is behind all
// others, whatever a bot has made of his hand. Bots are nobody.
func placements(w *World) []match.Placement {
	list, left := []match.Placement{}, map[string]bool{}
	for _, c := range w.Seats.All() {
		switch {
		case !c.Bot:
			list = append(list, match.Placement{Seat: uint16(c.Owner), Player: c.Player, Score: int64(c.Score)})
		case c.Left != 0:
			list = append(list, match.Placement{Seat: uint16(c.Left), Player: c.Player, Score: int64(c.Score)})
			left[c.Player] = true
		}
	}
	rank := func(p *match.Placement) int64 {
		if left[p.Player] {
			return -1
		}
		return p.Score
	}
	slices.SortStableFunc(list, func(a, b match.Placement) int {
		return cmp.Or(cmp.Compare(rank(&b), rank(&a)), cmp.Compare(a.Seat, b.Seat))
	})
	for i := range list {
		list[i].Rank = uint16(i + 1)
		if i > 0 && rank(&list[i]) == rank(&list[i-1]) {
			list[i].Rank = list[i-1].Rank
		}
	}
	return list
}

var (
	_ match.Opener[World]  = Cards{}
	_ match.Starter[World] = Cards{}
	_ match.Joiner[World]  = Cards{}
	_ match.Dropper[World] = Cards{}
	_ match.Resumer[World] = Cards{}
	_ match.Leaver[World]  = Cards{}
	_ match.Afterer[World] = Cards{}
	_ match.Scoper[World]  = Cards{}
)
