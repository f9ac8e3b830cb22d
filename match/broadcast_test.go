package match

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap/zaptest"

	"muster/internal/testmetric"
	"muster/netcode"
	"muster/proto"
)

// inDelayedStage runs a test with a room of stage that those who watch see late, and that ends at tick 200.
func inDelayedStage(t *testing.T, rules Rules, f func(t *testing.T, g Game, rm *Instance, h *Host)) {
	t.Helper()
	inStage(t, rules, nil, f)
}

func TestTheEndIsShownAfterTheDelayThoughTheRoomIsGone(t *testing.T) {
	inDelayedStage(t, Rules{SpectatorDelay: 4 * time.Second}, func(t *testing.T, g Game, rm *Instance, h *Host) {
		a := newViewer(t, g, 1)
		a.attach(rm, "alice")
		ticks(100) // it keeps what it will show though nobody watches
		w := watch(t, g, rm, "walter")
		ticks(2)
		if w.frames < 10 || w.head.Tick > 22 || w.head.Tick < 19 {
			t.Fatalf("after 5 s %d frames are shown, up to tick %d", w.frames, w.head.Tick)
		}
		for a.code() == 0 {
			ticks(1)
			rm.Input(a, ackOf(a, rm))
		}
		select {
		case <-rm.Done():
		case <-time.After(time.Second):
			t.Fatal("the room is not done")
		}
		late := watch(t, g, rm, "wilma") // who comes now sees what there is
		ticks(1)
		if h.Room("r1") != nil || w.end != nil || w.code() != 0 || w.head.Tick > 122 || late.frames == 0 {
			t.Fatalf("the room is there: %v; the end is told: %v, code %d, tick %d; the late one has %d frames",
				h.Room("r1") != nil, w.end, w.code(), w.head.Tick, late.frames)
		}
		pass(3900 * time.Millisecond)
		if w.end != nil || w.code() != 0 {
			t.Fatalf("the end is told too soon, at tick %d", w.head.Tick)
		}
		pass(300 * time.Millisecond)
		for name, v := range map[string]*fakeViewer{"early": w, "late": late} {
			if n := len(v.events); v.end == nil || v.code() != 1000 || v.head.Tick != 200 || v.events[n-1].(*line).Text != "the end" {
				t.Errorf("%s: the end %+v, code %d, tick %d, last heard %+v", name, v.end, v.code(), v.head.Tick, v.events[n-1])
			}
			heardInOrder(t, v, 50)
		}
		select {
		case <-rm.Shown():
		default:
			t.Error("the room is still shown")
		}
		if rm.Attach(Attach{Viewer: newViewer(t, g, 0), Audience: &house{}, Watch: true}) {
			t.Error("one may still come")
		}
		rm.Detach(w) // as the edge does
	})
}

func TestWhatIsStillToBeShownEndsWithTheHost(t *testing.T) {
	inDelayedStage(t, Rules{SpectatorDelay: 10 * time.Minute}, func(t *testing.T, g Game, rm *Instance, h *Host) {
		a := newViewer(t, g, 1)
		a.attach(rm, "alice")
		w := watch(t, g, rm, "walter")
		for a.code() == 0 {
			ticks(1)
			rm.Input(a, ackOf(a, rm))
		}
		began := time.Now()
		if err := h.Close(t.Context()); err != nil || time.Since(began) > time.Second {
			t.Errorf("closing: %v after %v", err, time.Since(began))
		}
		if w.frames > 0 || w.end != nil || w.code() != proto.CodeNodeLeaving {
			t.Errorf("%d frames, the end %v, code %d", w.frames, w.end, w.code())
		}
	})
}

func TestARoomThatMovesTellsWatchersAtOnceAndNothingThatIsToCome(t *testing.T) {
	inDelayedStage(t, Rules{SpectatorDelay: 4 * time.Second}, func(t *testing.T, g Game, rm *Instance, h *Host) {
		a := newViewer(t, g, 1)
		a.attach(rm, "alice")
		w := watch(t, g, rm, "walter")
		ticks(120)
		rm.Abandon("another host has it")
		ticks(1)
		if w.code() != proto.CodeNodeLeaving || w.head.Tick > 42 {
			t.Errorf("code %d at tick %d", w.code(), w.head.Tick)
		}
		again, err := h.Open(Spec{ID: "r1", Game: g.Name(), Seed: 9, Epoch: rm.Epoch() + 1})
		if err != nil {
			t.Fatal(err)
		}
		b := newViewer(t, g, 1)
		b.attach(again, "alice")
		v := watch(t, g, again, "walter")
		ticks(60)
		if v.frames != 0 || v.welcome.Epoch != again.Epoch() {
			t.Errorf("%d frames before the delay is over, the welcome %+v", v.frames, v.welcome)
		}
		ticks(40)
		if v.frames < 10 || v.head.Epoch != again.Epoch() || v.head.Tick > 22 {
			t.Errorf("%d frames, epoch %d, tick %d", v.frames, v.head.Epoch, v.head.Tick)
		}
	})
}

