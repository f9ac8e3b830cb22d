package client

import (
	"testing"
	"time"
)

func TestClockTargetsTheTickThatAnInputReaches(t *testing.T) {
	start := time.Unix(1000, 0)
	const rate, way = 20, 30 * time.Millisecond
	c := newTickClock(rate)
	// Tick n happens at start + n·50 ms; its frame is there 30 ms later, or with jitter up to 15 ms after that.
	for n := uint32(1); n <= 40; n++ {
		jitter := time.Duration(n%4) * 5 * time.Millisecond
		c.frame(n, start.Add(time.Duration(n)*50*time.Millisecond+way+jitter))
	}
	c.pong(2 * way)
	now := start.Add(40*50*time.Millisecond + way)
	arrives := now.Add(way).Sub(start).Seconds() * rate // in ticks: the next whole one is the first that can use it
	got := c.target(now)
	if float64(got) < arrives || float64(got) > arrives+2 {
		t.Errorf("target %d for an input that arrives at tick %.2f", got, arrives)
	}
}

func TestClockAimsLaterAfterALateInputAndComesBackSlowly(t *testing.T) {
	c := newTickClock(20)
	now := time.Unix(1000, 0)
	c.frame(100, now)
	before := c.target(now)
	c.lead(-1)
	c.lead(-1)
	raised := c.target(now)
	if raised != before+1 {
		t.Errorf("target %d after two late inputs, want %d", raised, before+1)
	}
	for range slackHold {
		c.lead(3)
	}
	if got := c.target(now); got != raised {
		t.Errorf("target %d right after a late input, want %d held", got, raised)
	}
	for range 1000 {
		c.lead(3)
	}
	if got := c.target(now); got >= before+1 {
		t.Errorf("target %d after a thousand early inputs, want below %d", got, before+1)
	}
	for range 1000 {
		c.lead(-100)
	}
	if c.slack > slackMost {
		t.Errorf("slack %v is above its bound", c.slack)
	}
}

func TestClockFollowsALongerWay(t *testing.T) {
	start := time.Unix(1000, 0)
	c := newTickClock(20)
	at := func(n int, way time.Duration) time.Time {
		return start.Add(time.Duration(n)*50*time.Millisecond + way)
	}
	for n := range 100 {
		c.frame(uint32(n), at(n, 10*time.Millisecond))
	}
	for n := 100; n < 700; n++ {
		c.frame(uint32(n), at(n, 110*time.Millisecond))
	}
	if late := c.origin.Sub(start); late < 105*time.Millisecond {
		t.Errorf("origin is %v after start 30 s into a way of 110 ms", late)
	}
}

func TestClockWithoutAFrameTargetsNothing(t *testing.T) {
	c := newTickClock(20)
	if got := c.target(time.Now()); got != 0 {
		t.Errorf("target %d before any frame", got)
	}
}
