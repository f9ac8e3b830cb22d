package netcode

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"muster/proto"
)

func TestBufferThatIsRestoredDoesWhatTheOtherDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		mode := rapid.SampledFrom([]proto.InputMode{proto.Samples, proto.Commands}).Draw(t, "mode")
		perTick := rapid.IntRange(1, 16).Draw(t, "a tick")
		a, b := NewInputBuffer(mode, 20, perTick), NewInputBuffer(mode, 20, perTick)
		b.Push(sent(1, 9), 1)                                                 // what was there is gone
		top, stop := uint32(0), uint32(rapid.IntRange(0, 30).Draw(t, "stop")) //nolint:gosec // small
		for tick := uint32(1); tick <= 40; tick++ {
			if tick > stop {
				if tick == stop+1 {
					data := append(a.Append(nil), "rest"...)
					rest, err := b.Restore(data)
					if err != nil || string(rest) != "rest" || !bytes.Equal(b.Append(nil), data[:len(data)-4]) {
						t.Fatalf("%v, rest %q", err, rest)
					}
				}
			}
			for range rapid.IntRange(0, 12).Draw(t, "arrivals") {
				seq := uint32(max(1, int(top)+rapid.SampledFrom([]int{1, 1, 1, 0, 2}).Draw(t, "step"))) //nolint:gosec // positive
				in := sent(seq, uint32(max(0, int(tick)+rapid.IntRange(-3, 30).Draw(t, "lead"))))       //nolint:gosec // positive
				in.Frac = rapid.Uint8().Draw(t, "frac")
				taken := a.Push(in, tick)
				if taken {
					top = seq
				}
				if tick > stop && b.Push(in, tick) != taken {
					t.Fatalf("tick %d: input %d is taken by one", tick, seq)
				}
			}
			x := fmt.Sprintf("%+v", a.Take(tick))
			if len(a.taken) > perTick && mode == proto.Commands {
				t.Fatalf("a tick uses %d, at most %d allowed", len(a.taken), perTick)
			}
			if tick <= stop {
				continue
			}
			if y := fmt.Sprintf("%+v", b.Take(tick)); x != y || a.Lead() != b.Lead() || a.Seq() != b.Seq() || a.Processed() != b.Processed() || a.Len() != b.Len() {
				t.Fatalf("tick %d uses %s, restored %s", tick, x, y)
			}
		}
	})
}

func TestDamagedInputsAreRefused(t *testing.T) {
	b := NewInputBuffer(proto.Commands, 20, 16)
	for seq := uint32(1); seq <= 3; seq++ {
		b.Push(sent(seq, 5), 1)
	}
	good := b.Append(nil)
	samples := NewInputBuffer(proto.Samples, 20, 16)
	if _, err := samples.Restore(good); !errors.Is(err, ErrCheckpoint) {
		t.Errorf("commands as samples: %v", err)
	}
	for n := range good {
		if _, err := b.Restore(good[:n:n]); !errors.Is(err, ErrCheckpoint) || b.Len() != 0 || b.Seq() != 0 {
			t.Fatalf("%d of %d bytes: %v, %d inputs", n, len(good), err, b.Len())
		}
	}
	head := func(seq, processed, n byte) []byte { return []byte{byte(proto.Commands), seq, processed, 0, n} }
	input := func(seq byte) []byte { return []byte{seq, 5, 5, 0, 0, 0} }
	for what, data := range map[string][]byte{
		"a gap":                slices.Concat(head(3, 0, 2), input(1), input(3)),
		"a repeat":             slices.Concat(head(1, 0, 2), input(1), input(1)),
		"one that was used":    slices.Concat(head(2, 2, 1), input(2)),
		"none of those to use": head(2, 1, 0),
		"too many":             binary.AppendUvarint(head(3, 0, 0)[:4], bufferedCommands+1),
		"a long body":          slices.Concat(head(1, 0, 1), []byte{1, 5, 5, 0, 0}, binary.AppendUvarint(nil, proto.MaxInputBody+1), make([]byte, proto.MaxInputBody+1)),
	} {
		if _, err := b.Restore(data); !errors.Is(err, ErrCheckpoint) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := b.Restore(slices.Concat(head(2, 1, 1), input(2))); err != nil || b.Len() != 1 {
		t.Errorf("a good one: %v", err)
	}
}

func FuzzInputBuffer(f *testing.F) {
	for _, mode := range []proto.InputMode{proto.Samples, proto.Commands} {
		b := NewInputBuffer(mode, 20, 16)
		f.Add(b.Append(nil))
		for seq := uint32(1); seq <= 5; seq++ {
			b.Push(sent(seq, 2*seq), 1)
		}
		b.Take(3)
		f.Add(b.Append(nil))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, mode := range []proto.InputMode{proto.Samples, proto.Commands} {
			b := NewInputBuffer(mode, 20, 16)
			var rest []byte
			var err error
			if n := allocated(fuzzBound(len(data)), func() { rest, err = b.Restore(data) }); n > fuzzBound(len(data)) {
				t.Errorf("%d bytes allocated for %d", n, len(data))
			}
			if err != nil {
				if !errors.Is(err, ErrCheckpoint) || b.Len() != 0 {
					t.Errorf("an error of another kind, or %d inputs: %v", b.Len(), err)
				}
				continue
			}
			if again := append(b.Append(nil), rest...); !bytes.Equal(again, data) {
				t.Errorf("%x is written as %x", data, again)
			}
			b.Push(&proto.Input{Seq: b.Seq() + 1}, 1)
			b.Take(1)
		}
	})
}
