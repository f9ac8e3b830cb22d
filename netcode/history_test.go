package netcode

import (
	"fmt"
	"testing"
	"unsafe"

	"pgregory.net/rapid"

	"muster/internal/race"
)

func pointerTo[T any](v *T) unsafe.Pointer { return unsafe.Pointer(v) }

// rewinding is a server's driver whose rules do what the test says.
func rewinding(sc *Schema, w *rewindWorld, history int) *Driver[rewindWorld, testInput] {
	return NewDriver[rewindWorld, testInput](w, DriverConfig{Rate: 20, Schema: sc, History: history})
}

// The claim of lag compensation: what rules see of a player's view is, to the bit, what that player saw. Bytes go from
// an encoder to a decoder, states from there to a playout; the history has the exact state and the player's word for
// the time that it looked at.
func TestRewindIsWhatTheClientShows(t *testing.T) {
	sc := rewindSchema(t)
	rapid.Check(t, func(t *rapid.T) {
		var world, loaded, shown rewindWorld
		const delay = 4
		driver := rewinding(sc, &world, 16)
		driver.step.window = rapid.SampledFrom([]uint32{0, delay}).Draw(t, "window") // what a client that is in time shows is in it
		e := NewEncoder(sc, EncoderConfig{Key: rapid.Uint64Range(0, 3).Draw(t, "key")})
		v := viewer{seat: Seat(rapid.IntRange(1, 3).Draw(t, "seat")), dec: NewDecoder(sc)}
		playout, err := NewPlayout[rewindWorld](sc, PlayoutConfig{MinDelay: delay, MaxDelay: delay, Extrapolate: -1})
		if err != nil {
			t.Fatal(err)
		}
		for tick := uint32(1); tick <= uint32(rapid.IntRange(5, 30).Draw(t, "ticks")); tick++ {
			stir(t, &world)
			driver.Begin(tick)
			driver.Run(func(*Step[rewindWorld, testInput]) {})
			driver.Capture()
			e.Capture(tick, &world)
			if err := v.take(e, tick); err != nil {
				t.Fatal(err)
			}
			if err := v.dec.Load(&loaded); err != nil {
				t.Fatal(err)
			}
			playout.Push(tick, &loaded, float64(tick))
			now := float64(tick) + float64(rapid.IntRange(0, 255).Draw(t, "now"))/256
			at, _ := playout.At(now, &shown)
			driver.Begin(tick + 1)
			driver.Input(v.seat, tick, uint32(at), uint8((at-float64(uint32(at)))*256), &testInput{})
			driver.Run(func(s *Step[rewindWorld, testInput]) {
				want := map[ID]testRow{}
				for id, row := range rowsIn(&s.Rewind(v.seat).Rows) {
					if row.Secret = 0; row.Owner != v.seat {
						row.Ammo = 0
					}
					want[e.placed[0].wire.of(id, 0)] = row
				}
				if diff := sameRows(want, rowsIn(&shown.Rows)); diff != "" {
					t.Fatalf("tick %d, looking at %v (-server +client):\n%s", tick, at, diff)
				}
				if storm := s.Rewind(v.seat).Storm; storm != shown.Storm {
					t.Fatalf("tick %d, looking at %v: storm %v and at the client %v", tick, at, storm, shown.Storm)
				}
			})
		}
	})
}

// run captures ticks from 1 on in which one row moves by 10 a tick, from 0 at tick 0, and returns its id.
func run(d *Driver[rewindWorld, testInput], w *rewindWorld, ticks uint32) ID {
	id := w.Rows.Add(testRow{HP: 100, Secret: 0.123})
	for tick := uint32(1); tick <= ticks; tick++ {
		d.Begin(tick)
		d.Run(func(s *Step[rewindWorld, testInput]) { s.State.Rows.Get(id).X += 10 })
		d.Capture()
	}
	return id
}

