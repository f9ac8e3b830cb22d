package matchtest

import (
	"path/filepath"
	"slices"
	"testing"

	"muster/match"
	"muster/netcode"
	"muster/proto"
)

// startedAt is the tick at which the pond's Start hook was called, 0 if it was not yet.
func startedAt(r *Room, ticks int, before func(tick int)) (tick uint32) {
	for i := range ticks {
		if before != nil {
			before(i + 1)
		}
		was := State[pond](r).Score.V.N
		if r.Tick(1); State[pond](r).Score.V.N >= was+1000 {
			if tick != 0 {
				r.t.Errorf("the match started at tick %d and at %d", tick, r.TickNumber())
			}
			tick = r.TickNumber()
		}
	}
	return tick
}

func TestAMatchStartsWithTheFirstPlayerOrWithAllWhoAreExpected(t *testing.T) {
	join := func(r *Room, tick int) {
		if n := netcode.Seat(max(0, tick)); n > 0 && n <= 3 {
			r.Join(n, string('a'+rune(n)), "")
		}
	}
	for name, c := range map[string]struct {
		expect int
		do     func(r *Room, tick int)
		want   uint32
	}{
		"the first player":   {0, join, 1},
		"nobody":             {0, func(*Room, int) {}, 0},
		"all three":          {3, join, 3},
		"one is missing":     {4, join, 0},
		"enough are here":    {4, func(r *Room, tick int) { join(r, tick); startAt(r, tick, 7) }, 7},
		"nobody is here yet": {4, func(r *Room, tick int) { join(r, tick-4); startAt(r, tick, 2) }, 5},
		"who was refused":    {0, func(r *Room, tick int) { refusedAt(r, tick, 1); join(r, tick-1) }, 2},
	} {
		t.Run(name, func(t *testing.T) {
			r := New(t, duckGame(t, &ducks{}, proto.Samples), Config{Expect: c.expect})
			if got := startedAt(r, 10, func(tick int) { c.do(r, tick) }); got != c.want {
				t.Errorf("the match started at tick %d, want %d", got, c.want)
			}
		})
	}
}

func startAt(r *Room, tick, at int) {
	if tick == at {
		r.Start()
	}
}

func refusedAt(r *Room, tick, at int) {
	if tick == at {
		r.Join(4, "f", "fox")
	}
}

func TestAStartIsHeardByThoseWhoAreThere(t *testing.T) {
	r := New(t, duckGame(t, &ducks{}, proto.Samples), Config{Expect: 2, Config: weather{Wind: "fair"}})
	r.Join(1, "a", "Anna")
	r.Tick(2)
	r.Join(2, "b", "Bert")
	r.Tick(1)
	r.Join(3, "c", "Cleo")
	r.Tick(1)
	for seat, want := range map[netcode.Seat][]any{1: {secret{"start"}}, 2: {secret{"start"}}, 3: nil} {
		if got := r.Events(seat); !slices.Equal(got, want) {
			t.Errorf("seat %d heard %v, want %v", seat, got, want)
		}
	}
}

func TestAMatchThatStartsLateIsAFunctionOfItsRecords(t *testing.T) {
	late := swim
	late.Config.Expect = 4
	late.Steps = append(slices.Clone(swim.Steps), Step{From: 40, Do: func(r *Room) { r.Start() }})
	g := duckGame(t, &ducks{step: func(s *stepOf) { s.State.Score.V.N += s.Rand().Uint64() % 2 }}, proto.Samples)
	Deterministic(t, g, late, 0)
	file := filepath.Join(t.TempDir(), "late.muster")
	Run(t, g, late).Save(file)
	Verify(t, g, file)
	if got := New(t, g, Config{}).run.Started(); got {
		t.Error("a room in which nobody is has started")
	}
	other := duckGame(t, &ducks{}, proto.Samples)
	fails(t, func(t testing.TB) { Verify(t, other, file) }, "tick 2", "Score.N")
}

func TestATeamIsThePlayersFromTheBeginning(t *testing.T) {
	var saw []uint16
	r := New(t, teamGame(t, &ducks{}, &saw), Config{})
	r.JoinTeam(1, "a", "Anna", 3)
	r.Join(2, "b", "Bert")
	r.Tick(1)
	if !slices.Equal(saw, []uint16{3, 0}) {
		t.Errorf("the Join hook saw teams %v", saw)
	}
}

// lineup notes the teams that players come with.
type lineup struct {
	*ducks
	saw *[]uint16
}

func (l lineup) Join(_ *match.Room[pond], p match.Player) error {
	*l.saw = append(*l.saw, p.Team)
	return nil
}

func teamGame(t testing.TB, d *ducks, saw *[]uint16) match.Game {
	t.Helper()
	g := match.Define[pond, waddle]("lineup", lineup{d, saw}, match.Rules{Seats: 4, Events: []any{quack{}, secret{}}, Config: weather{}})
	if g.Err() != nil {
		t.Fatal(g.Err())
	}
	return g
}

func TestPlacementsHaveTheirPlayersTeams(t *testing.T) {
	r := New(t, duckGame(t, &ducks{}, proto.Samples), Config{})
	r.Join(1, "a", "Anna") // the pond puts seat 1 into team 2, and seat 2 into team 1
	r.JoinTeam(2, "b", "Bert", 7)
	r.Tick(1)
	for range 6 {
		Input(r, 1, waddle{DX: 10})
		if r.Tick(1); r.ended {
			break
		}
	}
	if result, ended := r.Ended(); !ended || len(result) != 1 || result[0].Team != 2 {
		t.Errorf("ended %v with %+v", ended, result)
	}
}
