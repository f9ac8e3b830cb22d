package matchtest

import (
	"errors"
	"slices"
	"testing"

	"muster/match"
	"muster/netcode"
	"muster/proto"
)

// row returns a seat's duck.
func row(t *testing.T, r *Room, seat netcode.Seat) duck {
	t.Helper()
	for _, d := range State[pond](r).Ducks.All() {
		if d.Owner == seat {
			return *d
		}
	}
	t.Fatalf("seat %d has no duck", seat)
	return duck{}
}

// newPond is a room with two players.
func newPond(t *testing.T, d *ducks, inputs proto.InputMode) *Room {
	t.Helper()
	r := New(t, duckGame(t, d, inputs), Config{Seed: 1})
	r.Join(1, "a", "Anna")
	r.Join(2, "b", "Bert")
	r.Tick(1)
	return r
}

func TestInputsAreWhatAServerMakesOfThem(t *testing.T) {
	r := newPond(t, &ducks{}, proto.Commands)
	Input(r, 1, waddle{DX: 1.3}) // 1.5 on the wire's grid
	r.Tick(1)
	if x := row(t, r, 1).X; x != 51.5 {
		t.Errorf("one command moves to %v, want 51.5", x)
	}
	Input(r, 1, waddle{DX: 1})
	Input(r, 1, waddle{DX: 2})
	r.Tick(1)
	if x := row(t, r, 1).X; x != 52.5 {
		t.Errorf("the first of two commands moves to %v, want 52.5", x)
	}
	r.Tick(10)
	if x := row(t, r, 1).X; x != 54.5 {
		t.Errorf("both commands move to %v, want 54.5", x)
	}
	r = newPond(t, &ducks{}, proto.Samples)
	Input(r, 1, waddle{DX: 5})
	Input(r, 1, waddle{DX: 1})
	r.Tick(1)
	if x := row(t, r, 1).X; x != 51 {
		t.Errorf("the newer of two samples moves to %v, want 51", x)
	}
	r.Tick(20)
	if x := row(t, r, 1).X; x != 61 { // half a second more
		t.Errorf("a sample that is held moves to %v, want 61", x)
	}
	if x := row(t, r, 2).X; x != 50 || r.TickNumber() != 22 {
		t.Errorf("the other is at %v, at tick %d", x, r.TickNumber())
	}
}

func TestEventsReachTheSeatsThatTheyAreFor(t *testing.T) {
	r := newPond(t, &ducks{}, proto.Commands)
	Input(r, 1, waddle{DX: 10})
	r.Tick(1)
	Input(r, 1, waddle{DX: 10})
	r.Tick(1)
	if got := r.Events(1); len(got) != 0 { // of team 2
		t.Errorf("seat 1 has %v", got)
	}
	if got, want := r.Events(2), []any{quack{1}, quack{1}, secret{"bread"}}; !slices.Equal(got, want) {
		t.Errorf("seat 2 has %v, want %v", got, want)
	}
	if got := r.Events(2); len(got) != 0 {
		t.Errorf("the same events come again: %v", got)
	}
}

func TestRefusalsAndKicksAreTold(t *testing.T) {
	r := newPond(t, &ducks{}, proto.Commands)
	r.Join(3, "f", "fox")
	Input(r, 1, waddle{DX: 9})
	Input(r, 2, waddle{Quit: true})
	r.Tick(1)
	want := []Refusal{{3, 0, "no foxes"}, {1, 1, "not nine"}, {2, 1, "nobody quits"}}
	if got := r.Refused(); !slices.Equal(got, want) {
		t.Errorf("refused: %v, want %v", got, want)
	}
	r.Join(3, "c", "Cleo") // the seat is free
	for range 5 {
		Input(r, 3, waddle{DX: -10})
		r.Tick(1)
	}
	if got := r.Kicked(); !slices.Equal(got, []netcode.Seat{3}) || len(r.Refused()) != 0 {
		t.Fatalf("kicked: %v", got)
	}
	if r.Tick(1); State[pond](r).Ducks.Len() != 2 || len(r.Kicked()) != 0 {
		t.Errorf("%d ducks after the kick", State[pond](r).Ducks.Len())
	}
}

