package playback

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/prometheus/client_golang/prometheus"

	"muster/games/arena"
	"muster/match"
	"muster/proto"
)

func attachOf(o *onlooker, player string) match.Attach {
	return match.Attach{Viewer: o, Audience: o, Watch: true, Player: match.Player{ID: player}, PlayerExpires: time.Now().Add(time.Hour)}
}

func TestAPlayerHasTwoSessionsAndOneThatNobodyWatchesMakesPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newSessions()
		defer closeAll(t, m)
		a, b := open(t, m, "ada", ""), open(t, m, "ada", "")
		watch(t, a, "ada")
		watch(t, b, "ada")
		after(2)
		if _, err := m.Open(t.Context(), Request{Owner: "ada", File: recorded(t)}); !errors.Is(err, ErrMany) {
			t.Errorf("a third one: %v", err)
		}
		open(t, m, "ben", "")
		c := watch(t, b, "eve")
		after(1)
		b.Detach(c)
		after(1)
		a.End(proto.Close{Code: proto.CodeDone})
		after(2)
		d := open(t, m, "ada", "") // which nobody watches
		open(t, m, "ada", "")
		after(1)
		select {
		case <-d.Done():
		default:
			t.Error("the one that nobody watched goes on")
		}
	})
}

func TestAProcessShowsAsManyAsItMay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newSessions()
		defer closeAll(t, m)
		for i := range maxSessions {
			open(t, m, strings.Repeat("x", i+1), "")
		}
		if _, err := m.Open(t.Context(), Request{Owner: "ada", File: recorded(t)}); !errors.Is(err, ErrBusy) {
			t.Errorf("one more: %v", err)
		}
		after(1300)
		open(t, m, "ada", "") // the others have ended, unwatched
		m.bytes += maxBytes
		if _, err := m.Open(t.Context(), Request{Owner: "ben", File: recorded(t)}); !errors.Is(err, ErrBusy) {
			t.Errorf("beyond the bytes: %v", err)
		}
		m.bytes -= maxBytes
	})
}

func TestOnesOwnConnectionsAndAllOfThemAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newSessions()
		defer closeAll(t, m)
		s := open(t, m, "ada", "")
		for range maxWatches {
			watch(t, s, "ada")
		}
		after(1)
		if o := watch(t, s, "ada"); true {
			after(1)
			if o.code() != proto.CodeMatchFull {
				t.Errorf("one's fifth connection: closed with %d", o.code())
			}
		}
		for i := maxWatches; i < maxWatchers; i++ {
			watch(t, s, strings.Repeat("y", i))
		}
		after(1)
		o := watch(t, s, "zed")
		after(1)
		if o.code() != proto.CodeMatchFull || s.State().Viewers != maxWatchers {
			t.Errorf("one too many: closed with %d, %d watch", o.code(), s.State().Viewers)
		}
		seated := newOnlooker(t)
		s.Attach(match.Attach{Viewer: seated, Player: match.Player{Seat: 1, ID: "ada"}})
		if seated.code() != proto.CodeNotYourSeat {
			t.Errorf("a claim on a seat: closed with %d", seated.code())
		}
	})
}

func TestTheEndOfAProcessTellsWhoWatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newSessions()
		s := open(t, m, "ada", "")
		o := watch(t, s, "ada")
		after(2)
		closeAll(t, m)
		if o.code() != proto.CodeNodeLeaving {
			t.Errorf("closed with %d", o.code())
		}
		if _, err := m.Open(t.Context(), Request{Owner: "ada", File: recorded(t)}); !errors.Is(err, ErrClosed) {
			t.Errorf("after the end: %v", err)
		}
	})
}

