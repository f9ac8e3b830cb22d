package door

import (
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"muster/proto"
)

// Bounds of a connection's way out.
const (
	// sendBuffer is the kernel's send buffer that is asked for, in bytes. A large one would hide seconds of old state.
	sendBuffer = 16 << 10
	// MaxTail bounds what waits behind a full send buffer, in bytes: Linux holds up to 41 KiB where 16 are asked for, so a
	// connection that is not read costs 64 KiB at most. Only a message that finds nothing waiting may be longer: a
	// keyframe is as large as the game's state.
	MaxTail = 20 << 10
	// mostTail is what no write may exceed: the longest message behind a tail, and a goodbye.
	mostTail = MaxTail + proto.MaxServerMessage + 4<<10
	// writeChunk is how much one call of the kernel is given, in bytes: it looks at its bound before each, not within.
	// Each of the tail's has the pipe's patience for itself.
	writeChunk = 4 << 10
	// LastTimeout bounds how long the tail may still drain, and how long the peer's bytes are still read, once the
	// connection is to be closed.
	LastTimeout = time.Second
)

// ErrSlow is the error of a write to a connection whose tail is full.
var ErrSlow = errors.New("the peer does not read what is sent")

// Listener wraps the connections that it accepts so that sockets can be written to them without blocking, below TLS too.
type Listener struct{ net.Listener }

// Accept implements net.Listener.
func (l Listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err //nolint:wrapcheck // net/http looks at it
	}
	return NewPipe(c), nil
}

// Pipe is a connection whose writes can be made not to block. Until GoLive it behaves as the connection that it wraps.
// Any goroutine may write; writes are whole and in order.
type Pipe struct {
	net.Conn
	raw syscall.RawConn // nil where the connection has no descriptor
	now tryWriter       // nil where it has one, or cannot: then the tail does all the writing

	congested atomic.Bool // a tail exists

	mu      sync.Mutex
	live    bool
	closing bool      // Close was called: nothing more is written
	closeBy time.Time // when the last of it must be out
	ended   bool      // End was called: nothing more is read
	err     error
	tail    []byte // what follows spare
	spare   []byte // what the drainer is writing, and the memory for its next turn
	pending int    // bytes in both
	owner   *sync.WaitGroup

	patience time.Duration // how long a write of the tail's may take
	drained  func()        // may be nil

	// One attempt to write, kept here so that the function that RawConn calls need not be made for each.
	try  func(fd uintptr) bool
	tryB []byte
	tryN int
	tryE error
}

// tryWriter is a connection without a descriptor that can write what it has room for.
type tryWriter interface {
	TryWrite(b []byte) (int, error)
}

// NewPipe wraps a connection.
func NewPipe(c net.Conn) *Pipe {
	p := &Pipe{Conn: c}
	p.now, _ = c.(tryWriter)
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetWriteBuffer(sendBuffer) // a hint: the system may refuse it
		if raw, err := tcp.SyscallConn(); err == nil {
			p.raw = raw
		}
	}
	p.try = func(fd uintptr) bool {
		for len(p.tryB) > 0 {
			n, err := syscall.Write(int(fd), p.tryB[:min(len(p.tryB), writeChunk)])
			if errors.Is(err, syscall.EINTR) {
				continue
			}
			if p.tryE = err; err != nil {
				break
			}
			p.tryN, p.tryB = p.tryN+n, p.tryB[n:]
		}
		return true
	}
	return p
}

// GoLive makes writes not block from now on. owner counts the goroutine that drains a tail, which waits for patience at
// most for each chunk of it: for a peer that nobody looks after any more, since one that does closes it before. drained,
// which may be nil, is called on that goroutine when nothing waits any more; it must not block.
func (p *Pipe) GoLive(owner *sync.WaitGroup, patience time.Duration, drained func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.live, p.owner, p.patience, p.drained = true, owner, patience, drained
}

