package live

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/lxzan/gws"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"muster/internal/door"
	"muster/lobby/inbox"
	"muster/lobby/keyspace"
	"muster/lobby/presence"
	"muster/proto"
	"muster/proto/token"
)

// Inbox is where events are read; [inbox.Store] is one.
type Inbox interface {
	Read(ctx context.Context, limit int64, asks ...inbox.Ask) ([]inbox.Page, error)
}

// Config is what a Server needs. The zero value of a field that is not required means its default, or that there is no
// such hook.
type Config struct {
	Keys  *token.Keys // required
	Inbox Inbox       // required
	// Authenticate returns whom a player token speaks for. Its error may have a status, as a handler's; else it is 401, with
	// one text for all causes. Required.
	Authenticate func(bearer string) (token.Player, error)
	// Presence is told of sockets, and answers presence.watch.
	Presence *presence.Tracker
	Handlers Handlers
	// Expand may replace an event's body when it is written to a socket, with what is true now and for its player alone.
	// It must not wait for long, five seconds at most. Where it fails, the event goes out as it is.
	Expand func(ctx context.Context, c Caller, e inbox.Event) (json.RawMessage, error)
	// Alive is told, every ten seconds, which players have sockets here.
	Alive func(ctx context.Context, players []string)
	// Admit counts a handshake with a good token against what an address and a player may make. Its error is answered as
	// a handler's is.
	Admit func(ctx context.Context, addr, player string) error
	// Count counts a request on a socket against what a player may make.
	Count func(ctx context.Context, player string) error

	// Origins are the hosts, besides the one that is asked, whose pages may open sockets.
	Origins []string
	// MaxConnections bounds the sockets of this process. Default 20,000.
	MaxConnections int
	// MaxPerAddress bounds the sockets of one remote address. Default MaxConnections: behind a proxy all have one.
	MaxPerAddress int
	// MaxPerPlayer bounds the sockets of one player in this process; the oldest gives way. Default 8.
	MaxPerPlayer int
	// PingEvery is the time between pings; a socket from which nothing comes for twice as long is closed with 4004.
	// Default 10 s.
	PingEvery time.Duration
	// SlowAfter is how long what was written to a socket may wait to be read; then it is closed with 4003. Default 10 s.
	SlowAfter  time.Duration
	Log        *zap.Logger
	Registerer prometheus.Registerer
}

// Server accepts the lobby's sockets. It is an http.Handler for the pattern "GET /v1/lobby". Any goroutine may use it.
type Server struct {
	cfg       Config
	log       *zap.Logger
	metrics   *metrics
	guard     *door.Guard
	upgraders map[string]*gws.Upgrader // by subprotocol; "" is none
	base      time.Time                // what times of sockets count from

	ctx  context.Context //nolint:containedctx // the sockets' lifetime, ended by Close
	stop context.CancelFunc
	wg   sync.WaitGroup

	mu       sync.Mutex
	conns    map[*conn]struct{}
	byPlayer map[string][]*conn          // by the player's digest, the oldest first
	watchers map[string]map[*conn]string // the watched player's digest → who watches, and the player
	closed   bool
	marked   []*conn // for the workers, each once
	work     *sync.Cond

	publishing chan published
}

// New returns a running Server; Close stops it.
func New(cfg Config) *Server {
	if cfg.MaxConnections == 0 {
		cfg.MaxConnections = 20_000
	}
	if cfg.MaxPerAddress == 0 {
		cfg.MaxPerAddress = cfg.MaxConnections
	}
	if cfg.MaxPerPlayer == 0 {
		cfg.MaxPerPlayer = 8
	}
	if cfg.PingEvery == 0 {
		cfg.PingEvery = 10 * time.Second
	}
	if cfg.SlowAfter == 0 {
		cfg.SlowAfter = 10 * time.Second
	}
	if cfg.Log == nil {
		cfg.Log = zap.NewNop()
	}
	s := &Server{
		cfg: cfg, log: cfg.Log, metrics: newMetrics(cfg.Registerer), base: time.Now(),
		conns: map[*conn]struct{}{}, byPlayer: map[string][]*conn{}, watchers: map[string]map[*conn]string{},
		publishing: make(chan published, maxPublishing),
	}
	s.work = sync.NewCond(&s.mu)
	s.guard = &door.Guard{
		Origins: door.NewOrigins(cfg.Origins), Places: door.NewPlaces(cfg.MaxConnections, cfg.MaxPerAddress),
		Refused: func(reason string) { s.metrics.refused.WithLabelValues(reason).Inc() },
	}
	s.upgraders = map[string]*gws.Upgrader{"": s.newUpgrader(), proto.SubprotocolLobby: s.newUpgrader(proto.SubprotocolLobby)}
	s.ctx, s.stop = context.WithCancel(context.Background())
	s.wg.Go(s.sweep)
	s.wg.Go(s.publisher)
	for range workers {
		s.wg.Go(s.deliver)
	}
	if cfg.Alive != nil {
		s.wg.Go(s.tellAlive)
	}
	return s
}

