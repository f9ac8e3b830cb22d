package match

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"muster/internal/complaint"
	"muster/match/journal"
)

// HostConfig is what a Host needs. The zero value of a field that is not required means its default.
type HostConfig struct {
	Games      []Game    // required
	Directory  Directory // required
	Log        *zap.Logger
	Registerer prometheus.Registerer
	// RenewEvery is how often the directory is told that rooms are alive. Default 10 s.
	RenewEvery time.Duration
	// Journals is where rooms whose rules want it keep what outlives them. Without it every room is of class None.
	Journals journal.Store
	// JournalMetrics is what they count. Nil means some that are registered with Registerer.
	JournalMetrics *journal.Metrics
	// Alone says that no other process could go on with what runs here: a room whose rules do not return is over at once.
	Alone bool
	// Orders is where orders for rooms wait. nil: rooms take none.
	Orders OrderBook
	// Crashes is a directory for replays of what led to a panic or a hang of the rules, at most 100. "" keeps none.
	Crashes string
	// Version is the server's, for the head of replays.
	Version string
	// Ended, if it is not nil, is told once of each room that has ended here. done says that all was written that was to be. It is
	// false where the directory did not answer in time, for one that could not read what it was to go on from, and for one
	// that was abandoned: somebody has to go on with these, or does.
	Ended func(room string, epoch uint64, done bool)
	// SpectatorBytes bounds what all rooms keep for those who watch, together. Beside it each room has a bound of 32 MiB.
	// Default DefaultSpectatorBytes.
	SpectatorBytes int64
	// StallAfter is how long a call of a game's rules may take before its room is given up and the process is no longer
	// healthy. Default 800 ms, so that one that never returns is found within a second.
	StallAfter time.Duration
}

// Host runs the rooms of one process. Any goroutine may use it.
type Host struct {
	games   map[string]*Game
	dir     Directory
	log     *zap.Logger
	metrics *metrics
	cfg     HostConfig
	base    time.Time // what the rooms' ticks are spread from

	ctx      context.Context //nolint:containedctx // the rooms' lifetime, ended by Close
	stop     context.CancelFunc
	wg       sync.WaitGroup
	news     chan news
	turns    chan *Instance // rooms whose orders are to be served
	rewrite  chan struct{}  // one wish to tell the directory of all rooms
	load     load
	kept     keptBudget
	crashes  atomic.Int32 // replays of panics
	said     complaint.Book
	journals *journal.Metrics
	gate     gate
	unfit    atomic.Pointer[string] // why the process cannot be healthy again

	mu     sync.Mutex
	rooms  map[string]*Instance
	opened uint32 // how many rooms ever were
	closed bool
}

// Errors of [Host.Open].
var (
	ErrNoGame = errors.New("no such game")
	ErrClosed = errors.New("the host is shutting down")
	ErrLoaded = errors.New("the host takes no more rooms now")
)

