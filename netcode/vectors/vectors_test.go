package vectors_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"muster/internal/golden"
	"muster/netcode"
	"muster/netcode/vectors"
	"muster/proto"
)

// A game of carts on a line: an input pushes one, and lets it drop a stone, which rolls on.

type cart struct {
	X     float64      `net:"range=0:100,step=0.01,predict"`
	Speed float64      `net:"server"`
	Owner netcode.Seat `net:"once"`
}

type stone struct {
	X     float64      `net:"range=0:100,step=0.01,predict"`
	Speed float64      `net:"server"`
	Owner netcode.Seat `net:"once"`
}

type carts struct {
	Carts  netcode.Table[cart]  `net:"max=4"`
	Stones netcode.Table[stone] `net:"max=16"`
}

type push struct {
	Push float64 `net:"range=-1:1,step=0.01"`
	Drop bool
}

type dropped struct{ By netcode.Seat }

func roll(s *netcode.Step[carts, push]) {
	for id, st := range s.State.Stones.All() {
		if st.X += st.Speed; st.X < 0 || st.X > 100 {
			s.State.Stones.Remove(id)
		}
	}
	for _, c := range s.State.Carts.All() {
		if in, ok := s.Input(c.Owner); ok {
			c.Speed = float64(c.Speed*0.9) + in.Push
			if in.Drop && s.State.Stones.Add(stone{X: c.X, Speed: c.Speed, Owner: c.Owner}) != 0 {
				s.Emit(netcode.Everyone(), dropped{c.Owner})
			}
		}
		c.X = max(0, min(100, c.X+c.Speed))
	}
}

func schema(t *testing.T) *netcode.Schema {
	t.Helper()
	sc, err := netcode.Compile[carts, push](dropped{})
	if err != nil {
		t.Fatal(err)
	}
	return sc
}

// record lets two carts go to and fro for 60 ticks; only of the first, whose client records, an input is missing at times.
func record(t *testing.T, mode proto.InputMode) *vectors.File {
	t.Helper()
	world := &carts{}
	world.Carts.Add(cart{X: 50, Owner: 1})
	world.Carts.Add(cart{X: 60, Owner: 2})
	run := vectors.Run[carts, push]{
		Schema: schema(t), State: world, Step: roll, Rate: 20, Mode: mode, Seat: 1, Ticks: 60,
		Inputs: func(tick uint32, give func(netcode.Seat, push)) {
			give(2, push{Push: 0.5, Drop: tick%9 == 0})
			if tick%7 != 0 {
				give(1, push{Push: float64(int(tick)%5-2) / 3, Drop: tick%6 == 0})
			}
		},
	}
	f, err := run.Record()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestAStepIsTheRulesThatWereRecorded(t *testing.T) {
	for _, mode := range []proto.InputMode{proto.Samples, proto.Commands} {
		res, err := vectors.Play(record(t, mode), schema(t), roll, vectors.Options{})
		if err != nil || res.Ticks != 60 || res.Ignored != 0 {
			t.Errorf("mode %v: %+v, %v", mode, res, err)
		}
	}
}

func TestTheFirstDifferenceIsNamed(t *testing.T) {
	f := record(t, proto.Samples)
	for _, c := range []struct {
		what, want string
		step       func(*netcode.Step[carts, push])
	}{
		{"another number", "tick 20: Carts[0x1].X: want ", func(s *netcode.Step[carts, push]) {
			if roll(s); s.Tick == 20 {
				s.State.Carts.Get(1).X += 0.02
			}
		}},
		{"a row less", "tick 6: Stones[0x1]: want a row, got none", func(s *netcode.Step[carts, push]) {
			roll(s)
			for id := range s.State.Stones.All() {
				s.State.Stones.Remove(id)
			}
		}},
		{"a row more", "want none, got a row", func(s *netcode.Step[carts, push]) {
			if roll(s); s.Tick == 3 {
				s.State.Stones.Add(stone{X: 1, Owner: 1})
			}
		}},
		{"an event more", "tick 4: the step differs from the recorded rules: an event that the server did not send", func(s *netcode.Step[carts, push]) {
			if roll(s); s.Tick == 4 {
				s.Emit(netcode.Everyone(), dropped{3})
			}
		}},
		{"an event more in the last tick", "tick 60: the step differs from the recorded rules: an event that the server did not send", func(s *netcode.Step[carts, push]) {
			if roll(s); s.Tick == 60 {
				s.Emit(netcode.Everyone(), dropped{3})
			}
		}},
	} {
		_, err := vectors.Play(f, schema(t), c.step, vectors.Options{})
		if !errors.Is(err, vectors.ErrDiffers) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.what, err, c.want)
		}
	}
}

func TestWhatAStepCannotKnowIsPassedOver(t *testing.T) {
	f := record(t, proto.Samples)
	blind := func(s *netcode.Step[carts, push]) {
		if roll(s); s.Tick == 20 {
			s.State.Carts.Get(1).X += 5
		}
	}
	// From there on the step is off by less than what the wire tells of.
	ignore := func(m netcode.Miss) bool { return m.Table == "Carts" && m.Tick == 20 || m.Tick > 20 && m.Steps == 1 }
	if res, err := vectors.Play(f, schema(t), blind, vectors.Options{Ignore: ignore}); err != nil || res.Ignored == 0 {
		t.Errorf("%+v, %v", res, err)
	}
}

func TestARecordingOfAnotherGameIsRefused(t *testing.T) {
	f := record(t, proto.Samples)
	sc, err := netcode.Compile[carts, push]()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := vectors.Play(f, sc, roll, vectors.Options{}); err == nil || errors.Is(err, vectors.ErrDiffers) {
		t.Errorf("another schema: %v", err)
	}
	f.Ticks[3].Frame = f.Ticks[3].Frame[2:]
	if _, err := vectors.Play(f, schema(t), roll, vectors.Options{}); err == nil || errors.Is(err, vectors.ErrDiffers) {
		t.Errorf("a broken frame: %v", err)
	}
}

// The TypeScript tests play the file, with this game's step there.
func TestRecordingsAreTheGoldenFile(t *testing.T) {
	const file = "../../proto/testdata/steps.json"
	got, err := json.MarshalIndent([]*vectors.File{record(t, proto.Samples), record(t, proto.Commands)}, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	golden.Check(t, file, got, "run go test ./netcode/vectors -update")
}
