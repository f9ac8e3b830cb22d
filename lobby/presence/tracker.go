package presence

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/zap"

	"muster/lobby/keyspace"
	"muster/match/cluster"
)

const (
	// ttl is how long a field lasts; it is renewed each renewEvery.
	ttl        = time.Minute
	renewEvery = 20 * time.Second
	// linger is how long a player counts as there after his last socket: one that is lost comes back in that time.
	linger = 5 * time.Second
	// lookEvery is how often the Tracker looks for what is due, and tries again what failed.
	lookEvery = time.Second
	// maxQueued bounds the changes of queues that wait to be written, and about how many players are to be written who are
	// here no more; what does not fit is lost, and ends by itself.
	maxQueued = 4096
)

// Config is what a Tracker needs.
type Config struct {
	Redis     redis.UniversalClient                       // required
	Namespace string                                      // required
	Publish   func(context.Context, cluster.Notice) error // required; a lost notice costs a wait until the next look
	// Allow says for each of the watched whether the watcher may see him. nil: everybody may see everybody.
	Allow func(ctx context.Context, watcher string, watched []string) ([]bool, error)
	Log   *zap.Logger
}

// Tracker writes who is there. Close stops it. Any goroutine may use it; what has no context does not wait for Redis.
type Tracker struct {
	cfg Config
	id  string

	stop context.CancelFunc
	wg   sync.WaitGroup
	wake chan struct{}

	mu    sync.Mutex
	held  map[holding]*hold
	dirty map[holding]struct{}
	queue map[holding]time.Duration // changes of queues that are to be written
}

// holding is a field of a player's hash.
type holding struct{ player, field string }

// hold is a field that this process keeps.
type hold struct {
	count int       // sockets
	ends  time.Time // when it is removed, once the count is 0
}

// New returns a running Tracker.
func New(cfg Config) *Tracker {
	if cfg.Log == nil {
		cfg.Log = zap.NewNop()
	}
	t := &Tracker{
		cfg: cfg, id: cluster.NewID(), wake: make(chan struct{}, 1),
		held: map[holding]*hold{}, dirty: map[holding]struct{}{}, queue: map[holding]time.Duration{},
	}
	ctx, stop := context.WithCancel(context.Background())
	t.stop = stop
	t.wg.Go(func() { t.run(ctx) })
	return t
}

// Connected says that a player has one more socket to this process's lobby, Disconnected that it has ended.
func (t *Tracker) Connected(player string) { t.change(holding{player, fieldSocket + t.id}, 1) }

// Disconnected undoes Connected.
func (t *Tracker) Disconnected(player string) { t.change(holding{player, fieldSocket + t.id}, -1) }

// Seated says that a player has one more socket to a match in this process, Unseated that it has ended.
func (t *Tracker) Seated(player string) { t.change(holding{player, fieldMatch + t.id}, 1) }

// Unseated undoes Seated.
func (t *Tracker) Unseated(player string) { t.change(holding{player, fieldMatch + t.id}, -1) }

// Queued says that a player waits in a queue for as long as d; 0 is no longer.
func (t *Tracker) Queued(player, queue string, d time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	h := holding{player, fieldQueue + queue}
	if _, known := t.queue[h]; !known && len(t.queue) >= maxQueued {
		return
	}
	t.queue[h] = d
	t.poke()
}

// Changed says that who may see a player has changed: those who watch him look again.
func (t *Tracker) Changed(ctx context.Context, player string) {
	if err := t.cfg.Publish(ctx, cluster.Notice{Kind: Notice, ID: keyspace.Digest(player)}); err != nil {
		t.cfg.Log.Debug("a change of presence was not announced", zap.Error(err))
	}
}

// States returns how a watcher sees players, in their order. Of one whom he may not see, and of one who does not exist,
// he sees that he is offline.
func (t *Tracker) States(ctx context.Context, watcher string, players []string) ([]State, error) {
	states, err := t.read(ctx, players)
	if err != nil {
		return nil, err
	}
	var may []bool // nil: all
	if t.cfg.Allow != nil {
		if may, err = t.cfg.Allow(ctx, watcher, players); err != nil {
			return nil, fmt.Errorf("asking who may watch: %w", err)
		}
	}
	list := make([]State, len(players))
	for i, p := range players {
		list[i] = State{Player: p, State: Offline}
		if p == watcher || t.cfg.Allow == nil || i < len(may) && may[i] {
			list[i].State = states[i]
		}
	}
	return list, nil
}

