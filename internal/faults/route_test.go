package faults

import (
	"context"
	"flag"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"
)

// route is a player's way to a server: wherever the server is by now, through a proxy or not. It can be cut.
type route struct {
	http *http.Client

	mu    sync.Mutex
	addr  string
	conns map[net.Conn]struct{}
}

func newRoute(t testing.TB, addr string) *route {
	r := &route{addr: addr, conns: map[net.Conn]struct{}{}}
	var dialer net.Dialer
	transport := &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			r.mu.Lock()
			to := r.addr
			r.mu.Unlock()
			c, err := dialer.DialContext(ctx, network, to)
			if err == nil {
				r.mu.Lock()
				r.conns[c] = struct{}{}
				r.mu.Unlock()
			}
			return c, err
		},
	}
	r.http = &http.Client{Transport: transport}
	t.Cleanup(transport.CloseIdleConnections)
	return r
}

// lead makes new connections go to another server.
func (r *route) lead(addr string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.addr = addr
}

// cut ends all connections without a word.
func (r *route) cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := range r.conns {
		_ = c.Close()
	}
	clear(r.conns)
}

var seedFlag = flag.Uint64("seed", 0, "of the tests' dice; 0 is another one each time")

// dice are a test's own, by a seed that it prints.
func dice(t testing.TB) *rand.Rand {
	seed := *seedFlag
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("-seed %d", seed)
	return rand.New(rand.NewPCG(seed, seed))
}
