package netcode

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"muster/internal/race"
)

func newPlayout(t testing.TB, cfg PlayoutConfig) *Playout[rewindWorld] {
	t.Helper()
	p, err := NewPlayout[rewindWorld](rewindSchema(t), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestShownTimeNeverGoesBackAndDelayIsBounded(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		cfg := PlayoutConfig{
			MinDelay: rapid.Float64Range(0.5, 2).Draw(r, "least"), MaxDelay: rapid.Float64Range(2, 12).Draw(r, "most"),
			Extrapolate: 3,
		}
		p := newPlayout(t, cfg)
		var w, out rewindWorld
		id := w.Rows.Add(testRow{})
		now, newest, before := 0.0, uint32(0), math.Inf(-1)
		for range rapid.IntRange(1, 80).Draw(r, "steps") {
			now += rapid.Float64Range(-0.5, 3).Draw(r, "passes") // also a clock that is put back
			delay := p.Delay()
			switch op := rapid.IntRange(0, 9).Draw(r, "op"); {
			case op < 5:
				tick := newest + uint32(rapid.IntRange(0, 5).Draw(r, "gap"))
				w.Rows.Get(id).X = float32(tick)
				first := newest == 0 || tick <= newest
				p.Push(tick, &w, now)
				need := min(now-float64(newest), cfg.MaxDelay)
				if !first && p.Delay() < need {
					t.Fatalf("delay %v, and %v was needed", p.Delay(), need)
				}
				if down := delay - p.Delay(); down > float64(tick-newest)*paceShrink+1e-9 {
					t.Fatalf("the delay fell by %v in %d ticks", down, tick-newest)
				}
				newest = max(newest, tick)
			case op == 5 && newest > 3: // late
				p.Push(newest-uint32(rapid.IntRange(1, 3).Draw(r, "late")), &w, now)
			default:
				shown, ok := p.At(now, &out)
				if !ok {
					continue
				}
				if shown < before {
					t.Fatalf("time shown went from %v to %v", before, shown)
				}
				if shown > float64(newest)+cfg.Extrapolate {
					t.Fatalf("%v is shown, %v after the newest state", shown, shown-float64(newest))
				}
				before = shown
			}
			if d := p.Delay(); d < cfg.MinDelay || d > cfg.MaxDelay {
				t.Fatalf("delay %v is not within %v and %v", d, cfg.MinDelay, cfg.MaxDelay)
			}
		}
	})
}

// line plays frames that arrive so many ticks late to a client that looks 6 times a tick, and returns how many looks
// found no newer state.
func line(t *testing.T, p *Playout[rewindWorld], from, to uint32, late func(tick uint32) float64) (dry int) {
	t.Helper()
	var w, out rewindWorld
	next := from
	arrives := 0.0
	for look := float64(from); look < float64(to); look += 1.0 / 6 {
		for ; next < to; next++ {
			if arrives = max(arrives, float64(next)+late(next)); arrives > look {
				break
			}
			p.Push(next, &w, arrives)
		}
		if shown, ok := p.At(look, &out); ok && shown > float64(next-1) {
			dry++
		}
	}
	return dry
}

func TestBufferLearnsTheLine(t *testing.T) {
	jitter := func(tick uint32, most float64) float64 { return float64(mix(uint64(tick))%1000) / 1000 * most }
	for _, c := range []struct {
		about    string
		late     func(tick uint32) float64
		lo, hi   float64 // bounds of the delay in the end
		dryAtAll int
	}{
		{"a good line", func(uint32) float64 { return 0.5 }, 1.5, 1.6, 0},
		{"jitter", func(tick uint32) float64 { return 1 + jitter(tick, 2) }, 3.5, 6, 0},
		{"frames by threes", func(tick uint32) float64 { return 1 + float64(2-tick%3) }, 3, 7, 0},
	} {
		p := newPlayout(t, PlayoutConfig{})
		line(t, p, 1, 300, c.late)
		if dry := line(t, p, 300, 900, c.late); dry > c.dryAtAll {
			t.Errorf("%s: %d looks of 3600 found the buffer dry", c.about, dry)
		}
		if d := p.Delay(); d < c.lo || d > c.hi {
			t.Errorf("%s: the delay is %v, want %v to %v", c.about, d, c.lo, c.hi)
		}
	}
}

