package match

import "testing"

// An input that was made in another epoch's ticks counts as made now: neither its tick nor how long it waited on its way says
// anything about how far ahead its player's clock is.
func TestInputOfAnotherEpochTellsNothingOfItsPlayersClock(t *testing.T) {
	inRoom(t, dots{}, Rules{}, func(t *testing.T, g Game, _ *Host, rm *Instance, _ *fakeDirectory) {
		a := newViewer(t, g, 1)
		a.attach(rm, "alice")
		ticks(2)
		p := packet(t, g, rm, 1, 5000, 1)
		p.Epoch, p.Inputs[0].Waited = rm.Epoch()+1, 30
		rm.Input(a, p)
		ticks(1)
		if a.head.Processed != 1 || a.head.Lead != 0 {
			t.Errorf("input %d is processed, with a lead of %d; want 1, and none", a.head.Processed, a.head.Lead)
		}
		p = packet(t, g, rm, 2, a.head.Tick+1, 1)
		p.Inputs[0].Waited = 3
		rm.Input(a, p)
		ticks(1)
		if a.head.Processed != 2 || a.head.Lead != 3 {
			t.Errorf("input %d is processed, with a lead of %d; want 2, and as many ticks as it waited", a.head.Processed, a.head.Lead)
		}
	})
}
