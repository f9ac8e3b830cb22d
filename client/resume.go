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

// lost decides what follows the end of a socket: nil means that another one has taken its place.
func (c *Conn[S, In]) lost(ctx context.Context, err error) error {
	var ce *CloseError
	if !errors.As(err, &ce) || !c.opts.Reconnect || c.resume == "" || ce.Action() != proto.ActionReconnect {
		return c.finish(err)
	}
	c.sock.close()
	c.cause, c.lostAt = ce, time.Now()
	c.retry = retry{url: c.match.URL}
	c.retry.after(ce, c.opts.Moved)
	return c.takeUp(ctx)
}

// retry is where and when the next attempt is made.
type retry struct {
	n    int
	url  string
	at   time.Time
	last error
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

// takeUp opens a new socket for the seat with the resume secret. When ctx ends, a later call goes on.
func (c *Conn[S, In]) takeUp(ctx context.Context) error {
	both, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(c.ctx, cancel)()
	for {
		sock, err := c.attempt(both)
		switch {
		case err == nil:
			if !c.adopt(sock) {
				return c.finish(ErrClosed)
			}
			c.cause = nil
			c.stats.Resumes++
			return nil
		case c.ctx.Err() != nil:
			return c.finish(ErrClosed)
		case ctx.Err() != nil:
			return ctx.Err()
		case final(err):
			return c.finish(fmt.Errorf("taking up match %s again: %w", c.match.Room, err))
		case time.Since(c.lostAt) >= c.opts.ReconnectFor:
			return c.finish(&CloseError{
				Code: c.cause.Code, Reason: fmt.Sprintf("not taken up again within %v", c.opts.ReconnectFor), Err: err,
			})
		}
		c.retry.after(err, c.opts.Moved)
	}
}

// attempt waits until the planned time and connects.
func (c *Conn[S, In]) attempt(ctx context.Context) (*socket, error) {
	timer := time.NewTimer(time.Until(c.retry.at))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	return c.connect(ctx, c.retry.url, c.resume)
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
