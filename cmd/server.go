package cmd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/redis/go-redis/v9"
	"go.uber.org/zap"

	"muster/lobby"
	"muster/match"
	"muster/match/bridge"
	"muster/match/cluster"
	"muster/match/edge"
	"muster/match/journal"
	"muster/match/node"
	"muster/match/playback"
	"muster/proto/token"
)

// Times of the HTTP server. A long poll takes up to 30 s of writeTimeout; sockets have deadlines of their own.
const (
	headerTimeout = 5 * time.Second
	readTimeout   = 15 * time.Second
	writeTimeout  = 40 * time.Second
	idleTimeout   = time.Minute
	maxHeader     = 16 << 10
	// stopTimeout bounds a clean stop.
	stopTimeout = 10 * time.Second
	// requestGrace is how long requests go on after that; a connection that was opened and says nothing counts as one.
	requestGrace = time.Second
	// startTimeout bounds what a start asks of Redis.
	startTimeout = 5 * time.Second
)

// server is everything that one process serves.
type server struct {
	set    *settings
	keys   *token.Keys
	log    *zap.Logger
	url    string   // where it is reached on this machine
	games  []string // their names
	played []string // paths of the games' pages

	rdb      redis.UniversalClient         // for what does not wait for others; nil where Redis is embedded
	closers  []func(context.Context) error // in the order of starting
	host     *match.Host
	replays  journal.Store // nil: no match leaves one
	shown    *playbacks
	edge     *edge.Server
	opener   *node.Opener
	claims   *node.Claimer
	links    *cluster.Links // nil, like bridge: an embedded Redis has no other nodes
	bridge   *bridge.Bridge
	member   atomic.Pointer[cluster.Member]
	ends     atomic.Bool // it stops: no new rooms
	lobby    *lobby.Lobby
	http     *http.Server
	overview *overview
	asked    *requests
	sent     flow // of bytes to sockets of matches; describe's
	// draining says that an operator wants no new rooms here.
	draining atomic.Bool
	failed   chan error // the HTTP server's end before Close
}

// startServer starts lobby, host and edge on one port. The caller closes it.
func startServer(ctx context.Context, set *settings, games []Game, keys *token.Keys, log *zap.Logger) (s *server, err error) {
	s = &server{set: set, keys: keys, log: log, failed: make(chan error, 1)}
	defer func() {
		if err != nil { // what was started ends again
			stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
			defer cancel()
			err = errors.Join(err, s.Close(stop))
			s = nil
		}
	}()
	if games, err = set.recorded(games); err != nil {
		return s, err
	}
	if err := checkNames(games); err != nil {
		return s, err
	}
	for i := range games {
		s.games = append(s.games, games[i].Name())
	}
	if err := set.checkCrashes(); err != nil {
		return s, err
	}
	listener, err := listen(set.Listen)
	if err != nil {
		return s, err
	}
	s.onClose(func(context.Context) error { _ = listener.Close(); return nil }) // Shutdown has done it, usually
	s.url = "http://" + listener.Addr().String()

	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	rdb, err := s.redis(ctx)
	if err != nil {
		return s, err
	}
	s.overview = &overview{rdb, set.Namespace, cluster.NewNodes(rdb, set.Namespace, log)}
	games = withDashboard(games, s.overview.report)
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "muster_info", Help: "1; the labels say what this server is.",
		ConstLabels: prometheus.Labels{"version": version(), "role": set.role(), "region": set.Region},
	}, func() float64 { return 1 }))
	node := s.node(listener.Addr(), games)
	if err := sameKey(ctx, cluster.NewNodes(rdb, set.Namespace, log), node); err != nil {
		return s, err
	}
	s.onClose(func(ctx context.Context) error { // last of what uses Redis: what ran here may be claimed then
		if s.links != nil {
			s.links.Close()
		}
		if m := s.member.Load(); m != nil {
			m.Leave(ctx)
		}
		return nil
	})
	if err := s.startMatches(rdb, games, node.Process, registry); err != nil {
		return s, err
	}
	if err := s.startLobby(rdb, games, registry); err != nil {
		return s, err
	}
	if err := s.join(ctx, rdb, node, registry); err != nil {
		return s, err
	}
	s.claims.Start(s.member.Load())
	if s.links != nil {
		s.links.Start()
	}
	s.followDrain(cluster.NewNodes(rdb, set.Namespace, log), node)
	if err := s.serve(listener, games, registry); err != nil {
		return s, err
	}
	s.onClose(func(context.Context) error { // no more matches
		s.ends.Store(true)
		s.member.Load().Refresh()
		return nil
	})
	return s, nil
}