func TestDelayGrowsAtOnceAndShrinksSlowly(t *testing.T) {
	p := newPlayout(t, PlayoutConfig{})
	good := func(uint32) float64 { return 0.5 }
	line(t, p, 1, 300, good)
	before := p.Delay()
	line(t, p, 300, 310, func(tick uint32) float64 { return max(0.5, 307-float64(tick)) }) // seven ticks of nothing
	grown := p.Delay()
	if grown < 7 {
		t.Errorf("the delay is %v after seven ticks without a frame", grown)
	}
	line(t, p, 310, 342, good)
	if d := p.Delay(); d < grown-1.1 || d > grown-0.5 {
		t.Errorf("the delay went from %v to %v in 32 ticks, want a tick less", grown, d)
	}
	line(t, p, 342, 900, good)
	if d := p.Delay(); d > before+0.1 {
		t.Errorf("the delay is %v in the end, it was %v before", d, before)
	}
}

func TestPlayoutGoesOnBeyondTheNewestStateForAWhile(t *testing.T) {
	for _, c := range []struct {
		extrapolate float64
		want        []float32 // X at 11, 12, 13, … when 10 and 11 are there
	}{
		{2, []float32{110, 120, 130, 130, 130}},
		{0.5, []float32{110, 115, 115}},
		{-1, []float32{110, 110, 110}},
	} {
		p := newPlayout(t, PlayoutConfig{MinDelay: 1, MaxDelay: 1, Extrapolate: c.extrapolate})
		var w, out rewindWorld
		id := w.Rows.Add(testRow{X: 100, HP: 1})
		p.Push(10, &w, 10)
		w.Rows.Get(id).X, w.Rows.Get(id).HP = 110, 2
		p.Push(11, &w, 11)
		for i, want := range c.want {
			if _, ok := p.At(float64(12+i), &out); !ok || out.Rows.Get(id).X != want || out.Rows.Get(id).HP != 2 {
				t.Errorf("extrapolate %v, %d ticks on: %+v, want X=%v", c.extrapolate, i, *out.Rows.Get(id), want)
			}
		}
	}
}

func TestPlayoutKeepsCopies(t *testing.T) {
	p := newPlayout(t, PlayoutConfig{MinDelay: 1, MaxDelay: 1})
	var w, out rewindWorld
	id := w.Rows.Add(testRow{X: 1, Blob: []byte{1}, Name: "a"})
	p.Push(10, &w, 10)
	w.Rows.Get(id).X, w.Rows.Get(id).Blob[0] = 9, 9
	p.At(11, &out)
	out.Rows.Get(id).Blob[0] = 8
	var again rewindWorld
	p.At(11, &again)
	if row := again.Rows.Get(id); row.X != 1 || row.Blob[0] != 1 || row.Name != "a" {
		t.Errorf("shown %+v, want what was pushed", *row)
	}
}

func TestResetForgetsStatesAndTime(t *testing.T) {
	p := newPlayout(t, PlayoutConfig{})
	var w, out rewindWorld
	line(t, p, 1, 100, func(uint32) float64 { return 4 })
	learned := p.Delay()
	p.Reset()
	if _, ok := p.At(200, &out); ok {
		t.Error("something is shown after a reset")
	}
	p.Push(50, &w, 54) // the new epoch is from before
	if shown, ok := p.At(54, &out); !ok || shown != 50 {
		t.Errorf("%v is shown, want 50", shown)
	}
	if d := p.Delay(); d < learned-0.1 || learned < 4 {
		t.Errorf("the delay is %v, it was %v: what was learned of the line is forgotten", d, learned)
	}
}

