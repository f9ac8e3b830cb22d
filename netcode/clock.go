package netcode

import "math"

// What an estimate of the room's time lacks (jitter, a slow room) is its slack, in ticks, steered by the lead that
// frames report: up at once when an input came late, down slowly while they come early.
const (
	slackFirst  = 0.5
	slackMost   = 16
	slackUp     = 0.5
	slackWindow = 200 // inputs that must all have been early, before it is lowered
)

const (
	clockFollow      = 0.01 // how fast, per observation, the origin follows what comes later than it says
	clockFollowStray = 0.1  // the same for what comes very late: a room that fell behind; one early arrival undoes it
	clockSlew        = 0.1  // how much faster or slower than time ServerTick may run, as a part
	clockStrayMS     = 500  // an error above this is not slewed away
	clockMostRTT     = 60_000
	clockLateMS      = 1000    // an answer that took so much longer than another one was read late, by a program that stood still
	clockMostMS      = 1 << 53 // times beyond it, either way, are none
)

// Clock estimates a room's tick time in a client, from the arrivals of frames and pongs. It reads no clock: its caller
// says when things happened, in milliseconds of one steady clock. A time that is not finite, or of more than 2^53 ms, is
// passed over. One goroutine uses it; make one with [NewClock].
//
// Arrivals say when ticks happen, late by the way here; the least late ones count. An input is there one round trip
// later by that count.
type Clock struct {
	perMS float64 // ticks

	known  bool
	origin float64 // when tick 0 would have arrived here
	rtt    float64 // smoothed; 0 before the first
	least  float64 // the least round trip of late
	jitter float64

	last  float64 // the offset of the last frame
	first bool    // no frame since a start: last is nothing

	slack float64
	used  int  // inputs since the slack was changed or an input was late
	lead  int8 // the least of theirs

	server, ahead even // what ServerTick and InputTick said
}

// even is a time that is told so that it never jumps.
type even struct {
	tick, at float64
	told     bool
}

// NewClock returns a clock that knows nothing, for a room of rate ticks per second, 1 to 128.
func NewClock(rate int) *Clock {
	return &Clock{perMS: float64(max(1, rate)) / 1000, first: true, slack: slackFirst, lead: math.MaxInt8}
}

// Frame notes that the frame of a tick arrived.
func (c *Clock) Frame(tick uint32, at float64) {
	if !isTime(at) {
		return
	}
	offset := at - float64(tick)/c.perMS
	if !c.first {
		c.jitter += (math.Abs(offset-c.last) - c.jitter) / 16 // as RFC 3550, 6.4.1
	}
	c.last, c.first = offset, false
	c.observe(offset)
}

// Pong notes an answer that arrived: the round trip in milliseconds, which above a minute is none, and the room's tick
// time, with its fraction, when it was sent. One of more than a second above the least counts as one of a second above it,
// and says nothing of when ticks happen.
func (c *Clock) Pong(rtt, tick, at float64) {
	if !(rtt >= 0 && rtt <= clockMostRTT) || !(tick >= 0 && tick <= 1<<32) || !isTime(at) {
		return
	}
	over := rtt - c.least
	if c.rtt == 0 || over < -clockLateMS { // those before were late
		c.rtt, c.least = rtt, rtt
	} else {
		rtt = min(rtt, c.least+clockLateMS)
		c.rtt += (rtt - c.rtt) / 8 // as RFC 6298
		c.least = min(rtt, c.least+float64((rtt-c.least)*clockFollow))
		if over > clockLateMS {
			return
		}
	}
	c.observe(at - tick/c.perMS)
}

// Lead notes how many ticks a newly used input came before its use; negative is too late.
//
// The slack is lowered by half of what many inputs had to spare, so that none of them would have been late with it.
func (c *Clock) Lead(ticks int8) {
	if ticks < 0 {
		c.slack = min(slackMost, c.slack+slackUp)
		c.used, c.lead = 0, math.MaxInt8
		return
	}
	c.lead = min(c.lead, ticks)
	if c.used++; c.used == slackWindow {
		c.slack = max(0, c.slack-max(0, float64(c.lead)-0.5)/2)
		c.used, c.lead = 0, math.MaxInt8
	}
}

// Target returns the tick that an input sent now should be for; 0 before anything arrived. It may fall by a little when
// an estimate is corrected.
func (c *Clock) Target(now float64) uint32 {
	if !c.known || !isTime(now) {
		return 0
	}
	ticks := float64((now-c.origin+c.rtt)*c.perMS) + c.slack
	return uint32(max(0, min(math.Floor(ticks)+1, math.MaxUint32)))
}

// ServerTick returns the room's tick time now, with its fraction; 0 before anything arrived. It never goes back, but
// after Restart: small errors are made up for by running a tenth faster or slower, those above half a second by a jump
// ahead or by standing still.
func (c *Clock) ServerTick(now float64) float64 { return c.even(&c.server, now, c.least/2, 0) }

// InputTick returns the tick time at which an input that is sent now should be used: what Target is a whole tick of, as
// even as ServerTick.
func (c *Clock) InputTick(now float64) float64 { return c.even(&c.ahead, now, c.rtt, c.slack) }

// even tells an estimate: that of what arrives now, and a time and some ticks more.
func (c *Clock) even(told *even, now, ms, ticks float64) float64 {
	if !c.known || !isTime(now) || told.told && now < told.at {
		return told.tick
	}
	estimate := float64((now-c.origin+ms)*c.perMS) + ticks
	if !told.told {
		told.tick = max(0, estimate)
	} else {
		passed := float64((now - told.at) * c.perMS)
		late := estimate - (told.tick + passed)
		stray, most := float64(clockStrayMS*c.perMS), float64(clockSlew*passed)
		if late > stray {
			told.tick = estimate
		} else if late >= -stray {
			told.tick += passed + max(-most, min(late, most))
		}
	}
	told.at, told.told = now, true
	return told.tick
}

// RTT returns the round trip, smoothed, in milliseconds; 0 before the first pong.
func (c *Clock) RTT() float64 { return c.rtt }

// Jitter returns how much the way here varies from frame to frame, smoothed, in milliseconds.
func (c *Clock) Jitter() float64 { return c.jitter }

// Reopen forgets what a socket's ways took: a new one was opened. What ServerTick and InputTick said goes on.
func (c *Clock) Reopen() {
	c.known, c.first = false, true
	c.rtt, c.least = 0, 0
	c.slack, c.used, c.lead = slackFirst, 0, math.MaxInt8
}

// Restart forgets when ticks happen: a new epoch, in which they may count from an earlier one. What ways take stays.
func (c *Clock) Restart() { c.known, c.first, c.server.told, c.ahead.told = false, true, false, false }

// observe notes when tick 0 would have arrived by what arrived now.
func (c *Clock) observe(offset float64) {
	late := offset - c.origin
	switch {
	case !c.known || late < 0:
		c.origin, c.known = offset, true
	case late > clockStrayMS:
		c.origin += float64(late * clockFollowStray)
	default:
		c.origin += float64(late * clockFollow)
	}
}

func isTime(ms float64) bool { return math.Abs(ms) <= clockMostMS }
