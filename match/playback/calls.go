package playback

import (
	"sync/atomic"
	"time"
)

// stuck in calls.since says that who makes the calls was given up.
const stuck = -1

// calls are those of rules that one goroutine makes, for the watchdog to see how long one takes. Only look and giveUp are for
// other goroutines.
type calls struct {
	base  time.Time    // set before the first
	since atomic.Int64 // when the one began that is being made, in nanoseconds since base; 0 while none is; or stuck
	spent time.Duration
}

func (c *calls) now() int64 { return max(1, int64(time.Since(c.base))) }

// begin begins to count, with the first call.
func (c *calls) begin() {
	c.spent = 0
	c.to(c.now())
}

// next ends a call and begins the next.
func (c *calls) next() {
	c.charge()
	c.to(c.now())
}

// end ends the last call. It returns how long all took since begin, each stallAfter at most; ok is false where the goroutine
// was given up meanwhile.
func (c *calls) end() (spent time.Duration, ok bool) {
	c.charge()
	return c.spent, c.to(0)
}

// charge counts the call that is being made. More than stallAfter is not its own doing, but that of what kept the process
// from running: it would have been given up.
func (c *calls) charge() {
	if since := c.since.Load(); since > 0 {
		c.spent += min(time.Duration(c.now()-since), stallAfter)
	}
}

// to changes since, but where it is stuck.
func (c *calls) to(now int64) bool {
	for {
		since := c.since.Load()
		if since == stuck {
			return false
		}
		if c.since.CompareAndSwap(since, now) {
			return true
		}
	}
}

// look says whether a call takes longer than it may, and since when. Where the process was paused it begins anew.
func (c *calls) look(paused bool) (since int64, over bool) {
	since = c.since.Load()
	if since > 0 && paused {
		c.since.CompareAndSwap(since, c.now())
		return since, false
	}
	return since, since > 0 && time.Duration(c.now()-since) > stallAfter
}

// giveUp gives a call up that began at since. It is false where that has just returned.
func (c *calls) giveUp(since int64) bool { return c.since.CompareAndSwap(since, stuck) }