func TestPlayoutRefusesWhatMakesNoSense(t *testing.T) {
	sc := rewindSchema(t)
	for _, cfg := range []PlayoutConfig{
		{MinDelay: 3, MaxDelay: 2},
		{CatchUp: 0.5},
		{Snap: -1},
		{Snap: math.NaN()},
		{MinDelay: -1},
		{MinDelay: 11}, // beyond the default of the other
		{MaxDelay: 101},
		{MaxDelay: math.NaN()},
		{Extrapolate: math.NaN()},
	} {
		if _, err := NewPlayout[rewindWorld](sc, cfg); err == nil {
			t.Errorf("%+v is accepted", cfg)
		}
	}
	if _, err := NewPlayout[testWorld](sc, PlayoutConfig{}); err == nil {
		t.Error("a schema of another state is accepted")
	}
}

func TestPlayoutDoesNotAllocate(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector allocates")
	}
	p := newPlayout(t, PlayoutConfig{})
	var w, out rewindWorld
	for range 20 {
		w.Rows.Add(testRow{Name: "name", Blob: []byte{1, 2}})
	}
	tick, flying := uint32(0), ID(0)
	one := func() {
		tick++
		for _, row := range w.Rows.All() {
			row.X += 3
			row.Angle++
		}
		w.Rows.Remove(flying)
		flying = w.Rows.Add(testRow{})
		p.Push(tick, &w, float64(tick)+0.5)
		p.At(float64(tick)+0.5, &out)
		p.At(float64(tick)+0.9, &out)
	}
	for range 100 {
		one()
	}
	wantAllocs(t, "a frame and two looks", 0, one)
}

func TestTablesAreShownInTheirModes(t *testing.T) {
	type world struct {
		Ships, Shots, Lamps Table[testRow]
		Round               Value[struct{ Left uint16 }]
	}
	sc, err := Compile[world, testInput]()
	if err != nil {
		t.Fatal(err)
	}
	p, err := NewPlayout[world](sc, PlayoutConfig{
		MinDelay: 2, MaxDelay: 2, Modes: map[string]PlayoutMode{"Shots": Extrapolated, "Lamps": Raw, "Round": Raw},
	})
	if err != nil {
		t.Fatal(err)
	}
	var w, out world
	ship, shot, lamp := w.Ships.Add(testRow{}), w.Shots.Add(testRow{}), w.Lamps.Add(testRow{})
	for tick := uint32(10); tick <= 12; tick++ {
		x := float32(tick) * 10
		w.Ships.Get(ship).X, w.Shots.Get(shot).X, w.Lamps.Get(lamp).X, w.Round.V.Left = x, x, x, uint16(x)
		p.Push(tick, &w, float64(tick))
	}
	for _, c := range []struct {
		now         float64
		ships, shot float32
	}{{12.5, 105, 125}, {13, 110, 130}, {12.9, 110, 129}, {11, 110, 120}, {15, 130, 140}} { // two ticks on is the end
		shown, ok := p.At(c.now, &out)
		if !ok || out.Ships.Get(ship).X != c.ships || out.Shots.Get(shot).X != c.shot || out.Lamps.Get(lamp).X != 120 ||
			out.Round.V.Left != 120 || shown != float64(c.ships)/10 {
			t.Errorf("at %v: time %v, %+v, %+v, %+v", c.now, shown, out.Ships.Get(ship), out.Shots.Get(shot), out.Lamps.Get(lamp))
		}
	}
	for _, modes := range []map[string]PlayoutMode{{"Boats": Raw}, {"Ships": 9}} {
		if _, err := NewPlayout[world](sc, PlayoutConfig{Modes: modes}); err == nil {
			t.Errorf("%v is accepted", modes)
		}
	}
}
