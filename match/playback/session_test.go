package playback

import (
	"maps"
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"muster/games/arena"
	"muster/netcode"
	"muster/proto"
)

const tickTime = 50 * time.Millisecond // the arena's

// after lets so many ticks of sessions pass.
func after(ticks int) {
	time.Sleep(time.Duration(ticks) * tickTime)
	synctest.Wait()
}

func TestASessionBeginsPausedAtTheFirstTickAndEndsPausedAtTheLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newSessions()
		defer closeAll(t, m)
		s := open(t, m, "ada", "")
		o := watch(t, s, "ada")
		after(10)
		if st := s.State(); st.Tick != st.From || !st.Paused || st.Viewers != 1 || st.Hash == 0 {
			t.Errorf("at first: %+v", st)
		}
		tell(t, s, -1, 16, false)
		after(40)
		st := s.State()
		if st.Tick != st.To || !st.Paused {
			t.Errorf("at last: %+v", st)
		}
		before, _ := o.came()
		after(5)
		now, _ := o.came()
		if tick, _ := o.sees(); tick != st.To || now != before+5 {
			t.Errorf("at the end tick %d is shown, and %d frames came in five ticks", tick, now-before)
		}
	})
}

func TestSpeedIsHowManyRecordedTicksPassInATick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newSessions()
		defer closeAll(t, m)
		s := open(t, m, "ada", "")
		o := watch(t, s, "ada")
		for speed, ticks := range map[float64]int{0.125: 5, 0.25: 10, 0.5: 20, 1: 40, 2: 80, 8: 320} {
			tell(t, s, 0, speed, true)
			after(2)
			from := s.State().Tick
			tell(t, s, -1, speed, false)
			after(40)
			tell(t, s, -1, speed, true)
			after(1)
			if got := int(s.State().Tick - from); got < ticks-1 || got > ticks+1 {
				t.Errorf("at speed %v %d ticks in two seconds, want %d", speed, got, ticks)
			}
			if n, _ := o.came(); n < 40 {
				t.Errorf("at speed %v %d frames came", speed, n)
			}
		}
	})
}

func TestWhoWatchesSeesWhatWasThereAtThatTick(t *testing.T) {
	file := recorded(t)
	hashes, ships := truth(t, file)
	synctest.Test(t, func(t *testing.T) {
		m := newSessions()
		defer closeAll(t, m)
		s := open(t, m, "ada", "")
		o := watch(t, s, "ada")
		late := (*onlooker)(nil)
		for i, tick := range []int64{200, 20, 399, 150, 151, 0, 310} {
			tell(t, s, tick, 1, true)
			after(4)
			if i == 3 {
				late = watch(t, s, "ben")
				after(2)
			}
			for _, who := range []*onlooker{o, late} {
				if who == nil {
					continue
				}
				at, seen := who.sees()
				want := ships[uint32(tick)]
				if at != uint32(tick) || len(seen) != len(want) {
					t.Errorf("tick %d: tick %d with %d ships, want %d", tick, at, len(seen), len(want))
				}
				for name, p := range want {
					if d := math.Hypot(float64(p[0]-seen[name][0]), float64(p[1]-seen[name][1])); d > 0.05 {
						t.Errorf("tick %d: %s is %v away from where it was", tick, name, d)
					}
				}
			}
			if st := s.State(); st.Hash != hashes[uint32(tick)] || st.HashTick != uint32(tick) {
				t.Errorf("tick %d: hash %x of tick %d, want %x", tick, st.Hash, st.HashTick, hashes[uint32(tick)])
			}
		}
	})
}

func TestASeekBeyondTheRecordingIsClampedAndSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newSessions()
		defer closeAll(t, m)
		s := open(t, m, "ada", "")
		st := s.State()
		for tick, want := range map[int64]uint32{math.MaxInt64: st.To, int64(st.To) + 1: st.To, math.MinInt64: st.From, -5: st.From} {
			c := tick
			got, clamped, err := s.Control(Control{Tick: &c})
			if err != nil || !clamped || got.Target != want {
				t.Errorf("tick %d: %+v, %v, %v, want %d", tick, got, clamped, err, want)
			}
			after(3)
			if now := s.State(); now.Tick != want || now.Seeking {
				t.Errorf("tick %d: %+v, want %d", tick, now, want)
			}
		}
		if _, clamped := tell(t, s, int64(st.To), 1, true); clamped {
			t.Error("the last tick counts as beyond the end")
		}
		for _, bad := range []float64{math.NaN(), math.Inf(1), 0, -1, 0.1, 16.5} {
			if _, _, err := s.Control(Control{Speed: &bad}); err == nil {
				t.Errorf("a speed of %v is taken", bad)
			}
		}
	})
}

