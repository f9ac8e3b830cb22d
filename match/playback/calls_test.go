package playback

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"muster/internal/testmetric"
)

// Rules of which each call returns are no stall, however long several take together: the ticks of a seek, or a tick and what
// is seen after it.
func TestCallsThatReturnAreNoStallHoweverManyThereAre(t *testing.T) {
	for name, c := range map[string]struct {
		step, look time.Duration
		seek       int64
	}{
		"ticks of a seek":         {400 * time.Millisecond, 0, 30},
		"a tick and its scopes":   {1500 * time.Millisecond, 1500 * time.Millisecond, -1},
		"a seek and what it ends": {1500 * time.Millisecond, 1500 * time.Millisecond, 12},
	} {
		t.Run(name, func(t *testing.T) {
			reg := prometheus.NewRegistry()
			inTrap(t, Config{Registerer: reg}, func(t *testing.T, m *Sessions, set *trapSet, file []byte) {
				set.from, set.step = 10, func(uint32) { time.Sleep(c.step) }
				s, o := m.sight(t, "ada", file)
				after(2)
				set.look = func() { time.Sleep(c.look) }
				tell(t, s, c.seek, 1, c.seek >= 0)
				for i := 0; i < 1000 && s.State().Tick < 12; i++ {
					after(5)
				}
				if o.now().code != 0 || s.State().Tick < 12 || testmetric.Value(t, reg, "muster_playback_stalls_total") != 0 {
					t.Errorf("closed with %d, %s, at %+v", o.now().code, o.now().why, s.State())
				}
			})
		})
	}
}

// What was given up and returns late has had nothing that the others must make up for, and is not shown as whole again.
func TestACallThatReturnsAfterItWasGivenUpIsNoDebtOfTheOthers(t *testing.T) {
	inTrap(t, Config{}, func(t *testing.T, m *Sessions, set *trapSet, file []byte) {
		set.from, set.step = 10, func(tick uint32) {
			if tick == 10 {
				time.Sleep(time.Minute)
			}
		}
		good, heard := m.sight(t, "ada", file)
		bad, _ := m.sight(t, "mallory", file)
		after(2)
		tell(t, bad, 30, 1, true)
		after(20 * 62)
		before := heard.now().frames
		tell(t, good, 5, 1, true)
		after(20)
		if good.State().Tick != 5 || heard.now().frames < before+19 {
			t.Errorf("another session is at %+v, %d frames", good.State(), heard.now().frames-before)
		}
		if bad.State().Failed == "" {
			t.Errorf("what was given up stands as %+v", bad.State())
		}
	})
}

// A call that took an hour while the process did not run is charged as long as one may take.
func TestACallIsChargedNoMoreThanItMayTake(t *testing.T) {
	c := calls{base: time.Now().Add(-time.Hour)}
	c.since.Store(1)
	c.next()
	if spent, ok := c.end(); !ok || spent < stallAfter || spent > 2*stallAfter {
		t.Errorf("charged %v, %v", spent, ok)
	}
	c.begin()
	if since, over := c.look(false); over || !c.giveUp(since) {
		t.Error("it cannot be given up")
	}
	c.next()
	c.begin()
	if _, ok := c.end(); ok || c.since.Load() != stuck {
		t.Error("what was given up goes on")
	}
}
