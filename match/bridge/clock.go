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
	at    time.Time     // when the newest message came
	then  int64         // what the room's time was then, in 1/65536 of a tick
	shown int64         // the greatest that was ever shown
	trip  time.Duration // how long a message takes there and back, rather too long
}

const (
	tripAtFirst = 10 * time.Millisecond
	tripMost    = time.Second
)

// took notes how long a message took to the host and back. Slow ones count at once, quick ones with time.
func (c *clock) took(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.trip = min(max(d, c.trip-c.trip/4, 0), tripMost)
}

// call is until when an input may wait at the edge.
type call struct {
	next uint32        // the room's next tick now
	tick uint32        // the tick before which it goes: the last call for what that tick needs
	wait time.Duration // until that; 0: it goes at once
}

// lastCall returns until when what is for a tick may wait here and still be there in time, with some to spare: until the
// first tick that has its last call still before it, and is after gone if the input's tick is as well. It may not wait
// where its own tick's last call is over, or nothing is known.
func (c *clock) lastCall(tick, gone uint32, spare time.Duration) call {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	t := c.expect(now)
	l := call{next: uint32(t>>16) + 1} //nolint:gosec // a tick
	l.tick = l.next
	if c.at.IsZero() || now.Sub(c.at) > clockAhead {
		return l
	}
	// The clock is late by the way from the host, and what is sent comes there later by the way to it.
	l.wait = time.Duration((1<<16-t&(1<<16-1))*int64(time.Second)/(c.rate<<16)) - c.trip - spare
	aTick := time.Second / time.Duration(c.rate)
	for l.tick < tick && (l.wait <= 0 || l.tick <= gone) && l.wait < 2*aTick {
		l.tick++
		l.wait += aTick
	}
	l.wait = max(l.wait, 0)
	return l
}

// next returns the room's next tick.
func (c *clock) next() uint32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return uint32(c.expect(time.Now())>>16) + 1 //nolint:gosec // a tick
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
