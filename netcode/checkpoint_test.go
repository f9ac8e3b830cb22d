package netcode

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"muster/internal/race"
	"muster/proto"
)

// noise is what a run of exactStep shows of itself: what the rules see of the past, draw and emit.
type noise struct {
	past   string
	events []Emission
	refuse []Refusal
}

// exactStep adds, moves and removes rows by the random source, and looks at the past.
func exactStep(out *noise) func(s *Step[exactWorld, testInput]) {
	return func(s *Step[exactWorld, testInput]) {
		rng, w := s.Rand(), s.State
		for range rng.IntN(3) {
			w.Rows.Add(exactRow{
				Raw: rng.Float32(), Secret: rng.Float64(), Name: fmt.Sprint(rng.IntN(1e9)), Fixed: rng.Float32() * 50,
				Bag: make([]exactItem, rng.IntN(4)), Owner: Seat(rng.IntN(4)), //nolint:gosec // small
			})
		}
		for id, row := range w.Rows.All() {
			if row.Fixed += rng.Float32(); rng.IntN(9) == 0 {
				w.Rows.Remove(id)
				s.Emit(Everyone(), testEvent{By: row.Owner, Text: row.Name})
			}
		}
		w.Storm.V.X += rng.Float32()
		for seat, in := range s.Inputs() {
			seen := s.Rewind(seat)
			for id, row := range seen.Rows.All() {
				out.past += fmt.Sprintf("%x %+v\n", id, *row)
			}
			out.past += fmt.Sprint(in.Turn, seen.Storm.V)
			s.Refuse(seat, "no")
		}
	}
}

type exactInput struct {
	seat      Seat
	seq, view uint32
	frac      uint8
	turn      int8
}

// play runs a tick and returns the state's hash and what the rules saw.
func play(t *rapid.T, sc *Schema, d *Driver[exactWorld, testInput], tick uint32, inputs []exactInput) (uint64, string) {
	var out noise
	d.Begin(tick)
	for _, in := range inputs {
		d.Input(in.seat, in.seq, in.view, in.frac, &testInput{Turn: in.turn})
	}
	d.Run(exactStep(&out))
	out.events, out.refuse = d.Emitted(), d.Refused()
	d.Capture()
	hash, err := sc.StateHash(d.step.State)
	if err != nil {
		t.Fatal(err)
	}
	return hash, fmt.Sprintf("%+v", out)
}

// A run that is interrupted at any tick and goes on elsewhere is, to the bit, the run that was not.
func TestRunThatIsRestoredGoesOnAsIfNothingHadBeen(t *testing.T) {
	sc := exactSchema(t)
	rapid.Check(t, func(t *rapid.T) {
		cfg := DriverConfig{Rate: 20, Seed: rapid.Uint64().Draw(t, "seed"), Schema: sc, Window: rapid.IntRange(0, 6).Draw(t, "window"), History: rapid.IntRange(0, 12).Draw(t, "history")}
		var w exactWorld
		d := NewDriver[exactWorld, testInput](&w, cfg)
		last := uint32(rapid.IntRange(1, 40).Draw(t, "ticks")) //nolint:gosec // small
		stop := uint32(rapid.IntRange(0, int(last)).Draw(t, "stop"))
		var kept []byte
		var inputs [][]exactInput
		var hashes []uint64
		var seen []string
		for tick := uint32(1); tick <= last; tick++ {
			if tick-1 == stop {
				kept = mustCheckpoint(t, d)
			}
			var list []exactInput
			for seq := range uint32(rapid.IntRange(0, 2).Draw(t, "inputs")) { //nolint:gosec // small
				list = append(list, exactInput{Seat(1 + seq), tick, uint32(rapid.IntRange(max(0, int(tick)-14), int(tick)).Draw(t, "view")), rapid.Uint8().Draw(t, "frac"), int8(seq)}) //nolint:gosec // small
			}
			hash, saw := play(t, sc, d, tick, list)
			inputs, hashes, seen = append(inputs, list), append(hashes, hash), append(seen, saw)
		}
		if stop == last {
			kept = mustCheckpoint(t, d)
		}
		cfg.Seed++ // what is restored does not depend on it
		var again exactWorld
		r := NewDriver[exactWorld, testInput](&again, cfg)
		for tick := range uint32(rapid.IntRange(0, 5).Draw(t, "ticks before that are forgotten")) { //nolint:gosec // small
			play(t, sc, r, 90+tick, nil)
		}
		if err := r.Restore(kept); err != nil {
			t.Fatal(err)
		}
		if r.step.Tick != stop || !bytes.Equal(mustCheckpoint(t, r), kept) {
			t.Fatalf("at tick %d, or written again it has other bytes", r.step.Tick)
		}
		for tick := stop + 1; tick <= last; tick++ {
			hash, saw := play(t, sc, r, tick, inputs[tick-1])
			if hash != hashes[tick-1] || saw != seen[tick-1] {
				t.Fatalf("tick %d after a restore at %d: hash %x and\n%s\nwant %x and\n%s", tick, stop, hash, saw, hashes[tick-1], seen[tick-1])
			}
		}
		wantSame(t, sc, &w, &again)
		if x, y := w.Rows.Add(exactRow{}), again.Rows.Add(exactRow{}); x != y {
			t.Fatalf("the next id is %x, restored %x", x, y)
		}
	})
}

