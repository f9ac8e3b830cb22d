package e2e

import (
	"context"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/internal/needs"
	"muster/internal/testport"
	"muster/internal/testprocess"
	"muster/internal/testredis"
	"muster/match/cluster"

	"go.uber.org/zap"
)

const namespace = "muster"

// fleet is some servers that share a Redis, behind a balancer that sends each connection to the next one that is up.
type fleet struct {
	t     *testing.T
	redis *testredis.Server
	nodes map[string]*testprocess.Process // by address
	front net.Listener
	wg    sync.WaitGroup

	mu   sync.Mutex
	up   []string
	next int
}

func startFleet(t *testing.T, nodes int) *fleet {
	t.Helper()
	needs.Program(t, "redis-server")
	front, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &fleet{t: t, redis: testredis.Start(t), nodes: map[string]*testprocess.Process{}, front: front}
	config := t.TempDir() // they have one development key
	for range nodes {
		addr := testport.Held(t)
		p := testprocess.Start(t, "serve", []string{"serve", "--listen", addr, "--redis", f.redis.URL()}, "XDG_CONFIG_HOME="+config)
		p.After(t, "lobby ")
		f.nodes[addr] = p
		f.up = append(f.up, addr)
	}
	f.wg.Go(f.accept)
	t.Cleanup(func() {
		_ = front.Close()
		f.wg.Wait()
	})
	f.acquainted()
	return f
}

// url is where players find the fleet.
func (f *fleet) url() string { return "http://" + f.front.Addr().String() }

// accept passes connections on until the listener is closed; those that are open end with their peers.
func (f *fleet) accept() {
	for {
		c, err := f.front.Accept()
		if err != nil {
			return
		}
		f.wg.Go(func() { f.pass(c) })
	}
}

func (f *fleet) pass(c net.Conn) {
	defer func() { _ = c.Close() }()
	for range f.nodes {
		f.mu.Lock()
		addr := f.up[f.next%len(f.up)]
		f.next++
		f.mu.Unlock()
		node, err := net.DialTimeout("tcp", addr, time.Second)
		if err != nil {
			continue
		}
		defer func() { _ = node.Close() }()
		both := make(chan struct{})
		go func() {
			defer close(both)
			_, _ = io.Copy(node, c)
			_ = node.Close() // the other way ends, too
		}()
		_, _ = io.Copy(c, node)
		_ = c.Close()
		<-both
		return
	}
}

// acquainted waits until each server has named all others in a renewal of its lease: to one that it has not named a
// server is a stranger, who waits long with taking over.
func (f *fleet) acquainted() {
	f.t.Helper()
	rdb := f.redis.Connect()
	f.eventually("each server knows the others", func(ctx context.Context) bool {
		leases, err := rdb.HGetAll(ctx, namespace+":{nodes}:leases").Result()
		for _, lease := range leases {
			parts := strings.Fields(lease)
			if len(parts) != 4 || len(strings.Split(parts[3], ",")) < len(f.nodes)-1 {
				return false
			}
		}
		return err == nil && len(leases) == len(f.nodes)
	})
}

// host is the address of the server that runs a room.
func (f *fleet) host(room string) (addr string) {
	f.t.Helper()
	rdb := f.redis.Connect()
	dir, nodes := cluster.NewDirectory(rdb, namespace), cluster.NewNodes(rdb, namespace, zap.NewNop())
	f.eventually("the room's record says who runs it", func(ctx context.Context) bool {
		rec, err := dir.Room(ctx, room)
		if err != nil {
			return false
		}
		live, err := nodes.Live(ctx)
		addr = strings.TrimPrefix(live[rec.Node].URL, "http://")
		return err == nil && f.nodes[addr] != nil
	})
	return addr
}

// kill is kill -9 of a server. The balancer sends nobody there any more.
func (f *fleet) kill(addr string) {
	f.mu.Lock()
	up := make([]string, 0, len(f.up))
	for _, a := range f.up {
		if a != addr {
			up = append(up, a)
		}
	}
	f.up = up
	f.mu.Unlock()
	f.nodes[addr].Kill()
}

func (f *fleet) eventually(what string, done func(ctx context.Context) bool) {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), 45*time.Second)
	defer cancel()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for !done(ctx) {
		select {
		case <-again.C:
		case <-ctx.Done():
			f.t.Fatalf("it did not come about that %s", what)
		}
	}
}

func TestAPagePlaysOnWhenTheHostOfItsMatchIsKilled(t *testing.T) {
	dir := shots(t)
	f := startFleet(t, 3)
	ask(t, "killed-host.mjs", func(line string) (done bool) {
		room, ok := strings.CutPrefix(line, "kill the host of ")
		if ok {
			f.kill(f.host(room))
		}
		return ok
	}, f.url(), dir)
}