func TestWhoMayNotWatchIsToldWhy(t *testing.T) {
	inDelayedStage(t, Rules{Spectators: 3}, func(t *testing.T, g Game, rm *Instance, _ *Host) {
		alice := []*fakeViewer{watch(t, g, rm, "alice"), watch(t, g, rm, "alice")}
		if third := watch(t, g, rm, "alice"); third.code() != proto.CodeMatchFull {
			t.Errorf("a third socket of hers: %d", third.code())
		}
		_ = watch(t, g, rm, "bob")
		if full := watch(t, g, rm, "carol"); full.code() != proto.CodeMatchFull {
			t.Errorf("one too many: %d", full.code())
		}
		rm.Detach(alice[0])
		if c := watch(t, g, rm, "carol"); c.code() != 0 || rm.broadcast.watching() != 3 {
			t.Errorf("where a place is free: %d, %d watch", c.code(), rm.broadcast.watching())
		}
		if full := watch(t, g, rm, "alice"); full.code() != proto.CodeMatchFull {
			t.Errorf("one too many again: %d", full.code())
		}
	})
	synctest.Test(t, func(t *testing.T) {
		g := dotGame(t, dots{}, Rules{})
		h, rm, _ := startDesk(t, g, nil, 9)
		if w := watch(t, g, rm, "walter"); w.code() != proto.CodeMatchFull {
			t.Errorf("in a game without spectators: %d", w.code())
		}
		closeHost(t, h)
	})
}

func TestRulesOfSpectatorsAreChecked(t *testing.T) {
	for _, c := range []struct {
		rules Rules
		good  bool
	}{
		{Rules{Spectators: 100_000, SpectatorDelay: 10 * time.Minute}, true},
		{Rules{Spectators: 100_001}, false},
		{Rules{Spectators: -1}, false},
		{Rules{Spectators: 1, SpectatorDelay: -1}, false},
		{Rules{Spectators: 1, SpectatorDelay: 10*time.Minute + 1}, false},
		{Rules{SpectatorDelay: time.Second}, false},
	} {
		if _, err := c.rules.withDefaults(); (err == nil) != c.good {
			t.Errorf("%+v: %v", c.rules, err)
		}
	}
}

// heavy is a game whose every frame is large.
type heavy struct{}

type heavyState struct{ V netcode.Value[heavyText] }

type heavyText struct {
	Text [4]string `net:"max=4000"`
}

func (heavy) Step(s *netcode.Step[heavyState, dotInput]) {
	for i := range s.State.V.V.Text {
		b := make([]byte, 4000)
		for k := range b {
			b[k] = 'a' + byte(s.Rand().IntN(26))
		}
		s.State.V.V.Text[i] = string(b)
	}
	s.Emit(netcode.Everyone(), line{N: s.Tick})
}

// Where what waits for the delay has no place frames are left out, and those who watch see the rest: from a keyframe on.
func TestWhatWaitsForTheDelayIsBoundedInBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := Define[heavyState, dotInput]("heavy", heavy{}, Rules{Spectators: 2, SpectatorDelay: 10 * time.Second, Events: []any{line{}}})
		reg := prometheus.NewRegistry()
		h, err := NewHost(HostConfig{Games: []Game{g}, Directory: &fakeDirectory{}, Log: zaptest.NewLogger(t), Registerer: reg})
		if err != nil {
			t.Fatal(err)
		}
		rm, err := h.Open(Spec{ID: "r1", Game: "heavy", Seed: 9, Epoch: 1})
		if err != nil {
			t.Fatal(err)
		}
		rm.broadcast.mu.Lock()
		rm.broadcast.bound = 1 << 20 // a third of what ten seconds are
		rm.broadcast.mu.Unlock()
		a := newViewer(t, g, 1)
		a.attach(rm, "alice")
		w := watch(t, g, rm, "walter")
		most := 0
		for range 800 {
			ticks(1)
			rm.Input(a, ackOf(a, rm))
			rm.broadcast.mu.Lock()
			most = max(most, rm.broadcast.bytes)
			rm.broadcast.mu.Unlock()
		}
		if most > 1<<20 || most < 7<<17 {
			t.Errorf("%d bytes were kept", most)
		}
		if w.frames < 50 || w.frames > 500 || w.code() != 0 {
			t.Errorf("%d frames were shown, code %d", w.frames, w.code())
		}
		if n := testmetric.Value(t, reg, "muster_spectator_frames_left_out_total"); n < 200 {
			t.Errorf("%v frames were left out", n)
		}
		heardInOrder(t, w, 500)
		closeHost(t, h)
		if n := testmetric.Value(t, reg, "muster_spectator_kept_bytes"); n != 0 {
			t.Errorf("%v bytes are still kept", n)
		}
		if n := testmetric.Value(t, reg, "muster_spectators"); n != 0 {
			t.Errorf("%v still watch", n)
		}
	})
}

