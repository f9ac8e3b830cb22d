package playback

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"muster/match"
	"muster/proto"
)

// Bounds of one process's sessions.
const (
	maxSessions = 32
	// maxOwn is how many sessions a player may have.
	maxOwn = 2
	// maxBytes is how much all their files may have together, in bytes.
	maxBytes = 256 << 20
	// maxOpening is how many files are read at once, maxSeeking how many sessions run forward at once.
	maxOpening, maxSeeking = 2, 2
	// openTimeout bounds the reading of a file as a whole.
	openTimeout = 20 * time.Second
)

// Errors of [Sessions.Open], beside ErrFile and ErrView.
var (
	ErrGame   = errors.New("this server has no such game")
	ErrBusy   = errors.New("this server shows as many replays as it can")
	ErrMany   = fmt.Errorf("you have %d replays open; close one", maxOwn)
	ErrClosed = errors.New("the server is shutting down")
	// ErrStalled means that rules did not return in a replay here. Nothing more is shown by this process.
	ErrStalled = errors.New("the server shows no replays until it is replaced: the rules of one did not return")
)

// RulesError is the error of a recording that other rules made than those that are here.
type RulesError struct{ Game, Recorded, Here string }

// Error implements error.
func (e *RulesError) Error() string {
	return fmt.Sprintf("the replay was recorded with version %q of the rules of %s, and this server has version %q: "+
		"only the same rules play it the same", e.Recorded, e.Game, e.Here)
}

// Config is what Sessions need.
type Config struct {
	Games []match.Game // required
	// Process is this process's, by which other nodes know whose a session is; see [Process].
	Process    string
	Log        *zap.Logger
	Registerer prometheus.Registerer
	// LowMemory says whether the process is near its memory limit: then nothing is opened, and what is shown ends. May be
	// nil. Any goroutine calls it.
	LowMemory func() bool
	// Stalled is told why the process cannot be healthy again: rules did not return, and keep a core busy. May be nil. Any
	// goroutine calls it.
	Stalled func(why string)
}

// Sessions are those of one process. Any goroutine may use them.
type Sessions struct {
	cfg     Config
	log     *zap.Logger
	games   map[string]match.Game
	metrics *metrics
	ctx     context.Context //nolint:containedctx // the sessions' lifetime, ended by Close
	stop    context.CancelFunc
	wg      sync.WaitGroup
	opening chan struct{}
	seeking chan struct{}
	most    time.Duration // mostFor, but in tests
	allowed *allowance    // what all of them may run together
	stalled atomic.Bool   // rules did not return

	mu     sync.Mutex
	list   map[string]*Session
	reads  map[*reading]struct{}
	bytes  int64
	closed bool
}

// New returns running Sessions; Close ends them.
func New(cfg Config) *Sessions {
	m := &Sessions{
		cfg: cfg, log: cfg.Log, games: map[string]match.Game{}, metrics: newMetrics(cfg.Registerer), list: map[string]*Session{}, reads: map[*reading]struct{}{},
		opening: make(chan struct{}, maxOpening), seeking: make(chan struct{}, maxSeeking),
		most: mostFor, allowed: newAllowance(max(leastShare, allShare*float64(runtime.GOMAXPROCS(0))), allBurst),
	}
	if m.log == nil {
		m.log = zap.NewNop()
	}
	for _, g := range cfg.Games {
		m.games[g.Name()] = g
	}
	m.ctx, m.stop = context.WithCancel(context.Background())
	m.wg.Go(m.watch)
	return m
}

// newID is one that nobody guesses: 26 letters and digits.
func newID() string { return strings.ToLower(rand.Text()) }

// prefix begins the id of every session.
const prefix = "replay-"

// Process returns the process whose session has this id; ok is false for the id of anything else.
func Process(id string) (process string, ok bool) {
	rest, ok := strings.CutPrefix(id, prefix)
	process, _, found := strings.Cut(rest, "-")
	return process, ok && found && process != ""
}

// Request is a recording to be shown.
type Request struct {
	Owner string // the player's id
	View  string // as ViewOf reads it
	File  []byte // at most MaxFile bytes; it is the session's from here on
}

