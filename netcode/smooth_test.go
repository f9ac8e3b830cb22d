package netcode

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// smoothRow is a row with a column of each smooth kind.
type smoothRow struct {
	X    float32 `net:"range=-1000:1000,step=0.5"`
	Turn float64 `net:"angle"`
	Raw  float64
	N    int32
}

type smoothWorld struct{ Rows Table[smoothRow] }

func newSmoothPrediction(t testing.TB, truth *smoothWorld, cfg PredictionConfig) *Prediction[smoothWorld, walkerInput] {
	t.Helper()
	sc, err := Compile[smoothWorld, walkerInput]()
	if err != nil {
		t.Fatal(err)
	}
	cfg.Rate = walkerRate
	p, err := NewPrediction(sc, truth, func(*Step[smoothWorld, walkerInput]) {}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestCorrectionIsShownSmoothlyAndEnds(t *testing.T) {
	var truth smoothWorld
	p := newSmoothPrediction(t, &truth, PredictionConfig{HalfLife: 100, Snap: 50})
	id := truth.Rows.Add(smoothRow{X: 10, Turn: 0.1, Raw: 1, N: 1})
	p.Reconcile(1, 0)
	shows := func(what string, x float32, turn, raw float64, n int32) {
		t.Helper()
		r := p.Shown().Rows.Get(id)
		if math.Abs(float64(r.X-x)) > 1e-5 || math.Abs(r.Turn-turn) > 1e-9 || math.Abs(r.Raw-raw) > 1e-9 || r.N != n {
			t.Errorf("%s: shown %+v, want {%v %v %v %v}", what, *r, x, turn, raw, n)
		}
	}
	shows("at first", 10, 0.1, 1, 1)
	*truth.Rows.Get(id) = smoothRow{X: 18, Turn: 2*math.Pi - 0.1, Raw: -7, N: 2}
	p.Reconcile(2, 0)
	shows("right after a correction", 10, 2*math.Pi+0.1, 1, 2)
	p.Decay(100)
	shows("a half-life later, the angle the short way", 14, 2*math.Pi, -3, 2)
	truth.Rows.Get(id).X = 20
	p.Reconcile(3, 0)
	shows("after another", 14, 2*math.Pi, -3, 2)
	p.Decay(200)
	shows("two half-lives later", 18.5, 2*math.Pi-0.075, -6, 2)
	p.Decay(5000)
	if r := *p.Shown().Rows.Get(id); r != *p.State().Rows.Get(id) {
		t.Errorf("in the end %+v is shown", r)
	}
	truth.Rows.Get(id).Raw = 1000
	truth.Rows.Get(id).X = 30
	p.Reconcile(4, 0)
	shows("after a jump, in its other columns too", 30, 2*math.Pi-0.1, 1000, 2)
	truth.Rows.Get(id).Raw = math.NaN()
	p.Reconcile(5, 0)
	if r := p.Shown().Rows.Get(id); !math.IsNaN(r.Raw) || r.X != 30 {
		t.Errorf("%+v is shown of a row that is no number", *r)
	}
	truth.Rows.Remove(id)
	other := truth.Rows.Add(smoothRow{X: -40})
	p.Reconcile(6, 0)
	if r := p.Shown().Rows.Get(other); r == nil || r.X != -40 {
		t.Errorf("%+v is shown of a row that came", r)
	}
}

func TestOffsetsDecayToNothingWhateverTheyAre(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var truth smoothWorld
		sc, err := Compile[smoothWorld, walkerInput]()
		if err != nil {
			t.Fatal(err)
		}
		p, err := NewPrediction(sc, &truth, func(*Step[smoothWorld, walkerInput]) {}, PredictionConfig{
			Rate: walkerRate, HalfLife: rapid.Float64Range(1, 500).Draw(t, "half-life"),
		})
		if err != nil {
			t.Fatal(err)
		}
		for i := uint32(1); i <= 20; i++ {
			if n := truth.Rows.Len(); n == 0 || n < 5 && rapid.Bool().Draw(t, "add") {
				truth.Rows.Add(smoothRow{})
			}
			for id, r := range truth.Rows.All() {
				r.X, r.Raw = float32(rapid.Float64Range(-1000, 1000).Draw(t, "x")), rapid.Float64().Draw(t, "raw")
				r.Turn = rapid.Float64Range(0, 6.28).Draw(t, "turn")
				if rapid.IntRange(0, 9).Draw(t, "remove") == 0 {
					truth.Rows.Remove(id)
				}
			}
			p.Reconcile(i, 0)
			p.Decay(rapid.Float64Range(0, 300).Draw(t, "ms"))
			for _, r := range p.Shown().Rows.All() {
				if math.IsNaN(float64(r.X)) || math.Abs(float64(r.X)) > 4000 {
					t.Fatalf("%+v is shown", *r)
				}
			}
		}
		last := math.Inf(1)
		for range 3000 {
			most := 0.0
			for _, d := range p.smooth.tables[0].offset {
				most = max(most, math.Abs(d))
			}
			if most > last {
				t.Fatalf("an offset grew from %v to %v", last, most)
			}
			last = most
			p.Decay(1000)
		}
		if last != 0 {
			t.Errorf("an offset of %v is left", last)
		}
		if got, want := everything(sc, p.Shown()), everything(sc, p.State()); got != want {
			t.Errorf("in the end%s is shown, and not%s", got, want)
		}
	})
}

func TestNoiseBelowAStepIsNoMisprediction(t *testing.T) {
	for _, c := range []struct {
		what string
		by   smoothRow
		want uint64
	}{
		{"nothing", smoothRow{}, 0},
		{"a last bit that rounds apart", smoothRow{X: 0.25}, 0},
		{"a step", smoothRow{X: 0.5}, 0},
		{"two steps", smoothRow{X: 1}, 1},
		{"an angle across zero", smoothRow{Turn: -2 * math.Pi / 256}, 0},
		{"two parts of a turn", smoothRow{Turn: -4 * math.Pi / 256}, 1},
		{"an unquantised float", smoothRow{Raw: 1e-9}, 1},
		{"an integer", smoothRow{N: 1}, 1},
	} {
		var truth smoothWorld
		p := newSmoothPrediction(t, &truth, PredictionConfig{})
		id := truth.Rows.Add(smoothRow{})
		p.Reconcile(1, 0)
		p.Advance(4)
		r := truth.Rows.Get(id)
		r.X, r.Turn, r.Raw, r.N = r.X+c.by.X, r.Turn+c.by.Turn, r.Raw+c.by.Raw, r.N+c.by.N
		p.Reconcile(2, 0)
		if st := p.Stats(); st.States != 2 || st.Mispredicted != c.want || st.Replayed != 3 {
			t.Errorf("%s: %+v, want %d mispredicted", c.what, st, c.want)
		}
	}
}

func TestHalvesAreThePowersOfAHalf(t *testing.T) {
	for x := 0.0; x < 60; x += 0.13 {
		if got, want := halves(x), math.Exp2(-x); math.Abs(got/want-1) > 1e-9 {
			t.Errorf("2^-%v = %v, want %v", x, got, want)
		}
	}
	if halves(1001) != 0 || halves(-1) != 1 || halves(math.NaN()) != 1 || halves(math.Inf(1)) != 0 {
		t.Error("beyond its range")
	}
}