// join takes this process's place among the nodes. Its lease has connections of its own: whatever else waits for Redis
// does not delay it.
func (s *server) join(ctx context.Context, rdb redis.UniversalClient, self cluster.Node, reg prometheus.Registerer) (err error) {
	if s.set.Redis != "" {
		if rdb, err = s.set.Access.of(s.set.Redis).Connect(ctx); err != nil {
			return err //nolint:wrapcheck // says what it did
		}
		lease := rdb
		s.closers = append([]func(context.Context) error{func(context.Context) error { return lease.Close() }}, s.closers...)
	}
	member, err := cluster.NewNodes(rdb, s.set.Namespace, s.log).Join(ctx, cluster.MemberConfig{
		Node: self, Key: s.keys.Subkey("probe"), Lease: s.set.Lease, Alone: s.set.Alone || s.set.Redis == "", Registerer: reg,
		Now:  s.describe,
		Hold: s.host.HoldUntil,
		Dead: func(id string) {
			s.claims.Dead(id)
			if s.bridge != nil {
				s.bridge.Gone(id) // whose clients here come again at once
			}
		},
		Forgot: s.host.Rewrite,
		Fenced: func(string, string) { s.host.Abandon("the match goes on elsewhere") },
	})
	if err != nil {
		return err //nolint:wrapcheck // says what it did
	}
	s.member.Store(member)
	return nil
}

// self is this process's newest incarnation; "" before it has joined, when nobody comes.
func (s *server) self() string {
	if m := s.member.Load(); m != nil {
		return m.ID()
	}
	return ""
}

// steady says whether this process knows what others run, see lobby.Config. Redis knows of it itself then.
func (s *server) steady(live map[string]cluster.Node) bool {
	if s.set.Alone || s.set.Redis == "" {
		return true
	}
	m := s.member.Load()
	if m == nil || !m.Steady() {
		return false
	}
	_, ok := live[m.ID()]
	return ok
}

func (s *server) onClose(f func(context.Context) error) { s.closers = append(s.closers, f) }

// Close stops everything, the newest first: no more matches, then rooms and their sockets with a reason, then the rest.
func (s *server) Close(ctx context.Context) error {
	var errs []error
	for i := len(s.closers) - 1; i >= 0; i-- {
		errs = append(errs, s.closers[i](ctx))
	}
	s.closers = nil
	return errors.Join(errs...)
}

// listen opens the port, with an error that a person can act on.
func listen(addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("port %s is in use: another server runs there; choose another with --listen", addr)
	case err != nil:
		return nil, fmt.Errorf("listening on %s: %w", addr, err)
	}
	return edge.Listener{Listener: l}, nil
}

func (s *server) redis(ctx context.Context) (redis.UniversalClient, error) {
	if s.set.Redis == "" {
		rdb, stop := cluster.Embedded()
		s.onClose(func(context.Context) error { stop(); return nil })
		return cluster.Batched(rdb), nil
	}
	rdb, err := s.set.Access.of(s.set.Redis).Connect(ctx)
	if err != nil {
		return nil, err //nolint:wrapcheck // says what it did
	}
	s.onClose(func(context.Context) error { return rdb.Close() })
	s.rdb = rdb
	return cluster.Batched(rdb), nil
}

