package match

import (
	"math"
	"runtime"
	"runtime/debug"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
)

// window is one window of ticks.
type window struct{ ticks, late uint64 }

func TestLateTicksLowerTheSendRateAndRefuseRoomsUntilTheyAreGone(t *testing.T) {
	h := &Host{metrics: newMetrics(nil), log: zap.NewNop()}
	now := time.Unix(0, 0)
	pass := func(w window) int32 {
		h.load.ticks.Add(w.ticks)
		h.load.late.Add(w.late)
		now = now.Add(weighEvery)
		h.look(now)
		return h.load.level.Load()
	}
	h.weigh(now) // a window begins
	for i, step := range []struct {
		w    window
		want int32
	}{
		{window{1000, 50}, 0}, // some are late
		{window{10, 10}, 0},   // too few to say anything
		{window{1000, 101}, 1},
		{window{1000, 50}, 1},
		{window{1000, 900}, 2},
		{window{1000, 1000}, 2},
		{window{1000, 5}, 2},
		{window{1000, 5}, 2},
		{window{1000, 20}, 2}, // not calm: counting begins anew
		{window{1000, 0}, 2},
		{window{1000, 0}, 2},
		{window{1000, 0}, 1},
		{window{0, 0}, 1},
		{window{0, 0}, 1},
		{window{0, 0}, 0},
	} {
		if got := pass(step.w); got != step.want {
			t.Fatalf("after window %d the level is %d, want %d", i, got, step.want)
		}
		if full := h.Full(); (full != "") != (step.want > 0) || h.refuses() != "" {
			t.Fatalf("after window %d the host says %q of new rooms and %q of promised ones", i, full, h.refuses())
		}
	}
}

func TestNearItsMemoryLimitAHostTakesNoNewRooms(t *testing.T) {
	h := &Host{metrics: newMetrics(nil), log: zap.NewNop()}
	now := time.Unix(0, 0)
	weigh := func() string {
		now = now.Add(weighEvery)
		h.look(now)
		return h.Full()
	}
	weigh()
	if full := weigh(); full != "" {
		t.Fatalf("without a limit: %q", full)
	}
	ballast := make([]byte, 32<<20)
	runtime.GC() // what lives is known
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(36 << 20))
	if full := weigh(); full != noMemory || h.refuses() != full {
		t.Errorf("with most of it in use: %q", full)
	}
	runtime.KeepAlive(ballast)
	debug.SetMemoryLimit(math.MaxInt64 - 1)
	if full := weigh(); full != "" {
		t.Errorf("with a larger limit: %q", full)
	}
}

func TestLoadIsMeasuredEachSecond(t *testing.T) {
	h := &Host{metrics: newMetrics(nil), log: zap.NewNop()}
	now := time.Unix(100, 0)
	h.look(now)
	if l := h.Load(); l.Tick != 0 || l.Late != 0 || l.Heap == 0 {
		t.Errorf("at first it is %+v", l)
	}
	pass := func(took, busy time.Duration, w window) Load {
		h.load.busy.Add(int64(busy) * int64(runtime.GOMAXPROCS(0)))
		h.load.ticks.Add(w.ticks)
		h.load.late.Add(w.late)
		now = now.Add(took)
		h.look(now)
		return h.Load()
	}
	if l := pass(time.Second, 250*time.Millisecond, window{100, 0}); l.Tick != 0.25 || l.Late != 0 {
		t.Errorf("after a second it is %+v", l)
	}
	if l := pass(999*time.Millisecond, 500*time.Millisecond, window{}); l.Tick != 0.25 {
		t.Errorf("within the next one it is %+v", l)
	}
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(1 << 40))
	h.rooms = map[string]*Instance{"r": {game: &Game{name: "dots"}, broadcast: &broadcast{}}}
	h.rooms["r"].playing.Store(3)
	if l := pass(time.Millisecond, 0, window{100, 10}); l.Tick != 0.5 || l.Late != 0.05 || l.Limit != 1<<40 || l.Rooms != 1 || l.Players != 3 {
		t.Errorf("after two it is %+v", l)
	}
	if l := pass(2*time.Second, 9*time.Second, window{10, 10}); l.Tick != 1 || l.Late != 0 {
		t.Errorf("of too few ticks, with more work than processors, it is %+v", l)
	}
	type nth struct {
		Viewer
		n int
	}
	watched := &broadcast{watchers: map[Viewer]watcher{nth{nil, 1}: {}, nth{nil, 2}: {}}}
	h.rooms["q"] = &Instance{game: &Game{name: "lines"}, broadcast: watched}
	h.rooms["s"] = &Instance{game: &Game{name: "dots"}, broadcast: &broadcast{}}
	h.load.took.add(3 * time.Microsecond)
	h.load.asleep.Add(1)
	l := pass(time.Second, 0, window{40, 0})
	if l.Rate != 40 || l.Ticks != 250 || l.P50 != 3*time.Microsecond || l.P99 != l.P50 || l.Watching != 2 || l.Asleep != 1 {
		t.Errorf("after five it is %+v", l)
	}
	if diff := cmp.Diff(map[string]InGame{"dots": {2, 3, 0}, "lines": {1, 0, 2}}, l.Games); diff != "" {
		t.Errorf("by game (-want +got):\n%s", diff)
	}
}
