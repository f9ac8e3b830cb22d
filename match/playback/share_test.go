package playback

import (
	"strings"
	"testing"
	"time"
)

// Sessions that use up what all of a process have together do not hold up one that costs next to nothing.
func TestSessionsThatTakeLongDoNotStarveOneThatDoesNot(t *testing.T) {
	inTrap(t, Config{}, func(t *testing.T, m *Sessions, set *trapSet, file []byte) {
		m.allowed = newAllowance(leastShare, allBurst)
		set.from, set.step = 10, func(uint32) { time.Sleep(200 * time.Millisecond) }
		var slow []*Session
		for i := range 4 {
			s, _ := m.sight(t, strings.Repeat("x", i+1), file)
			slow = append(slow, s)
		}
		good, heard := m.sight(t, "ada", file)
		after(2)
		for _, s := range slow {
			tell(t, s, 40, 1, true)
		}
		after(40) // the bursts are used up
		tell(t, good, -1, 0.125, false)
		before, late := heard.now().frames, 0
		for range 60 {
			was := heard.now().frames
			after(1)
			if heard.frames == was {
				late++
			}
		}
		if late > 2 {
			t.Errorf("%d of 60 ticks came, %d did not", heard.now().frames-before, late)
		}
		for _, s := range slow {
			if st := s.State(); st.Tick < 11 || st.Tick == 40 {
				t.Errorf("a slow session is at %+v", st)
			}
		}
	})
}

// However many ticks of a session are left out, the state it shows is proved about once a second.
func TestTheHashIsProvedOnceASecondThoughTicksAreLeftOut(t *testing.T) {
	for _, slow := range []time.Duration{0, 70 * time.Millisecond, 320 * time.Millisecond, 330 * time.Millisecond, 340 * time.Millisecond} {
		inTrap(t, Config{}, func(t *testing.T, m *Sessions, set *trapSet, file []byte) {
			set.step = func(uint32) { time.Sleep(slow) }
			s, o := m.sight(t, "ada", file)
			after(3)
			tell(t, s, -1, 0.25, false)
			proved, at := 0, s.State().HashTick
			for range 200 {
				after(1)
				if st := s.State(); st.HashTick != at && !st.Paused {
					proved, at = proved+1, st.HashTick
				}
			}
			if proved < 6 || o.now().code != 0 {
				t.Errorf("%v a tick: %d proofs in 10 s, at %+v", slow, proved, s.State())
			}
		})
	}
}
