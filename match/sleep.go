package match

import (
	"context"
	"time"
)

// sleepy says whether the room may stop ticking: its rules allow it, nobody is connected, and nothing is under way.
func (rm *Instance) sleepy() bool {
	if !rm.game.rules.Sleep || rm.works > 0 || !rm.settled() || rm.orders.held.Load() > 0 {
		return false
	}
	for i := range rm.seats {
		if rm.seats[i].viewer != nil {
			return false
		}
	}
	if rm.journal != nil && rm.memory.tick != rm.tick {
		rm.checkpoint() // who knows when the next one would come
	}
	return true
}

// sleep waits until something comes or a deadline passes. Ticks stand still meanwhile; deadlines, which are ticks, come
// nearer.
func (rm *Instance) sleep(ctx context.Context) {
	woken := rm.inbox.sleep()
	if woken == nil {
		return
	}
	rm.metrics.asleep.Inc()
	defer rm.metrics.asleep.Dec()
	rm.host.load.asleep.Add(1)
	defer rm.host.load.asleep.Add(-1)
	began := time.Since(rm.base)
	timer := time.NewTimer(time.Duration(rm.nextDeadline()) * rm.period)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-woken:
	case <-timer.C:
	}
	slept := time.Since(rm.base) - began
	rm.start.Add(int64(slept))
	n := uint32(slept / rm.period) //nolint:gosec // 2^32 ticks take a year
	if rm.playing.Load() == 0 {
		rm.emptyAt -= n // modulo 2^32, as over reads it
	}
	for i := range rm.seats {
		if s := &rm.seats[i]; s.state == seatGone {
			s.deadline -= min(n, s.deadline)
			if s.untold > 0 {
				s.untold -= min(n, s.untold-1)
			}
		}
	}
}

// nextDeadline is in how many ticks a seat or the room is given up, at least 1.
func (rm *Instance) nextDeadline() uint32 {
	in := rm.game.rules.ticks(rm.game.rules.Empty) + 1 - (rm.tick - rm.emptyAt)
	if rm.playing.Load() > 0 {
		in = rm.game.rules.ticks(maxHold)
	}
	for i := range rm.seats {
		if s := &rm.seats[i]; s.state == seatGone {
			in = min(in, s.deadline-min(s.deadline, rm.tick))
		}
	}
	return max(1, in)
}
