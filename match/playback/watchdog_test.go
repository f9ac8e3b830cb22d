package playback

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"muster/internal/testmetric"
	"muster/match"
	"muster/match/journal"
	"muster/netcode"
	"muster/proto"
)

// trap is a game of which the rules do what a test says, from a tick on. A recording is made before it is set.
type trap struct{ *trapSet }

type trapSet struct {
	from uint32
	step func(tick uint32) // nil: nothing
	look func()            // what the Scopes hook does
}

func (t trap) Step(s *netcode.Step[blindState, blindInput]) {
	s.State.Tick.V.N = s.Tick
	if t.step != nil && s.Tick >= t.from {
		t.step(s.Tick)
	}
}

func (t trap) Scopes(*blindState, *netcode.Scopes) {
	if t.look != nil {
		t.look()
	}
}

// trapConfig is read with rules of the game's.
type trapConfig struct {
	N int `json:"n"`
}

var trapRead atomic.Pointer[func() error]

func setTrapRead(f func() error) { trapRead.Store(&f) }

func (trapConfig) Validate() error {
	if f := trapRead.Load(); f != nil {
		return (*f)()
	}
	return nil
}

// inTrap runs a test with sessions of a game whose recording has 40 ticks.
func inTrap(t *testing.T, cfg Config, f func(t *testing.T, m *Sessions, set *trapSet, file []byte)) {
	t.Helper()
	set := &trapSet{}
	g := match.Define[blindState, blindInput]("trap", trap{set}, match.Rules{TickRate: 20, Seats: 2, Config: trapConfig{}})
	if g.Err() != nil {
		t.Fatal(g.Err())
	}
	file := recordedBlind(t, g)
	synctest.Test(t, func(t *testing.T) {
		cfg.Games, cfg.Process = []match.Game{g}, "p1"
		m := New(cfg)
		defer closeAll(t, m)
		f(t, m, set, file)
	})
}

// sight opens a session, and watches it.
func (m *Sessions) sight(t *testing.T, owner string, file []byte) (*Session, *ear) {
	t.Helper()
	s, err := m.Open(t.Context(), Request{Owner: owner, File: file})
	if err != nil {
		t.Fatal(err)
	}
	o := &ear{}
	s.Attach(match.Attach{Viewer: o, Audience: o, Watch: true, Player: match.Player{ID: owner}})
	return s, o
}

// Rules that never return from a recorded tick end their session, with the reason for who watches, and others go on. The
// process says that it has lost a core, shows nothing new, and ends all the same.
func TestRulesThatDoNotReturnEndTheirSessionAlone(t *testing.T) {
	for _, seeks := range []bool{false, true} {
		var why string
		reg := prometheus.NewRegistry()
		inTrap(t, Config{Registerer: reg, Stalled: func(s string) { why = s }}, func(t *testing.T, m *Sessions, set *trapSet, file []byte) {
			free := make(chan struct{})
			defer close(free) // before the sessions are closed: they do not wait for it
			var first atomic.Bool
			set.from, set.step = 10, func(uint32) {
				if first.CompareAndSwap(false, true) {
					<-free
				}
			}
			bad, seen := m.sight(t, "mallory", file)
			after(2)
			tick := int64(-1)
			if seeks {
				tick = 30
			}
			tell(t, bad, tick, 1, seeks)
			after(15)
			good, heard := m.sight(t, "ada", file)
			after(60)
			if seen.now().code != proto.CodeRulesFailed || !strings.Contains(seen.now().why, "do not return") {
				t.Errorf("who watches is told %d, %q", seen.now().code, seen.now().why)
			}
			select {
			case <-bad.Done():
			default:
				t.Error("the session has not ended")
			}
			late := &ear{}
			if m.Session(bad.ID()) != nil || bad.Attach(match.Attach{Viewer: late, Audience: late, Watch: true}) || !strings.Contains(bad.State().Failed, "do not return") {
				t.Errorf("the session is still there: %+v", bad.State())
			}
			before := heard.now().frames
			tell(t, good, 35, 1, true)
			after(10)
			if good.State().Tick != 35 || heard.now().code != 0 || heard.now().frames < before+9 {
				t.Errorf("another session is at %+v, closed with %d, %d frames", good.State(), heard.now().code, heard.now().frames-before)
			}
			if !strings.Contains(why, "trap") || testmetric.Value(t, reg, "muster_playback_stalls_total") != 1 || testmetric.Value(t, reg, "muster_playback_sessions") != 1 {
				t.Errorf("told: %q; %v stalls, %v sessions", why, testmetric.Value(t, reg, "muster_playback_stalls_total"), testmetric.Value(t, reg, "muster_playback_sessions"))
			}
			if n := len(m.seeking); n != 0 {
				t.Errorf("%d turns to seek are not given back", n)
			}
			if _, err := m.Open(t.Context(), Request{Owner: "ben", File: file}); !errors.Is(err, ErrStalled) {
				t.Errorf("one more: %v", err)
			}
			closeAll(t, m)
			if heard.now().code != proto.CodeNodeLeaving {
				t.Errorf("at the end the other is told %d", heard.now().code)
			}
		})
	}
}