func TestADroppedPlayerComesBackOrLosesTheSeat(t *testing.T) {
	r := newPond(t, &ducks{}, proto.Commands)
	if !r.Connected(1) || r.Connected(3) {
		t.Error("who is there?")
	}
	r.Drop(1)
	r.Tick(20)
	if !row(t, r, 1).Away || r.Connected(1) {
		t.Error("the Drop hook was not called")
	}
	r.Resume(1)
	r.Tick(1)
	if row(t, r, 1).Away {
		t.Error("the Resume hook was not called")
	}
	r.Drop(1)
	r.Leave(2)
	if r.Tick(20); State[pond](r).Ducks.Len() != 1 {
		t.Errorf("%d ducks within the grace of a second, want 1", State[pond](r).Ducks.Len())
	}
	if r.Tick(1); State[pond](r).Ducks.Len() != 0 {
		t.Error("the seat is held for longer than the grace")
	}
	r.Join(1, "c", "Cleo")
	if r.Tick(1); State[pond](r).Ducks.Len() != 1 {
		t.Error("nobody can take the seat")
	}
}

func TestWorkIsAsTheTestSays(t *testing.T) {
	var got []match.Work
	d := &ducks{done: func(_ *match.Room[pond], w match.Work) { got = append(got, w) }}
	r := newPond(t, d, proto.Commands)
	for range 3 {
		Input(r, 1, waddle{DX: 10})
		r.Tick(1)
	}
	r.Tick(1)
	if kinds := r.Works(); !slices.Equal(kinds, []string{"coins", "coins"}) {
		t.Fatalf("under way: %q", kinds)
	}
	r.Work("coins", []byte("12345"), nil)
	if r.Tick(1); row(t, r, 1).Coins != 5 {
		t.Errorf("%d coins, want 5", row(t, r, 1).Coins)
	}
	r.Work("coins", nil, errors.New("the bank is closed"))
	if r.Tick(1); row(t, r, 1).Coins != 1000 || got[1].Err == nil || got[1].Err.Error() != "the bank is closed" || got[1].ID != 2 {
		t.Errorf("%d coins, done %+v", row(t, r, 1).Coins, got)
	}
}

func TestTheEndIsTheRulesEnd(t *testing.T) {
	r := newPond(t, &ducks{}, proto.Commands)
	for range 4 {
		Input(r, 1, waddle{DX: 10})
		r.Tick(1)
	}
	if _, ended := r.Ended(); ended {
		t.Fatal("ended at 90")
	}
	r.Events(2)
	Input(r, 1, waddle{DX: 10})
	r.Tick(100)
	result, ended := r.Ended()
	if want := []match.Placement{{Seat: 1, Player: "a", Team: 2, Rank: 1, Score: 7}}; !ended || !slices.Equal(result, want) || r.TickNumber() != 6 {
		t.Errorf("ended %v at tick %d with %+v", ended, r.TickNumber(), result)
	}
	if got := r.Events(2); !slices.Equal(got, []any{quack{1}, secret{"over"}}) {
		t.Errorf("the End hook's events: %v", got)
	}
}

func TestARoomGoesOnFromItsCheckpoint(t *testing.T) {
	a, b := newPond(t, &ducks{}, proto.Samples), newPond(t, &ducks{}, proto.Samples)
	for tick := range 20 {
		for _, r := range []*Room{a, b} {
			if tick == 3 {
				Input(r, 1, waddle{DX: 1})
			}
			r.Tick(1)
		}
		b.Restart()
		if a.Hash() != b.Hash() || a.Hash() == 0 {
			t.Fatalf("tick %d: hashes %x and %x", tick, a.Hash(), b.Hash())
		}
	}
	if x := row(t, b, 1).X; x != 61 {
		t.Errorf("it is at %v, want 61: a held sample goes on, too", x)
	}
}

func TestALateSeatSeesThePast(t *testing.T) {
	var saw []float32
	r := newPond(t, &ducks{step: func(s *netcode.Step[pond, waddle]) {
		for id, row := range s.State.Ducks.All() {
			if row.Owner == 1 {
				row.X++
				saw = append(saw, row.X-s.Rewind(2).Ducks.Get(id).X)
			}
		}
	}}, proto.Commands)
	for _, c := range []struct {
		late float64
		want float32
	}{{0, 1}, {3, 4}, {1.5, 2.5}, {50, 6}} { // the window is 5 ticks
		r.Tick(8)
		r.Late(2, c.late)
		Input(r, 2, waddle{})
		r.Tick(1)
		if got := saw[len(saw)-1]; got != c.want {
			t.Errorf("%v ticks late: the past is %v behind, want %v", c.late, got, c.want)
		}
	}
}

