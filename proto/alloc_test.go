package proto_test

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"testing"

	"muster/proto"
)

// maxAllocated is what reading a small hostile message may allocate, in bytes.
const maxAllocated = 64 << 10

// allocated returns how many bytes f allocates. Other goroutines may add to one measurement, so the least of a few
// counts when the first is above the bound.
func allocated(bound uint64, f func()) uint64 {
	least := uint64(math.MaxUint64)
	for range 3 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		f()
		runtime.ReadMemStats(&after)
		least = min(least, after.TotalAlloc-before.TotalAlloc)
		if least <= bound {
			break
		}
	}
	return least
}

// claims are heads that promise far more than follows: arrays, maps, byte strings, strings and extensions.
func claims() map[string][]byte {
	list := map[string][]byte{}
	for name, c := range map[string]byte{"array": 0xdd, "map": 0xdf, "bin": 0xc6, "str": 0xdb, "ext": 0xc9} {
		for _, n := range []uint32{math.MaxUint32, 1 << 31, math.MaxInt32, 1 << 24, 1 << 20} {
			list[fmt.Sprintf("%s of %d", name, n)] = []byte{c, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}
		}
	}
	for name, c := range map[string]byte{"array": 0xdc, "map": 0xde, "bin": 0xc5, "str": 0xda, "ext": 0xc8} {
		list[name+" of 65535"] = []byte{c, 255, 255}
	}
	return list
}

func TestClaimedLengthsAllocateNothing(t *testing.T) {
	check := func(where string, f func() error) {
		t.Helper()
		var err error
		if n := allocated(maxAllocated, func() { err = f() }); n > maxAllocated {
			t.Errorf("%s: %d bytes allocated", where, n)
		}
		if err == nil {
			t.Errorf("%s: no error", where)
		}
	}
	for name, claim := range claims() {
		check(name+" to ClientKind", func() error { _, err := parseClient(claim); return err })
		check(name+" to ServerKind", func() error { _, err := parseServer(claim); return err })
		for _, s := range samples() {
			b := encode(s.msg)
			for _, v := range values(t, b) {
				cut := slices.Concat(b[:v.from], claim)
				check(fmt.Sprintf("%s at byte %d of %s", name, v.from, s.name), func() error {
					_, err := parse(s.from, cut)
					return err
				})
			}
		}
		var prev *proto.Head
		for _, s := range frameSamples() {
			b := encodeFrame(&s.frame, prev)
			for _, v := range values(t, b) {
				cut := slices.Concat(b[:v.from], claim)
				check(fmt.Sprintf("%s at byte %d of %s", name, v.from, s.name), func() error {
					return parseFrame(cut, &proto.Frame{})
				})
			}
			head := s.frame.Head
			prev = &head
		}
	}
}

func TestEveryReaderMethodAllocatesNothingForAClaim(t *testing.T) {
	const large = math.MaxInt
	for name, claim := range claims() {
		for method, f := range map[string]func(*proto.Reader){
			"Array": func(r *proto.Reader) { r.Array("f", large) }, "Map": func(r *proto.Reader) { r.Map("f", large) },
			"Str": func(r *proto.Reader) { r.Str("f", large) }, "Bin": func(r *proto.Reader) { r.Bin("f", large) },
			"Raw": func(r *proto.Reader) { r.Raw("f", large) }, "Skip": func(r *proto.Reader) { r.Skip("f") },
			"SkipRest": func(r *proto.Reader) { r.SkipRest("f", large, 0) },
			"Uint":     func(r *proto.Reader) { r.Uint("f", math.MaxUint64) }, "Nil": func(r *proto.Reader) { r.Nil("f") },
			"Float64": func(r *proto.Reader) { r.Float64("f") }, "Bool": func(r *proto.Reader) { r.Bool("f") },
		} {
			r := proto.NewReader(claim)
			if n := allocated(maxAllocated, func() { f(r) }); n > maxAllocated {
				t.Errorf("%s of %s: %d bytes allocated", method, name, n)
			}
			if r.Done() == nil {
				t.Errorf("%s took %s", method, name)
			}
		}
	}
}

func TestReadingInputsAllocatesNothing(t *testing.T) {
	b := encode(samples()[0].msg)
	r, m := proto.NewReader(nil), proto.InputPacket{}
	n := testing.AllocsPerRun(100, func() {
		r.Reset(b)
		if _, n, err := proto.ClientKind(r); err != nil || m.Parse(r, n) != nil {
			t.Fatal(r.Err())
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestWritingHeadsAllocatesNothing(t *testing.T) {
	prev := proto.Head{Epoch: 1 << 40, Tick: 90_000, Processed: 80_000, Durable: 80_000, Scopes: []proto.Watch{0, 3}}
	head := prev
	head.Tick++
	block := make([]byte, 200)
	w := proto.NewWriter()
	n := testing.AllocsPerRun(100, func() {
		w.Reset()
		head.Append(w, &prev, nil, 1)
		(&proto.Block{Data: block}).Append(w)
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkHeadAppend(b *testing.B) {
	prev := proto.Head{Epoch: 1 << 40, Tick: 90_000, Processed: 80_000, Durable: 80_000, Scopes: []proto.Watch{0, 3}}
	head := prev
	head.Tick, head.Processed, head.Durable = 90_001, 80_001, 80_001
	w := proto.NewWriter()
	b.ReportAllocs()
	for b.Loop() {
		w.Reset()
		head.Append(w, &prev, nil, 1)
	}
}

func BenchmarkInputPacketParse(b *testing.B) {
	msg := encode(samples()[0].msg)
	r, m := proto.NewReader(nil), proto.InputPacket{}
	b.ReportAllocs()
	for b.Loop() {
		r.Reset(msg)
		if _, n, err := proto.ClientKind(r); err != nil || m.Parse(r, n) != nil {
			b.Fatal(r.Err())
		}
	}
}

func BenchmarkFrameParse(b *testing.B) {
	samples := frameSamples()
	msg := encodeFrame(&samples[1].frame, &samples[0].frame.Head)
	r, f := proto.NewReader(nil), proto.Frame{}
	b.ReportAllocs()
	for b.Loop() {
		f.Head = samples[0].frame.Head
		r.Reset(msg)
		if kind, n, err := proto.ServerKind(r); err != nil || f.Parse(r, kind, n) != nil {
			b.Fatal(r.Err())
		}
	}
}
