package client

import (
	"context"
	"errors"
	"testing"
	"time"

	"muster/proto"
)

// joinFor joins with a player's token that is good for so many seconds, and reads a frame.
func (n *fakeNode) joinFor(seconds uint32, refresh func(context.Context) (string, error)) (*Conn[world, input], *fakeConn) {
	n.t.Helper()
	n.set(func() { n.welcome.Expires = seconds })
	c, fc := n.shown(Options{Refresh: refresh, Reconnect: true})
	return c, fc
}

// until sends frames until a condition holds, which another goroutine brings about.
func (n *fakeNode) until(c *Conn[world, input], fc *fakeConn, ok func() bool) {
	n.t.Helper()
	for began := time.Now(); !ok(); {
		if time.Since(began) > waitLong {
			n.t.Fatal("waited in vain")
		}
		fc.shows(c, 0)
	}
}

// dueIn checks that the next token is asked for so long after what has happened since began.
func dueIn(t *testing.T, c *Conn[world, input], began time.Time, want time.Duration) {
	t.Helper()
	due, now := c.refresher.due, time.Now()
	if due.Before(began.Add(want)) || due.After(now.Add(want)) {
		t.Errorf("the next token is asked for in %v, %v after the beginning; want %v after something in between", due.Sub(now), due.Sub(began), want)
	}
}

func TestANewerTokenIsAskedForWhenThreeQuartersOfTheTimeAreOver(t *testing.T) {
	asked := make(chan struct{}, 8)
	n := startNode(t)
	began := time.Now()
	c, fc := n.joinFor(3600, func(context.Context) (string, error) {
		asked <- struct{}{}
		return "newer", nil
	})
	dueIn(t, c, began, 45*time.Minute)
	if len(asked) > 0 {
		t.Fatal("a token was asked for at once")
	}
	began = time.Now()
	c.refresher.due = began
	n.until(c, fc, func() bool { return len(asked) > 0 && !c.refresher.asking })
	if m := wants[*proto.Refresh](t, fc); m.Token != "newer" {
		t.Errorf("the token is %q", m.Token)
	}
	dueIn(t, c, began, refreshAgain) // where the server does not answer
	began = time.Now()
	fc.send(&proto.Refreshed{Expires: 400})
	n.until(c, fc, func() bool { return c.Stats().Refreshes == 1 })
	dueIn(t, c, began, 5*time.Minute)
	if len(asked) != 1 {
		t.Errorf("asked %d times", len(asked))
	}
}

func TestATokenThatCannotBeHadIsAskedForAgain(t *testing.T) {
	for name, f := range map[string]func(context.Context) (string, error){
		"an error": func(context.Context) (string, error) { return "", errors.New("no network") },
		"nothing":  func(context.Context) (string, error) { return "", nil },
		"too long": func(context.Context) (string, error) { return string(make([]byte, proto.MaxToken+1)), nil },
	} {
		t.Run(name, func(t *testing.T) {
			n := startNode(t)
			c, fc := n.joinFor(3600, f)
			began := time.Now()
			c.refresher.due = began
			n.until(c, fc, func() bool { return c.Stats().RefreshErrors == 1 })
			dueIn(t, c, began, refreshAgain)
		})
	}
}

func TestATokenWithoutAnEndIsNotRefreshed(t *testing.T) {
	n := startNode(t)
	c, _ := n.joinFor(0, func(context.Context) (string, error) { panic("asked") })
	if !c.refresher.due.IsZero() {
		t.Errorf("the next token is asked for at %v", c.refresher.due)
	}
}

func TestAResumePlansTheRefreshAnew(t *testing.T) {
	n := startNode(t)
	c, fc := n.joinFor(3600, func(context.Context) (string, error) { return "newer", nil })
	n.set(func() { n.welcome.Expires = 60 })
	began := time.Now()
	done := drive(c)
	_ = fc.ws.CloseNow()
	fc = n.next()
	n.step()
	fc.frame(0)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	dueIn(t, c, began, 45*time.Second)
}

func TestCloseEndsTheRefreshThatIsUnderWay(t *testing.T) {
	n := startNode(t)
	began, ended := make(chan struct{}), make(chan struct{})
	c, fc := n.joinFor(3600, func(ctx context.Context) (string, error) {
		close(began)
		defer close(ended)
		<-ctx.Done()
		return "", ctx.Err()
	})
	c.refresher.due = time.Now()
	n.until(c, fc, func() bool { return c.refresher.asking })
	<-began
	_ = c.Close()
	select {
	case <-ended:
	default:
		t.Error("Close did not wait")
	}
}
