package match

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"muster/proto"
)

// A room can be made with a promise: so many players come until a deadline, or at least as many of them as are enough,
// and otherwise the match does not take place. Whether it is kept is the directory's to say, by what it knows of seats and
// by its own clock; the room asks when all are here and when the deadline is over.

// Settlement is what the directory says of a room's promise.
type Settlement struct {
	State SettleState
	Left  time.Duration // until the deadline, while it is SettleWaiting
}

// SettleState is how a promise stands.
type SettleState uint8

// How it can stand.
const (
	// SettleWaiting: the deadline is not over, and not all are here.
	SettleWaiting SettleState = iota
	// SettleStarted: the match takes place.
	SettleStarted
	// SettleOff: it does not, since too few came. The room ends without a result.
	SettleOff
)

// ErrCalledOff is what [Directory].Renew answers of a room whose match was called off: it ends as by SettleOff.
var ErrCalledOff = errors.New("the match was called off")

// What the players of a match hear that does not take place, and of one that is called off later, by who made the room.
var (
	calledOff  = proto.Close{Code: proto.CodeMatchGone, Reason: "a player did not come; your ticket waits again"}
	closedDown = proto.Close{Code: proto.CodeMatchGone, Reason: "the match was called off"}
)

// promise is what a room keeps of its own.
type promise struct {
	joins int           // how many ever took a free seat here
	all   chan struct{} // one wish to ask, since all seem to have come
	open  bool          // it is not settled
	off   bool          // the match does not take place
}

// promised begins to ask whether the promise is kept.
func (rm *Instance) promised() {
	if rm.spec.Expect == 0 || rm.sim.started() {
		return
	}
	rm.promise.open, rm.promise.all = true, make(chan struct{}, 1)
	rm.host.wg.Go(func() { rm.settle(rm.working) })
}

// came notes that somebody took a free seat.
func (rm *Instance) came() {
	rm.promise.joins++
	if !rm.promise.open || rm.promise.joins < rm.spec.Expect {
		return
	}
	select {
	case rm.promise.all <- struct{}{}:
	default: // it is about to be asked
	}
}

// settle asks the directory at once, for the deadline, then when all have come and when the deadline is over, until the
// promise is settled or the room has ended. It runs beside the room, which hears the answer as a message.
func (rm *Instance) settle(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	wait := retryFirst
	for {
		select {
		case <-ctx.Done():
			return
		case <-rm.promise.all:
		case <-timer.C:
		}
		call, cancel := context.WithTimeout(ctx, callTimeout)
		s, err := rm.host.dir.Settle(call, rm.spec.ID)
		cancel()
		switch {
		case err != nil:
			rm.log.Warn("settling whether the match starts failed", zap.Error(err))
			timer.Reset(wait)
			wait = min(2*wait, retryLongest)
		case s.State == SettleStarted:
			rm.inbox.put(message{kind: msgStarted})
			return
		case s.State == SettleOff:
			rm.callOff()
			return
		default: // also where it misses somebody whom this room has seen: the deadline decides
			timer.Reset(max(s.Left, retryFirst))
			wait = retryFirst
		}
	}
}

// callOff tells the room that its match does not take place.
func (rm *Instance) callOff() { rm.inbox.put(message{kind: msgCalledOff}) }

// starts says whether the match starts with the tick that is being collected: the promise is kept, or none was made, and
// somebody is here. A player who comes now may be refused by the rules; then the next one starts it.
func (rm *Instance) starts() bool {
	if rm.promise.open || rm.sim.started() {
		return false
	}
	return rm.playing.Load() > 0
}
