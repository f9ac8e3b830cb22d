package client

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"muster/proto"
)

const (
	attemptTimeout = 10 * time.Second
	backoffFirst   = 100 * time.Millisecond
	backoffMost    = 5 * time.Second
)

// lost decides what follows the end of a socket: nil means that another one is being opened.
func (c *Conn[S, In]) lost(err error) error {
	var ce *CloseError
	if !errors.As(err, &ce) || !c.opts.Reconnect || c.resume == "" || ce.Action() != proto.ActionReconnect {
		return c.finish(err)
	}
	c.sock.close()
	c.cause, c.lostAt = ce, time.Now()
	c.retry = retry{url: c.match.URL}
	c.retry.after(ce, c.opts.Moved)
	c.reopen()
	return nil
}

// retry is where and when the next attempt is made.
type retry struct {
	n     int
	fresh int // how often a newer token was asked for
	url   string
	at    time.Time
	last  error
}

// after plans the next attempt by what the last one, or the first socket, ended with: at random within a window that
// doubles, so that many clients who lost one node do not come back as one.
func (r *retry) after(err error, moved func(string) string) {
	window := min(backoffMost, backoffFirst<<min(r.n, 10))
	wait := rand.N(window) //nolint:gosec // only to spread attempts
	r.n++
	r.last = err
	var ce *CloseError
	var he *HandshakeError
	switch {
	case errors.As(err, &ce):
		wait += ce.After
		if ce.URL != "" && moved != nil {
			r.url = moved(ce.URL)
		}
	case errors.As(err, &he):
		wait += he.RetryAfter
	}
	r.at = time.Now().Add(wait)
}

// reopen begins the attempt that is planned, on a goroutine that Close ends and waits for.
func (c *Conn[S, In]) reopen() {
	at, url, secret := c.retry.at, c.retry.url, c.resume
	c.mu.Lock() // Close waits for what was started before it
	defer c.mu.Unlock()
	if c.ctx.Err() == nil {
		c.wg.Go(func() { c.opened <- c.attempt(at, url, secret) }) // there is place for one
	}
}

// attempt waits until the planned time and opens a socket for the seat with the resume secret.
func (c *Conn[S, In]) attempt(at time.Time, url, secret string) opened {
	timer := time.NewTimer(time.Until(at))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-c.ctx.Done():
		return opened{err: c.ctx.Err()}
	}
	ctx, cancel := context.WithTimeout(c.ctx, attemptTimeout)
	defer cancel()
	return c.open(ctx, url, secret)
}

// reopened goes on with what an attempt brought: with its socket, or with another attempt. An error is final.
func (c *Conn[S, In]) reopened(o opened) error {
	err := o.err
	if err == nil {
		err = c.accept(o)
	}
	switch {
	case err == nil:
		c.cause = nil
		c.stats.Resumes++
		return nil
	case c.ctx.Err() != nil:
		return c.finish(ErrClosed)
	case final(err):
		return c.finish(fmt.Errorf("taking up match %s again: %w", c.match.Room, err))
	case time.Since(c.lostAt) >= c.opts.ReconnectFor:
		return c.finish(&CloseError{
			Code: c.cause.Code, Reason: fmt.Sprintf("not taken up again within %v", c.opts.ReconnectFor), Err: err,
		})
	}
	c.retry.after(err, c.opts.Moved)
	c.reopen()
	return nil
}

// final says whether another attempt would end the same way.
func final(err error) bool {
	var ce *CloseError
	var he *HandshakeError
	var se *SchemaError
	switch {
	case errors.As(err, &ce):
		return ce.Action() != proto.ActionReconnect
	case errors.As(err, &he):
		return !he.Temporary()
	}
	return errors.As(err, &se)
}
