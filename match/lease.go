package match

import (
	"context"
	"math"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"muster/proto"
)

// A host may run its rooms for as long as it is sure that nobody else may. Who looks after that tells it until when, in
// steps; what a room does is checked against it before each tick and again before anything of the tick leaves the room. A
// room that may not go on waits as it is: its tick number stands still, and so do deadlines, which are ticks.

// forEver is until when a host's rooms may run that nobody ever told.
const forEver = time.Duration(math.MaxInt64)

// gate is until when rooms may run. Any goroutine may use it.
type gate struct {
	until atomic.Int64 // since the host's base
}

// HoldUntil says until when rooms may run, by the monotonic clock; the zero time means for ever. Beyond it they neither
// step nor send nor record, and wait to be told of a later time. It replaces what was said before.
func (h *Host) HoldUntil(t time.Time) {
	until := forEver
	if !t.IsZero() {
		until = max(0, t.Sub(h.base))
	}
	h.gate.until.Store(int64(until))
}

// mayRun says whether rooms may run now.
func (h *Host) mayRun() bool { return int64(time.Since(h.base)) < h.gate.until.Load() }

// Abandon ends all rooms at once, since they are another's by now: clients are told to come back elsewhere, and nothing is
// written of them any more, neither to the directory nor to journals. The host goes on and takes new rooms. It returns when
// every client has been told; HoldUntil says what holds for rooms that come after it.
func (h *Host) Abandon(reason string) {
	for _, rm := range h.all() {
		rm.Abandon(reason)
	}
}

// Abandon ends the room as [Host].Abandon ends all of them.
func (rm *Instance) Abandon(reason string) {
	if !rm.abandoned.CompareAndSwap(false, true) {
		return
	}
	rm.log.Warn("the room is another's by now", zap.String("reason", reason))
	rm.metrics.abandoned.Inc()
	rm.host.forget(rm) // who comes now finds it where it is
	rm.dismiss(proto.Close{Code: proto.CodeNodeLeaving, Reason: clip(reason)})
	rm.quit()
}

// elsewhereAfter is how long a room waits before its players are told to look for it: by then another node has it, if any
// could take it. Where none could they come back here, and have their seats.
const elsewhereAfter = 2 * time.Second

// await waits, on the room's goroutine, while the host's rooms may not run, and moves the room's schedule by as much. It is
// false when the room has ended meanwhile.
func (rm *Instance) await(ctx context.Context) bool {
	if rm.host.mayRun() {
		return !rm.abandoned.Load()
	}
	rm.metrics.held.Inc()
	defer rm.metrics.held.Dec()
	began := time.Since(rm.base)
	ticker := time.NewTicker(rm.period)
	defer ticker.Stop()
	for told := false; !rm.host.mayRun(); {
		select {
		case <-ctx.Done():
			return false
		case <-ticker.C:
		}
		if !told && time.Since(rm.base)-began > elsewhereAfter {
			told = true
			rm.viewers.closeAll(proto.Close{Code: proto.CodeNodeLeaving, Reason: "the match waits here, and may go on elsewhere"})
		}
	}
	rm.start.Add(int64(time.Since(rm.base) - began))
	return !rm.abandoned.Load()
}
