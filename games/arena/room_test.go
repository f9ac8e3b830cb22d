package arena

import (
	"errors"
	"slices"
	"testing"
	"time"

	"muster/match"
	"muster/match/matchtest"
	"muster/netcode"
)

// The arena as servers run it: with its hooks, as rooms call them, and with clients.

func world(r *matchtest.Room) *World { return matchtest.State[World](r) }

// shipOf returns a seat's ship, or nil.
func shipOf(r *matchtest.Room, seat netcode.Seat) *Ship {
	for _, ship := range world(r).Ships.All() {
		if ship.Owner == seat {
			return ship
		}
	}
	return nil
}

func TestTheRoundStartsWithTheFirstShip(t *testing.T) {
	r := matchtest.New(t, Game, matchtest.Config{Seed: 1})
	r.Tick(50)
	if round := world(r).Round.V; round.Phase != Waiting {
		t.Fatalf("an empty room plays: %+v", round)
	}
	r.Join(3, "carol", "Carol")
	r.Tick(1)
	if round := world(r).Round.V; round.Phase != Playing || round.Ends != 51+roundTime*tickRate || !shipOf(r, 3).Alive() {
		t.Errorf("%+v", round)
	}
	if got := r.Events(3); !slices.Equal(got, []any{Spawned{3}}) {
		t.Errorf("events: %v", got)
	}
}

