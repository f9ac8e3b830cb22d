package cluster

import (
	"net"
	"sync"
	"time"
)

// buffered is a connection whose writes do not wait for their reader. The embedded server is reached over a pipe, which
// holds nothing: a client that writes a long pipeline before it reads the first answer would wait for a server that waits
// for the client. What is held is bounded by the client's own pipelines.
type buffered struct {
	net.Conn
	ready  chan struct{} // there is something to write
	closed chan struct{}
	once   sync.Once

	mu  sync.Mutex
	out []byte
	err error // of a write that failed after Write had returned
}

func newBuffered(c net.Conn) *buffered {
	b := &buffered{Conn: c, ready: make(chan struct{}, 1), closed: make(chan struct{})}
	go b.drain()
	return b
}

// Write implements net.Conn.
func (b *buffered) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return 0, b.err
	}
	b.out = append(b.out, p...)
	select {
	case b.ready <- struct{}{}:
	default:
	}
	return len(p), nil
}

// drain is the connection's goroutine, which Close ends.
func (b *buffered) drain() {
	for {
		select {
		case <-b.ready:
		case <-b.closed:
			return
		}
		b.mu.Lock()
		out := b.out
		b.out = nil
		b.mu.Unlock()
		if _, err := b.Conn.Write(out); err != nil {
			b.mu.Lock()
			b.err = err
			b.mu.Unlock()
			return
		}
	}
}

// Close implements net.Conn.
func (b *buffered) Close() error {
	b.once.Do(func() { close(b.closed) })
	return b.Conn.Close() //nolint:wrapcheck // as the pipe
}

// SetDeadline implements net.Conn. Writes need none.
func (b *buffered) SetDeadline(t time.Time) error { return b.Conn.SetReadDeadline(t) } //nolint:wrapcheck // as the pipe

// SetWriteDeadline implements net.Conn.
func (b *buffered) SetWriteDeadline(time.Time) error { return nil }
