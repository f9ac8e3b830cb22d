package client

import (
	"math"
	"time"
)

// tickClock estimates which tick an input should be for. It reads no clock: its caller says when things happened.
//
// The arrivals of frames say when ticks happen, late by the way here; the least late ones count. An input sent now is
// there one round trip later by that count. What the estimate lacks (jitter, a slow room) is its slack, steered by the
// lead that frames report: up at once when an input came late, down slowly while they come early.
type tickClock struct {
	rate   float64 // ticks per second
	origin time.Time
	set    bool
	rtt    time.Duration
	slack  float64 // ticks
	hold   int     // frames for which the slack is not lowered, after a late input
}

const (
	slackFirst  = 0.5
	slackMost   = 16
	slackUp     = 0.5
	slackDown   = 0.01
	slackHold   = 200
	originDecay = 0.01 // how fast, per frame, the origin follows frames that come later than it says
)

func newTickClock(rate uint8) tickClock { return tickClock{rate: float64(rate), slack: slackFirst} }

// frame notes that the frame of a tick arrived.
func (c *tickClock) frame(tick uint32, at time.Time) {
	origin := at.Add(-time.Duration(float64(tick) / c.rate * float64(time.Second)))
	late := origin.Sub(c.origin)
	switch {
	case !c.set, late < 0:
		c.origin, c.set = origin, true
	default:
		c.origin = c.origin.Add(time.Duration(float64(late) * originDecay))
	}
}

// pong notes a measured round trip.
func (c *tickClock) pong(rtt time.Duration) {
	if c.rtt == 0 {
		c.rtt = rtt
		return
	}
	c.rtt += (rtt - c.rtt) / 8
}

// lead notes how many ticks a newly used input came before its use; negative is too late.
func (c *tickClock) lead(ticks int8) {
	switch {
	case ticks < 0:
		c.slack, c.hold = min(slackMost, c.slack+slackUp), slackHold
	case c.hold > 0:
		c.hold--
	case ticks > 0:
		c.slack = max(0, c.slack-slackDown)
	}
}

// target returns the tick that an input sent now should be for.
func (c *tickClock) target(now time.Time) uint32 {
	if !c.set {
		return 0
	}
	ticks := (now.Sub(c.origin)+c.rtt).Seconds()*c.rate + c.slack
	return uint32(max(0, min(math.Floor(ticks)+1, math.MaxUint32)))
}
