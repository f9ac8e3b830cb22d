package client

import (
	"math"
	"testing"
	"time"

	"muster/proto"
)

func TestClockIsMeasuredByPings(t *testing.T) {
	n := startNode(t)
	n.tick = 1000
	n.set(func() { n.welcome.Tick = 1000 })
	c, fc := n.shown(Options{})
	ping := wants[*proto.Ping](t, fc)
	fc.send(&proto.Pong{Stamp: ping.Stamp, Tick: 1006, Frac: 1 << 15}) // frames come a quarter of a second late
	answered := time.Now()
	n.until(c, fc, func() bool { return c.Stats().RTT > 0 })

	before := time.Now()
	k := c.Clock()
	after := time.Now()
	if k.RTT <= 0 || k.RTT > before.Sub(c.started) {
		t.Errorf("the round trip is %v, %v after the start", k.RTT, before.Sub(c.started))
	}
	// The answer was made at tick 1006.5. Each late frame draws the estimate its way by a hundredth.
	const period = time.Second / testRate
	least, most := 1006.5+float64(before.Sub(answered)-k.RTT)/float64(period), 1006.5+float64(after.Sub(answered)+k.RTT)/float64(period)
	if k.Tick < least-0.3 || k.Tick > most {
		t.Errorf("the room's tick is %v, want %v to %v", k.Tick, least, most)
	}
	began := after.Sub(k.Began) - time.Duration(k.Tick*float64(period))
	if began < 0 || began > after.Sub(before) {
		t.Errorf("tick 0 was %v ago, at tick %v", after.Sub(k.Began), k.Tick)
	}
}

func TestClockRunsOnBetweenFramesAndNeverBack(t *testing.T) {
	_, c, fc := join(t, Options{})
	last := c.Clock().Tick
	if k := c.Clock(); k.RTT != 0 {
		t.Errorf("a round trip of %v before any", k.RTT)
	}
	for range 20 { // they come as fast as they can, so the room seems to run ever faster
		fc.shows(c, 0)
		now := c.Clock()
		if now.Tick < last || math.IsNaN(now.Tick) {
			t.Fatalf("tick %v after %v", now.Tick, last)
		}
		last = now.Tick
	}
	if k := c.Clock(); k.Jitter <= 0 {
		t.Errorf("frames that do not come every %v have a jitter of %v", time.Second/testRate, k.Jitter)
	}
}