// Open begins to show a recording: paused, at its first tick. Errors: those above, *RulesError, and ctx's. What a player has
// open without anybody watching makes place for what he opens.
func (m *Sessions) Open(ctx context.Context, req Request) (*Session, error) {
	s, err := m.open(ctx, req)
	m.metrics.opened.WithLabelValues(resultOf(err)).Inc()
	return s, err
}

// resultOf is an outcome as the metric names it.
func resultOf(err error) string {
	var rules *RulesError
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, ErrGame):
		return "game"
	case errors.As(err, &rules):
		return "rules"
	case errors.Is(err, ErrStalled):
		return "stalled"
	case errors.Is(err, ErrView):
		return "view"
	case errors.Is(err, ErrFile):
		return "file"
	}
	return "busy"
}

func (m *Sessions) open(ctx context.Context, req Request) (*Session, error) {
	if len(req.File) > MaxFile {
		return nil, fmt.Errorf("%w: it has more than %d bytes", ErrFile, MaxFile)
	}
	m.mu.Lock()
	err := m.room(req) // before the work
	m.mu.Unlock()
	if err != nil {
		return nil, err
	}
	select {
	case m.opening <- struct{}{}:
	default:
		return nil, ErrBusy
	}
	s, err := m.readWatched(ctx, func(ctx context.Context, r *reading) (*Session, error) { return m.read(ctx, r, req) })
	if err == nil {
		err = m.begin(s, req)
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// room says whether there is room for one more; m.mu is held.
func (m *Sessions) room(req Request) error {
	own := 0
	var unwatched *Session
	for _, s := range m.list {
		if s.owner == req.Owner {
			own++
			if s.State().Viewers == 0 {
				unwatched = s
			}
		}
	}
	if own >= maxOwn && unwatched != nil {
		unwatched.End(proto.Close{Code: proto.CodeDone, Reason: "another replay was opened"})
		m.forget(unwatched)
		own--
	}
	switch {
	case m.closed:
		return ErrClosed
	case m.stalled.Load():
		return ErrStalled
	case m.cfg.LowMemory != nil && m.cfg.LowMemory():
		return ErrBusy
	case own >= maxOwn:
		return ErrMany
	case len(m.list) >= maxSessions, m.bytes+int64(len(req.File)) > maxBytes:
		return ErrBusy
	}
	return nil
}

// begin starts a session's goroutine.
func (m *Sessions) begin(s *Session, req Request) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.room(req); err != nil { // others may have come meanwhile
		return err
	}
	ctx, quit := context.WithCancel(m.ctx)
	s.quit = quit
	m.list[s.id] = s
	m.bytes += s.bytes
	m.metrics.sessions.Inc()
	m.wg.Add(1)
	s.part = sync.OnceFunc(func() { // by the goroutine, or by who gives it up
		close(s.done)
		m.wg.Done()
	})
	go func() {
		defer s.part()
		defer quit()
		s.run(ctx)
		m.mu.Lock()
		defer m.mu.Unlock()
		m.forget(s)
	}()
	return nil
}

// forget takes a session out, once; m.mu is held.
func (m *Sessions) forget(s *Session) {
	if m.list[s.id] != s {
		return
	}
	delete(m.list, s.id)
	m.bytes -= s.bytes
	m.metrics.sessions.Dec()
}

// Session returns a session by its id, or nil.
func (m *Sessions) Session(id string) *Session {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.list[id]
}

// turn lets one more session run forward, until leave is called, which may be more than once; few do at a time.
func (m *Sessions) turn() (leave func(), ok bool) {
	select {
	case m.seeking <- struct{}{}:
		return sync.OnceFunc(func() { <-m.seeking }), true
	default:
		return nil, false
	}
}

// Close ends all sessions and waits for them, at most as long as ctx lives.
func (m *Sessions) Close(ctx context.Context) error {
	m.mu.Lock()
	m.closed = true
	m.mu.Unlock()
	m.stop()
	done := make(chan struct{})
	go func() {
		m.wg.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("waiting for replays to end: %w", ctx.Err())
	}
}
