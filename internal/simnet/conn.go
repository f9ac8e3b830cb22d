package simnet

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// pair is what the two ends of a connection share.
type pair struct {
	mu      sync.Mutex
	changed chan struct{} // closed and replaced when anything changes that somebody may wait for
	reset   bool
	halves  [2]half
}

// Conn is one end of a connection. It is a net.Conn; any number of goroutines may use it.
type Conn struct {
	p      *pair
	in     *half
	out    *half
	peer   *Conn
	closed bool // guarded by p.mu, and so is shut
	shut   bool // CloseWrite was called
	addr   Addr
}

// Addr is the name of one end.
type Addr string

// Network implements net.Addr.
func (Addr) Network() string { return "simnet" }

// String implements net.Addr.
func (a Addr) String() string { return string(a) }

// Pipe returns the two ends of a new connection; up is the way from a to b and down the way back.
func Pipe(up, down Link) (a, b *Conn) { return pipe(up, down, "a", "b") }

func pipe(up, down Link, nameA, nameB Addr) (a, b *Conn) {
	p := &pair{changed: make(chan struct{}), halves: [2]half{newHalf(up), newHalf(down)}}
	a = &Conn{p: p, out: &p.halves[0], in: &p.halves[1], addr: nameA}
	b = &Conn{p: p, out: &p.halves[1], in: &p.halves[0], addr: nameB, peer: a}
	a.peer = b
	return a, b
}

// wake lets everybody who waits look again. p.mu is held.
func (p *pair) wake() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// wait gives p.mu up until something changed or one of the times has come; a zero time never comes.
func (p *pair) wait(times ...time.Time) {
	var first time.Time
	for _, t := range times {
		if !t.IsZero() && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	changed := p.changed
	p.mu.Unlock()
	defer p.mu.Lock()
	if first.IsZero() {
		<-changed
		return
	}
	timer := time.NewTimer(time.Until(first))
	defer timer.Stop()
	select {
	case <-changed:
	case <-timer.C:
	}
}

// passed says whether a deadline is set and over.
func passed(deadline time.Time) bool { return !deadline.IsZero() && !time.Now().Before(deadline) }

// failed returns why an end cannot be used, if so. p.mu is held.
func (c *Conn) failed(deadline time.Time) error {
	switch {
	case c.closed:
		return net.ErrClosed
	case c.p.reset:
		return syscall.ECONNRESET
	case passed(deadline):
		return os.ErrDeadlineExceeded
	}
	return nil
}

// Read implements net.Conn.
func (c *Conn) Read(b []byte) (int, error) {
	c.p.mu.Lock()
	defer c.p.mu.Unlock()
	for {
		if err := c.failed(c.in.readBy); err != nil {
			return 0, c.opError("read", err)
		}
		at, ok := c.in.next()
		if ok && !at.After(time.Now()) {
			if c.in.queue[0].fin {
				return 0, io.EOF
			}
			if len(b) == 0 {
				return 0, nil
			}
			n := c.in.pull(b)
			c.p.wake()
			return n, nil
		}
		c.p.wait(at, c.in.readBy)
	}
}

// Write implements net.Conn. It returns when all of b is in the buffer, not when it has arrived.
func (c *Conn) Write(b []byte) (n int, err error) {
	c.p.mu.Lock()
	defer c.p.mu.Unlock()
	for c.out.writing {
		if err := c.failed(c.out.writeBy); err != nil {
			return 0, c.opError("write", err)
		}
		c.p.wait(c.out.writeBy)
	}
	c.out.writing = true
	defer func() {
		c.out.writing = false
		c.p.wake()
	}()
	for {
		if err := c.failed(c.out.writeBy); err != nil {
			return n, c.opError("write", err)
		}
		room := c.out.link.Buffer - c.out.used
		switch {
		case c.refused():
			return n, c.opError("write", syscall.EPIPE)
		case c.out.swallow, n == len(b):
			return len(b), nil
		case room > 0:
			k := min(room, len(b)-n, segmentSize)
			c.out.push(time.Now(), append([]byte(nil), b[n:n+k]...), false)
			n += k
			c.p.wake()
		default:
			c.p.wait(c.out.writeBy)
		}
	}
}

// TryWrite writes as much of b as there is room for and does not wait, as a socket that does not block.
func (c *Conn) TryWrite(b []byte) (n int, err error) {
	c.p.mu.Lock()
	defer c.p.mu.Unlock()
	if err := c.failed(c.out.writeBy); err != nil {
		return 0, c.opError("write", err)
	}
	switch {
	case c.refused():
		return 0, c.opError("write", syscall.EPIPE)
	case c.out.swallow:
		return len(b), nil
	case c.out.writing:
		return 0, nil
	}
	for n < len(b) && c.out.used < c.out.link.Buffer {
		k := min(c.out.link.Buffer-c.out.used, len(b)-n, segmentSize)
		c.out.push(time.Now(), append([]byte(nil), b[n:n+k]...), false)
		n += k
	}
	c.p.wake()
	return n, nil
}

// refused says whether this end's writing was closed, or the other end and this one can know. p.mu is held.
func (c *Conn) refused() bool {
	return c.shut || c.out.readClosed && !c.out.stalled && !c.out.swallow && !c.in.stalled && !c.in.swallow
}

// opError dresses an error as package net does; deadlines stay recognisable by net.Error and os.ErrDeadlineExceeded.
func (c *Conn) opError(op string, err error) error {
	return &net.OpError{Op: op, Net: c.addr.Network(), Source: c.addr, Addr: c.peer.addr, Err: err}
}

// Close implements net.Conn. What was written still arrives, then the peer reads EOF; what the peer writes fails with
// EPIPE at once, without the latency.
func (c *Conn) Close() error {
	c.p.mu.Lock()
	defer c.p.mu.Unlock()
	if c.closed {
		return c.opError("close", net.ErrClosed)
	}
	c.closed = true
	c.in.readClosed = true
	c.in.drop()
	c.finish()
	return nil
}

// CloseWrite ends the writing alone, as that of a *net.TCPConn does: what was written still arrives, then the peer reads
// EOF, and what it writes is read here until Close.
func (c *Conn) CloseWrite() error {
	c.p.mu.Lock()
	defer c.p.mu.Unlock()
	if c.closed {
		return c.opError("close", net.ErrClosed)
	}
	c.finish()
	return nil
}

// finish sends the stream's end, once. p.mu is held.
func (c *Conn) finish() {
	if !c.shut {
		c.shut = true
		c.out.push(time.Now(), nil, true)
	}
	c.p.wake()
}

// LocalAddr implements net.Conn.
func (c *Conn) LocalAddr() net.Addr { return c.addr }

// RemoteAddr implements net.Conn.
func (c *Conn) RemoteAddr() net.Addr { return c.peer.addr }

// SetDeadline implements net.Conn.
func (c *Conn) SetDeadline(t time.Time) error {
	return c.set(func() { c.in.readBy, c.out.writeBy = t, t })
}

// SetReadDeadline implements net.Conn.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.set(func() { c.in.readBy = t }) }

// SetWriteDeadline implements net.Conn.
func (c *Conn) SetWriteDeadline(t time.Time) error { return c.set(func() { c.out.writeBy = t }) }

func (c *Conn) set(change func()) error {
	c.p.mu.Lock()
	defer c.p.mu.Unlock()
	if c.closed {
		return c.opError("set", net.ErrClosed)
	}
	change()
	c.p.wake()
	return nil
}

// Peer returns the other end.
func (c *Conn) Peer() *Conn { return c.peer }
