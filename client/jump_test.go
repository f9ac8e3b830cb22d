package client

import (
	"testing"
	"time"
)

// A room that hung for a minute goes on a minute behind: an estimate would take its time to follow, and so would inputs
// that were stamped meanwhile.
func TestAClockThatJumpedIsFollowedAtOnce(t *testing.T) {
	for about, test := range map[string]struct {
		slept time.Duration
		lost  bool // the socket was, meanwhile
	}{
		"the room hung":                               {slept: time.Minute},
		"ticks were left out":                         {slept: -time.Minute},
		"the room hung while the socket was lost":     {slept: time.Minute, lost: true},
		"ticks were left out while it was lost":       {slept: -time.Minute, lost: true},
		"nothing jumped while the socket was lost":    {lost: true},
		"nothing jumped, and the socket was not lost": {},
	} {
		t.Run(about, func(t *testing.T) {
			n := startNode(t)
			n.tick, n.welcome.Tick = 5000, 5000
			c, fc, p := n.ahead(Options{Reconnect: true}, PredictOptions{})
			before, _ := c.View(time.Now())
			tick := before.Tick
			if test.slept > 0 {
				c.frame.At = c.frame.At.Add(-test.slept)
				c.started = c.started.Add(-test.slept) // all that was estimated is a minute old
			} else {
				n.tick += uint32(-test.slept/time.Second) * testRate
			}
			stamped := func() uint32 {
				t.Helper()
				if err := sendNow(c, input{DX: 1}); err != nil {
					t.Fatal(err)
				}
				return c.out.at(c.out.n - 1).Tick
			}
			if at := stamped(); test.slept > 0 && at < n.tick+50*testRate {
				t.Fatalf("an input of a room that hangs is for tick %d", at)
			}
			if test.lost {
				n.set(func() { n.welcome.Tick = n.tick + 1 })
				done := drive(c)
				_ = fc.ws.CloseNow()
				fc = n.next()
				n.step()
				fc.frame(0)
				if err := <-done; err != nil {
					t.Fatal(err)
				}
			} else {
				fc.shows(c, 0)
			}
			near := func(what string, tick float64) {
				t.Helper()
				if off := tick - float64(n.tick); off < -3 || off > 20*testRate { // 60 s are 1200 ticks
					t.Errorf("%s at %v at tick %d", what, tick, n.tick)
				}
			}
			shown, ok := c.View(time.Now())
			if off := shown.Tick - float64(n.tick); !ok || off < -3 || off > 3 && test.slept != 0 {
				t.Errorf("%v was shown, and then %v at tick %d", tick, shown.Tick, n.tick)
			}
			near("the clock is", c.Clock().Tick)
			near("the prediction is", float64(p.Tick()))
			near("the next input is", float64(stamped()))
			for i := range c.out.n {
				if in := c.out.at(i); in.Tick > n.tick+20*testRate {
					t.Errorf("input %d is for tick %d at tick %d", in.Seq, in.Tick, n.tick)
				}
			}
		})
	}
}
