package match

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"time"

	"go.uber.org/zap"

	"muster/internal/pause"
	"muster/proto"
)

// watchEvery is the time between two looks at the rooms.
const watchEvery = 100 * time.Millisecond

// watch looks after the rooms: one whose rules do not return is given up, and the load decides on send rates and new
// rooms. What keeps the whole process from running, as a stopped container does, is not held against a room: a look
// that is late itself starts the count anew.
func (h *Host) watch() {
	for now, paused := range pause.Looks(h.ctx, watchEvery) {
		for _, rm := range h.all() {
			if since := rm.calling.Load(); since > 0 {
				if paused {
					rm.calling.CompareAndSwap(since, rm.now())
				} else if took := time.Duration(rm.now() - since); took > h.cfg.StallAfter {
					h.giveUp(rm, since, took)
				}
			}
		}
		h.look(now)
	}
}

// giveUp ends a room whose rules do not return. Its goroutine cannot be stopped: it keeps a core busy until the process
// ends, so the process says that it is not healthy and takes no more rooms.
func (h *Host) giveUp(rm *Instance, since int64, took time.Duration) {
	if !rm.calling.CompareAndSwap(since, hung) {
		return // they have just returned
	}
	h.metrics.stalls.Inc()
	rm.log.Error("the game's rules do not return", zap.Duration("after", took), zap.ByteString("stack", stackOf(rm.goroutine.Load())))
	why := fmt.Sprintf("the rules of game %s did not return in room %s", rm.game.name, rm.spec.ID)
	h.Condemn(why)
	h.forget(rm)
	rm.saveHang()
	c := proto.Close{Code: proto.CodeRulesFailed, Reason: "the game's rules failed"}
	again := rm.triedAgain()
	if again {
		c = proto.Close{Code: proto.CodeNodeLeaving, Reason: "the match goes on elsewhere"}
	}
	rm.dismiss(c)
	rm.gone()
	h.wg.Go(func() {
		done := false
		defer func() { rm.ended(done) }()
		if rm.abandoned.Load() {
			return // what is kept of it is another's
		}
		if rm.begun.Load() {
			rm.closeJournal()
		}
		_ = h.call(rm, "telling the directory of a room that hangs", func(ctx context.Context) error {
			return h.dir.Hung(ctx, rm.spec.ID)
		})
		if again {
			done = rm.retry(h.ctx, "handing the room over", func(ctx context.Context) error {
				return h.dir.HandOver(ctx, rm.spec.ID, rm.spec.Epoch, true)
			})
			return
		}
		journaled := rm.endJournal(h.ctx, false) // whoever went on from it would hang as well
		done = rm.fail(h.ctx, c) && journaled
	})
}

// triedAgain says whether another host may go on with a room whose rules did not return: once, since it may be this
// process that is to blame, and not the room.
func (rm *Instance) triedAgain() bool {
	return rm.begun.Load() && rm.game.rules.Durability != None && rm.host.cfg.Journals != nil && !rm.host.cfg.Alone &&
		(rm.spec.Attempts == 0 || rm.past.Load())
}

// Unfit says why the process cannot be healthy again and should be replaced; "" while nothing is wrong. Its other rooms
// go on.
func (h *Host) Unfit() string {
	if why := h.unfit.Load(); why != nil {
		return *why
	}
	return ""
}

// Condemn says why the process cannot be healthy again, where something else than a room is to blame: rules that were run
// for a replay, say. The first reason is kept. Any goroutine may call it.
func (h *Host) Condemn(why string) { h.unfit.CompareAndSwap(nil, &why) }

// maxStacks bounds what is read to find one goroutine's stack, in bytes.
const maxStacks = 16 << 20

// stackOf returns the stack of a goroutine of this process.
func stackOf(goroutine uint64) []byte {
	for size := 256 << 10; ; size *= 4 {
		all := make([]byte, size)
		all = all[:runtime.Stack(all, true)]
		if len(all) == size && size < maxStacks {
			continue
		}
		for _, block := range bytes.Split(all, []byte("\n\n")) {
			if bytes.HasPrefix(block, fmt.Appendf(nil, "goroutine %d ", goroutine)) {
				return block
			}
		}
		return []byte("not found")
	}
}

// thisGoroutine is the number of the goroutine that calls it, as stacks name it; 0 if they should ever change.
func thisGoroutine() (n uint64) {
	var buf [64]byte
	_, _ = fmt.Sscanf(string(buf[:runtime.Stack(buf[:], false)]), "goroutine %d ", &n)
	return n
}
