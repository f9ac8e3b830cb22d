package bridge

import (
	"sync"
	"time"
)

// clockAhead is how far the clock goes on by itself behind the newest message: a room that pauses has no later time.
const clockAhead = 500 * time.Millisecond

// clock is a remote room's tick time: what its messages said, carried on by this process's clock. It is late by the way
// of the quickest messages. Any goroutine may use it.
type clock struct {
	rate int64

	mu    sync.Mutex
	at    time.Time // when the newest message came
	then  int64     // what the room's time was then, in 1/65536 of a tick
	shown int64     // the greatest that was ever shown
}

// note takes the time that a message says, when it comes. One that says less than was expected was slow on its way; only
// when they all do has the room's own clock been set back.
func (c *clock) note(tick uint32, frac uint16, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	said := int64(tick)<<16 | int64(frac)
	if !c.at.IsZero() {
		if expected := c.expect(now); said < expected {
			said = expected - (expected-said+15)/16
		}
	}
	c.at, c.then = now, said
}

// expect returns the time now; c.mu is held.
func (c *clock) expect(now time.Time) int64 {
	since := min(max(now.Sub(c.at), 0), clockAhead)
	return c.then + int64(since)*c.rate*(1<<16)/int64(time.Second) // below 2^53 even at 128 ticks a second
}

// now returns the tick whose interval this is, and how far into it in 1/65536. It never goes back.
func (c *clock) now() (tick uint32, frac uint16) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.at.IsZero() {
		c.shown = max(c.shown, c.expect(time.Now()))
	}
	return uint32(c.shown >> 16), uint16(c.shown) //nolint:gosec // 2^32 ticks take a year; the low bits
}
