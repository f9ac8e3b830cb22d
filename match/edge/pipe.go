package edge

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Bounds of a connection's way out.
const (
	// sendBuffer is the kernel's send buffer that is asked for, in bytes. A large one would hide seconds of old state.
	sendBuffer = 16 << 10
	// maxTail bounds what waits behind a full send buffer, in bytes. A write that would exceed it fails.
	maxTail = 40 << 10
	// drainTimeout bounds how long one write of the tail may take.
	drainTimeout = 10 * time.Second
	// lastTimeout bounds how long the tail may still drain once the connection is to be closed.
	lastTimeout = time.Second
)

// errSlow is the error of a write to a connection whose tail is full.
var errSlow = errors.New("the peer does not read what is sent")

// Listener wraps the connections that it accepts so that an edge can write to them without blocking, below TLS too.
type Listener struct{ net.Listener }

// Accept implements net.Listener.
func (l Listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err //nolint:wrapcheck // net/http looks at it
	}
	return newPipe(c), nil
}

// pipe is a connection whose writes can be made not to block. Until goLive it behaves as the connection that it wraps.
// Any goroutine may write; writes are whole and in order.
type pipe struct {
	net.Conn
	raw syscall.RawConn // nil where the connection has no descriptor: then the tail does all the writing

	congested atomic.Bool // a tail exists

	mu      sync.Mutex
	live    bool
	closing bool
	err     error
	tail    []byte // what follows spare
	spare   []byte // what the drainer is writing, and the memory for its next turn
	pending int    // bytes in both
	owner   *sync.WaitGroup

	// One attempt to write, kept here so that the function that RawConn calls need not be made for each.
	try  func(fd uintptr) bool
	tryB []byte
	tryN int
	tryE error
}

func newPipe(c net.Conn) *pipe {
	p := &pipe{Conn: c}
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetWriteBuffer(sendBuffer) // a hint: the system may refuse it
		if raw, err := tcp.SyscallConn(); err == nil {
			p.raw = raw
		}
	}
	p.try = func(fd uintptr) bool {
		for {
			p.tryN, p.tryE = syscall.Write(int(fd), p.tryB)
			if !errors.Is(p.tryE, syscall.EINTR) {
				return true
			}
		}
	}
	return p
}

// goLive makes writes not block from now on. owner counts the goroutine that drains a tail.
func (p *pipe) goLive(owner *sync.WaitGroup) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.live, p.owner = true, owner
}

// Write implements io.Writer. On a live pipe it returns at once: everything was taken, or nothing more ever will be.
func (p *pipe) Write(b []byte) (int, error) {
	p.mu.Lock()
	if !p.live {
		p.mu.Unlock()
		return p.Conn.Write(b) //nolint:wrapcheck // as the wrapped connection
	}
	defer p.mu.Unlock()
	if p.err != nil || p.closing {
		return 0, errors.Join(p.err, net.ErrClosed)
	}
	n := 0
	if p.pending == 0 && p.raw != nil {
		if n, p.err = p.attempt(b); p.err != nil {
			return n, p.err
		}
	}
	if n == len(b) {
		return n, nil
	}
	if p.pending+len(b)-n > maxTail {
		p.err = errSlow
		return n, p.err
	}
	if p.pending == 0 {
		p.congested.Store(true)
		p.owner.Add(1)
		go p.drain()
	}
	p.tail = append(p.tail, b[n:]...)
	p.pending += len(b) - n
	return len(b), nil
}

// attempt writes what the kernel takes without waiting.
func (p *pipe) attempt(b []byte) (int, error) {
	p.tryB, p.tryN, p.tryE = b, 0, nil
	err := p.raw.Write(p.try)
	p.tryB = nil
	switch {
	case err != nil:
		return 0, err //nolint:wrapcheck // the connection's own
	case errors.Is(p.tryE, syscall.EAGAIN):
		return 0, nil
	case p.tryE != nil:
		return 0, p.tryE
	}
	return p.tryN, nil
}

// drain writes the tail until none is left or the connection fails, and closes the connection if that is wanted.
func (p *pipe) drain() {
	defer p.owner.Done()
	for {
		p.mu.Lock()
		p.pending -= len(p.spare)
		p.tail, p.spare = p.spare[:0], p.tail
		if len(p.spare) == 0 {
			p.congested.Store(false)
			closing := p.closing
			p.tail, p.spare = nil, nil // a tail is rare: its memory is not kept
			p.mu.Unlock()
			if closing {
				_ = p.Conn.Close()
			}
			return
		}
		timeout := drainTimeout
		if p.closing {
			timeout = lastTimeout
		}
		_ = p.SetWriteDeadline(time.Now().Add(timeout))
		p.mu.Unlock()
		if _, err := p.Conn.Write(p.spare); err != nil {
			p.mu.Lock()
			p.err = err
			p.mu.Unlock()
			_ = p.Conn.Close()
			return
		}
	}
}

// Close closes the connection; a tail gets a short time to drain first.
func (p *pipe) Close() error {
	p.mu.Lock()
	p.closing = true
	if p.pending > 0 && p.err == nil {
		_ = p.SetWriteDeadline(time.Now().Add(lastTimeout))
		p.mu.Unlock()
		return nil
	}
	p.mu.Unlock()
	return p.Conn.Close() //nolint:wrapcheck // as the wrapped connection
}

// room returns how many bytes a write may have now.
func (p *pipe) room() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maxTail - p.pending
}

// isCongested says whether a tail exists.
func (p *pipe) isCongested() bool { return p.congested.Load() }
