package client

import (
	"fmt"
	"time"

	"muster/proto"
)

// refreshAgain is how long after a failure a newer token is asked for again.
const refreshAgain = 5 * time.Second

// refresher asks for a newer token when three quarters of the present one's time are over. All but the asking belongs to the
// goroutine that uses the Conn.
type refresher struct {
	due    time.Time // zero: not at all
	asking bool
	answer chan refreshAnswer // of one ask at a time
}

type refreshAnswer struct {
	token string
	err   error
}

// schedule notes for how many seconds from now on the token is good; 0 is for ever.
func (r *refresher) schedule(seconds uint32, now time.Time) {
	r.due = time.Time{}
	if seconds > 0 {
		r.due = now.Add(time.Duration(seconds) * time.Second * 3 / 4)
	}
}

// ask calls Options.Refresh on a goroutine of its own, which Close waits for.
func (c *Conn[S, In]) ask() {
	c.mu.Lock() // Close waits for what was started before it
	defer c.mu.Unlock()
	if c.ctx.Err() != nil {
		return
	}
	c.refresher.asking = true
	c.wg.Go(func() {
		token, err := c.opts.Refresh(c.ctx)
		c.refresher.answer <- refreshAnswer{token, err} // there is place for one
	})
}

// refresh asks for a newer token when it is time, and sends what was answered.
func (c *Conn[S, In]) refresh(now time.Time) {
	r := &c.refresher
	switch {
	case r.asking:
		select {
		case a := <-r.answer:
			r.asking = false
			c.refreshed(a, now)
		default:
		}
	case c.opts.Refresh != nil && !r.due.IsZero() && !now.Before(r.due):
		c.ask()
	}
}

// refreshed sends a newer token. It is asked for again where there is none, and where the server does not answer.
func (c *Conn[S, In]) refreshed(a refreshAnswer, now time.Time) {
	c.refresher.due = now.Add(refreshAgain)
	if a.err != nil || a.token == "" || len(a.token) > proto.MaxToken {
		c.stats.RefreshErrors++
		return
	}
	c.writer.Reset()
	(&proto.Refresh{Token: a.token}).Append(c.writer)
	_ = c.write() // a dead socket shows in Next
}

// readRefreshed takes the server's word for how long the newer token is good.
func (c *Conn[S, In]) readRefreshed(msg message, n int) error {
	var m proto.Refreshed
	if err := m.Parse(c.reader, n); err != nil {
		return fmt.Errorf("refreshed: %w", err)
	}
	c.stats.Refreshes++
	c.refresher.schedule(m.Expires, msg.at)
	return nil
}