func TestRewindShowsTheTickThatTheSeatLookedAt(t *testing.T) {
	sc := rewindSchema(t)
	var w rewindWorld
	d := rewinding(sc, &w, 8)
	id := run(d, &w, 20)
	for _, c := range []struct {
		view uint32
		frac uint8
		want float32
	}{
		{18, 0, 180},
		{18, 128, 185},
		{19, 255, 199.95}, // 10 × 255/256, and no step between
		{20, 0, 200},
		{20, 200, 200}, // nothing is newer
		{25, 0, 200},
		{13, 0, 130}, // the oldest
		{12, 255, 130},
		{0, 0, 130},
	} {
		d.Begin(21)
		d.Input(1, 1, c.view, c.frac, &testInput{})
		d.Run(func(s *Step[rewindWorld, testInput]) {
			s.State.Rows.Get(id).X = 500 // the step is at work
			row := s.Rewind(1).Rows.Get(id)
			if diff := row.X - c.want; diff > 0.02 || diff < -0.02 || row.HP != 100 || row.Secret != 0.123 {
				t.Errorf("view %d and %d/256: %+v, want X=%v", c.view, c.frac, *row, c.want)
			}
			if s.State.Rows.Get(id).X != 500 {
				t.Error("a rewind changes the present")
			}
		})
		w.Rows.Get(id).X = 200
	}
}

func TestViewedIsWhatRewindShowsAndRewindToGoesOnFromThere(t *testing.T) {
	sc := rewindSchema(t)
	for _, c := range []struct {
		window, view uint32
		frac         uint8
		tick         uint32
		rest         uint8
	}{
		{0, 18, 0, 18, 0},
		{0, 18, 128, 18, 128},
		{0, 19, 255, 19, 255},
		{0, 20, 200, 20, 0}, // nothing is newer
		{0, 1e9, 7, 20, 0},
		{0, 12, 255, 13, 0}, // the oldest of the history
		{0, 0, 0, 13, 0},
		{4, 16, 1, 16, 1},
		{4, 15, 255, 16, 0}, // the oldest of the window
		{4, 0, 9, 16, 0},
	} {
		var w rewindWorld
		d := rewinding(sc, &w, 8)
		d.step.window = c.window
		id := run(d, &w, 20)
		d.Begin(21)
		d.Input(1, 1, c.view, c.frac, &testInput{})
		d.Run(func(s *Step[rewindWorld, testInput]) {
			s.State.Rows.Get(id).X = 500
			tick, frac := s.Viewed(1)
			if tick != c.tick || frac != c.rest {
				t.Errorf("window %d, view %d and %d/256: it is %d and %d/256, want %d and %d/256",
					c.window, c.view, c.frac, tick, frac, c.tick, c.rest)
			}
			want := float32(10*tick) + 10*float32(frac)/256
			if got := s.Rewind(1).Rows.Get(id).X; got-want > 0.03 || want-got > 0.03 {
				t.Errorf("tick %d and %d/256: Rewind shows %v, want %v", tick, frac, got, want)
			}
			for at := tick; at < s.Tick; at++ {
				if got := s.RewindTo(at).Rows.Get(id).X; got != float32(10*at) {
					t.Errorf("tick %d was %v, want %v", at, got, 10*at)
				}
			}
			if s.RewindTo(21) != s.State || s.RewindTo(30) != s.State || s.RewindTo(1).Rows.Get(id).X != 130 {
				t.Error("beyond the history are its oldest and the present")
			}
			if tick, frac := s.Viewed(2); tick != 20 || frac != 0 {
				t.Errorf("a seat without an input looks at %d and %d/256", tick, frac)
			}
		})
	}
}

