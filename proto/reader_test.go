package proto_test

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"

	"muster/proto"
)

// read runs one method of a Reader over b.
func read[T any](b []byte, method func(*proto.Reader) T) (T, error) {
	r := proto.NewReader(b)
	v := method(r)
	return v, r.Done()
}

func uintUpTo(max uint64) func(*proto.Reader) uint64 {
	return func(r *proto.Reader) uint64 { return r.Uint("f", max) }
}

func intFrom(min, max int64) func(*proto.Reader) int64 {
	return func(r *proto.Reader) int64 { return r.Int("f", min, max) }
}

func TestReaderTakesIntegersInEveryWidthAndNeverTruncates(t *testing.T) {
	for _, b := range [][]byte{
		{5},
		{0xcc, 5},
		{0xcd, 0, 5},
		{0xce, 0, 0, 0, 5},
		{0xcf, 0, 0, 0, 0, 0, 0, 0, 5},
		{0xd0, 5},
		{0xd1, 0, 5},
		{0xd2, 0, 0, 0, 5},
		{0xd3, 0, 0, 0, 0, 0, 0, 0, 5},
	} {
		if v, err := read(b, uintUpTo(255)); v != 5 || err != nil {
			t.Errorf("Uint of %x: %d, %v", b, v, err)
		}
		if v, err := read(b, intFrom(-5, 5)); v != 5 || err != nil {
			t.Errorf("Int of %x: %d, %v", b, v, err)
		}
	}
	maxUint := []byte{0xcf, 255, 255, 255, 255, 255, 255, 255, 255}
	if v, err := read(maxUint, uintUpTo(math.MaxUint64)); v != math.MaxUint64 || err != nil {
		t.Errorf("the largest integer: %d, %v", v, err)
	}
	for name, b := range map[string][]byte{
		"300 into 255": {0xcd, 1, 44}, "256 as uint64": {0xcf, 0, 0, 0, 0, 0, 0, 1, 0}, "2^64-1": maxUint, "-1": {0xff},
		"-1 as int64": {0xd3, 255, 255, 255, 255, 255, 255, 255, 255}, "a float": {0xca, 0, 0, 0, 0}, "nil": {0xc0},
	} {
		if v, err := read(b, uintUpTo(255)); v != 0 || !errors.Is(err, proto.ErrMalformed) {
			t.Errorf("Uint took %s as %d, %v", name, v, err)
		}
	}
	for name, b := range map[string][]byte{
		"200 into int8": {0xcc, 200}, "-129": {0xd1, 0xff, 0x7f}, "2^64-1": maxUint, "2^63": {0xcf, 128, 0, 0, 0, 0, 0, 0, 0},
		"nil": {0xc0}, "true": {0xc3},
	} {
		if v, err := read(b, intFrom(-128, 127)); v != 0 || !errors.Is(err, proto.ErrMalformed) {
			t.Errorf("Int took %s as %d, %v", name, v, err)
		}
	}
}

func TestReaderRefusesFloatsThatAreNotFinite(t *testing.T) {
	float := func(r *proto.Reader) float64 { return r.Float64("f") }
	for _, f := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		w := proto.NewWriter()
		w.Float64(f)
		if v, err := read(w.Bytes(), float); v != 0 || !errors.Is(err, proto.ErrMalformed) {
			t.Errorf("Float64 took %v as %v, %v", f, v, err)
		}
		w.Reset()
		w.Float32(float32(f))
		if v, err := read(w.Bytes(), float); v != 0 || !errors.Is(err, proto.ErrMalformed) {
			t.Errorf("Float64 took a 32-bit %v as %v, %v", f, v, err)
		}
	}
	for want, b := range map[float64][]byte{
		-0.5: {0xcb, 0xbf, 0xe0, 0, 0, 0, 0, 0, 0}, 1.5: {0xca, 0x3f, 0xc0, 0, 0}, -3: {0xfd}, 1 << 63: {0xcf, 128, 0, 0, 0, 0, 0, 0, 0},
	} {
		if v, err := read(b, float); v != want || err != nil {
			t.Errorf("Float64 of %x: %v, %v", b, v, err)
		}
	}
	for _, b := range [][]byte{{0xc0}, {0xc3}, {0xa1, '1'}, {0xd4, 1, 0}} {
		if v, err := read(b, float); err == nil {
			t.Errorf("Float64 took %x as %v", b, v)
		}
	}
}

func TestReaderKeepsStringsAndBytesApart(t *testing.T) {
	str := func(r *proto.Reader) string { return r.Str("f", 4) }
	bin := func(r *proto.Reader) string { return string(r.Bin("f", 4)) }
	for _, b := range [][]byte{{0xa2, 'h', 'i'}, {0xd9, 2, 'h', 'i'}, {0xda, 0, 2, 'h', 'i'}, {0xdb, 0, 0, 0, 2, 'h', 'i'}} {
		if v, err := read(b, str); v != "hi" || err != nil {
			t.Errorf("Str of %x: %q, %v", b, v, err)
		}
		if v, err := read(b, bin); err == nil {
			t.Errorf("Bin took the string %x as %q", b, v)
		}
	}
	for _, b := range [][]byte{{0xc4, 2, 'h', 'i'}, {0xc5, 0, 2, 'h', 'i'}, {0xc6, 0, 0, 0, 2, 'h', 'i'}} {
		if v, err := read(b, bin); v != "hi" || err != nil {
			t.Errorf("Bin of %x: %q, %v", b, v, err)
		}
		if v, err := read(b, str); err == nil {
			t.Errorf("Str took the bytes %x as %q", b, v)
		}
	}
	for name, b := range map[string][]byte{
		"five bytes": {0xa5, 'h', 'e', 'l', 'l', 'o'}, "bad UTF-8": {0xa1, 0xff}, "half a rune": {0xa1, 0xc3},
		"nil": {0xc0}, "a string cut short": {0xa3, 'h', 'i'},
	} {
		if v, err := read(b, str); v != "" || !errors.Is(err, proto.ErrMalformed) {
			t.Errorf("Str took %s as %q, %v", name, v, err)
		}
	}
}

