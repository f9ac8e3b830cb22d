package client

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"
)

// gate is where something waits until the test lets it go.
type gate struct {
	t       *testing.T
	reached chan struct{}
	open    chan struct{}
}

func newGate(t *testing.T) *gate {
	return &gate{t: t, reached: make(chan struct{}, 64), open: make(chan struct{})}
}

func (g *gate) wait(ctx context.Context) {
	g.reached <- struct{}{}
	select {
	case <-g.open:
	case <-ctx.Done():
	}
}

// shortly calls Next with contexts that end at once until the gate is reached, and some more times.
func (g *gate) shortly(f *Feed) {
	g.t.Helper()
	more := 0
	for until := time.Now().Add(waitLong); more < 5; {
		ctx, cancel := context.WithTimeout(g.t.Context(), time.Millisecond)
		_, err := f.Next(ctx)
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			g.t.Fatalf("Next: %v", err)
		}
		switch {
		case more > 0 || len(g.reached) > 0:
			more++
		case time.Now().After(until):
			g.t.Fatal("nobody comes back")
		}
	}
	if n := len(g.reached); n != 1 {
		g.t.Errorf("the gate was reached %d times, want once", n)
	}
}

// lost cuts the newest connection; the handshakes after it wait at a gate.
func (s *feedServer) lost(t *testing.T) *gate {
	t.Helper()
	c, g := s.next(), newGate(t)
	s.mu.Lock()
	s.meets = func() { g.wait(t.Context()) }
	s.mu.Unlock()
	_ = c.ws.CloseNow()
	return g
}

func TestAFeedComesBackHoweverShortlyItIsAsked(t *testing.T) {
	s, l := startFeed(t)
	var lost []bool
	f := follow(t, l, LiveOptions{Lost: func(err error) { lost = append(lost, err != nil) }})
	g := s.lost(t)
	g.shortly(f)
	close(g.open)
	go func() { s.next().event(1) }()
	if got := heard(t, f, 1); got[0] != "m1" || len(g.reached) != 1 {
		t.Errorf("heard %q, after %d attempts", got, len(g.reached))
	}
	if !slices.Equal(lost, []bool{true, false}) {
		t.Errorf("Lost was told %v, want once that the socket is lost and once that it is back", lost)
	}
}

func TestAFeedsTokenIsRefreshedHoweverShortlyItIsAsked(t *testing.T) {
	s, l := startFeed(t)
	g := newGate(t)
	l.Refresh = func(ctx context.Context) (string, error) {
		g.wait(ctx)
		return "newer", ctx.Err()
	}
	f := follow(t, l, LiveOptions{})
	s.next().say(`{"bye":{"code":4205,"reason":"the token ended"}}`)
	g.shortly(f)
	close(g.open)
	go func() {
		c := s.next()
		if c.bearer != "Bearer newer" {
			t.Errorf("came back as %q", c.bearer)
		}
		c.event(1)
	}()
	if got := heard(t, f, 1); got[0] != "m1" || len(g.reached) != 1 {
		t.Errorf("heard %q, after %d calls of Refresh", got, len(g.reached))
	}
}

func TestCloseEndsAnAttemptOfAFeed(t *testing.T) {
	s, l := startFeed(t)
	f := follow(t, l, LiveOptions{})
	g := s.lost(t)
	g.shortly(f)
	_ = f.Close() // goleak sees to it that nothing is left
	if _, err := f.Next(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("Next: %v", err)
	}
}