func TestAClientThatKnowsTheWindowViewsWhatTheServerWill(t *testing.T) {
	var w rewindWorld
	sc := rewindSchema(t)
	for _, c := range []struct {
		rewind     int
		view, want uint32
		frac, rest uint8
	}{
		{4, 18, 18, 128, 128},
		{4, 16, 16, 0, 0},
		{4, 15, 16, 255, 0},
		{4, 0, 16, 9, 0},
		{4, 20, 20, 7, 0},
		{4, 99, 20, 7, 0},
		{0, 18, 20, 128, 0},
	} {
		seen := false
		p, err := NewPrediction(sc, &w, func(s *Step[rewindWorld, testInput]) {
			if s.Tick != 21 {
				return
			}
			seen = true
			if tick, frac := s.Viewed(1); tick != c.want || frac != c.rest {
				t.Errorf("window %d, view %d and %d/256: it is %d and %d/256, want %d and %d/256",
					c.rewind, c.view, c.frac, tick, frac, c.want, c.rest)
			}
			if s.Rewind(1) != s.State || s.RewindTo(18) != s.State {
				t.Error("there is a past")
			}
			if tick, frac := s.Viewed(2); tick != 20 || frac != 0 {
				t.Errorf("a seat without an input looks at %d and %d/256", tick, frac)
			}
		}, PredictionConfig{Rate: 20, Seat: 1, Rewind: c.rewind})
		if err != nil {
			t.Fatal(err)
		}
		p.Reconcile(20, 0)
		p.Input(1, 21, c.view, c.frac, &testInput{})
		p.Advance(21)
		if !seen {
			t.Error("tick 21 did not run")
		}
	}
}

func TestWithoutAHistoryEverybodyViewsTheNewestState(t *testing.T) {
	var w rewindWorld
	viewsTheNewest(t, "a client", NewDriver[rewindWorld, testInput](&w, DriverConfig{Rate: 20}))
	viewsTheNewest(t, "a room's start", rewinding(rewindSchema(t), &w, 8))
	var plain testWorld
	// A host sets the window whatever the game's tables are.
	viewsTheNewest(t, "a server of tables that are not rewound", NewDriver[testWorld, testInput](&plain, DriverConfig{
		Rate: 20, Schema: testSchema(t), Window: 5,
	}))
}

// viewsTheNewest checks that there is no past to look at.
func viewsTheNewest[S any](t *testing.T, name string, d *Driver[S, testInput]) {
	t.Helper()
	for _, tick := range []uint32{1, 7} {
		d.Begin(tick)
		d.Input(1, 1, 2, 5, &testInput{})
		d.Run(func(s *Step[S, testInput]) {
			if at, frac := s.Viewed(1); at != tick-1 || frac != 0 {
				t.Errorf("%s: tick %d is viewed at %d and %d/256", name, tick, at, frac)
			}
			if s.RewindTo(tick-1) != s.State || s.Rewind(1) != s.State {
				t.Errorf("%s: there is a past", name)
			}
		})
	}
}

func TestRewindWithoutAnythingToLookBackAtIsThePresent(t *testing.T) {
	sc := rewindSchema(t)
	present := func(what string, d *Driver[rewindWorld, testInput], input bool) {
		d.Begin(30)
		if input {
			d.Input(1, 1, 5, 0, &testInput{})
		}
		d.Run(func(s *Step[rewindWorld, testInput]) {
			if s.Rewind(1) != s.State {
				t.Errorf("%s: the result is not the present", what)
			}
		})
	}
	var w rewindWorld
	present("before the first tick", rewinding(sc, &w, 8), true)
	d := rewinding(sc, &w, 8)
	run(d, &w, 10)
	present("no input", d, false)
	d.Begin(31)
	d.Input(2, 1, 5, 0, &testInput{})
	d.Run(func(s *Step[rewindWorld, testInput]) {
		if s.Rewind(1) != s.State || s.Rewind(2) == s.State {
			t.Error("a seat's input counts for another, or not for itself")
		}
	})
	client := NewDriver[rewindWorld, testInput](&w, DriverConfig{Rate: 20})
	run(client, &w, 10)
	present("a predicting client", client, true)
	plain := NewDriver[testWorld, testInput](&testWorld{}, DriverConfig{Rate: 20, Schema: testSchema(t)})
	if plain.step.past != nil {
		t.Error("a history is kept of tables that are not marked")
	}
}

