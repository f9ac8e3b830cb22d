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

// proxy passes bytes on to an address, later or not at all. What it holds is bounded by the sockets' own buffers, and 64
// pieces for each direction.
type proxy struct {
	to string
	l  net.Listener
	wg sync.WaitGroup

	mu    sync.Mutex
	delay time.Duration
	hole  chan struct{} // not nil: nothing passes until it is closed
	conns map[net.Conn]struct{}
	ended chan struct{}
}

func newProxy(t testing.TB, to string) *proxy {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	p := &proxy{to: to, l: l, conns: map[net.Conn]struct{}{}, ended: make(chan struct{})}
	p.wg.Go(p.accept)
	t.Cleanup(p.close)
	return p
}

func (p *proxy) addr() string { return p.l.Addr().String() }

// slow makes an answer come so much later.
func (p *proxy) slow(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = d / 2 // in each direction
}

// blackHole swallows everything, connections included, until the function that it returns is called: what came
// meanwhile then arrives late.
func (p *proxy) blackHole() (open func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	hole := make(chan struct{})
	p.hole = hole
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.hole == hole {
			close(hole)
			p.hole = nil
		}
	}
}

func (p *proxy) accept() {
	for {
		c, err := p.l.Accept()
		if err != nil {
			return
		}
		p.wg.Go(func() { p.serve(c) })
	}
}

func (p *proxy) serve(c net.Conn) {
	if !p.pass(time.Now()) || !p.keep(c) {
		_ = c.Close()
		return
	}
	defer p.drop(c)
	s, err := net.Dial("tcp", p.to)
	if err != nil || !p.keep(s) {
		return
	}
	defer p.drop(s)
	var both sync.WaitGroup
	both.Go(func() { p.copy(s, c) })
	both.Go(func() { p.copy(c, s) })
	both.Wait()
}

// piece is what was read at once.
type piece struct {
	b  []byte
	at time.Time
}

// copy reads on while pieces are under way, so that a delay is not a bandwidth.
func (p *proxy) copy(to, from net.Conn) {
	pieces := make(chan piece, 64)
	var writer sync.WaitGroup
	writer.Go(func() {
		defer func() { _ = to.Close() }()
		for w := range pieces {
			if !p.pass(w.at) {
				continue
			}
			if _, err := to.Write(w.b); err != nil {
				_ = from.Close()
			}
		}
	})
	for {
		b := make([]byte, 16<<10)
		n, err := from.Read(b)
		if n > 0 {
			pieces <- piece{b[:n], time.Now()}
		}
		if err != nil {
			break
		}
	}
	close(pieces)
	writer.Wait()
}

// pass waits until a piece that came at a time may go on. It is false at the proxy's end.
func (p *proxy) pass(at time.Time) bool {
	p.mu.Lock()
	hole, delay := p.hole, p.delay
	p.mu.Unlock()
	if hole != nil {
		select {
		case <-hole:
		case <-p.ended:
			return false
		}
	}
	timer := time.NewTimer(time.Until(at.Add(delay)))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-p.ended:
		return false
	}
}

// keep notes a connection, to be closed at the end. It is false when that was.
func (p *proxy) keep(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.ended:
		_ = c.Close()
		return false
	default:
	}
	p.conns[c] = struct{}{}
	return true
}

func (p *proxy) drop(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
	_ = c.Close()
}

func (p *proxy) close() {
	_ = p.l.Close()
	p.mu.Lock()
	close(p.ended)
	for c := range p.conns {
		_ = c.Close()
	}
	p.mu.Unlock()
	p.wg.Wait()
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
