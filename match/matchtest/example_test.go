package matchtest_test

import (
	"testing"
	"time"

	"muster/client"
	"muster/match"
	"muster/match/matchtest"
	"muster/netcode"
)

// A game: who runs to 100 first wins.

type Track struct {
	Runners netcode.Table[Runner] `net:"max=8"`
}

type Runner struct {
	X     float32 `net:"range=0:100,step=0.1"`
	Owner netcode.Seat
}

type Controls struct{ Run bool }

type Race struct{}

func (Race) Step(s *netcode.Step[Track, Controls]) {
	for _, runner := range s.State.Runners.All() {
		if in, ok := s.Input(runner.Owner); ok && in.Run {
			runner.X += 2 + s.Rand().Float32()
		}
	}
}

func (Race) Join(r *match.Room[Track], p match.Player) error {
	r.State().Runners.Add(Runner{Owner: p.Seat})
	return nil
}

func (Race) After(r *match.Room[Track]) {
	for _, runner := range r.State().Runners.All() {
		if runner.X >= 100 {
			p, _ := r.Player(runner.Owner)
			r.End([]match.Placement{{Seat: uint16(p.Seat), Player: p.ID, Rank: 1}})
		}
	}
}

var game = match.Define[Track, Controls]("race", Race{}, match.Rules{Seats: 8})

// And its tests.

func TestWhoRunsWins(t *testing.T) {
	r := matchtest.New(t, game, matchtest.Config{Seed: 1})
	r.Join(1, "alice", "Alice")
	r.Join(2, "bob", "Bob")
	for range 40 {
		matchtest.Input(r, 1, Controls{Run: true})
		r.Tick(1)
	}
	if x := matchtest.State[Track](r).Runners.Len(); x != 2 {
		t.Errorf("%d runners", x)
	}
	r.Tick(5) // the last input counts for half a second
	if result, ended := r.Ended(); !ended || result[0].Player != "alice" {
		t.Errorf("ended %v with %+v", ended, result)
	}
}

var sprint = matchtest.Script{
	Ticks: 100,
	Steps: []matchtest.Step{
		{From: 1, Do: func(r *matchtest.Room) { r.Join(1, "alice", "Alice") }},
		{From: 10, Do: func(r *matchtest.Room) { r.Join(2, "bob", "Bob") }},
		{From: 10, To: 100, Do: func(r *matchtest.Room) {
			matchtest.Input(r, 1, Controls{Run: r.Rand().IntN(2) == 0})
			matchtest.Input(r, 2, Controls{Run: true})
		}},
	},
}

func TestARaceIsAFunctionOfItsRecords(t *testing.T) {
	matchtest.Deterministic(t, game, sprint, 0)
}

// Record it with MUSTER_UPDATE=1 go test.
func TestARecordedRaceRunsAsItDid(t *testing.T) {
	matchtest.Fixture(t, game, sprint, "testdata/sprint.muster")
}

func TestRunnersOnBadLinesSeeTheServersTrack(t *testing.T) {
	bot := client.NewBot[Track, Controls]("race", func() client.Brain[Track, Controls] {
		return func(v *client.BotView[Track]) (Controls, bool) { return Controls{Run: v.Tick%2 == 0}, true }
	})
	matchtest.Network(t, game, bot, matchtest.Net{Players: 3, Latency: 80 * time.Millisecond, Loss: 0.02})
}
