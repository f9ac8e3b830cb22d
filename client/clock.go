package client

import "time"

// Clock is what a [Conn] knows of the room's time, from the arrivals of frames and from pings, about one a second.
type Clock struct {
	Tick   float64       // the room's tick time now, with its fraction; never goes back but for a new epoch
	Began  time.Time     // when the room's tick 0 was by this machine's clock: the offset between the two
	RTT    time.Duration // smoothed; 0 before the first pong on this socket
	Jitter time.Duration // how much the way here varies from frame to frame, smoothed
}

// Clock returns what is known now.
func (c *Conn[S, In]) Clock() Clock {
	now := time.Now()
	tick := c.clock.ServerTick(c.ms(now))
	return Clock{
		Tick: tick, Began: now.Add(-duration(tick * 1000 / float64(c.info.Rate))),
		RTT: duration(c.clock.RTT()), Jitter: duration(c.clock.Jitter()),
	}
}

func duration(ms float64) time.Duration { return time.Duration(ms * float64(time.Millisecond)) }
