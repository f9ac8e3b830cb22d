package cluster_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/internal/testredis"
	"muster/match/cluster"
)

// ns is the namespace of the tests; every test has a Redis of its own.
const ns = "test"

// inBubble runs a test in virtual time on an embedded Redis.
func inBubble(t *testing.T, test func(t *testing.T, rdb redis.UniversalClient)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		rdb, stop := cluster.Embedded()
		t.Cleanup(stop) // after what the test itself cleans up
		test(t, rdb)
	})
}

// wires wraps a client's connections, so that a test can hurt them.
type wires struct {
	mu    sync.Mutex
	conns []*wire
	hole  bool
}

// rewired returns another client of the same Redis, over connections that the test holds.
func rewired(t *testing.T, rdb redis.UniversalClient) (redis.UniversalClient, *wires) {
	t.Helper()
	w := &wires{}
	return testredis.Another(t, rdb, 0, func(c net.Conn) net.Conn {
		w.mu.Lock()
		defer w.mu.Unlock()
		wr := &wire{Conn: c, swallowed: w.hole}
		w.conns = append(w.conns, wr)
		return wr
	}), w
}

// swallow makes the connections of now, those that have written what, black holes: both ways, for good, without a FIN.
func (w *wires) swallow(what string) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.conns {
		n += c.swallow(what)
	}
	return n
}

// swallowAll makes all connections black holes, those to come included, or lets new ones through again; those that were
// black holes stay it.
func (w *wires) swallowAll(on bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hole = on
	for _, c := range w.conns {
		if on {
			c.swallow("")
		}
	}
}

// loseReply closes the connection that next writes what, when its answer has come and before the client reads it.
func (w *wires) loseReply(what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	lost := new(sync.Once)
	for _, c := range w.conns {
		c.lose(what, lost)
	}
}

// lost returns how many replies were lost.
func (w *wires) lost() (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.conns {
		if c.isGone() {
			n++
		}
	}
	return n
}

// wire is one connection.
type wire struct {
	net.Conn
	mu        sync.Mutex
	said      bytes.Buffer
	swallowed bool
	losing    string // what a request whose reply is lost holds
	lost      *sync.Once
	closing   bool // the next reply is lost
	gone      bool // it was
}

func (c *wire) swallow(what string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.swallowed || !strings.Contains(c.said.String(), what) {
		return 0
	}
	c.swallowed = true
	return 1
}

func (c *wire) lose(what string, once *sync.Once) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.losing, c.lost = what, once
}

func (c *wire) Write(b []byte) (int, error) {
	c.mu.Lock()
	c.said.Write(b)
	if c.losing != "" && bytes.Contains(b, []byte(c.losing)) {
		c.lost.Do(func() { c.closing = true })
		c.losing = ""
	}
	swallowed := c.swallowed
	c.mu.Unlock()
	if swallowed {
		return len(b), nil
	}
	return c.Conn.Write(b)
}

func (c *wire) Read(b []byte) (int, error) {
	for {
		if c.isGone() {
			return 0, io.EOF
		}
		n, err := c.Conn.Read(b)
		c.mu.Lock()
		if c.closing && n > 0 {
			c.gone = true
		}
		swallowed := c.swallowed
		c.mu.Unlock()
		if !c.isGone() && (!swallowed || err != nil) {
			return n, err
		}
	}
}

func (c *wire) isGone() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.gone
}

// twice lets every script run twice, as go-redis does when it repeats a command whose answer was lost.
type twice struct{}

func (twice) DialHook(next redis.DialHook) redis.DialHook { return next }

func (twice) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if err := next(ctx, cmd); err != nil || !strings.HasPrefix(cmd.Name(), "eval") {
			return err
		}
		return next(ctx, cmd)
	}
}

func (twice) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// until waits for a condition that another process or goroutine brings about.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for !done() {
		if time.Now().After(deadline) {
			t.Fatalf("not within a minute: %s", what)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// within waits in a bubble for what must come about within a time, and a little.
func within(t *testing.T, d time.Duration, what string, done func() bool) {
	t.Helper()
	for began := time.Now(); !done(); {
		if time.Since(began) > d {
			t.Fatalf("not within %v: %s", d, what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func wantError(t *testing.T, doing string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", doing, err, want)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// take takes a seat whose team is of no interest.
func take(d *cluster.Directory, ctx context.Context, room string, seat uint16, player, token string) error { //nolint:revive // as the method
	_, err := d.TakeSeat(ctx, room, seat, player, token)
	return err
}

// slowed returns another client of the same Redis that lets a time pass before each exchange, once one is set.
func slowed(t *testing.T, rdb redis.UniversalClient) (redis.UniversalClient, *slowly) {
	t.Helper()
	c, s := testredis.Another(t, rdb, 0, nil), &slowly{}
	c.AddHook(s)
	return c, s
}

type slowly struct{ by atomic.Int64 }

func (s *slowly) set(by time.Duration) { s.by.Store(int64(by)) }

func (s *slowly) DialHook(next redis.DialHook) redis.DialHook { return next }

func (s *slowly) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		pass(ctx, time.Duration(s.by.Load()))
		return next(ctx, cmd)
	}
}

func (s *slowly) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		pass(ctx, time.Duration(s.by.Load()))
		return next(ctx, cmds)
	}
}

// pass lets a time pass, of a bubble, or what is left of ctx.
func pass(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// onCluster says whether a test runs on a Redis Cluster.
func onCluster(rdb redis.UniversalClient) bool {
	_, is := rdb.(*redis.ClusterClient)
	return is
}

// publishRaw publishes in the way of the server.
func publishRaw(t *testing.T, rdb redis.UniversalClient, channel string, payload any) {
	t.Helper()
	publish := rdb.Publish
	if onCluster(rdb) {
		publish = rdb.SPublish
	}
	must(t, publish(t.Context(), channel, payload).Err())
}