// A tick that takes long, but ends, is no stall.
func TestRulesThatReturnLateAreNotGivenUp(t *testing.T) {
	reg := prometheus.NewRegistry()
	inTrap(t, Config{Registerer: reg}, func(t *testing.T, m *Sessions, set *trapSet, file []byte) {
		set.from, set.step = 10, func(tick uint32) {
			if tick == 10 {
				time.Sleep(stallAfter - 3*watchEvery/2)
			}
		}
		s, o := m.sight(t, "ada", file)
		after(2)
		tell(t, s, 20, 1, true)
		after(200)
		if o.now().code != 0 || s.State().Tick != 20 || testmetric.Value(t, reg, "muster_playback_stalls_total") != 0 {
			t.Errorf("closed with %d at %+v", o.now().code, s.State())
		}
	})
}

// Rules that take 200 ms for each tick, or as long to say what is seen, have half of a core at most, whether they play or
// seek; and two such sessions of a process with one core's worth for all have that.
func TestRulesThatTakeLongHaveTheirShareOfTheMachineAlone(t *testing.T) {
	const slow = 200 * time.Millisecond
	for name, c := range map[string]struct {
		sessions int
		scopes   bool
		seek     int64
		all      float64 // cores
		want     float64
	}{
		"one that plays":          {1, false, -1, 8, ownShare},
		"one that seeks":          {1, false, 40, 8, ownShare},
		"one whose scopes do":     {1, true, -1, 8, ownShare},
		"four, with two for all":  {4, false, -1, 2, 4 * ownShare},
		"four, with one for all":  {4, false, -1, 1, 1},
		"four, with half for all": {4, true, -1, 0.5, 0.5},
	} {
		t.Run(name, func(t *testing.T) {
			inTrap(t, Config{}, func(t *testing.T, m *Sessions, set *trapSet, file []byte) {
				m.allowed = newAllowance(c.all, allBurst)
				var mu sync.Mutex
				took := time.Duration(0)
				work := func() {
					time.Sleep(slow)
					mu.Lock()
					defer mu.Unlock()
					took += slow
				}
				var list []*Session
				for i := range c.sessions {
					s, _ := m.sight(t, strings.Repeat("x", i+1), file)
					list = append(list, s)
				}
				if c.scopes {
					set.look = work
				} else {
					set.step = func(uint32) { work() }
				}
				began := time.Now()
				const ticks = 120 // six seconds: the recording lasts eight at this pace
				for _, s := range list {
					tell(t, s, c.seek, 1, c.seek >= 0)
				}
				after(ticks)
				mu.Lock()
				cores := took.Seconds() / time.Since(began).Seconds()
				mu.Unlock()
				burst := (allBurst + 2*time.Duration(c.sessions)*slow).Seconds() / (ticks * tickTime).Seconds()
				if cores > c.want+burst || cores < c.want/3 {
					t.Errorf("they had %.2f cores, %.2f are theirs", cores, c.want)
				}
				for _, s := range list {
					if st := s.State(); st.Failed != "" {
						t.Errorf("a session failed: %+v", st)
					}
				}
			})
		})
	}
}

// A panic of the rules at a recorded tick is told to who watches, and what comes before can be seen; others go on.
func TestRulesThatPanicAreToldToThoseWhoWatch(t *testing.T) {
	inTrap(t, Config{}, func(t *testing.T, m *Sessions, set *trapSet, file []byte) {
		set.from, set.step = 10, func(tick uint32) {
			if tick == 10 {
				panic("a hostile recording")
			}
		}
		s, o := m.sight(t, "mallory", file)
		other, _ := m.sight(t, "ada", file)
		after(2)
		for range 3 {
			tell(t, s, 30, 1, true)
			after(5)
		}
		if st := s.State(); st.Tick != 9 || st.To != 9 || !strings.Contains(st.Failed, "tick 10") || o.now().code != 0 {
			t.Errorf("closed with %d, at %+v", o.now().code, st)
		}
		tell(t, other, 8, 1, true)
		after(5)
		if st := other.State(); st.Tick != 8 || st.Failed != "" {
			t.Errorf("another session is at %+v", st)
		}
	})
}

