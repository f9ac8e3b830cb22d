package simnet

import (
	"context"
	"net"
	"strconv"
	"sync"
	"time"
)

// backlog is how many connections may wait for Accept; a dial then waits, too.
const backlog = 128

const serverAddr Addr = "server"

// Listener accepts the connections that its Dial makes. It is a net.Listener.
type Listener struct {
	link   Link
	queue  chan *Conn
	closed chan struct{}

	mu    sync.Mutex
	dials uint64
	once  sync.Once
}

// Listen returns a listener whose connections have the same link in both directions, each with jitter of its own that
// is made from the link's seed and the order of the dials.
func Listen(link Link) *Listener {
	return &Listener{link: link, queue: make(chan *Conn, backlog), closed: make(chan struct{})}
}

// Dial connects, which takes a round trip, and returns the client's end; its Peer is the one that Accept returns.
func (l *Listener) Dial(ctx context.Context) (*Conn, error) {
	l.mu.Lock()
	l.dials++
	n := l.dials
	l.mu.Unlock()
	up, down := l.link, l.link
	up.Seed, down.Seed = l.link.Seed+2*n, l.link.Seed+2*n+1
	client, server := pipe(up, down, Addr("client-"+strconv.FormatUint(n, 10)), serverAddr)
	if err := l.offer(ctx, server); err != nil {
		return nil, &net.OpError{Op: "dial", Net: "simnet", Addr: l.Addr(), Err: err}
	}
	return client, nil
}

// offer puts a connection into the queue after the time of a round trip.
func (l *Listener) offer(ctx context.Context, server *Conn) error {
	timer := time.NewTimer(2 * l.link.Latency)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case l.queue <- server:
	case <-l.closed:
		return net.ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-l.closed: // Close may have emptied the queue before
		server.Cut()
		return net.ErrClosed
	default:
		return nil
	}
}

// DialContext is Dial in the form of http.Transport's; network and address are not used.
func (l *Listener) DialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	c, err := l.Dial(ctx)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// Accept implements net.Listener.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case <-l.closed:
	default:
		select {
		case c := <-l.queue:
			return c, nil
		case <-l.closed:
		}
	}
	return nil, &net.OpError{Op: "accept", Net: "simnet", Addr: l.Addr(), Err: net.ErrClosed}
}

// Close implements net.Listener. Connections that nobody accepted are cut; accepted ones live on.
func (l *Listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	for {
		select {
		case c := <-l.queue:
			c.Cut()
		default:
			return nil
		}
	}
}

// Addr implements net.Listener.
func (*Listener) Addr() net.Addr { return serverAddr }