func TestBinIsAPartOfTheMessageThatCannotGrowIntoIt(t *testing.T) {
	src := []byte{0xc4, 1, 'a', 7}
	r := proto.NewReader(src)
	b := r.Bin("f", 4)
	_ = append(b, 'X')
	if v := r.Uint("g", 9); v != 7 || r.Done() != nil {
		t.Errorf("what follows reads %d, %v", v, r.Err())
	}
}

func TestReaderBoolAndNilTakeNothingElse(t *testing.T) {
	boolean := func(r *proto.Reader) bool { return r.Bool("f") }
	if v, err := read([]byte{0xc3}, boolean); !v || err != nil {
		t.Error("true is not true")
	}
	for _, b := range [][]byte{{0}, {1}, {0xc0}, {0xc1}, {0xa0}} {
		if _, err := read(b, boolean); err == nil {
			t.Errorf("Bool took %x", b)
		}
	}
	r := proto.NewReader([]byte{0xc0, 0xc2})
	if !r.Nil("f") || r.Nil("f") || r.Bool("f") || r.Done() != nil {
		t.Errorf("Nil reads nil, and leaves what is not: %v", r.Err())
	}
}

func TestReaderCountsAreBoundedByBytesLeft(t *testing.T) {
	array := func(r *proto.Reader) int { return r.Array("f", 1000) }
	pairs := func(r *proto.Reader) int { return r.Map("f", 1000) }
	for _, b := range [][]byte{{0x91}, {0xdc, 0, 2, 0}, {0xdd, 0, 0, 0, 1}, {0xdc, 3, 0xe9}, {0xc0}, {0x80}} {
		if n, err := read(b, array); n != 0 || err == nil {
			t.Errorf("Array of %x: %d, %v", b, n, err)
		}
	}
	for _, b := range [][]byte{{0x81, 0}, {0xde, 0, 2, 0, 0, 0}, {0xdf, 0, 0, 0, 1}, {0xc0}, {0x90}} {
		if n, err := read(b, pairs); n != 0 || err == nil {
			t.Errorf("Map of %x: %d, %v", b, n, err)
		}
	}
}

func TestTheFirstErrorSticksAndNamesFieldAndByte(t *testing.T) {
	r := proto.NewReader([]byte{1, 0xc0, 0xc0})
	r.Uint("first", 9)
	r.Uint("second", 9)
	r.Str("third", 9)
	r.Skip("fourth")
	r.Fail("fifth", "late")
	err := r.Done()
	if !errors.Is(err, proto.ErrMalformed) || !strings.Contains(err.Error(), "second at byte 1") {
		t.Errorf("%v", err)
	}
	if r.Array("x", 9) != 0 || r.Map("x", 9) != 0 || r.Bin("x", 9) != nil || r.Raw("x", 9) != nil || r.Nil("x") {
		t.Error("a failed reader gives something else than zero values")
	}
	r.Reset([]byte{3})
	if v := r.Uint("again", 9); v != 3 || r.Done() != nil {
		t.Errorf("after Reset: %d, %v", v, r.Err())
	}
}

func TestSkipTakesEveryKindOfValueAndStopsAtDepthEight(t *testing.T) {
	for _, b := range [][]byte{
		{0},
		{0xff},
		{0xcf, 255, 255, 255, 255, 255, 255, 255, 255},
		{0xd3, 128, 0, 0, 0, 0, 0, 0, 0},
		{0xc0},
		{0xc2},
		{0xca, 0, 0, 0, 0},
		{0xcb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 1},
		{0xa2, 0xff, 0xff},
		{0xc4, 1, 0},
		{0x92, 0x90, 0x80},
		{0x82, 1, 2, 0xa1, 'k', 0x91, 0xc0},
		append(bytes.Repeat([]byte{0x91}, 7), 0),
	} {
		r := proto.NewReader(b)
		if r.Skip("f"); r.Done() != nil {
			t.Errorf("%x: %v", b, r.Err())
		}
	}
	deep := func(head byte, n int) []byte { return append(bytes.Repeat([]byte{head}, n), 0x90) }
	for _, b := range [][]byte{deep(0x91, 8), deep(0x91, 1<<20), {0xc1}, {0xd4, 0, 0}, {0xc7, 0, 0}, {0xc9, 255, 255, 255, 255, 0}, {}} {
		r := proto.NewReader(b)
		if r.Skip("f"); !errors.Is(r.Done(), proto.ErrMalformed) {
			t.Errorf("skipped %.12x…", b)
		}
	}
}