func (s *server) startMatches(rdb redis.UniversalClient, games []Game, process string, reg prometheus.Registerer) error {
	dir := cluster.NewDirectory(rdb, s.set.Namespace)
	defined, rules := make([]match.Game, len(games)), map[string]match.Rules{}
	for i := range games {
		defined[i] = games[i].Game
		if s.set.hosts() { // else it goes on with nobody's rooms
			rules[games[i].Name()] = games[i].Rules()
		}
	}
	counted := journal.NewMetrics(reg)
	var err error
	if s.replays, err = s.journals(rdb, counted); err != nil {
		return err
	}
	dir.Ordered = func(room string) { s.host.Ordered(room, true) } // it is there before the first room
	own := node.NewDirectory(dir)
	host, err := match.NewHost(match.HostConfig{
		Games: defined, Directory: own, Ended: own.Ended, Log: s.log, Registerer: reg,
		Journals: s.replays, JournalMetrics: counted, Orders: node.Orders{Dir: dir}, Crashes: s.set.crashes(), Version: version(),
		SpectatorBytes: int64(s.set.WatchMem) << 20,
		Alone:          s.set.Redis == "", // which ends with this process
	})
	if err != nil {
		return err //nolint:wrapcheck // names the games
	}
	s.host = host
	s.opener = &node.Opener{
		Host: host, Dir: dir, Own: own, Self: s.self, Games: rules, Log: s.log,
		Saw: func(epoch uint64) {
			if m := s.member.Load(); m != nil {
				m.Saw(epoch)
			}
		},
	}
	nodes := cluster.NewNodes(rdb, s.set.Namespace, s.log)
	s.claims = node.NewClaimer(node.ClaimerConfig{
		Opener: s.opener, Live: nodes.Live, Crashed: node.Crashed, Journals: s.replays, Log: s.log,
	})
	rooms := &node.Rooms{Opener: s.opener, Claims: s.claims, Nodes: nodes, Cut: func() (cut, paused bool) { return s.member.Load().Cut() }}
	s.shown = &playbacks{
		sessions: playback.New(playback.Config{
			Games: defined, Process: process, Log: s.log, Registerer: reg, LowMemory: host.LowMemory, Stalled: host.Condemn,
		}),
		store: s.replays, process: process, nodes: nodes, exports: make(chan struct{}, maxExports),
	}
	s.shown.peers = &playbackPeers{key: s.keys.Subkey("replays"), client: newPeerClient(), answer: s.shown.answer}
	rooms.Replays = s.shown.find
	s.startBridge(rooms, reg)
	s.edge = edge.New(edge.Config{
		Rooms: rooms, Keys: s.keys, Log: s.log, Registerer: reg, Origins: s.set.Origins,
		SlowAfter: s.set.SlowAfter,
		Seated:    func(player string, begins bool) { s.lobby.Seated(player, begins) }, // it is there before the first socket
	})
	s.onClose(s.edge.Close)
	s.onClose(s.shown.sessions.Close)
	s.onClose(host.Close) // flushes the journals: before Redis is closed
	s.onClose(func(context.Context) error { s.claims.Close(); return nil })
	return nil
}

// startBridge makes rooms find those of other nodes, and be found. An embedded Redis has no other nodes.
func (s *server) startBridge(rooms *node.Rooms, reg prometheus.Registerer) {
	if s.set.Redis == "" {
		return
	}
	var b *bridge.Bridge
	links := cluster.NewLinks(cluster.LinksConfig{
		Redis: s.rdb, Namespace: s.set.Namespace, Key: s.keys.Subkey("links"), Self: s.opener.Self, Log: s.log, Registerer: reg,
		Receive: func(from string, msg []byte) { b.Receive(from, msg) },
		Gap:     func(from string) { b.Gap(from) },
		Gone:    func(from string) { b.Gone(from) },
	})
	b = bridge.New(bridge.Config{Network: links, Find: rooms.Find, Log: s.log, Registerer: reg})
	rooms.Bridge = b
	s.links, s.bridge = links, b
	s.onClose(b.Close)
}