func mustCheckpoint[S, In any](t interface{ Fatal(...any) }, d *Driver[S, In]) []byte {
	b, err := d.AppendCheckpoint(nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// stopped returns a driver after some ticks.
func stopped(t testing.TB, sc *Schema, w *exactWorld, ticks uint32) *Driver[exactWorld, testInput] {
	t.Helper()
	d := NewDriver[exactWorld, testInput](w, DriverConfig{Rate: 20, Seed: 5, Schema: sc, History: 6})
	for tick := uint32(1); tick <= ticks; tick++ {
		d.Begin(tick)
		d.Run(exactStep(&noise{}))
		d.Capture()
	}
	return d
}

func TestCheckpointCutShortAnywhereIsAnError(t *testing.T) {
	sc := exactSchema(t)
	b := mustCheckpoint(t, stopped(t, sc, &exactWorld{}, 8))
	var w exactWorld
	r := stopped(t, sc, &w, 3)
	for n := range b {
		if err := r.Restore(b[:n:n]); !errors.Is(err, ErrCheckpoint) {
			t.Fatalf("%d of %d bytes: %v", n, len(b), err)
		}
	}
	if err := r.Restore(append(b, 0)); !errors.Is(err, ErrCheckpoint) {
		t.Errorf("a byte too many: %v", err)
	}
	if err := r.Restore(b); err != nil {
		t.Error(err)
	}
	if err := r.Restore(mustAppend(t, sc, &w)); !errors.Is(err, ErrCheckpoint) {
		t.Errorf("a state alone: %v", err)
	}
}

func TestDriverWithoutASchemaHasNoCheckpoints(t *testing.T) {
	d := NewDriver[exactWorld, testInput](&exactWorld{}, DriverConfig{Rate: 20})
	if _, err := d.AppendCheckpoint(nil); err == nil {
		t.Error("it writes one")
	}
	if d.Restore(nil) == nil {
		t.Error("it takes one")
	}
}

// A shorter history keeps the newest ticks, and one of another layout none: it could show rows that never were.
func TestRestoredHistoryIsAsLongAsThisDriversAndOfTheSameLayout(t *testing.T) {
	sc := exactSchema(t)
	b := mustCheckpoint(t, stopped(t, sc, &exactWorld{}, 8))
	short := NewDriver[exactWorld, testInput](&exactWorld{}, DriverConfig{Rate: 20, Schema: sc, History: 3})
	if err := short.Restore(b); err != nil {
		t.Fatal(err)
	}
	if h := short.step.past; h.n != 3 || h.back(0).tick != 8 || h.back(2).tick != 6 {
		t.Errorf("%d ticks up to %d", h.n, h.back(0).tick)
	}
	type newer struct {
		Rows Table[struct{ Fixed float32 }] `net:"rewind"`
	}
	nsc, err := Compile[newer, testInput]()
	if err != nil {
		t.Fatal(err)
	}
	var w newer
	other := NewDriver[newer, testInput](&w, DriverConfig{Rate: 20, Schema: nsc})
	other.Begin(1)
	other.Capture()
	if err := other.Restore(b); err != nil {
		t.Fatal(err)
	}
	if other.step.past.n != 0 || other.step.Tick != 8 || w.Rows.Len() == 0 || nsc.SameLayout(b) || !sc.SameLayout(b) {
		t.Errorf("%d ticks of history at tick %d, %d rows", other.step.past.n, other.step.Tick, w.Rows.Len())
	}
}

func FuzzCheckpoint(f *testing.F) {
	sc := exactSchema(f)
	for _, ticks := range []uint32{0, 2, 9} {
		f.Add(mustCheckpoint(f, stopped(f, sc, &exactWorld{}, ticks)))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		d := stopped(t, sc, &exactWorld{}, 1)
		var err error
		// Each tick of the history may be of two bytes, and is a world.
		bound := exactBound(len(b)) + maxHistory*4096
		if n := allocated(bound, func() { err = d.Restore(b) }); n > bound {
			t.Errorf("%d bytes allocated for %d", n, len(b))
		}
		if err != nil {
			if !errors.Is(err, ErrCheckpoint) {
				t.Errorf("an error of another kind: %v", err)
			}
			return
		}
		if again := mustCheckpoint(t, d); sc.SameLayout(b) && d.step.past.n < len(d.step.past.ring) && !bytes.Equal(again, b) {
			t.Errorf("%x is written as %x", b, again)
		}
		d.Begin(d.step.Tick + 1)
		d.Input(1, 1, d.step.Tick, 9, &testInput{})
		d.Run(exactStep(&noise{}))
		d.Capture()
	})
}

func TestCheckpointsAllocateNothing(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector allocates")
	}
	d := stopped(t, exactSchema(t), &exactWorld{}, 9)
	buf := mustCheckpoint(t, d)
	wantAllocs(t, "AppendCheckpoint", 0, func() { buf, _ = d.AppendCheckpoint(buf[:0]) })
	b := NewInputBuffer(proto.Commands, 20, 16)
	b.Push(sent(1, 5), 1)
	wantAllocs(t, "the inputs", 0, func() { buf = b.Append(buf[:0]) })
}

func BenchmarkAppendCheckpoint(b *testing.B) {
	type world struct {
		Ships Table[benchShip] `net:"max=64,rewind"`
		Round Value[testRound]
	}
	sc, err := Compile[world, testInput]()
	if err != nil {
		b.Fatal(err)
	}
	var w world
	d := NewDriver[world, testInput](&w, DriverConfig{Rate: 20, Schema: sc})
	for i := range 16 {
		w.Ships.Add(benchShip{X: float32(10 * i), Y: 500, Name: "a ship's name", HP: 100})
	}
	for tick := uint32(1); tick <= 30; tick++ {
		d.Begin(tick)
		d.Capture()
	}
	buf := mustCheckpoint(b, d)
	b.ReportAllocs()
	for b.Loop() {
		buf, _ = d.AppendCheckpoint(buf[:0])
	}
	b.ReportMetric(float64(len(buf)), "bytes")
}