func TestViewBeforeTheWindowIsBroughtToIt(t *testing.T) {
	sc := rewindSchema(t)
	for _, c := range []struct {
		window, history int
		view            uint32
		frac            uint8
		want            float32
	}{
		{5, 0, 20, 0, 200},
		{5, 0, 16, 128, 165},
		{5, 0, 15, 128, 155}, // the oldest of the window, on its way to the next
		{5, 0, 14, 255, 150},
		{5, 0, 0, 0, 150},
		{0, 0, 0, 0, 10}, // the history's oldest
		{1, 0, 3, 0, 190},
		{50, 0, 3, 0, 30},
		{10, 4, 3, 0, 170}, // the history is shorter
		{-1, 0, 3, 0, 30},
	} {
		var w rewindWorld
		d := NewDriver[rewindWorld, testInput](&w, DriverConfig{Rate: 25, Schema: sc, Window: c.window, History: c.history})
		id := run(d, &w, 20)
		d.Begin(21)
		d.Input(1, 1, c.view, c.frac, &testInput{})
		d.Run(func(s *Step[rewindWorld, testInput]) {
			if x := s.Rewind(1).Rows.Get(id).X; x != c.want {
				t.Errorf("window %d, history %d, view %d and %d/256: X %v, want %v", c.window, c.history, c.view, c.frac, x, c.want)
			}
		})
	}
}

func TestEachCommandIsRewoundToItsOwnView(t *testing.T) {
	sc := rewindSchema(t)
	var w rewindWorld
	d := rewinding(sc, &w, 0)
	id := run(d, &w, 20)
	d.Begin(21)
	d.Input(2, 1, 17, 0, &testInput{})
	d.Input(1, 7, 10, 0, &testInput{})
	d.Input(1, 8, 12, 128, &testInput{})
	d.Run(func(s *Step[rewindWorld, testInput]) {
		var got []float32
		see := func(seat Seat) { got = append(got, s.Rewind(seat).Rows.Get(id).X) }
		see(1) // nothing was yielded yet: the newest
		for seat := range s.Inputs() {
			see(seat)
		}
		see(1)
		for range s.Inputs() {
			see(2) // also while it is another's turn
			break
		}
		if want := []float32{125, 100, 125, 170, 125, 170}; fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("seen at %v, want %v", got, want)
		}
	})
}

func TestHitOnARewoundRowMapsToThePresent(t *testing.T) {
	sc := rewindSchema(t)
	var w rewindWorld
	d := rewinding(sc, &w, 0)
	gone := w.Rows.Add(testRow{X: 7})
	there := run(d, &w, 10)
	w.Rows.Remove(gone)
	d.Begin(11)
	d.Input(1, 1, 9, 0, &testInput{})
	late := w.Rows.Add(testRow{X: 1})
	d.Run(func(s *Step[rewindWorld, testInput]) {
		past := s.Rewind(1)
		if past.Rows.Get(gone) == nil || s.State.Rows.Get(gone) != nil {
			t.Error("a row that is gone is not seen in the past, or is seen in the present")
		}
		if past.Rows.Get(there).X != 90 || s.State.Rows.Get(there).X != 100 {
			t.Errorf("X %v then and %v now", past.Rows.Get(there).X, s.State.Rows.Get(there).X)
		}
		if past.Rows.Get(late) != nil || past.Rows.Len() != 2 {
			t.Error("a row is seen before it came")
		}
	})
}

// The tables that are not rewound are the present's own rows under another header. Neither header may break the other.
func TestOtherTablesOfARewoundStateAreThePresent(t *testing.T) {
	sc := rewindSchema(t)
	var w rewindWorld
	if err := sc.Bind(&w); err != nil {
		t.Fatal(err)
	}
	d := rewinding(sc, &w, 0)
	run(d, &w, 10)
	first := w.Dots.Add(testDot{1})
	w.Round.V.Left = 4
	d.Begin(11)
	d.Input(1, 1, 5, 0, &testInput{})
	d.Run(func(s *Step[rewindWorld, testInput]) {
		second := s.State.Dots.Add(testDot{2})
		s.State.Round.V.Left = 3
		past := s.Rewind(1)
		if past.Dots.Len() != 2 || past.Dots.Get(second).X != 2 || past.Round.V.Left != 3 {
			t.Errorf("%d dots and %d left, want those of now", past.Dots.Len(), past.Round.V.Left)
		}
		for name, refused := range map[string]bool{
			"adding to another table": past.Dots.Add(testDot{9}) == 0, "removing from one": !past.Dots.Remove(first),
			"adding to a rewound one":       past.Rows.Add(testRow{}) == 0,
			"removing from a rewound table": !past.Rows.Remove(1),
		} {
			if !refused {
				t.Errorf("%s through the past is not refused", name)
			}
		}
		s.State.Dots.Remove(first)
		for range 6 { // up to the bound; slices grow
			if s.State.Dots.Add(testDot{3}) == 0 {
				t.Fatal("the present is full")
			}
		}
		if got := rowsIn(&s.State.Dots); len(got) != 7 || got[second].X != 2 {
			t.Errorf("the present has %v", got)
		}
		if past = s.Rewind(1); past.Dots.Len() != 7 || past.Dots.Get(first) != nil {
			t.Errorf("rewound again: %d dots, want 7", past.Dots.Len())
		}
	})
	if w.Dots.Add(testDot{}) == 0 || w.Dots.Add(testDot{}) != 0 {
		t.Error("the present's bound is not what it was")
	}
}