func TestTheNewestSeekTakesThePlaceOfOneThatIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newSessions()
		defer closeAll(t, m)
		s := open(t, m, "ada", "")
		for range maxSeeking { // others run forward: this one waits
			m.seeking <- struct{}{}
		}
		tell(t, s, 390, 1, true)
		after(5)
		if st := s.State(); !st.Seeking || st.Target != 390 || st.Tick != st.From {
			t.Errorf("while others seek: %+v", st)
		}
		for tick := range int64(300) { // a slider that is dragged
			tell(t, s, tick, 1, true)
		}
		<-m.seeking
		after(2)
		if st := s.State(); st.Seeking || st.Tick != 299 {
			t.Errorf("after the newest seek: %+v", st)
		}
		<-m.seeking
	})
}

func TestEventsAreToldOfTicksThatArePlayedAndNotOfThoseThatASeekRunsThrough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newSessions()
		defer closeAll(t, m)
		s := open(t, m, "ada", "")
		o := watch(t, s, "ada")
		after(1)
		for _, tick := range []int64{399, 0, 250, 100} {
			tell(t, s, tick, 1, true)
			after(4)
		}
		if n := o.told(); n != 0 {
			t.Errorf("seeks told of %d events", n)
		}
		tell(t, s, 0, 1, false)
		after(410)
		if o.told() == 0 {
			t.Error("a whole match told of no event")
		}
		o.mu.Lock()
		defer o.mu.Unlock()
		if !slices.IsSorted(o.events) {
			t.Error("events come out of order")
		}
	})
}

func TestASessionThatNobodyWatchesEndsAfterAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newSessions()
		defer closeAll(t, m)
		s := open(t, m, "ada", "")
		o := watch(t, s, "ada")
		after(3000)
		if m.Session(s.ID()) == nil {
			t.Fatal("it ended while somebody watched")
		}
		s.Detach(o)
		after(1100)
		if m.Session(s.ID()) == nil {
			t.Error("it ended before its time")
		}
		after(120)
		select {
		case <-s.Done():
		default:
			t.Error("it goes on without anybody")
		}
		if m.Session(s.ID()) != nil || s.Attach(attachOf(newOnlooker(t), "ben")) {
			t.Error("it is still there")
		}
	})
}

func TestASessionEndsAfterSixHoursWhoeverWatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newSessions()
		defer closeAll(t, m)
		m.most = 2 * idleFor
		s := open(t, m, "ada", "")
		o := watch(t, s, "ada")
		after(2300)
		if c := o.code(); c != 0 {
			t.Errorf("closed with %d before its time", c)
		}
		after(200)
		if c := o.code(); c != proto.CodeDone {
			t.Errorf("closed with %d, want %d", c, proto.CodeDone)
		}
	})
}

func TestEverythingHasWhatIsHiddenAndPublicHasNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newSessions()
		defer closeAll(t, m)
		heat := map[string]int{}
		for _, view := range []string{"public", "seat:1", "everything"} {
			s := open(t, m, view, view) // each is another player's
			o := watch(t, s, view)
			tell(t, s, 60, 1, true)
			after(4)
			warm := map[string]bool{}
			for tick := int64(60); tick < 200; tick += 10 {
				tell(t, s, tick, 1, true)
				after(3)
				o.warm(warm)
			}
			heat[view] = len(warm)
			if view == "seat:1" && !maps.Equal(warm, map[string]bool{"ada": true}) {
				t.Errorf("seat 1 sees what is hidden of %v", warm)
			}
			s.End(proto.Close{Code: proto.CodeDone})
			after(2)
			if c := o.code(); c != proto.CodeDone {
				t.Errorf("closed with %d", c)
			}
		}
		if heat["public"] != 0 || heat["seat:1"] != 1 || heat["everything"] < 5 {
			t.Errorf("ships whose hidden fields are seen, by view: %v", heat)
		}
	})
}

func TestWhoComesLateOrMissesSomethingIsAtTheTickAsWell(t *testing.T) {
	_, ships := truth(t, recorded(t))
	synctest.Test(t, func(t *testing.T) {
		m := newSessions()
		defer closeAll(t, m)
		s := open(t, m, "ada", "")
		first := watch(t, s, "ada")
		tell(t, s, 0, 1, false)
		after(130)
		late := watch(t, s, "ben")
		after(3)
		if _, tick := late.came(); tick < 60 {
			t.Errorf("whoever comes after 130 ticks begins with tick %d", tick)
		}
		first.mu.Lock()
		missed := first.seq - 2
		first.begun, first.dec, first.in = false, netcode.NewDecoder(arena.Game.Schema()), proto.Frame{} // as an edge that lost all
		first.mu.Unlock()
		s.Again(first, missed+1000)
		after(5)
		tell(t, s, -1, 1, true)
		after(2)
		at, want := first.sees()
		if tick, seen := late.sees(); tick != at || !maps.Equal(seen, want) || len(want) != len(ships[at]) {
			t.Errorf("at tick %d: %v, at %d: %v", at, want, tick, seen)
		}
		for range 2 {
			s.Detach(late)
		}
		s.Detach(first)
		after(2)
		n, _ := first.came()
		after(5)
		if now, _ := first.came(); now != n || s.State().Viewers != 0 {
			t.Errorf("nobody watches, and %d frames came; %+v", now-n, s.State())
		}
	})
}
