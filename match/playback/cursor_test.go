package playback

import (
	"testing"

	"pgregory.net/rapid"
)

func TestAStateIsTheSameByWhateverWayItIsReached(t *testing.T) {
	file := recorded(t)
	want, _ := truth(t, file)
	c := newCursor(t, file)
	from, to := int(c.info.From), int(c.info.To)
	if to-from < 300 || len(c.info.checkpoints) < 3 {
		t.Fatalf("a recording from %d to %d with %d states tells little", from, to, len(c.info.checkpoints))
	}
	rapid.Check(t, func(t *rapid.T) {
		for range rapid.IntRange(1, 12).Draw(t, "moves") {
			tick := uint32(rapid.IntRange(from, to).Draw(t, "tick"))
			if rapid.Bool().Draw(t, "jumps") {
				if err := c.approach(tick); err != nil {
					t.Fatal(err)
				}
			} else {
				tick = min(c.tick+uint32(rapid.IntRange(0, 40).Draw(t, "plays")), uint32(to))
			}
			for {
				moved, err := c.step(tick)
				if err != nil {
					t.Fatal(err)
				}
				if !moved {
					break
				}
			}
			if c.tick != tick || c.replay.Hash() != want[tick] {
				t.Fatalf("tick %d is at %d with hash %x, want %x", tick, c.tick, c.replay.Hash(), want[tick])
			}
			if c.recorded != 0 && c.recorded != want[tick] {
				t.Fatalf("tick %d was recorded with hash %x, and is %x", tick, c.recorded, want[tick])
			}
		}
	})
}