// NewHost returns a running host; Close stops it. A game that was not well defined is an error that names it.
func NewHost(cfg HostConfig) (*Host, error) {
	h := &Host{
		games: map[string]*Game{}, rooms: map[string]*Instance{}, dir: cfg.Directory, log: cfg.Log,
		metrics: newMetrics(cfg.Registerer), journals: cfg.JournalMetrics, cfg: cfg, news: make(chan news, maxNews), turns: make(chan *Instance, maxOrderTurns), rewrite: make(chan struct{}, 1),
		base: time.Now(),
	}
	h.HoldUntil(time.Time{})
	if h.log == nil {
		h.log = zap.NewNop()
	}
	if h.journals == nil {
		h.journals = journal.NewMetrics(cfg.Registerer)
	}
	if h.cfg.RenewEvery == 0 {
		h.cfg.RenewEvery = 10 * time.Second
	}
	if h.kept.most = cfg.SpectatorBytes; h.kept.most == 0 {
		h.kept.most = DefaultSpectatorBytes
	}
	h.metrics.keptLimit.Set(float64(h.kept.most))
	if h.cfg.StallAfter == 0 {
		h.cfg.StallAfter = 800 * time.Millisecond
	}
	var errs []error
	for _, g := range cfg.Games {
		if g.err != nil {
			errs = append(errs, g.err)
			continue
		}
		if h.games[g.name] != nil {
			errs = append(errs, fmt.Errorf("game %q is defined twice", g.name))
		}
		h.games[g.name] = &g
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	h.ctx, h.stop = context.WithCancel(context.Background())
	h.wg.Go(h.renewRooms)
	h.wg.Go(h.tellNews)
	h.wg.Go(h.watch)
	if cfg.Orders != nil {
		for range orderWorkers {
			h.wg.Go(h.workOrders)
		}
	}
	return h, nil
}

// Open starts a room, or returns the one that runs under the same id. Errors: ErrNoGame, ErrConfig, ErrClosed, and ErrLoaded when
// the process is near its memory limit or Unfit. Ticks that are late alone refuse no room whose seats are given already:
// that no others are given is for those to see who read Full.
func (h *Host) Open(spec Spec) (*Instance, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.takesLocked(spec); err != nil {
		return nil, err
	}
	if rm := h.rooms[spec.ID]; rm != nil {
		return rm, nil
	}
	g := h.games[spec.Game]
	rm := newInstance(g, spec, h)
	ctx, quit := context.WithCancel(h.ctx)
	rm.quit = quit
	h.rooms[spec.ID] = rm
	h.metrics.rooms.Inc()
	h.opened++
	n := h.opened
	if rm.broadcast.delayed() {
		h.wg.Go(func() { rm.broadcast.run(h.ctx) })
	}
	h.wg.Go(func() {
		defer quit()
		done := rm.run(ctx, h.phase(n, rm.period))
		h.forget(rm)
		if !rm.givenUp() {
			rm.ended(done)
		}
	})
	return rm, nil
}

// Takes says why Open would not take a room now, by the same errors; nil where it would. Who writes down that a room is about
// to run asks before.
func (h *Host) Takes(spec Spec) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.takesLocked(spec)
}

// takesLocked is Takes, with mu held.
func (h *Host) takesLocked(spec Spec) error {
	if h.closed {
		return ErrClosed
	}
	if h.rooms[spec.ID] != nil {
		return nil
	}
	g := h.games[spec.Game]
	if g == nil {
		return fmt.Errorf("opening room %s: %w: %q", spec.ID, ErrNoGame, spec.Game)
	}
	if err := g.CheckConfig(spec.Config); err != nil {
		return fmt.Errorf("opening room %s: %w", spec.ID, err)
	}
	if why := h.refuses(); why != "" {
		return fmt.Errorf("opening room %s: %w: %s", spec.ID, ErrLoaded, why)
	}
	return nil
}

// forget takes a room that is over out of the host's; one that was given up is out already.
func (h *Host) forget(rm *Instance) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.rooms[rm.spec.ID] == rm {
		delete(h.rooms, rm.spec.ID)
		h.metrics.rooms.Dec()
	}
}

// ended tells whoever wants to know that the room has ended, and whether all is written that was to be.
func (rm *Instance) ended(done bool) {
	rm.endedOnce.Do(func() {
		if f := rm.host.cfg.Ended; f != nil {
			f(rm.spec.ID, rm.spec.Epoch, done)
		}
	})
}

// all returns the rooms that run now.
func (h *Host) all() []*Instance {
	h.mu.Lock()
	defer h.mu.Unlock()
	rooms := make([]*Instance, 0, len(h.rooms))
	for _, rm := range h.rooms {
		rooms = append(rooms, rm)
	}
	return rooms
}

// Room returns a running room, or nil.
func (h *Host) Room(id string) *Instance {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.rooms[id]
}

// Close ends every room with a reason and waits for them, at most as long as ctx lives.
func (h *Host) Close(ctx context.Context) error {
	h.mu.Lock()
	h.closed = true
	h.mu.Unlock()
	h.stop()
	done := make(chan struct{})
	go func() {
		h.wg.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("waiting for rooms to end: %w", ctx.Err())
	}
}

// phase is how long the n-th room waits before its tick 0, so that rooms are spread over the tick's interval however many
// there are and whenever they open: each next one begins 0.618 of an interval behind the one before, by the host's clock.
func (h *Host) phase(n uint32, period time.Duration) time.Duration {
	const golden = 2654435769                                  // of 2^32
	at := time.Duration(int64(n*golden) * int64(period) >> 32) // a period is at most a second: no overflow
	return (at - time.Since(h.base)%period + period) % period
}
