package proto_test

import (
	"errors"
	"testing"

	"muster/proto"
)

// fuzzBound is what a parser may allocate for n bytes of input. The factor covers the slices that count elements of one
// byte each: an event is a slice header of 24 bytes, a placement has 40, and append doubles.
func fuzzBound(n int) uint64 { return maxAllocated + 160*uint64(n) }

func fuzz(f *testing.F, from string, parse func([]byte) (message, error)) {
	for _, s := range samples() {
		if s.from == from {
			f.Add(encode(s.msg))
		}
	}
	for _, claim := range claims() {
		f.Add(claim)
		f.Add(append([]byte{0x96, 1, 0, 0, 0, 1}, claim...))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > proto.MaxServerMessage {
			return
		}
		var m message
		var err error
		if n := allocated(fuzzBound(len(b)), func() { m, err = parse(b) }); n > fuzzBound(len(b)) {
			t.Fatalf("%d bytes allocated for %d bytes of input", n, len(b))
		}
		if err != nil {
			return
		}
		// What was taken means the same after it was written and read again.
		again, err := parse(encode(m))
		if err != nil {
			t.Fatalf("%x, written again: %v", b, err)
		}
		if g, w := show(t, again), show(t, m); g != w {
			t.Fatalf("%x:\n first %s\nsecond %s", b, w, g)
		}
	})
}

func FuzzClientMessage(f *testing.F) { fuzz(f, "client", parseClient) }

func FuzzServerMessage(f *testing.F) { fuzz(f, "server", parseServer) }

func FuzzFrame(f *testing.F) {
	var prev *proto.Head
	for _, s := range frameSamples() {
		f.Add(encodeFrame(&s.frame, prev))
		head := s.frame.Head
		prev = &head
	}
	for _, claim := range claims() {
		f.Add(append([]byte{0x98, 0x1d, 1, 1, 1, 1}, claim...))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > proto.MaxServerMessage {
			return
		}
		before := proto.Head{Epoch: 7, Tick: 300, Processed: 5, Durable: 5, Scopes: []proto.Watch{0, 2}}
		var frame proto.Frame
		var err error
		n := allocated(fuzzBound(len(b)), func() {
			frame = proto.Frame{Head: before}
			frame.Head.Scopes = append([]proto.Watch(nil), before.Scopes...)
			err = parseFrame(b, &frame)
		})
		if n > fuzzBound(len(b)) {
			t.Fatalf("%d bytes allocated for %d bytes of input", n, len(b))
		}
		if err != nil {
			return
		}
		again := proto.Frame{Head: before}
		if err := parseFrame(encodeFrame(&frame, &before), &again); err != nil {
			t.Fatalf("%x, written again: %v", b, err)
		}
		if g, w := show(t, again), show(t, frame); g != w {
			t.Fatalf("%x:\n first %s\nsecond %s", b, w, g)
		}
	})
}

func FuzzReader(f *testing.F) {
	for _, s := range samples() {
		f.Add([]byte{4, 7, 5}, encode(s.msg))
	}
	for _, claim := range claims() {
		f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, claim)
	}
	f.Fuzz(func(t *testing.T, methods, b []byte) {
		if len(b) > proto.MaxClientMessage || len(methods) > 1000 {
			return
		}
		r := proto.NewReader(b)
		n := allocated(fuzzBound(len(b)), func() {
			for _, m := range methods {
				switch m % 10 {
				case 0:
					r.Array("f", 100)
				case 1:
					r.Map("f", 100)
				case 2:
					r.Str("f", 100)
				case 3:
					r.Bin("f", 100)
				case 4:
					r.Raw("f", 1000)
				case 5:
					r.Skip("f")
				case 6:
					r.Uint("f", 1000)
				case 7:
					r.Int("f", -1000, 1000)
				case 8:
					r.Float64("f")
				case 9:
					r.Bool("f")
				}
			}
		})
		if n > fuzzBound(len(b)) {
			t.Fatalf("%d bytes allocated for %d bytes of input", n, len(b))
		}
		if err := r.Done(); err != nil && !errors.Is(err, proto.ErrMalformed) {
			t.Fatalf("an error of another kind: %v", err)
		}
	})
}