func TestMistakesOfATestAreExplained(t *testing.T) {
	pondOf := func(t testing.TB) *Room {
		r := New(t, duckGame(t, &ducks{}, proto.Commands), Config{})
		r.Join(1, "a", "Anna")
		r.Tick(1)
		return r
	}
	for name, c := range map[string]struct {
		do    func(t testing.TB)
		words []string
	}{
		"a game that is not one":    {func(t testing.TB) { New(t, match.Define[pond, waddle]("X", &ducks{}, match.Rules{}), Config{}) }, []string{`game "X"`}},
		"an Open hook that refuses": {func(t testing.TB) { New(t, duckGame(t, &ducks{}, 0), Config{Config: weather{Ice: true}}) }, []string{"Open", "frozen"}},
		"a config of another game":  {func(t testing.TB) { New(t, duckGame(t, &ducks{}, 0), Config{Config: []byte(`{"rain":1}`)}) }, []string{"rain"}},
		"no such seat":              {func(t testing.TB) { pondOf(t).Join(5, "e", "Emil") }, []string{"no seat 5", "1 to 4"}},
		"seat 0":                    {func(t testing.TB) { pondOf(t).Events(0) }, []string{"no seat 0"}},
		"a seat that is taken":      {func(t testing.TB) { pondOf(t).Join(1, "e", "Emil") }, []string{"seat 1 is a's", "e cannot"}},
		"an input of a free seat":   {func(t testing.TB) { Input(pondOf(t), 2, waddle{}) }, []string{"seat 2 is free"}},
		"an input of the dropped":   {func(t testing.TB) { r := pondOf(t); r.Drop(1); Input(r, 1, waddle{}) }, []string{"Resume it first"}},
		"an input of another type":  {func(t testing.TB) { Input(pondOf(t), 1, 7) }, []string{"seat 1's input", "*int"}},
		"another state's type":      {func(t testing.TB) { State[duck](pondOf(t)) }, []string{"*matchtest.pond", "*matchtest.duck"}},
		"leaving a free seat":       {func(t testing.TB) { pondOf(t).Leave(2) }, []string{"seat 2 is free"}},
		"resuming who is there":     {func(t testing.TB) { pondOf(t).Resume(1) }, []string{"seat 1 has nobody"}},
		"work that nobody began":    {func(t testing.TB) { pondOf(t).Work("coins", nil, nil) }, []string{`"coins"`}},
		"too many commands": {func(t testing.TB) {
			r := pondOf(t)
			for range 200 {
				Input(r, 1, waddle{})
			}
		}, []string{"128 commands"}},
		"a tick after the end": {func(t testing.TB) {
			r := pondOf(t)
			for range 5 {
				Input(r, 1, waddle{DX: 10})
				r.Tick(1)
			}
			r.Tick(1)
		}, []string{"ended at tick 6"}},
		"rules that panic": {func(t testing.TB) {
			New(t, duckGame(t, &ducks{step: func(*netcode.Step[pond, waddle]) { panic("a bug") }}, 0), Config{}).Tick(1)
		}, []string{"tick 1", "a bug", "games_test.go"}},
		"an event that is not declared": {func(t testing.TB) {
			New(t, duckGame(t, &ducks{step: func(s *netcode.Step[pond, waddle]) { s.Emit(netcode.Everyone(), struct{}{}) }}, 0), Config{}).Tick(1)
		}, []string{"tick 1 emits", "struct {}"}},
		"a script without ticks": {func(t testing.TB) { Run(t, duckGame(t, &ducks{}, 0), Script{}) }, []string{"no ticks"}},
		"a step beyond the script": {func(t testing.TB) {
			Run(t, duckGame(t, &ducks{}, 0), Script{Ticks: 3, Steps: []Step{{From: 2, To: 4}}})
		}, []string{"step 0", "2 to 4"}},
		"a step before the script":   {func(t testing.TB) { Run(t, duckGame(t, &ducks{}, 0), Script{Ticks: 3, Steps: []Step{{To: 2}}}) }, []string{"step 0"}},
		"one run":                    {func(t testing.TB) { Deterministic(t, duckGame(t, &ducks{}, 0), swim, 1) }, []string{"1 run"}},
		"a directory that is a file": {func(t testing.TB) { pondOf(t).Save("room_test.go/x") }, []string{"saving a replay"}},
	} {
		t.Run(name, func(t *testing.T) { fails(t, c.do, c.words...) })
	}
}
