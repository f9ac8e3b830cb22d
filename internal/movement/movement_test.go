package movement

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestLinesAreReadInAnyOrder(t *testing.T) {
	rec, err := Read(strings.NewReader("tick,entity,x,y\n7,b,3,4\n5, a ,1,2\n7,a,5,6\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := "[{5 [{1 1 2 0}]} {7 [{0 3 4 0} {1 5 6 0}]}]"
	if got := fmt.Sprint(rec.Frames); got != want || rec.Angles || rec.Most != 2 {
		t.Errorf("%s, angles %v, most %d; want %s", got, rec.Angles, rec.Most, want)
	}
}

func TestErrorsNameTheLine(t *testing.T) {
	for _, c := range []struct{ name, file, want string }{
		{"nothing", "", "two ticks"},
		{"one tick", "1,a,0,0\n", "two ticks"},
		{"a heading in the middle", "1,a,0,0\ntick,entity,x,y\n", `line 2: tick "tick"`},
		{"a tick with a fraction", "1,a,0,0\n2.5,a,0,0\n", `line 2: tick "2.5"`},
		{"three columns", "1,a,0\n", "line 1: 3 columns"},
		{"a line with more columns", "1,a,0,0\n2,a,0,0,0\n", "line 2"},
		{"no number", "1,a,0,up\n", `line 1: y is "up"`},
		{"infinity", "1,a,Inf,0\n", `line 1: x is "Inf"`},
		{"NaN", "1,a,0,0,NaN\n", `line 1: angle is "NaN"`},
		{"an entity twice", "1,a,0,0\n2,a,0,0\n2,b,0,0\n2,a,1,1\n", `tick 2: entity "a" is there twice`},
		{"an open quote", "1,\"a,0,0\n", "line 1"},
	} {
		if _, err := Read(strings.NewReader(c.file)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// wander makes movement of entities that come, go, stand and jump.
func wander(angles bool) *Recording {
	rng := rand.New(rand.NewPCG(1, 2))
	rec := &Recording{Angles: angles}
	x, y, a := make([]float64, 12), make([]float64, 12), make([]float64, 12)
	for tick := range 80 {
		f := Frame{Tick: int64(tick)}
		for e := range x {
			x[e] += rng.NormFloat64()
			y[e] -= float64(e) / 3
			if a[e] += 0.3; rng.IntN(20) == 0 {
				x[e] = 500 * rng.Float64()
			}
			if rng.IntN(9) > 0 {
				p := Place{Entity: e, X: x[e], Y: y[e]}
				if angles {
					p.Angle = a[e]
				}
				f.Places = append(f.Places, p)
			}
		}
		rec.Most = max(rec.Most, len(f.Places))
		rec.Frames = append(rec.Frames, f)
	}
	return rec
}

func TestMovementIsTheSameAfterDecodingAndCostsLessThanWhole(t *testing.T) {
	for _, angles := range []bool{false, true} {
		c, err := Measure(wander(angles), Grid{Step: 0.01, AngleSteps: 1024}, 0)
		if err != nil {
			t.Fatal(err)
		}
		for name, cost := range map[string]Cost{"bits": c.Bits, "plain": c.Plain, "MessagePack": c.MessagePack} {
			if !(cost.BytesPerUpdate > 0 && cost.KeyframeBytes > 0 && cost.EncodeNsPerField > 0 && cost.DecodeNsPerField > 0) {
				t.Errorf("%s: %+v", name, cost)
			}
		}
		if c.Bits.BytesPerUpdate > c.Plain.BytesPerUpdate/1.5 || c.Plain.BytesPerUpdate > c.MessagePack.BytesPerUpdate {
			t.Errorf("angles %v: %+v", angles, c)
		}
	}
}

// The figure counts what it says: one entity that goes on evenly costs a frame's few bits, on no grid but its own.
func TestEvenMovementCostsNextToNothing(t *testing.T) {
	rec := &Recording{Most: 1}
	for tick := range 200 {
		rec.Frames = append(rec.Frames, Frame{Tick: int64(tick), Places: []Place{{X: float64(tick) / 4, Y: -float64(tick)}}})
	}
	c, err := Measure(rec, Grid{Step: 0.25, AngleSteps: 2}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if c.Bits.BytesPerUpdate > 1.1 || c.Plain.BytesPerUpdate < 5 {
		t.Errorf("%+v", c)
	}
}

func TestGridsThatCannotBeAreRefused(t *testing.T) {
	for _, g := range []Grid{
		{Step: 0, AngleSteps: 2},
		{Step: -1, AngleSteps: 2},
		{Step: math.NaN(), AngleSteps: 2},
		{Step: math.Inf(1), AngleSteps: 2},
		{Step: 1e-13, AngleSteps: 2},
		{Step: 1, AngleSteps: 1},
		{Step: 1, AngleSteps: 1000},
		{Step: 1, AngleSteps: 1 << 17},
	} {
		if _, err := Measure(wander(true), g, 0); err == nil {
			t.Errorf("%+v is taken", g)
		}
	}
}
