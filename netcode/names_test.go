package netcode

import (
	"errors"
	"testing"

	"pgregory.net/rapid"
)

// Rows that moved in and out of hidden scopes are named by another encoder as by the first, and so is what comes after.
func TestEncoderThatTakesUpTheNamesOfAnotherNamesRowsAlike(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b := newRefBench(t)
		live := func(e *Encoder) (names map[ID]ID) {
			names = map[ID]ID{}
			for id := range b.world.Rows.All() {
				names[id] = e.wire(0, id)
				if got := e.local(0, names[id]); got != id {
					rt.Fatalf("%x is named %x, which is %x", id, names[id], got)
				}
			}
			return names
		}
		change := func() {
			for range rapid.IntRange(0, 3).Draw(rt, "changes") {
				b.world.Rows.Add(refRow{Owner: 1, To: uint16(rapid.IntRange(0, 2).Draw(rt, "to"))})
				for id, row := range b.world.Rows.All() {
					switch rapid.IntRange(0, 5).Draw(rt, "row") {
					case 0:
						b.world.Rows.Remove(id)
					case 1, 2:
						row.To = uint16(rapid.IntRange(0, 2).Draw(rt, "to"))
					}
				}
			}
			b.capture()
		}
		for range rapid.IntRange(1, 8).Draw(rt, "ticks") {
			change()
		}
		other := NewEncoder(b.sc, EncoderConfig{Key: 99})
		if err := other.RestoreNames(b.enc.AppendNames(nil)); err != nil {
			rt.Fatal(err)
		}
		other.CaptureScoped(b.tick, &b.world, b.world.scopes)
		for range 3 {
			want, got := live(b.enc), live(other)
			for id, name := range want {
				if got[id] != name {
					rt.Fatalf("row %x is %x here and %x there", id, name, got[id])
				}
			}
			change()
			other.CaptureScoped(b.tick, &b.world, b.world.scopes)
		}
	})
}

func TestDamagedNamesAreRefused(t *testing.T) {
	b := newRefBench(t)
	for name, data := range map[string][]byte{
		"cut short":            {1, 2},
		"beyond the table":     {1, 8, 1},
		"too many":             {9},
		"no name":              {1, 2, 0},
		"twice":                {2, 2, 1, 2, 1},
		"something at the end": {0, 0},
	} {
		if err := NewEncoder(b.sc, EncoderConfig{}).RestoreNames(data); !errors.Is(err, ErrCheckpoint) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := NewEncoder(b.sc, EncoderConfig{}).RestoreNames(nil); err != nil {
		t.Errorf("nothing: %v", err)
	}
}

func FuzzNames(f *testing.F) {
	f.Add([]byte{2, 1, 1, 7, 3})
	sc, err := Compile[refWorld, refInput](refEvent{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		e := NewEncoder(sc, EncoderConfig{})
		if e.RestoreNames(data) != nil || len(data) == 0 {
			return
		}
		if again := e.AppendNames(nil); len(again) > len(data) { // the bytes may be longer than need be
			t.Errorf("%x is written as %x", data, again)
		}
	})
}