func (s *Server) newUpgrader(subprotocols ...string) *gws.Upgrader {
	return door.NewUpgrader(handler{}, MaxMessage, subprotocols...)
}

// ServeHTTP answers "GET /v1/lobby". Origin, token and limits are checked before the upgrade.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var p token.Player
	addr, ok := s.guard.Admit(w, r, func(bearer string) (refusal *door.Refusal) {
		var err error
		if p, err = s.cfg.Authenticate(bearer); err != nil {
			refusal = &door.Refusal{Reason: "token", Status: http.StatusUnauthorized, Detail: "a valid player token is needed"}
			if known(err) {
				p := problemOf(err)
				refusal.Status, refusal.Detail = p.Status, p.Detail
			}
		}
		return refusal
	})
	if !ok {
		return
	}
	if err := s.admit(r.Context(), addr, p.ID); err != nil {
		s.guard.Places.Give(addr)
		s.guard.Refuse(w, &door.Refusal{Reason: "limit", Status: err.Status, Detail: err.Detail, RetryAfter: err.RetryAfter})
		return
	}
	chosen, foreign := door.Choose(r, proto.SubprotocolLobby)
	with := s.upgraders[chosen]
	if with == nil {
		with = s.newUpgrader(chosen)
	}
	c := s.newConn(addr, Caller{Player: p, Host: r.Host, Secure: door.Secure(r)})
	c.Wire, ok = s.guard.Upgrade(w, r, addr, door.Upgrade{
		With: with, Held: c, Meter: c.meter, Owner: &s.wg, Patience: 2 * s.cfg.SlowAfter, Drained: c.drained,
	})
	if !ok {
		c.cancel()
		return
	}
	c.heardAt.Store(int64(time.Since(s.base)))
	oldest, ok := s.add(c)
	if !ok {
		c.cancel()
		c.Pipe.End()
		return
	}
	if oldest != nil {
		oldest.Close(proto.Close{Code: proto.CodeReplaced, Reason: "the player has opened more sockets than he may have"})
	}
	if foreign != "" { // a browser cannot read why an upgrade was refused, so it is told on the socket
		c.Close(proto.Close{Code: proto.CodeVersion, Reason: "the server speaks " + proto.SubprotocolLobby + ", the client offers " + foreign})
	}
	go c.live()
}

func (s *Server) admit(ctx context.Context, addr, player string) *Problem {
	if s.cfg.Admit == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if err := s.cfg.Admit(ctx, addr, player); err != nil {
		return problemOf(err)
	}
	return nil
}

// add takes a socket in. It is false when the server was closed meanwhile. oldest is one that must give way.
func (s *Server) add(c *conn) (oldest *conn, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		s.guard.Places.Give(c.addr)
		return nil, false
	}
	open := 0
	for _, other := range s.byPlayer[c.digest] {
		if !other.ended.Load() {
			if open++; oldest == nil {
				oldest = other
			}
		}
	}
	if open < s.cfg.MaxPerPlayer {
		oldest = nil
	}
	s.conns[c] = struct{}{}
	s.byPlayer[c.digest] = append(s.byPlayer[c.digest], c)
	s.metrics.connections.Inc()
	s.wg.Add(1) // here, where it cannot overtake Close
	if s.cfg.Presence != nil {
		s.cfg.Presence.Connected(c.player)
	}
	return oldest, true
}

func (s *Server) remove(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	s.guard.Places.Give(c.addr)
	s.metrics.connections.Dec()
	if list := slices.DeleteFunc(s.byPlayer[c.digest], func(o *conn) bool { return o == c }); len(list) > 0 {
		s.byPlayer[c.digest] = list
	} else {
		delete(s.byPlayer, c.digest)
	}
	s.unwatch(c)
	if s.cfg.Presence != nil {
		s.cfg.Presence.Disconnected(c.player)
	}
}

func (s *Server) all() []*conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]*conn, 0, len(s.conns))
	for c := range s.conns {
		list = append(list, c)
	}
	return list
}

// Drain closes every socket with 4002 and refuses new ones: their players come back elsewhere.
func (s *Server) Drain() {
	s.guard.Places.Close()
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	for _, c := range s.all() {
		c.Close(proto.Close{Code: proto.CodeNodeLeaving, Reason: "the server is shutting down"})
	}
}

// Close drains and waits for all goroutines, at most as long as ctx lives.
func (s *Server) Close(ctx context.Context) error {
	s.Drain()
	s.stop()
	s.mu.Lock()
	s.work.Broadcast()
	s.mu.Unlock()
	done := make(chan struct{})
	go func() {
		s.wg.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("waiting for lobby sockets to close: %w", ctx.Err())
	}
}

// digestOf names a player in notices.
func digestOf(player string) string { return keyspace.Digest(player) }

var errEnded = errors.New("the socket has ended")