// What is called without the replay's care, as a config's own rules are, ends one opening or one session, not the process.
func TestWhatPanicsBesideTheReplayEndsOneSessionAlone(t *testing.T) {
	inTrap(t, Config{}, func(t *testing.T, m *Sessions, _ *trapSet, file []byte) {
		setTrapRead(func() error { panic("a hostile config") })
		_, err := m.Open(t.Context(), Request{Owner: "mallory", File: file})
		trapRead.Store(nil)
		if !errors.Is(err, ErrFile) || len(m.opening) != 0 {
			t.Errorf("opening it: %v, %d at it", err, len(m.opening))
		}
		s, o := m.sight(t, "mallory", file)
		other, heard := m.sight(t, "ada", file)
		after(2)
		tell(t, s, 30, 1, true)
		after(5)
		setTrapRead(func() error { panic("a hostile config") })
		before := heard.now().frames
		tell(t, s, 0, 1, true) // to a state that is made anew
		after(40)
		trapRead.Store(nil)
		if o.now().code != proto.CodeRulesFailed || heard.now().code != 0 || heard.now().frames != before+40 || other.State().Failed != "" {
			t.Errorf("closed with %d; the other with %d after %d frames", o.now().code, heard.now().code, heard.now().frames-before)
		}
	})
}

// Rules that do not return from what a file begins with hold who opens it for a bounded time.
func TestRulesThatDoNotReturnFromAFirstStateAreGivenUp(t *testing.T) {
	inTrap(t, Config{}, func(t *testing.T, m *Sessions, _ *trapSet, file []byte) {
		free := make(chan struct{})
		defer func() { trapRead.Store(nil) }()
		defer close(free)
		setTrapRead(func() error { <-free; return nil })
		began := time.Now()
		_, err := m.Open(t.Context(), Request{Owner: "mallory", File: file})
		if took := time.Since(began); !errors.Is(err, ErrFile) || !strings.Contains(err.Error(), "do not return") || took > stallAfter+2*watchEvery {
			t.Errorf("after %v: %v", took, err)
		}
		if _, err := m.Open(t.Context(), Request{Owner: "ada", File: file}); !errors.Is(err, ErrStalled) {
			t.Errorf("one more: %v", err)
		}
	})
}

func TestWhereMemoryIsShortNothingIsOpenedAndWhatIsShownEnds(t *testing.T) {
	var low atomic.Bool
	inTrap(t, Config{LowMemory: low.Load, Registerer: prometheus.NewRegistry()}, func(t *testing.T, m *Sessions, _ *trapSet, file []byte) {
		s, o := m.sight(t, "ada", file)
		after(5)
		if o.now().code != 0 || o.now().frames == 0 {
			t.Fatalf("closed with %d", o.now().code)
		}
		low.Store(true)
		after(10)
		if o.now().code != proto.CodeOverloaded || m.Session(s.ID()) != nil {
			t.Errorf("closed with %d", o.now().code)
		}
		if _, err := m.Open(t.Context(), Request{Owner: "ada", File: file}); !errors.Is(err, ErrBusy) {
			t.Errorf("one more: %v", err)
		}
	})
}

// A file may not make one tick, or one state, cost what a whole recording may.
func TestAStateIsBoundedAndSoIsTheirNumberAtATick(t *testing.T) {
	write := func(states int, size int) []byte {
		var b bytes.Buffer
		w, err := journal.NewWriter(&b, journal.Header{Room: "r", Game: "trap", TickRate: 20, Seats: 2})
		for range states {
			if err == nil {
				err = w.Checkpoint(journal.Checkpoint{Tick: 1, Data: make([]byte, size)})
			}
		}
		if err == nil {
			err = w.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	for name, c := range map[string]struct {
		states, size int
		want         string
	}{
		"as many as may be":  {maxSame, 10, ""},
		"one more":           {maxSame + 1, 10, "states"},
		"as large as may be": {1, maxState, ""},
		"larger":             {1, maxState + 1, "a state of more than"},
	} {
		rd, err := journal.NewReader(bytes.NewReader(write(c.states, c.size)))
		if err != nil {
			t.Fatal(err)
		}
		_, err = scan(context.Background(), rd)
		if c.want == "" && err != nil || c.want != "" && (!errors.Is(err, ErrFile) || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
