package journal

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"muster/proto"
)

// withIndex is a replay with another index.
func withIndex(t *testing.T, file []byte, places []place) []byte {
	t.Helper()
	r, err := NewReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, _, err := r.Next(); err != nil {
			break
		}
	}
	w := proto.NewWriter()
	w.Array(len(places))
	for _, p := range places {
		w.Array(4)
		w.Uint(uint64(p.kind))
		w.Uint(uint64(p.off)) //nolint:gosec // not negative
		w.Uint(uint64(p.first))
		w.Uint(uint64(p.last))
	}
	last := bytes.LastIndex(file, []byte(trailerMagic))
	at := 0
	for i := range 8 {
		at |= int(file[last+8+i]) << (8 * i)
	}
	out := appendBlock(bytes.Clone(file[:at]), blockIndex, 0, 0, w.Bytes())
	return append(out, trailer(int64(at))...)
}

// Who has read a replay through seeks by what was read. An index may name the places in another order, leave some out, or
// name a block that is hidden in another's bytes, where nobody comes who reads from the start.
func TestAReplayThatWasReadThroughIsNotSoughtByAnIndexThatLies(t *testing.T) {
	noise := make([]byte, 4096) // which is kept as it is, and what is hidden in it
	src := rand.NewChaCha8([32]byte{1})
	_, _ = src.Read(noise)
	hidden := appendBlock(nil, blockCheckpoint, 25, 25, noise[:500])
	var b bytes.Buffer
	w, err := NewWriter(&b, header())
	for tick := uint32(0); err == nil && tick < 31; tick++ {
		switch {
		case tick == 0:
			err = w.Checkpoint(Checkpoint{tick, append(bytes.Clone(noise[500:]), hidden...)})
		case tick%10 == 0:
			err = w.Checkpoint(Checkpoint{tick, []byte{byte(tick)}})
		}
		if err == nil {
			err = w.Append(&Record{Tick: tick + 1})
		}
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	file := b.Bytes()
	honest, err := NewReader(bytes.NewReader(file))
	if err != nil || !honest.readIndex() {
		t.Fatal(err)
	}
	reversed := slices.Clone(honest.places)
	slices.Reverse(reversed)
	at := bytes.Index(file, hidden)
	if at < 0 {
		t.Fatal("the hidden block was packed")
	}
	for name, c := range map[string]struct {
		places []place
		fooled uint32 // where one who has read nothing comes to
	}{
		"in another order": {reversed, 0},
		"left out":         {honest.places[:2], 0},
		"nothing":          {nil, 0},
		"a hidden block":   {append(slices.Clone(honest.places), place{blockCheckpoint, int64(at), 25, 25}), 25},
	} {
		bad := withIndex(t, file, c.places)
		for _, through := range []bool{false, true} {
			r, err := NewReader(bytes.NewReader(bad))
			if err != nil {
				t.Fatal(err)
			}
			want := c.fooled
			if through {
				if _, err := readAll(r); err != nil || r.Truncated() {
					t.Fatalf("%s: %v, %v", name, err, r.Damage())
				}
				want = 20
			}
			err = r.Seek(29)
			if name == "nothing" && !through && err != nil {
				continue // it says that there is none
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if _, cp, err := r.Next(); err != nil || cp == nil || cp.Tick != want {
				t.Errorf("%s, read through %v: %v, %v; want tick %d", name, through, cp, err, want)
			}
			if _, err := readAll(r); through && err != nil {
				t.Errorf("%s: what follows: %v", name, err)
			}
		}
	}
}