// Write implements io.Writer. On a live pipe it returns at once: everything was taken, or nothing more ever will be.
func (p *Pipe) Write(b []byte) (int, error) {
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
	if p.pending == 0 && (p.raw != nil || p.now != nil) {
		if n, p.err = p.attempt(b); p.err != nil {
			return n, p.err
		}
	}
	if n == len(b) {
		return n, nil
	}
	if p.pending+len(b)-n > mostTail {
		p.err = ErrSlow
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

// SetDeadline implements net.Conn; see SetWriteDeadline.
func (p *Pipe) SetDeadline(t time.Time) error {
	return errors.Join(p.SetReadDeadline(t), p.SetWriteDeadline(t))
}

// SetWriteDeadline implements net.Conn. On a live pipe no write waits, so it does nothing: TLS sets one that is over
// when it closes, which would cut off the tail.
func (p *Pipe) SetWriteDeadline(t time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.live {
		return nil
	}
	return p.Conn.SetWriteDeadline(t) //nolint:wrapcheck // as the wrapped connection
}

// attempt writes what the kernel, or a network in memory, takes without waiting.
func (p *Pipe) attempt(b []byte) (int, error) {
	if p.raw == nil {
		return p.now.TryWrite(b) //nolint:wrapcheck // as the wrapped connection
	}
	p.tryB, p.tryN, p.tryE = b, 0, nil
	err := p.raw.Write(p.try)
	p.tryB = nil
	switch {
	case err != nil:
		return 0, err //nolint:wrapcheck // the connection's own
	case p.tryE != nil && !errors.Is(p.tryE, syscall.EAGAIN):
		return p.tryN, p.tryE
	}
	return p.tryN, nil
}

// drain writes the tail until none is left or the connection fails, then shuts the connection if that is wanted.
func (p *Pipe) drain() {
	defer p.owner.Done()
	for {
		p.mu.Lock()
		p.pending -= len(p.spare)
		p.tail, p.spare = p.spare[:0], p.tail
		if len(p.spare) == 0 {
			p.tail, p.spare = nil, nil               // a tail is rare: its memory is not kept
			_ = p.Conn.SetWriteDeadline(time.Time{}) // a direct attempt would fail once it is over
			p.congested.Store(false)
			if p.closing {
				p.shut()
			}
			p.mu.Unlock()
			if p.drained != nil {
				p.drained()
			}
			return
		}
		p.mu.Unlock()
		if err := p.flush(p.spare); err != nil {
			p.mu.Lock()
			p.err = err
			p.mu.Unlock()
			_ = p.Conn.Close()
			return
		}
	}
}

// flush writes b in chunks, each within its time.
func (p *Pipe) flush(b []byte) error {
	for len(b) > 0 {
		p.mu.Lock()
		timeout := p.patience
		if p.closing {
			timeout = time.Until(p.closeBy)
		}
		_ = p.Conn.SetWriteDeadline(time.Now().Add(timeout)) // an error shows in Write
		p.mu.Unlock()
		n, err := p.Conn.Write(b[:min(len(b), writeChunk)])
		if err != nil {
			return err //nolint:wrapcheck // the connection's own
		}
		b = b[n:]
	}
	return nil
}

// Close ends the writing: what waits still goes out, for LastTimeout at most, then the peer reads EOF. The reader goes
// on for as long: to close on unread bytes makes a reset of it, which can take the goodbye with it. Who reads then
// calls End.
func (p *Pipe) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.live {
		return p.Conn.Close() //nolint:wrapcheck // as the wrapped connection
	}
	if p.closing {
		return nil
	}
	p.closing, p.closeBy = true, time.Now().Add(LastTimeout)
	if p.pending > 0 && p.err == nil {
		_ = p.Conn.SetWriteDeadline(p.closeBy) // for the write that is under way
		return nil
	}
	p.shut()
	return nil
}

// shut ends a connection that has nothing more to write. p.mu is held.
func (p *Pipe) shut() {
	half, ok := p.Conn.(interface{ CloseWrite() error })
	if ok && !p.ended && p.err == nil && half.CloseWrite() == nil {
		_ = p.Conn.SetReadDeadline(time.Now().Add(LastTimeout)) // an error ends the reader as well
		return
	}
	_ = p.Conn.Close()
}

// End closes the connection for its reader, who has read the last of it. A tail still gets its time to drain.
func (p *Pipe) End() {
	_ = p.Close() // closing cannot fail in a way that matters now
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
	if p.pending == 0 || p.err != nil {
		_ = p.Conn.Close()
	}
}

// Fits says whether a message of n bytes may be written now.
func (p *Pipe) Fits(n int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pending == 0 || p.pending+n <= MaxTail
}

// Congested says whether a tail exists.
func (p *Pipe) Congested() bool { return p.congested.Load() }

// Waiting returns the memory of what waits for the peer in this process, in bytes.
func (p *Pipe) Waiting() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return cap(p.tail) + cap(p.spare)
}

// pipeOf finds the Listener's pipe under a connection.
func pipeOf(c net.Conn) *Pipe {
	switch c := c.(type) {
	case *Pipe:
		return c
	case *tls.Conn:
		p, _ := c.NetConn().(*Pipe)
		return p
	}
	return nil
}
