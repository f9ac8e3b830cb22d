package netcode_test

import (
	"encoding/hex"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"muster/netcode"
	"muster/proto"
)

// The vectors of what is sent beside states, and of the deterministic functions.

// valueVector is an input or an event, and its bytes.
type valueVector struct {
	About string         `json:"about"`
	Name  string         `json:"name,omitempty"` // of the event
	Given map[string]any `json:"given"`
	Read  map[string]any `json:"read,omitempty"` // where it is another value than given: what its reader gets
	Hex   string         `json:"hex"`
}

func fieldsOf(v any) map[string]any {
	out := map[string]any{}
	for _, l := range leaves(reflect.ValueOf(v), "", "", nil) {
		out[l.name] = l.value
	}
	return out
}

func inputVectors(t *testing.T) []valueVector {
	sc := goldenSchema(t)
	full := goldenInput{
		Turn: -128, Power: 65535, Big: math.MinInt64, Huge: math.MaxUint64, Thrust: 0.5, Aim: 3.1, F32: 0.1, F64: 0.1,
		Fire: true, Say: "Åsa", Blob: []byte{1, 0, 255}, Keys: [2]bool{false, true}, Mode: 2, Target: 3<<16 | 256, Path: []int8{3, -4},
	}
	full.At.X, full.At.Y = math.MinInt32, -33
	bounds := goldenInput{
		Turn: -32, Power: 128, Big: -32769, Huge: 1 << 53, Thrust: 7, Aim: -0.003, F32: math.MaxFloat32, F64: -1e300,
		Say: "sevenby🂡", Blob: []byte{1, 2, 3, 4, 5}, Path: []int8{1, 2, 3},
	}
	bounds.At.X, bounds.At.Y = -129, 256
	var list []valueVector
	for _, v := range []struct {
		about string
		in    goldenInput
	}{
		{"nothing pressed", goldenInput{}},
		{"something in every field", full},
		{"beyond the range and the bounds: clamped and cut", bounds},
		{"the other end; an angle of many turns", goldenInput{Thrust: -3, Aim: 1000, Turn: 127, Power: 127, Big: 1 << 40, F64: 1e-310}},
	} {
		w := proto.NewWriter()
		if err := sc.WriteInput(w, &v.in); err != nil {
			t.Fatal(err)
		}
		list = append(list, valueVector{About: v.about, Given: fieldsOf(v.in), Hex: hex.EncodeToString(w.Bytes())})
	}
	return list
}

func eventVectors(t *testing.T) []valueVector {
	sc := goldenSchema(t)
	hit := goldenHit{
		Victim: 2, By: 300, Angle: 3.1, Force: 9.9, Total: math.MaxUint64, Delta: math.MinInt64, F32: 0.1, F64: math.Pi,
		Text: "hit 🂡", Blob: []byte{0, 1, 254, 255}, Crit: true,
	}
	hit.Where.X, hit.Where.Y = -32768, 32767
	var list []valueVector
	for _, v := range []struct {
		about, name string
		event       any
	}{
		{"something in every field", "goldenHit", hit},
		{"all zero", "goldenHit", goldenHit{}},
		{"no fields", "goldenBell", goldenBell{}},
	} {
		w := proto.NewWriter()
		if err := sc.WriteEvent(w, v.event); err != nil {
			t.Fatal(err)
		}
		read, err := sc.ReadEvent(w.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, valueVector{
			About: v.about, Name: v.name, Given: fieldsOf(v.event), Read: fieldsOf(reflect.ValueOf(read).Elem().Interface()),
			Hex: hex.EncodeToString(w.Bytes()),
		})
	}
	return list
}

// mathVectors are arguments and results of the deterministic functions, all as the hex of a float's bits.
func mathVectors() map[string][][]string {
	rng := rand.New(rand.NewPCG(3, 4))
	bits := func(vs ...float64) []string {
		var list []string
		for _, v := range vs {
			list = append(list, fmt.Sprintf("%016x", math.Float64bits(v)))
		}
		return list
	}
	args := []float64{
		0, math.Copysign(0, -1), math.SmallestNonzeroFloat64, 1e-300, 1e-9, 0.66, math.Nextafter(0.66, 1), math.Sqrt2 + 1, 1e6,
		math.Nextafter(1e6, 2e6), -1e6, 1e300, math.Inf(1), math.Inf(-1), math.NaN(),
	}
	for i := -20; i <= 20; i++ { // where octants meet
		x := float64(i) * math.Pi / 4
		args = append(args, math.Nextafter(x, -100), x, math.Nextafter(x, 100))
	}
	for range 100 {
		args = append(args, between(rng, -10, 10), between(rng, -1e6, 1e6))
	}
	out := map[string][][]string{}
	for _, x := range args {
		out["sin"] = append(out["sin"], bits(x, netcode.Sin(x)))
		out["cos"] = append(out["cos"], bits(x, netcode.Cos(x)))
	}
	for i, y := range args {
		x := args[(i*37+11)%len(args)]
		out["atan2"] = append(out["atan2"], bits(y, x, netcode.Atan2(y, x)))
	}
	for _, y := range []float64{-1, math.Copysign(0, -1), 0, 1} {
		for _, x := range []float64{-1, math.Copysign(0, -1), 0, 1} {
			out["atan2"] = append(out["atan2"], bits(y, x, netcode.Atan2(y, x)))
		}
	}
	for range 200 {
		y, x := between(rng, -3, 3), between(rng, -3, 3)
		out["atan2"] = append(out["atan2"], bits(y, x, netcode.Atan2(y, x)))
	}
	return out
}

func TestInputsAreTheGoldenBytes(t *testing.T) {
	wantGolden(t, "../proto/testdata/inputs.json", inputVectors(t))
}

func TestEventsAreTheGoldenBytes(t *testing.T) {
	wantGolden(t, "../proto/testdata/events.json", eventVectors(t))
}

func TestMathIsTheGoldenBits(t *testing.T) {
	wantGolden(t, "../proto/testdata/fixedmath.json", mathVectors())
}