// An audience that has missed casts is given them again, or begins anew where they are kept no more.
func TestAnAudienceIsGivenWhatItHasMissed(t *testing.T) {
	inDelayedStage(t, Rules{}, func(t *testing.T, g Game, rm *Instance, _ *Host) {
		a := newViewer(t, g, 1)
		a.attach(rm, "alice")
		h := &notes{}
		v := newViewer(t, g, 0)
		rm.Attach(Attach{Viewer: v, Audience: h, Watch: true, Player: Player{ID: "walter"}})
		for range 150 {
			ticks(1)
			rm.Input(a, ackOf(a, rm))
		}
		if n := len(h.casts); n < 140 || !h.casts[0].Begins {
			t.Fatalf("%d casts", n)
		}
		last := h.casts[len(h.casts)-1].Seq
		h.casts = nil
		rm.Again(h, last-10)
		if len(h.casts) != 11 || h.casts[0].Seq != last-10 {
			t.Errorf("asked for the last 11: %s", h.say())
		}
		h.casts = nil
		rm.Again(h, 2) // too long ago
		if n := len(h.casts); n == 0 || n > 45 || !h.casts[0].Begins || h.casts[n-1].Seq != last {
			t.Errorf("asked for what is not kept: %s", h.say())
		}
		h.casts = nil
		rm.Again(&notes{}, 2) // of another room
		rm.Detach(v)
		rm.Again(h, 2)
		ticks(2)
		if len(h.casts) > 0 || rm.broadcast.wanted.Load() != 0 || len(rm.broadcast.kept) > 0 {
			t.Errorf("when nobody watches: %s, %d kept", h.say(), len(rm.broadcast.kept))
		}
	})
}

// notes is an audience that keeps what it is told.
type notes struct{ casts []*Cast }

func (n *notes) Cast(c *Cast) { n.casts = append(n.casts, c) }

func (n *notes) say() (s string) {
	for _, c := range n.casts {
		s += fmt.Sprint(" ", c.Seq)
	}
	return s
}

// What a room does for those who watch does not depend on how many there are.
func TestATickCostsTheRoomTheSameHoweverManyWatch(t *testing.T) {
	made := map[int]uint64{}
	for _, n := range []int{1, 500} {
		inDelayedStage(t, Rules{Spectators: 500}, func(t *testing.T, g Game, rm *Instance, _ *Host) {
			a := newViewer(t, g, 1)
			a.attach(rm, "alice")
			h := &notes{}
			for i := range n {
				v := newViewer(t, g, 0)
				rm.Attach(Attach{Viewer: v, Audience: h, Watch: true, Player: Player{ID: fmt.Sprint("w", i)}})
			}
			for range 100 {
				ticks(1)
				rm.Input(a, ackOf(a, rm))
			}
			made[n] = uint64(len(h.casts))
		})
	}
	if made[1] != made[500] || made[1] < 95 {
		t.Errorf("casts by spectators: %v", made)
	}
}

// The last cast of a room that moves stands where the shown ones end, so that whoever is behind by some is told the same.
func TestTheLastCastOfARoomThatMovesFollowsWhatWasShown(t *testing.T) {
	for _, delay := range []time.Duration{0, time.Second} {
		inDelayedStage(t, Rules{SpectatorDelay: delay}, func(t *testing.T, g Game, rm *Instance, _ *Host) {
			a := newViewer(t, g, 1)
			a.attach(rm, "alice")
			h := &notes{}
			rm.Attach(Attach{Viewer: newViewer(t, g, 0), Audience: h, Watch: true, Player: Player{ID: "walter"}})
			for range 100 {
				ticks(1)
				rm.Input(a, ackOf(a, rm))
			}
			rm.Abandon("another host has it")
			ticks(1)
			last, before := h.casts[len(h.casts)-1], h.casts[len(h.casts)-2]
			if last.Close == nil || before.Told == 0 || last.Tick != before.Tick || last.Event != before.Told || last.Told != before.Told {
				t.Errorf("delay %v: the last cast is %+v after %+v", delay, last, before)
			}
		})
	}
}
