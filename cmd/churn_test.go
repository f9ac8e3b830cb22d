package cmd

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"muster/client"
	"muster/match"
	"muster/netcode"
	"muster/proto"
)

// churn is a small game that a player can end.
type churn struct{}

type churnWorld struct {
	Dots netcode.Table[churnDot] `net:"max=16"`
	Over netcode.Value[churnOver]
}

type churnDot struct {
	Owner netcode.Seat
	N     uint32
}

type churnOver struct{ Wanted bool }

type churnInput struct{ Stop bool }

type churnTouched struct{ By netcode.Seat }

func (churn) Join(r *match.Room[churnWorld], p match.Player) error {
	r.State().Dots.Add(churnDot{Owner: p.Seat})
	return nil
}

func (churn) Leave(r *match.Room[churnWorld], p match.Player) {
	for id, d := range r.State().Dots.All() {
		if d.Owner == p.Seat {
			r.State().Dots.Remove(id)
			return
		}
	}
}

func (churn) Step(s *netcode.Step[churnWorld, churnInput]) {
	for _, d := range s.State.Dots.All() {
		if in, ok := s.Input(d.Owner); ok {
			d.N++
			s.State.Over.V.Wanted = s.State.Over.V.Wanted || in.Stop
			if d.N%4 == 0 {
				s.Emit(netcode.Everyone(), churnTouched{d.Owner})
			}
		}
	}
}

func (churn) After(r *match.Room[churnWorld]) {
	if r.State().Over.V.Wanted {
		r.End(nil)
	}
}

var churnGame = Game{Game: match.Define[churnWorld, churnInput]("churn", churn{}, match.Rules{
	Seats: 4, Grace: time.Second, Empty: 500 * time.Millisecond, Events: []any{churnTouched{}},
})}

// churner is one player who comes and goes.
type churner struct {
	r      *running
	player string
	rng    *rand.Rand
	counts *churnCounts
	schema *netcode.Schema

	mu   sync.Mutex
	conn net.Conn // of the newest socket
	http *http.Client
}

// churnCounts are what all of them did.
type churnCounts struct {
	matches, left, dropped, resumed, replaced, ended, over, away, failed atomic.Int64

	mu   sync.Mutex
	errs []error // the first
}

func (c *churnCounts) fail(err error) {
	c.failed.Add(1)
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.errs) < 10 {
		c.errs = append(c.errs, err)
	}
}

func (c *churnCounts) String() string {
	return fmt.Sprintf("%d matches joined: %d left, %d dropped, %d resumed, %d taken over, %d ended, %d over meanwhile; %d were sent away for a while, %d failed",
		c.matches.Load(), c.left.Load(), c.dropped.Load(), c.resumed.Load(), c.replaced.Load(), c.ended.Load(), c.over.Load(), c.away.Load(), c.failed.Load())
}

func newChurner(r *running, n int, seed uint64, schema *netcode.Schema, counts *churnCounts) *churner {
	c := &churner{r: r, player: fmt.Sprintf("churner%d", n), rng: rand.New(rand.NewPCG(seed, uint64(n))), counts: counts, schema: schema}
	var dialer net.Dialer
	c.http = &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, addr)
			c.mu.Lock()
			c.conn = conn
			c.mu.Unlock()
			return conn, err
		},
	}}
	return c
}

func (c *churner) close() { c.http.CloseIdleConnections() }

// cut ends the newest connection as a network does, without a word.
func (c *churner) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.conn.Close()
}

type churnConn = client.Conn[churnWorld, churnInput]

