package matchtest

import (
	"testing"

	"muster/match"
)

// Script is a match that can be played again: what happens to a room, by tick.
type Script struct {
	Config Config
	Ticks  uint32 // how many are played, unless the match ends before
	Steps  []Step
}

// Step is something that is done before a tick, or before each of several. Those of one tick are done in their order.
// What it does must follow from the room alone: dice are the room's Rand.
type Step struct {
	From uint32 // the first tick, from 1 on
	To   uint32 // the last; 0 is From
	Do   func(*Room)
}

// Run plays a script and returns the room after its last tick.
func Run(t testing.TB, game match.Game, s Script) *Room {
	t.Helper()
	r := New(t, game, s.Config)
	r.play(s, func() {})
	return r
}

// play plays a script in a new room and calls after each tick.
func (r *Room) play(s Script, after func()) {
	r.t.Helper()
	if s.Ticks == 0 {
		r.t.Fatalf("matchtest: the script has no ticks")
	}
	for i, step := range s.Steps {
		if last := max(step.From, step.To); step.From == 0 || last > s.Ticks {
			r.t.Fatalf("matchtest: step %d of the script is for ticks %d to %d, the script has 1 to %d", i, step.From, last, s.Ticks)
		}
	}
	for tick := uint32(1); tick <= s.Ticks && !r.ended; tick++ {
		for _, step := range s.Steps {
			if step.From <= tick && tick <= max(step.From, step.To) {
				step.Do(r)
			}
		}
		r.Tick(1)
		after()
	}
}
