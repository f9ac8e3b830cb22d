package playback

import (
	"bytes"
	"sync"
	"testing"
	"testing/synctest"

	"muster/match"
	"muster/match/journal"
	"muster/netcode"
	"muster/proto"
	"muster/proto/token"
)

// blind is a game whose Scopes hook fails from a tick on.
type blind struct{ from uint32 }

type blindState struct{ Tick netcode.Value[blindTick] }

type blindTick struct{ N uint32 }

type blindInput struct{ N uint8 }

func (blind) Step(s *netcode.Step[blindState, blindInput]) { s.State.Tick.V.N = s.Tick }

func (b blind) Scopes(w *blindState, _ *netcode.Scopes) {
	if w.Tick.V.N >= b.from {
		panic("nothing can be seen")
	}
}

// recordedBlind is a recording of 40 ticks.
func recordedBlind(t *testing.T, g match.Game) []byte {
	t.Helper()
	r, err := match.NewReplay(g, match.Spec{ID: "r", Game: g.Name(), Seed: 1, Epoch: 1})
	if err == nil {
		err = r.Open()
	}
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	rules := g.Rules()
	w, err := journal.NewWriter(&file, journal.Header{
		Room: "r", Game: g.Name(), Rules: rules.Version, Seed: 1, Epoch: 1,
		TickRate: uint16(rules.TickRate), Seats: uint16(rules.Seats), //nolint:gosec // small
	})
	if err != nil {
		t.Fatal(err)
	}
	cp, err := r.Checkpoint()
	if err == nil {
		err = w.Checkpoint(cp)
	}
	for tick := uint32(1); err == nil && tick <= 40; tick++ {
		rec := &match.TickRecord{Tick: tick}
		if err = r.Step(rec); err == nil {
			err = w.Append(rec)
		}
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// A state that cannot be shown ends its session, with nothing sent of it, and the process goes on.
func TestAStateThatCannotBeShownEndsItsSessionAlone(t *testing.T) {
	for _, from := range []uint32{0, 20} {
		g := match.Define[blindState, blindInput]("blind", blind{from}, match.Rules{TickRate: 20, Seats: 2})
		if g.Err() != nil {
			t.Fatal(g.Err())
		}
		file := recordedBlind(t, g)
		synctest.Test(t, func(t *testing.T) {
			m := New(Config{Games: []match.Game{g}, Process: "p1"})
			defer closeAll(t, m)
			s, err := m.Open(t.Context(), Request{Owner: "ada", File: file})
			if err != nil {
				t.Fatal(err)
			}
			o := &ear{}
			s.Attach(match.Attach{Viewer: o, Audience: o, Watch: true, Player: match.Player{ID: "ada"}})
			after(5)
			speed, paused := 1.0, false
			if _, _, err := s.Control(Control{Speed: &speed, Paused: &paused}); err != nil {
				t.Fatal(err)
			}
			after(40)
			if o.now().code != proto.CodeRulesFailed || from == 0 && o.now().frames > 0 || from > 0 && (o.now().frames < 20 || o.now().shown >= from) {
				t.Errorf("from tick %d on: code %d, %d frames, up to tick %d", from, o.now().code, o.now().frames, o.now().shown)
			}
			if m.Session(s.ID()) != nil {
				t.Error("the session is still there")
			}
		})
	}
}

// ear is a connection that looks at the heads of what it is sent, and at why it is closed.
type ear struct {
	match.Viewer
	mu    sync.Mutex
	frame proto.Frame
	heard
}

// heard is what somebody was told until now.
type heard struct {
	code   proto.Code
	why    string
	frames int
	shown  uint32 // the newest recorded tick
}

func (e *ear) Welcome(*proto.Welcome, token.Resume) {}

func (e *ear) Close(c proto.Close) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.code, e.why = c.Code, c.Reason
}

func (e *ear) now() heard {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.heard
}

func (e *ear) Cast(c *match.Cast) {
	if c.Close != nil {
		e.Close(*c.Close)
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	r := proto.NewReader(c.Frame)
	kind, n, err := proto.ServerKind(r)
	if err == nil {
		err = e.frame.Parse(r, kind, n)
	}
	if err == nil {
		e.frames, e.shown = e.frames+1, e.frame.Head.Processed
	}
}
