package match

import (
	"testing"
	"testing/synctest"
)

// What else than a room makes a process unfit is said as a room's hang is: nothing new is opened, and the first reason stays.
func TestAProcessThatIsCondemnedTakesNoMoreRooms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := dotGame(t, dots{}, Rules{})
		h, rm, _ := startDesk(t, g, nil, 9)
		h.Condemn("a replay does not return")
		h.Condemn("another one")
		if h.Unfit() != "a replay does not return" || h.Full() != h.Unfit() || h.LowMemory() {
			t.Errorf("the host says %q and %q, short of memory: %v", h.Unfit(), h.Full(), h.LowMemory())
		}
		if _, err := h.Open(Spec{ID: "r9", Game: g.Name(), Seed: 9, Epoch: 1}); err == nil {
			t.Error("it opens a room")
		}
		before, _ := rm.Clock()
		ticks(20)
		if after, _ := rm.Clock(); after < before+19 {
			t.Error("its other room stands still")
		}
		closeHost(t, h)
	})
}