func (s *server) startLobby(rdb redis.UniversalClient, games []Game, reg prometheus.Registerer) error {
	cfg := lobby.Config{
		Redis: rdb, Namespace: s.set.Namespace, Keys: s.keys, Hostless: !s.set.hosts(), Steady: s.steady, Guests: s.set.development(), OpenAdmin: s.set.development(), AddressRate: s.set.AddrRate,
		Version: version(), Log: s.log, Registerer: reg, Origins: s.set.Origins, SlowAfter: s.set.SlowAfter,
		Ordered: func(room string) { s.host.Ordered(room, false) },
		Filter:  filters(games),
	}
	if set := s.set; set.Sigma != 0 { // else nobody chose: a load test's own server
		var err error
		if cfg.Ratings, err = ratingModel("--rating-", set.Sigma, set.Beta, set.Tau); err != nil {
			return err
		}
	}
	if s.replays != nil {
		cfg.Replays, cfg.ReplaysFor = newExports(s.replays, s.log), s.set.KeepFor // players do not take operators' places
	}
	if s.set.serves() {
		cfg.Replayer = s.shown
	}
	opened := map[string]bool{}
	for _, name := range s.set.OpenFor {
		opened[name] = true
	}
	for _, g := range games {
		r := g.Rules()
		cfg.Games = append(cfg.Games, lobby.Game{
			Name: g.Name(), Rules: r.Version, Seats: r.Seats, Persist: r.Persist, Config: r.Config, CheckConfig: g.CheckConfig,
			Watch: r.Spectators > 0, Delay: r.SpectatorDelay, Role: r.Role, OpenReplays: opened[g.Name()],
		})
		if opened[g.Name()] && r.Persist {
			return fmt.Errorf("--open-replays %s: the game's rooms go on after their results, and a replay shows what is hidden in them", g.Name())
		}
		delete(opened, g.Name())
	}
	for name := range opened {
		return noGame("--open-replays "+name, games)
	}
	queues := newQueues(s.set.Queues, games, s.log, reg)
	rules, err := queues.read()
	if err != nil {
		return err
	}
	if cfg.Queues = rules; !s.set.serves() {
		cfg.Queues, cfg.EdgeOnly = nil, true
	}
	l, err := lobby.New(cfg)
	if err != nil {
		return err //nolint:wrapcheck // names the queue
	}
	s.lobby = l
	s.onClose(func(context.Context) error { l.Close(); return nil })
	switch {
	case s.set.Queues != "" && s.set.serves():
		s.onClose(onHangup(func() { queues.reload(l.SetQueues) }))
	case s.set.Queues != "" || !s.set.development(): // one hangup for all servers must not end those that have nothing to read
		s.onClose(onHangup(func() { s.log.Info("a hangup was ignored: this server reads no file of queues") }))
	}
	return nil
}

// serve starts the HTTP server.
func (s *server) serve(listener net.Listener, games []Game, registry *prometheus.Registry) error {
	routes, err := s.routes(games, registry)
	if err != nil {
		return err
	}
	s.http = &http.Server{
		Handler: routes, ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout,
		WriteTimeout: writeTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
	}
	s.http.ErrorLog, _ = zap.NewStdLogAt(s.log, zap.DebugLevel) // what strangers send; the level exists
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := s.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.failed <- fmt.Errorf("serving: %w", err)
		}
	}()
	// Idle long polls end with the lobby, which is closed after this: they must not keep Shutdown waiting.
	s.onClose(func(ctx context.Context) error {
		s.lobby.Drain()
		ctx, cancel := context.WithTimeout(ctx, requestGrace)
		defer cancel()
		err := s.http.Shutdown(ctx)
		if err != nil {
			err = s.http.Close()
		}
		<-done
		return err //nolint:wrapcheck // joined with others
	})
	return nil
}
