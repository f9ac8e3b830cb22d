package edge

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/lxzan/gws"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"muster/internal/door"
	"muster/match"
	"muster/proto"
	"muster/proto/token"
)

// Rooms is where an edge finds the room of a seat. An error that is a *proto.Close is the answer to the client; any
// other closes the socket as overloaded, to be tried again.
type Rooms interface {
	// Open returns the room, opened first where it is wanted here and does not run yet, wherever it runs.
	Open(ctx context.Context, room string) (Room, error)
	// Running returns the room where it runs, and opens none: whoever wants to watch keeps nothing alive.
	Running(ctx context.Context, room string) (Room, error)
	// TakeSeat burns the seat token with the id tokenID, which claims the seat for the player, and returns the team that he
	// plays in; 0 is none.
	TakeSeat(ctx context.Context, room string, seat uint16, player, tokenID string) (team uint16, err error)
}

// Config is what a Server needs. The zero value of a field that is not required means its default.
type Config struct {
	Rooms      Rooms       // required
	Keys       *token.Keys // required
	Log        *zap.Logger
	Registerer prometheus.Registerer
	// Origins are the hosts, besides the one that is asked, whose pages may open sockets.
	Origins []string
	// MaxConnections bounds the sockets of this process. Default 20,000.
	MaxConnections int
	// MaxPerAddress bounds the sockets of one remote address. Default MaxConnections: behind a proxy all have one.
	MaxPerAddress int
	// PingEvery is the time between pings; a socket from which nothing comes for twice as long is closed with 4004.
	// Default 10 s.
	PingEvery time.Duration
	// SlowAfter is how long a socket may take no frame before it is closed with 4003. Default 10 s.
	SlowAfter time.Duration
	// Seated is told of each socket of a player who has a seat, when it is attached to its room and when it has ended. It
	// must not block. nil: nobody wants to know.
	Seated func(player string, begins bool)
}

// Server accepts match sockets. It is an http.Handler for the pattern "GET /v1/match/{room}" and the [match.Edge] of
// the sockets that it holds. Any goroutine may use it.
type Server struct {
	cfg     Config
	log     *zap.Logger
	metrics *metrics
	// By the subprotocol that is chosen; "" is none: gws refuses a request that offers none where it has one to choose.
	upgraders map[string]*gws.Upgrader
	guard     *door.Guard
	base      time.Time // what conn.heardAt counts from

	ctx  context.Context //nolint:containedctx // the connections' lifetime, ended by Close
	stop context.CancelFunc
	wg   sync.WaitGroup

	mu     sync.Mutex
	conns  map[*conn]struct{}
	closed bool

	audiences map[Room]*audience
	rings     rings
}

var _ match.Edge = (*Server)(nil)

// New returns a running Server; Close stops it.
func New(cfg Config) *Server {
	if cfg.MaxConnections == 0 {
		cfg.MaxConnections = 20_000
	}
	if cfg.MaxPerAddress == 0 {
		cfg.MaxPerAddress = cfg.MaxConnections
	}
	if cfg.PingEvery == 0 {
		cfg.PingEvery = 10 * time.Second
	}
	if cfg.SlowAfter == 0 {
		cfg.SlowAfter = slowAfter
	}
	s := &Server{
		cfg: cfg, log: cfg.Log, metrics: newMetrics(cfg.Registerer), conns: map[*conn]struct{}{}, base: time.Now(),
		audiences: map[Room]*audience{},
	}
	if s.log == nil {
		s.log = zap.NewNop()
	}
	s.rings.most = maxRings
	s.guard = &door.Guard{
		Origins: door.NewOrigins(cfg.Origins), Places: door.NewPlaces(cfg.MaxConnections, cfg.MaxPerAddress),
		Refused: func(reason string) { s.metrics.refused.WithLabelValues(reason).Inc() },
	}
	s.upgraders = map[string]*gws.Upgrader{"": newUpgrader()}
	for _, p := range []string{proto.Subprotocol, proto.SubprotocolPlain} {
		s.upgraders[p] = newUpgrader(p)
	}
	s.ctx, s.stop = context.WithCancel(context.Background())
	s.wg.Go(s.sweep)
	return s
}

func newUpgrader(subprotocols ...string) *gws.Upgrader {
	return door.NewUpgrader(handler{}, proto.MaxClientMessage, subprotocols...)
}

// upgrader opens sockets with a subprotocol. One that is not ours is for a client that is told so.
func (s *Server) upgrader(subprotocol string) *gws.Upgrader {
	if u := s.upgraders[subprotocol]; u != nil {
		return u
	}
	return newUpgrader(subprotocol)
}

// add turns an admitted handshake into a connection. It is false when the server was closed meanwhile.
func (s *Server) add(c *conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		s.guard.Places.Give(c.addr)
		return false
	}
	s.conns[c] = struct{}{}
	s.metrics.connections.Inc()
	s.wg.Add(1) // here, where it cannot overtake Close
	return true
}

func (s *Server) remove(c *conn) {
	c.uncount()
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.conns[c]; ok {
		delete(s.conns, c)
		s.guard.Places.Give(c.addr)
		s.metrics.connections.Dec()
	}
}

// Sockets is how many sockets are open.
func (s *Server) Sockets() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}

// Written is how many bytes of messages were written to sockets since the server began.
func (s *Server) Written() uint64 { return s.metrics.written.Load() }

func (s *Server) all() []*conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]*conn, 0, len(s.conns))
	for c := range s.conns {
		list = append(list, c)
	}
	return list
}

// sweep pings every connection, and closes those of which nothing is heard, not even pongs. It looks four times for
// each ping, so that a peer that is gone is noticed within two.
func (s *Server) sweep() {
	ticker := time.NewTicker(max(1, s.cfg.PingEvery/4))
	defer ticker.Stop()
	for n := 1; ; n++ {
		select {
		case <-s.ctx.Done():
			return
		case <-ticker.C:
		}
		for _, c := range s.all() {
			switch {
			case c.silence() > s.cfg.PingEvery*7/4:
				c.Close(proto.Close{Code: proto.CodeIdle, Reason: "nothing was heard for too long"})
			case c.meter.Trickles():
				c.Close(proto.Close{Code: proto.CodeIdle, Reason: "a message was not finished in time"})
			case c.expires.Over(s.cfg.Keys):
				c.Close(tokenEnded)
			case n%4 == 0 && !c.ended.Load() && !c.Pipe.Congested():
				_ = c.WS.WritePing(nil) // an error ends the reader
			}
		}
	}
}

// Close closes every socket with a reason and waits for their goroutines, at most as long as ctx lives.
func (s *Server) Close(ctx context.Context) error {
	s.guard.Places.Close()
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	for _, c := range s.all() {
		c.Close(proto.Close{Code: proto.CodeNodeLeaving, Reason: "the server is shutting down"})
	}
	s.stop()
	done := make(chan struct{})
	go func() {
		s.wg.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("waiting for sockets to close: %w", ctx.Err())
	}
}
