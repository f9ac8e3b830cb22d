// Package testproxy gives tests a line that can be bad: a TCP proxy before one address, which delays, swallows or cuts
// what passes.
package testproxy

import (
	"net"
	"sync"
	"testing"
	"time"
)

// Proxy passes bytes on to an address, later or not at all. What it holds is bounded by the sockets' own buffers, and 64
// pieces for each direction.
type Proxy struct {
	to string
	l  net.Listener
	wg sync.WaitGroup

	mu    sync.Mutex
	delay time.Duration
	hole  chan struct{} // not nil: nothing passes until it is closed
	cut   bool          // connections are refused
	conns map[net.Conn]struct{}
	ended chan struct{}
}

// Start starts a proxy before an address, on a free port of the loopback. It ends with the test.
func Start(t testing.TB, to string) *Proxy {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{to: to, l: l, conns: map[net.Conn]struct{}{}, ended: make(chan struct{})}
	p.wg.Go(p.accept)
	t.Cleanup(p.close)
	return p
}

// Addr is where it listens, HOST:PORT.
func (p *Proxy) Addr() string { return p.l.Addr().String() }

// Slow makes an answer come so much later.
func (p *Proxy) Slow(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = d / 2 // in each direction
}

// BlackHole swallows everything, connections included, until the function that it returns is called: what came
// meanwhile then arrives late.
func (p *Proxy) BlackHole() (open func()) {
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

// Cut ends all connections and refuses new ones until Mend.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = true
	for c := range p.conns {
		_ = c.Close()
	}
	clear(p.conns)
}

// Mend undoes Cut.
func (p *Proxy) Mend() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = false
}

func (p *Proxy) accept() {
	for {
		c, err := p.l.Accept()
		if err != nil {
			return
		}
		p.wg.Go(func() { p.serve(c) })
	}
}

func (p *Proxy) serve(c net.Conn) {
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
func (p *Proxy) copy(to, from net.Conn) {
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
func (p *Proxy) pass(at time.Time) bool {
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

// keep notes a connection, to be closed at the end. It is false when that was, and while the line is cut.
func (p *Proxy) keep(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.ended:
		_ = c.Close()
		return false
	default:
	}
	if p.cut {
		_ = c.Close()
		return false
	}
	p.conns[c] = struct{}{}
	return true
}

func (p *Proxy) drop(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
	_ = c.Close()
}

func (p *Proxy) close() {
	_ = p.l.Close()
	p.mu.Lock()
	close(p.ended)
	for c := range p.conns {
		_ = c.Close()
	}
	p.mu.Unlock()
	p.wg.Wait()
}
