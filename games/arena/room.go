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

const (
	version  = "3"
	tickRate = 20 // ticks per second
	seats    = 16 // of the arena; it has place for as many ships
	// spectators may watch one arena: the whole house. A tournament would set Rules.SpectatorDelay, too: docs/uses/WATCH.md.
	spectators = 20_000
)

// Game is the arena as servers run it.
var Game = match.Define[World, Input]("arena", Arena{}, match.Rules{
	Version: version, TickRate: tickRate, Seats: seats, Inputs: proto.Samples, Events: events, Config: Config{}, Spectators: spectators,
})

// Config is what a room may be created with.
type Config struct {
	// RoundSeconds is how long the round goes, 10 to 180; 0 is 180.
	RoundSeconds int `json:"round_seconds"`
	// Bots is how many ships the rules fly, 0 to 15, as long as players leave them place.
	Bots int `json:"bots"`
}

// Validate implements match.Validator.
func (c Config) Validate() error {
	if c.Bots < 0 || c.Bots >= seats {
		return fmt.Errorf("bots is %d, 0 to %d allowed", c.Bots, seats-1)
	}
	return checkRound(c.RoundSeconds)
}

func checkRound(seconds int) error {
	if seconds != 0 && (seconds < 10 || seconds > roundTime) {
		return fmt.Errorf("round_seconds is %d, 10 to %d allowed", seconds, roundTime)
	}
	return nil
}

// Open marks out the field.
func (Arena) Open(r *match.Room[World]) error {
	c := match.ConfigOf[Config](r)
	r.State().Field.V = Field{
		Size: Size, Places: seats,
		Bots: uint16(c.Bots), Round: uint32(c.RoundSeconds) * tickRate, //nolint:gosec // Validate
	}
	return nil
}

// Start brings the bots: not before there is somebody to see them.
func (Arena) Start(r *match.Room[World]) { fill(r.State(), r.Rand()) }

// maxName is what Ship.Name holds, in bytes.
const maxName = 24

// Join gives a player a ship, which the next step brings into play. Where there are as many as there may be it takes the
// place of a bot.
func (Arena) Join(r *match.Room[World], p match.Player) error {
	w := r.State()
	if w.Round.V.Phase == Podium {
		return errors.New("the round is over")
	}
	if w.Ships.Len() >= int(w.Field.V.Places) {
		giveWay(w)
	}
	name := strings.ToValidUTF8(p.Name[:min(len(p.Name), maxName)], "")
	middle := float32(w.side() / 2)
	if w.Ships.Add(Ship{X: middle, Y: middle, Owner: p.Seat, Name: name}) == 0 {
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

// Leave takes a player's ship out. A bot may come in its place.
func (Arena) Leave(r *match.Room[World], p match.Player) {
	takeOut(r.State(), p.Seat)
	if r.Started() && r.State().Round.V.Phase != Podium {
		fill(r.State(), r.Rand())
	}
}

// After ends the match when the podium's time is up.
func (Arena) After(r *match.Room[World]) {
	if round := &r.State().Round.V; round.Phase == Podium && r.Tick() >= round.Ends {
		r.End(placements(r))
	}
}

// placements ranks the players by score; equal scores have equal ranks. Bots are nobody.
func placements(r *match.Room[World]) []match.Placement {
	var list []match.Placement
	for _, ship := range r.State().Ships.All() {
		p, ok := r.Player(ship.Owner)
		if !ok {
			continue
		}
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

// CrowdGame is the crowd as servers run it.
var CrowdGame = match.Define[World, Input]("crowd", Crowd{}, match.Rules{
	Version: version, TickRate: tickRate, Seats: crowdSeats, Inputs: proto.Samples, Events: events, Config: CrowdConfig{},
})

// CrowdConfig is what a room of the crowd may be created with.
type CrowdConfig struct {
	// RoundSeconds is how long the round goes, 10 to 180; 0 is 180.
	RoundSeconds int `json:"round_seconds"`
	// Bots is how many ships the rules fly, 1 to 200; 0 is 200.
	Bots int `json:"bots"`
}

// Validate implements match.Validator.
func (c CrowdConfig) Validate() error {
	if c.Bots < 0 || c.Bots > crowdBots {
		return fmt.Errorf("bots is %d, 0 to %d allowed", c.Bots, crowdBots)
	}
	return checkRound(c.RoundSeconds)
}

// Open marks out the field.
func (Crowd) Open(r *match.Room[World]) error {
	c := match.ConfigOf[CrowdConfig](r)
	f := &r.State().Field.V
	*f = Field{Size: CrowdSize, Places: crowdSeats + crowdBots, Hearing: Look}
	f.Bots = crowdBots
	if c.Bots > 0 {
		f.Bots = uint16(c.Bots) //nolint:gosec // Validate
	}
	f.Round = uint32(c.RoundSeconds) * tickRate //nolint:gosec // Validate
	return nil
}

// After is the arena's, and draws the map and the table of leaders now and then.
func (c Crowd) After(r *match.Room[World]) {
	if r.Tick()%mapEvery == 0 {
		drawMap(r.State())
		rank(r.State())
	}
	c.Arena.After(r)
}

var (
	_ match.Opener[World]  = Arena{}
	_ match.Starter[World] = Arena{}
	_ match.Joiner[World]  = Arena{}
	_ match.Dropper[World] = Arena{}
	_ match.Resumer[World] = Arena{}
	_ match.Leaver[World]  = Arena{}
	_ match.Afterer[World] = Arena{}

	_ match.Opener[World]  = Crowd{}
	_ match.Afterer[World] = Crowd{}
	_ match.Scoper[World]  = Crowd{}
)
