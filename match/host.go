package match

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
)

// HostConfig is what a Host needs. The zero value of a field that is not required means its default.
type HostConfig struct {
	Games      []Game    // required
	Directory  Directory // required
	Log        *zap.Logger
	Registerer prometheus.Registerer
	// RenewEvery is how often the directory is told that rooms are alive. Default 10 s.
	RenewEvery time.Duration
}

// Host runs the rooms of one process. Any goroutine may use it.
type Host struct {
	games   map[string]*Game
	dir     Directory
	log     *zap.Logger
	metrics *metrics
	renew   time.Duration
	base    time.Time // what the rooms' ticks are spread from

	ctx   context.Context //nolint:containedctx // the rooms' lifetime, ended by Close
	stop  context.CancelFunc
	wg    sync.WaitGroup
	freed chan freedSeat

	mu     sync.Mutex
	rooms  map[string]*Instance
	opened uint32 // how many rooms ever were
	closed bool
}

// Errors of [Host.Open].
var (
	ErrNoGame = errors.New("no such game")
	ErrClosed = errors.New("the host is shutting down")
)

// freedSeats bounds the freed seats that the directory was not told of yet. More are dropped and counted: their
// reservations end with the room.
const freedSeats = 4096

type freedSeat struct {
	room  string
	epoch uint64
	seat  uint16
}

// NewHost returns a running host; Close stops it. A game that was not well defined is an error that names it.
func NewHost(cfg HostConfig) (*Host, error) {
	h := &Host{
		games: map[string]*Game{}, rooms: map[string]*Instance{}, dir: cfg.Directory, log: cfg.Log,
		metrics: newMetrics(cfg.Registerer), renew: cfg.RenewEvery, freed: make(chan freedSeat, freedSeats),
		base: time.Now(),
	}
	if h.log == nil {
		h.log = zap.NewNop()
	}
	if h.renew == 0 {
		h.renew = 10 * time.Second
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
	h.wg.Go(h.tellFreed)
	return h, nil
}

// Open starts a room, or returns the one that runs under the same id. Errors: ErrNoGame, ErrClosed.
func (h *Host) Open(spec Spec) (*Instance, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, ErrClosed
	}
	if rm := h.rooms[spec.ID]; rm != nil {
		return rm, nil
	}
	g := h.games[spec.Game]
	if g == nil {
		return nil, fmt.Errorf("opening room %s: %w: %q", spec.ID, ErrNoGame, spec.Game)
	}
	rm := newInstance(g, spec, h)
	h.rooms[spec.ID] = rm
	h.metrics.rooms.Inc()
	h.opened++
	n := h.opened
	h.wg.Go(func() {
		rm.run(h.ctx, h.phase(n, rm.period))
		h.mu.Lock()
		delete(h.rooms, spec.ID)
		h.mu.Unlock()
		h.metrics.rooms.Dec()
	})
	return rm, nil
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

// freeSeat notes that the directory should hear of a free seat. Rooms call it from their ticks.
func (h *Host) freeSeat(room string, epoch uint64, seat uint16) {
	select {
	case h.freed <- freedSeat{room, epoch, seat}:
	default:
		h.metrics.freesDropped.Inc()
	}
}

// tellFreed tells the directory of seats that became free.
func (h *Host) tellFreed() {
	for {
		select {
		case <-h.ctx.Done():
			return
		case f := <-h.freed:
			ctx, cancel := context.WithTimeout(h.ctx, callTimeout)
			if err := h.dir.FreeSeat(ctx, f.room, f.epoch, f.seat); err != nil && h.ctx.Err() == nil {
				h.log.Warn("telling the directory of a free seat failed", zap.String("room", f.room), zap.Error(err))
			}
			cancel()
		}
	}
}

// renewRooms keeps the directory's records of running rooms alive.
func (h *Host) renewRooms() {
	ticker := time.NewTicker(h.renew)
	defer ticker.Stop()
	for {
		select {
		case <-h.ctx.Done():
			return
		case <-ticker.C:
		}
		h.mu.Lock()
		rooms := make([]*Instance, 0, len(h.rooms))
		for _, rm := range h.rooms {
			rooms = append(rooms, rm)
		}
		h.mu.Unlock()
		for _, rm := range rooms {
			ctx, cancel := context.WithTimeout(h.ctx, callTimeout)
			if err := h.dir.Renew(ctx, rm.spec.ID, rm.spec.Epoch); err != nil && h.ctx.Err() == nil {
				h.log.Warn("renewing a room failed", zap.String("room", rm.spec.ID), zap.Error(err))
			}
			cancel()
		}
	}
}