func TestHistoryBeginsAnewWhenTicksDo(t *testing.T) {
	sc := rewindSchema(t)
	var w rewindWorld
	d := rewinding(sc, &w, 8)
	id := run(d, &w, 10)
	w.Rows.Get(id).X = 700
	d.Begin(4)
	d.Run(func(*Step[rewindWorld, testInput]) {})
	d.Capture()
	d.Begin(5)
	d.Input(1, 1, 3, 0, &testInput{})
	d.Run(func(s *Step[rewindWorld, testInput]) {
		if x := s.Rewind(1).Rows.Get(id).X; x != 700 {
			t.Errorf("X %v of ticks that were taken back, want 700", x)
		}
	})
}

func TestHistoryIsBounded(t *testing.T) {
	sc := rewindSchema(t)
	for _, c := range []struct{ rate, window, history, want int }{
		{20, 0, 0, 21},
		{128, 0, 0, 128},
		{20, 0, 1, 2},
		{20, 0, 1000, 128},
		{20, 0, -1, 2},
		{20, 5, 0, 7},
		{20, 126, 0, 128},
		{20, 1 << 40, 0, 128},
		{20, 5, 10, 10},
		{20, -5, 0, 21},
	} {
		cfg := DriverConfig{Rate: c.rate, Window: c.window, History: c.history, Schema: sc}
		d := NewDriver[rewindWorld, testInput](&rewindWorld{}, cfg)
		if n := len(d.step.past.ring); n != c.want {
			t.Errorf("rate %d, window %d, history %d: %d ticks are kept, want %d", c.rate, c.window, c.history, n, c.want)
		}
	}
}

func TestSchemaOfAnotherStatePanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	NewDriver[testWorld, testInput](&testWorld{}, DriverConfig{Rate: 20, Schema: rewindSchema(t)})
}

func TestHistoryDoesNotAllocate(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector allocates")
	}
	sc := rewindSchema(t)
	var w rewindWorld
	d := rewinding(sc, &w, 8)
	run(d, &w, 10)
	for range 20 {
		w.Rows.Add(testRow{Name: "name", Blob: []byte{1, 2}})
	}
	tick, flying := uint32(10), ID(0)
	step := func(s *Step[rewindWorld, testInput]) {
		for _, row := range s.State.Rows.All() {
			row.X += 3
			row.Angle++
		}
		s.Rewind(1)
		s.State.Rows.Remove(flying)
		flying = s.State.Rows.Add(testRow{X: 5}) // rows come and go
	}
	one := func() {
		tick++
		d.Begin(tick)
		d.Input(1, tick, tick-3, 100, &testInput{})
		d.Run(step)
		d.Capture()
	}
	for range 100 {
		one()
	}
	wantAllocs(t, "a tick with a rewind", 0, one)
}

func BenchmarkRewind(b *testing.B) {
	sc := rewindSchema(b)
	var w rewindWorld
	d := rewinding(sc, &w, 0)
	for range 40 {
		w.Rows.Add(testRow{Name: "name"})
	}
	for tick := uint32(1); tick <= 20; tick++ {
		for _, row := range w.Rows.All() {
			row.X += 3
			row.Angle++
		}
		d.Begin(tick)
		d.Capture()
	}
	d.Input(1, 1, 10, 100, &testInput{})
	b.ReportAllocs()
	for b.Loop() {
		d.step.Rewind(1)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/40, "ns/row")
}