func TestWhatIsNoRecordingIsRefused(t *testing.T) {
	good := recorded(t)
	other := match.Define[arena.World, arena.Input]("arena", arena.Arena{}, newer())
	walk := match.Define[arena.World, arena.Input]("walk", arena.Arena{}, match.Rules{})
	bomb, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	zeros := bomb.EncodeAll(make([]byte, 64<<20), nil)
	var rules *RulesError
	for name, c := range map[string]struct {
		file  []byte
		games match.Game
		view  string
		want  func(error) bool
	}{
		"nothing":      {nil, arena.Game, "", isFile},
		"garbage":      {bytes.Repeat([]byte("muster"), 1000), arena.Game, "", isFile},
		"half a head":  {good[:20], arena.Game, "", isFile},
		"head alone":   {good[:300], arena.Game, "", isFile},
		"zeros":        {append(append([]byte(nil), good[:8]...), zeros...), arena.Game, "", isFile},
		"too large":    {append(append([]byte(nil), good...), make([]byte, MaxFile)...), arena.Game, "", isFile},
		"another game": {good, walk, "", func(err error) bool { return errors.Is(err, ErrGame) }},
		"other rules":  {good, other, "", func(err error) bool { return errors.As(err, &rules) }},
		"seat 17":      {good, arena.Game, "seat:17", func(err error) bool { return errors.Is(err, ErrView) }},
		"seat 0":       {good, arena.Game, "seat:0", func(err error) bool { return errors.Is(err, ErrView) }},
		"a view":       {good, arena.Game, "god", func(err error) bool { return errors.Is(err, ErrView) }},
	} {
		reg := prometheus.NewRegistry()
		m := New(Config{Games: []match.Game{c.games}, Process: "p1", Registerer: reg})
		s, err := m.Open(t.Context(), Request{Owner: "ada", View: c.view, File: c.file})
		if s != nil || !c.want(err) {
			t.Errorf("%s: %v, %v", name, s, err)
		}
		closeAll(t, m)
	}
	if rules == nil || rules.Recorded != arena.Game.Rules().Version || rules.Here != "99" || !strings.Contains(rules.Error(), `"99"`) {
		t.Errorf("the error of other rules: %v", rules)
	}
}

func newer() match.Rules {
	r := arena.Game.Rules()
	r.Version = "99"
	return r
}

func isFile(err error) bool { return errors.Is(err, ErrFile) }

func TestAFileThatIsCutShortIsShownAsFarAsItGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		good := recorded(t)
		m := newSessions()
		defer closeAll(t, m)
		s, err := m.Open(t.Context(), Request{Owner: "ada", File: good[:len(good)*2/3]})
		if err != nil {
			t.Fatal(err)
		}
		in := s.Info()
		if !in.Truncated || in.To <= in.From || in.To >= 400 {
			t.Errorf("from %d to %d, truncated %v", in.From, in.To, in.Truncated)
		}
		tell(t, s, 1<<40, 1, true)
		after(3)
		if st := s.State(); st.Tick != in.To {
			t.Errorf("its end is tick %d, and %d is shown", in.To, st.Tick)
		}
	})
}

func TestAnIdSaysWhoseASessionIs(t *testing.T) {
	m := newSessions()
	defer closeAll(t, m)
	s := open(t, m, "ada", "")
	if p, ok := Process(s.ID()); !ok || p != "p1" || len(s.ID()) > proto.MaxID {
		t.Errorf("the id %q is of %q, %v", s.ID(), p, ok)
	}
	for _, id := range []string{"", "replay", "replay-", "replay--x", "x5n2rm7ksm6vqzcgq3nyzj4k5e"} {
		if _, ok := Process(id); ok {
			t.Errorf("%q passes for a session", id)
		}
	}
}

func FuzzOpen(f *testing.F) {
	good := recorded(f)
	f.Add(good)
	f.Add(good[:len(good)/2])
	f.Add([]byte("\x89MUSTER\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		m := newSessions()
		defer closeAll(t, m)
		s, err := m.Open(t.Context(), Request{Owner: "ada", View: "everything", File: file})
		if err != nil {
			return
		}
		if in := s.Info(); in.From > in.To {
			t.Errorf("a recording from %d to %d", in.From, in.To)
		}
	})
}