// turn is one way through a match, by the kind-th of its ends.
func (c *churner) turn(ctx context.Context, kind int) {
	l := c.r.lobby(c.player)
	l.HTTP = c.http
	err := func() error {
		ticket, err := l.CreateTicket(ctx, "churn")
		if err != nil {
			return err
		}
		m, err := l.WaitTicket(ctx, ticket.ID)
		if err != nil {
			_ = l.CancelTicket(context.WithoutCancel(ctx), ticket.ID) // a stop came first
			return err
		}
		conn, err := c.dial(ctx, m)
		if err != nil {
			return err
		}
		defer func() { _ = conn.Close() }()
		c.counts.matches.Add(1)
		if err := c.play(ctx, conn, false, func() bool { return false }, time.Duration(50+c.rng.IntN(400))*time.Millisecond); err != nil {
			return err
		}
		return c.end(ctx, l, m.Room, conn, kind)
	}()
	var ce *client.CloseError
	switch {
	case err == nil, ctx.Err() != nil:
	case errors.As(err, &ce) && (ce.Action() == proto.ActionDone || ce.Action() == proto.ActionRequeue):
		c.counts.over.Add(1) // another one ended the match
	case sentAway(err): // the machine is too busy, for the moment
		c.counts.away.Add(1)
		c.wait(ctx, 300*time.Millisecond)
	default:
		c.counts.fail(fmt.Errorf("%s, end %d: %w", c.player, kind, err))
		c.wait(ctx, 300*time.Millisecond)
	}
}

// sentAway says whether an error means that the same may succeed later.
func sentAway(err error) bool {
	var ce *client.CloseError
	var ae *client.APIError
	return errors.As(err, &ce) && ce.Action() == proto.ActionReconnect ||
		errors.As(err, &ae) && (ae.Status == http.StatusServiceUnavailable || ae.Status == http.StatusTooManyRequests)
}

// wait lets a time pass, unless ctx ends.
func (c *churner) wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// ends is how many kinds of ends there are.
const ends = 5

func (c *churner) end(ctx context.Context, l *client.Lobby, room string, conn *churnConn, kind int) error {
	const patience = 10 * time.Second
	switch kind {
	case 0:
		c.counts.left.Add(1)
		return conn.Leave(ctx)
	case 1: // the seat is given up by itself
		c.counts.dropped.Add(1)
		return nil
	case 2:
		c.cut()
		if err := c.play(ctx, conn, false, func() bool { return conn.Stats().Resumes > 0 }, patience); err != nil {
			return err
		}
		c.counts.resumed.Add(1)
		return conn.Leave(ctx)
	case 3:
		m, err := l.Rejoin(ctx, room)
		var gone *client.APIError
		if errors.As(err, &gone) && gone.Status == http.StatusNotFound {
			return &client.CloseError{Code: proto.CodeMatchGone} // it ended in between
		}
		if err != nil {
			return err
		}
		second, err := c.dial(ctx, m)
		if err != nil {
			return err
		}
		defer func() { _ = second.Close() }()
		var ce *client.CloseError
		if err := c.play(ctx, conn, false, never, patience); !errors.As(err, &ce) || ce.Code != proto.CodeReplaced {
			return err
		}
		c.counts.replaced.Add(1)
		return second.Leave(ctx)
	default:
		err := c.play(ctx, conn, true, never, patience)
		var ce *client.CloseError
		if errors.As(err, &ce) && ce.Code == proto.CodeDone {
			c.counts.ended.Add(1)
			return nil
		}
		return err
	}
}

func never() bool { return false }

func (c *churner) dial(ctx context.Context, m client.Match) (*churnConn, error) {
	return client.Dial[churnWorld, churnInput](ctx, m, client.Options{
		HTTP: c.http, Schema: c.schema, Reconnect: true, ReconnectFor: 5 * time.Second, OnEvent: func(client.Event) {},
	})
}

// play sends an input for each frame until done, or for a time; its end is no error.
func (c *churner) play(ctx context.Context, conn *churnConn, stop bool, done func() bool, long time.Duration) error {
	within, cancel := context.WithTimeout(ctx, long)
	defer cancel()
	for !done() {
		if _, err := conn.Next(within); err != nil {
			if within.Err() != nil && ctx.Err() == nil && errors.Is(err, within.Err()) {
				return nil
			}
			return err
		}
		if err := conn.Send(churnInput{Stop: stop}); err != nil {
			return err
		}
	}
	return nil
}
