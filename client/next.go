package client

import (
	"context"
	"time"
)

// Next waits for the next frame and applies it to State. The Frame is valid until the next call. When ctx ends, its
// error is returned and nothing is lost. Any other error is final and returned by every later call, and by Err: a
// [CloseError], or ErrClosed after Close or Leave.
//
// With Options.Reconnect a lost socket is taken up again where the close code says so; Next waits for that.
func (c *Conn[S, In]) Next(ctx context.Context) (*Frame, error) { return c.next(ctx, nil, true) }

// NextOr is Next for a program with a clock of its own: it returns nil and no error when wake fires first.
func (c *Conn[S, In]) NextOr(ctx context.Context, wake <-chan time.Time) (*Frame, error) {
	return c.next(ctx, wake, true)
}

// Poll applies all that has arrived and does not wait: it is for a game loop, which calls it once a pass. It returns the
// newest frame, or nil when none came. While a lost socket is being taken up again it returns nil; Lost says so. An
// error is final, as one of Next.
func (c *Conn[S, In]) Poll() (*Frame, error) {
	var newest *Frame
	for range 2 * queueLen { // a server that sends faster than frames are applied must not hold the loop up
		f, err := c.next(context.Background(), nil, false)
		if err != nil {
			return nil, err
		}
		if f == nil {
			break
		}
		newest = f
	}
	return newest, nil
}

// Lost says why there is no socket now, while another one is being opened; nil while there is one, and after the end.
func (c *Conn[S, In]) Lost() *CloseError {
	if c.ended != nil {
		return nil
	}
	return c.cause
}

// Err returns the error that every call of Next returns from now on; nil while the Conn plays.
func (c *Conn[S, In]) Err() error { return c.ended }

func (c *Conn[S, In]) next(ctx context.Context, wake <-chan time.Time, wait bool) (*Frame, error) {
	for {
		if c.ended != nil {
			return nil, c.ended
		}
		c.sendHeld()
		var msgs <-chan message // nil while the socket is lost
		if c.cause == nil {
			msgs = c.sock.msgs
		}
		var frame bool
		var err error
		select { // what is here wins over ctx and wake
		case msg, open := <-msgs:
			frame, err = c.took(msg, open)
		case o := <-c.opened:
			err = c.reopened(o)
		default:
			if !wait {
				if c.ctx.Err() != nil {
					return nil, c.finish(ErrClosed)
				}
				return nil, nil
			}
			select {
			case msg, open := <-msgs:
				frame, err = c.took(msg, open)
			case o := <-c.opened:
				err = c.reopened(o)
			case <-wake:
				return nil, nil
			case <-ctx.Done():
				return nil, ctx.Err()
			case <-c.ctx.Done():
				err = c.finish(ErrClosed)
			}
		}
		if err != nil {
			return nil, err
		}
		if frame {
			c.sendHeld()
			return &c.frame, nil
		}
	}
}

// took acts on a message, or on the socket's end. An error is final.
func (c *Conn[S, In]) took(msg message, open bool) (frame bool, err error) {
	if !open {
		return false, c.lost(c.sock.closeError())
	}
	frame, err = c.handle(msg)
	c.sock.done(msg)
	if err != nil {
		return false, c.lost(err)
	}
	return frame, nil
}