func (t *Tracker) poke() {
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// change counts a socket more or less.
func (t *Tracker) change(key holding, by int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	h := t.held[key]
	if h == nil {
		if by < 0 {
			return // Close has removed it
		}
		h = &hold{}
		t.held[key] = h
		t.dirty[key] = struct{}{}
		t.poke()
	}
	if h.count += by; h.count == 0 {
		h.ends = time.Now().Add(linger)
	}
}

// run writes what has changed until ctx ends.
func (t *Tracker) run(ctx context.Context) {
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	renewed := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.wake:
		case <-look.C:
			t.due(time.Since(renewed) >= renewEvery)
			if time.Since(renewed) >= renewEvery {
				renewed = time.Now()
			}
		}
		if err := t.flush(ctx); err != nil && ctx.Err() == nil {
			t.cfg.Log.Debug("who is there was not written and is tried again", zap.Error(err))
		}
	}
}

// due marks what has ended and, where wanted, everything that is to be renewed.
func (t *Tracker) due(renew bool) {
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	for key, h := range t.held {
		if renew || h.count == 0 && !now.Before(h.ends) {
			t.dirty[key] = struct{}{}
		}
	}
}

// write is what is to be written of one player.
type write struct {
	player string
	args   []any           // field, milliseconds, …
	keys   []holding       // of which some are held, and the rest queues
	times  []time.Duration // of keys
}

// collect takes what is to be written. Held fields that have ended are forgotten.
func (t *Tracker) collect() []*write {
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	by := map[string]*write{}
	var list []*write
	add := func(key holding, d time.Duration) {
		w := by[key.player]
		if w == nil {
			w = &write{player: key.player}
			by[key.player] = w
			list = append(list, w)
		}
		w.args = append(w.args, key.field, d.Milliseconds())
		w.keys, w.times = append(w.keys, key), append(w.times, d)
	}
	for key := range t.dirty {
		h := t.held[key]
		switch {
		case h == nil:
			add(key, 0) // one that failed to be removed
		case h.count == 0 && !now.Before(h.ends):
			delete(t.held, key)
			add(key, 0)
		default:
			add(key, ttl)
		}
	}
	for key, d := range t.queue {
		add(key, d)
	}
	clear(t.dirty)
	clear(t.queue)
	return list
}

// flush writes what has changed. What fails is to be written again.
func (t *Tracker) flush(ctx context.Context) error {
	var errs []error
	for some := range slices.Chunk(t.collect(), batch) {
		pipe := t.cfg.Redis.Pipeline()
		for _, w := range some {
			pipe.Eval(ctx, changeScript, []string{t.key(w.player)}, w.args...)
		}
		answers, err := pipe.Exec(ctx)
		errs = append(errs, err)
		for i, a := range answers {
			if a.Err() != nil {
				t.again(some[i])
			} else if changed, _ := a.(*redis.Cmd).Int(); changed == 1 { //nolint:forcetypeassert // what Eval makes
				t.Changed(ctx, some[i].player)
			}
		}
	}
	return errors.Join(errs...)
}

// again marks what was not written.
func (t *Tracker) again(w *write) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, key := range w.keys {
		if key.field[:2] != fieldQueue {
			if t.held[key] != nil || len(t.dirty) < maxQueued { // who is gone is so by himself in a minute
				t.dirty[key] = struct{}{}
			}
		} else if _, newer := t.queue[key]; !newer && len(t.queue) < maxQueued {
			t.queue[key] = w.times[i]
		}
	}
}

// Close removes what this process holds, as far as Redis answers while ctx lives, and stops.
func (t *Tracker) Close(ctx context.Context) {
	t.stop()
	t.wg.Wait()
	t.mu.Lock()
	for key := range t.held {
		t.dirty[key] = struct{}{}
	}
	clear(t.held)
	t.mu.Unlock()
	if err := t.flush(ctx); err != nil {
		t.cfg.Log.Debug("who is gone was not written and ends by itself", zap.Error(err))
	}
}