func TestARoundIsAsLongAsTheRoomWasCreatedWith(t *testing.T) {
	r := matchtest.New(t, Game, matchtest.Config{Seed: 1, Config: Config{RoundSeconds: 30}})
	r.Join(1, "alice", "Alice")
	r.Tick(30 * tickRate)
	if round := world(r).Round.V; round.Phase != Playing || round.Ends != r.TickNumber()+1 {
		t.Fatalf("at tick %d: %+v", r.TickNumber(), round)
	}
	if r.Tick(1); world(r).Round.V.Phase != Podium {
		t.Errorf("after its time: %+v", world(r).Round.V)
	}
	for _, bad := range []string{`{"round_seconds":9}`, `{"round_seconds":181}`, `{"rounds":3}`} {
		if err := Game.CheckConfig([]byte(bad)); !errors.Is(err, match.ErrConfig) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func TestShipsComeAndGoWithTheirPlayers(t *testing.T) {
	r := matchtest.New(t, Game, matchtest.Config{Seed: 1})
	r.Join(1, "alice", "Alice, whose name is much too long")
	r.Join(2, "bob", "Bob")
	matchtest.Input(r, 1, Input{Fire: true})
	r.Tick(2)
	if w := world(r); w.Ships.Len() != 2 || w.Bullets.Len() != 1 || shipOf(r, 1).Name != "Alice, whose name is muc" {
		t.Fatalf("%d ships, %d bullets, the name %q", w.Ships.Len(), w.Bullets.Len(), shipOf(r, 1).Name)
	}
	r.Drop(2)
	if r.Tick(1); !shipOf(r, 2).Away {
		t.Error("the dropped player's ship is not marked")
	}
	r.Resume(2)
	r.Leave(1)
	r.Tick(1)
	if w := world(r); w.Ships.Len() != 1 || w.Bullets.Len() != 0 || shipOf(r, 2).Away {
		t.Errorf("%d ships and %d bullets, away %v", w.Ships.Len(), w.Bullets.Len(), shipOf(r, 2).Away)
	}
}

func TestTheMatchEndsAfterThePodium(t *testing.T) {
	r := matchtest.New(t, Game, matchtest.Config{Seed: 1})
	for seat, id := range []string{"", "alice", "bob", "carol"} {
		if seat > 0 {
			r.Join(netcode.Seat(seat), id, id)
		}
	}
	r.Tick(roundTime * tickRate)
	for seat, score := range []uint16{0, 2, 5, 2} {
		if seat > 0 {
			shipOf(r, netcode.Seat(seat)).Score = score
		}
	}
	if r.Tick(1); world(r).Round.V.Phase != Podium || world(r).Round.V.Winner != 2 {
		t.Fatalf("%+v", world(r).Round.V)
	}
	r.Join(4, "dave", "Dave")
	r.Tick(1)
	if got := r.Refused(); len(got) != 1 || got[0].Seat != 4 || got[0].Reason != "the round is over" {
		t.Errorf("who comes for the podium: %+v", got)
	}
	r.Tick(podiumTime * tickRate)
	result, ended := r.Ended()
	want := []match.Placement{
		{Seat: 2, Player: "bob", Rank: 1, Score: 5}, {Seat: 1, Player: "alice", Rank: 2, Score: 2}, {Seat: 3, Player: "carol", Rank: 2, Score: 2},
	}
	if !ended || !slices.Equal(result, want) || r.TickNumber() != (roundTime+podiumTime)*tickRate+1 {
		t.Errorf("ended %v at tick %d with %+v", ended, r.TickNumber(), result)
	}
}

// skirmish is half a minute of a full arena: controls change now and then, players see the world late by up to 300 ms,
// drop, come back, leave and join.
var skirmish = matchtest.Script{
	Config: matchtest.Config{Seed: 11},
	Ticks:  600,
	Steps: []matchtest.Step{
		{From: 1, Do: func(r *matchtest.Room) {
			for seat := netcode.Seat(1); seat <= 12; seat++ {
				r.Join(seat, string(rune('a'+seat)), "")
				r.Late(seat, float64(seat)/2)
			}
		}},
		{From: 100, Do: func(r *matchtest.Room) { r.Drop(3) }},
		{From: 150, Do: func(r *matchtest.Room) { r.Resume(3) }},
		{From: 200, Do: func(r *matchtest.Room) { r.Leave(4) }},
		{From: 210, Do: func(r *matchtest.Room) { r.Join(4, "x", "") }},
		{From: 1, To: 600, Do: func(r *matchtest.Room) {
			rng := r.Rand()
			for seat := netcode.Seat(1); seat <= 12; seat++ {
				if r.Connected(seat) && rng.Uint32N(8) == 0 {
					matchtest.Input(r, seat, Input{
						Turn: int8(rng.IntN(256) - 128), Thrust: int8(rng.IntN(228) - 100), Fire: rng.Uint32N(3) > 0,
					})
				}
			}
		}},
	},
}

func TestAMatchIsAFunctionOfItsRecords(t *testing.T) {
	matchtest.Deterministic(t, Game, skirmish, 0)
	late, hits := 0, 0
	watched := skirmish
	watched.Steps = append(slices.Clone(skirmish.Steps), matchtest.Step{From: 2, To: skirmish.Ticks, Do: func(r *matchtest.Room) {
		for _, b := range world(r).Bullets.All() {
			if b.End == r.TickNumber() {
				late++ // it is shown where it hit in the past
			}
		}
		for _, e := range r.Events(1) {
			if _, hit := e.(Hit); hit {
				hits++
			}
		}
	}})
	matchtest.Run(t, Game, watched)
	if late < 5 || hits < 20 {
		t.Errorf("%d bullets ended in the past, and %d ships were hit: the script tests little", late, hits)
	}
}

// The recorded match proves that this version of the rules still plays as it did, on this architecture, too.
func TestARecordedMatchPlaysAsItDid(t *testing.T) {
	short := skirmish
	short.Ticks, short.Steps = 250, slices.Clone(skirmish.Steps)
	short.Steps[len(short.Steps)-1].To = 250
	matchtest.Fixture(t, Game, short, "testdata/skirmish.muster")
}

func TestBotsOnBadLinesSeeTheServersArena(t *testing.T) {
	for seat, s := range matchtest.Network(t, Game, Bot, matchtest.Net{
		Players: 8, For: 20 * time.Second, Latency: 60 * time.Millisecond, Jitter: 30 * time.Millisecond, Loss: 0.01, Seed: 4,
	}) {
		if s.Frames < 200 || s.InputsSent < 100 || s.Events == 0 {
			t.Errorf("seat %d: %+v", seat+1, s)
		}
	}
}
