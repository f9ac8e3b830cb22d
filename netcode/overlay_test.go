package netcode

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"muster/internal/race"
	"muster/proto"
)

type overlayWorld struct {
	Ships Table[overlayRow] `net:"max=8"`
	Shots Table[overlayRow] `net:"max=8"`
	Left  Value[struct{ N uint16 }]
}

type overlayRow struct {
	X     int16
	Owner Seat
}

type overlayInput struct{ Kind uint8 }

// overlayStep: 1 moves own ships, 2 destroys them, 3 fires.
func overlayStep(s *Step[overlayWorld, overlayInput]) {
	s.State.Left.V.N++
	for seat, in := range s.Inputs() {
		for id, ship := range s.State.Ships.All() {
			switch {
			case ship.Owner != seat:
			case in.Kind == 1:
				ship.X++
			case in.Kind == 2:
				s.State.Ships.Remove(id)
			case in.Kind == 3:
				s.State.Shots.Add(overlayRow{X: ship.X, Owner: seat})
			}
		}
	}
}

// overlaid is what a state shows: the X of ships, of shots, and the time left.
func overlaid(w *overlayWorld) (list []int16) {
	for _, row := range w.Ships.All() {
		list = append(list, row.X)
	}
	for _, row := range w.Shots.All() {
		list = append(list, row.X)
	}
	return append(list, int16(w.Left.V.N))
}

func TestOwnRowsAreShownAsPredictedAndOthersAsTheyAre(t *testing.T) {
	sc, err := Compile[overlayWorld, overlayInput]()
	if err != nil {
		t.Fatal(err)
	}
	var truth, shown overlayWorld
	truth.Ships.Add(overlayRow{X: 100, Owner: 1})
	truth.Ships.Add(overlayRow{X: 200, Owner: 2})
	truth.Shots.Add(overlayRow{X: 300, Owner: 2})
	truth.Left.V.N = 60
	p, err := NewPrediction(sc, &truth, overlayStep, PredictionConfig{Rate: 20, Seat: 1, Mode: proto.Commands})
	if err != nil {
		t.Fatal(err)
	}
	look := func(only []bool) []int16 {
		if err := sc.Copy(&shown, &truth); err != nil { // what a playout would do
			t.Fatal(err)
		}
		p.ShowIn(&shown, only)
		return overlaid(&shown)
	}
	if got := look(nil); !slices.Equal(got, []int16{100, 200, 300, 60}) {
		t.Errorf("before the first state: %v", got)
	}
	p.Reconcile(10, 0)
	for i, in := range []overlayInput{{1}, {3}} {
		p.Input(uint32(i+1), 11, 10, 0, &in)
	}
	p.Advance(11)
	if got := look(nil); !slices.Equal(got, []int16{101, 200, 300, 101, 60}) {
		t.Errorf("moved and fired: %v", got)
	}
	if got := look([]bool{false, true, true}); !slices.Equal(got, []int16{100, 200, 300, 101, 60}) {
		t.Errorf("shots alone: %v", got)
	}
	if got := look([]bool{true, false, false}); !slices.Equal(got, []int16{101, 200, 300, 60}) {
		t.Errorf("ships alone: %v", got)
	}
	p.Input(3, 12, 10, 0, &overlayInput{2})
	p.Advance(12)
	if got := look(nil); !slices.Equal(got, []int16{200, 300, 101, 60}) {
		t.Errorf("an own ship that is predicted to be gone is shown: %v", got)
	}
	if race.Enabled {
		return // the race detector allocates
	}
	wantAllocs(t, "a look", 0, func() { p.ShowIn(&shown, nil) })
}

func TestCopyRowCopiesOneRowOfItsTable(t *testing.T) {
	sc := rewindSchema(t)
	info := &sc.Tables[slices.IndexFunc(sc.Tables, func(t TableInfo) bool { return t.Name == "Rows" })]
	from, to := testRow{X: 5, Name: "n", Blob: []byte{1, 2}}, testRow{}
	CopyRow(info, &to, &from)
	from.Blob[0] = 9
	if to.X != 5 || to.Name != "n" || !slices.Equal(to.Blob, []byte{1, 2}) {
		t.Errorf("copied %+v", to)
	}
	defer func() {
		if recover() == nil {
			t.Error("a row of another type is copied")
		}
	}()
	CopyRow(info, &overlayRow{}, &overlayRow{})
}

// What an input is stamped with and what the prediction shows are the same time, the one whole and at once, the other
// with its fraction and even.
func TestInputTickIsTargetMadeEven(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.IntRange(1, 128).Draw(t, "rate")
		c := NewClock(rate)
		latency, jitter := rapid.Float64Range(1, 200).Draw(t, "latency"), rapid.Float64Range(0, 50).Draw(t, "jitter")
		tickMS, now, last := 1000/float64(rate), 0.0, 0.0
		for tick := uint32(1); tick < 400; tick++ {
			now = float64(tick)*tickMS + latency + jitter*rapid.Float64Range(0, 1).Draw(t, "late")
			c.Frame(tick, now)
			if tick%20 == 1 {
				c.Pong(2*latency, float64(tick)+latency/tickMS/1000, now)
			}
			got := c.InputTick(now)
			if got < last {
				t.Fatalf("tick %v after %v", got, last)
			}
			last = got
		}
		if off := float64(c.Target(now)) - last; math.Abs(off) > 1+(jitter+latency)/tickMS {
			t.Fatalf("an input is for tick %d, and %v is shown", c.Target(now), last)
		}
	})
}
