package journal

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"muster/proto"
)

// RecorderConfig says whose ticks a Recorder takes and where they go. The zero value of a field means its default.
type RecorderConfig struct {
	Store  Store  // required
	Header Header // of the room: its Room and Epoch say whose journal it is
	// Resume says that the room goes on from what the store has up to the tick After. Otherwise its journal begins with
	// the checkpoint that the recorder asks for.
	Resume bool
	After  uint32
	// MaxBytes bounds the records that wait while others are on their way, and again those that are on their way; a
	// checkpoint comes on top of each. Default 4 MiB. More rides out a longer outage.
	MaxBytes int
	// Every is how long ticks are gathered before they are stored together. Default 100 ms. More makes fewer calls and
	// a longer time during which a tick is not durable.
	Every time.Duration
	// Timeout bounds one call of the store; a checkpoint has a second more for each 8 MiB. Default 2 s.
	Timeout time.Duration
	Log     *zap.Logger // nil: none
	Metrics *Metrics    // nil: not counted
}

const (
	// firstRetry and lastRetry are how long after a failure the store is tried again.
	firstRetry = 100 * time.Millisecond
	lastRetry  = 5 * time.Second
	// maxCall and maxCallEntries bound what one Append is given.
	maxCall        = 1 << 20
	maxCallEntries = 512
)

// Recorder brings the ticks of one room to a store. Tick and Checkpoint copy what they are given and never wait: one
// goroutine of the recorder does the waiting. When the store is slower than the room for so long that no more can wait,
// or lacks what comes before, what waits is dropped, the room goes on with a journal that is behind, and a checkpoint
// makes the journal good again: the recorder asks for it once the store answers.
//
// The room's goroutine alone may call Tick and Checkpoint; any goroutine may use the rest.
type Recorder struct {
	cfg  RecorderConfig
	log  *zap.Logger
	w    *proto.Writer // of the room's goroutine
	wake chan struct{}
	stop context.CancelFunc // ends the call that is under way
	quit chan struct{}      // closed by Close: store what waits, then end
	done chan struct{}      // the goroutine has ended
	once sync.Once

	given   atomic.Uint32 // the newest tick that Tick was given
	offered atomic.Uint32 // the tick of the newest checkpoint that was taken
	durable atomic.Uint32
	needs   atomic.Bool
	fenced  atomic.Bool

	mu   sync.Mutex
	fill *batch // what waits
	lost bool   // ticks are dropped until a checkpoint comes

	// of the goroutine
	prev     uint32  // the newest tick that the store has
	broken   bool    // ticks after prev were given up: a checkpoint must come before others are stored
	began    bool    // the store has something of the room
	degraded bool    // the room goes on without its journal
	entries  []Entry // reused
}

// batch is ticks and at most one checkpoint, in order.
type batch struct {
	list []waiting
	data []byte
	cp   []byte // the checkpoint's data
	at   int    // where in the list the checkpoint is; -1 = there is none
}

type waiting struct {
	tick uint32
	end  int // of its bytes in data
}

func (b *batch) reset() {
	if cap(b.data) > maxCall {
		b.data = nil // of an outage
	}
	b.list, b.data, b.cp, b.at = b.list[:0], b.data[:0], nil, -1
}

// NewRecorder starts a recorder. Close must be called.
func NewRecorder(cfg RecorderConfig) *Recorder {
	if cfg.MaxBytes == 0 {
		cfg.MaxBytes = 4 << 20
	}
	if cfg.Every == 0 {
		cfg.Every = 100 * time.Millisecond
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 2 * time.Second
	}
	if cfg.Log == nil {
		cfg.Log = zap.NewNop()
	}
	if cfg.Metrics == nil {
		cfg.Metrics = NewMetrics(nil)
	}
	r := &Recorder{
		cfg: cfg, log: cfg.Log, w: proto.NewWriter(), wake: make(chan struct{}, 1),
		quit: make(chan struct{}), done: make(chan struct{}), fill: &batch{at: -1},
	}
	if cfg.Resume {
		r.prev, r.began = cfg.After, true
		r.given.Store(cfg.After)
		r.durable.Store(cfg.After)
	} else {
		r.lost = true
		r.needs.Store(true)
	}
	ctx, stop := context.WithCancel(context.Background())
	r.stop = stop
	go r.run(ctx)
	return r
}

// Tick takes the record of a tick, which it copies.
func (r *Recorder) Tick(rec *Record) {
	r.given.Store(rec.Tick)
	if r.fenced.Load() {
		return
	}
	err := rec.check()
	if err == nil {
		r.w.Reset()
		rec.AppendTo(r.w)
		if r.w.Len() > MaxRecord {
			err = fmt.Errorf("%w: tick %d has %d bytes, at most %d allowed", ErrMalformed, rec.Tick, r.w.Len(), MaxRecord)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.lost:
		r.cfg.Metrics.ticksDropped.Inc()
		return
	case err != nil: // it cannot be kept, so nothing after it can without a checkpoint
		r.log.Error("a tick is too large for the journal", zap.Error(err))
		r.dropLocked(1)
	case len(r.fill.data)+r.w.Len() > r.cfg.MaxBytes:
		r.dropLocked(1)
	default:
		r.fill.data = append(r.fill.data, r.w.Bytes()...)
		r.fill.list = append(r.fill.list, waiting{rec.Tick, len(r.fill.data)})
	}
	r.signal()
}

// dropLocked drops what waits, and more ticks besides.
func (r *Recorder) dropLocked(more int) {
	n := len(r.fill.list) + more
	if r.fill.at >= 0 {
		n--
	}
	r.cfg.Metrics.ticksDropped.Add(float64(n))
	r.fill.reset()
	r.lost = true
}

// Checkpoint takes the state after the newest tick that was given, which it copies. It takes the place of one that waits
// already. Where ticks that follow upon that one wait, too, it is passed over: they go with the older one, and a reader
// comes to the same state.
func (r *Recorder) Checkpoint(tick uint32, data []byte) {
	if r.fenced.Load() {
		return
	}
	if len(data) > MaxCheckpoint {
		r.log.Error("a checkpoint is too large for the journal", zap.Uint32("tick", tick), zap.Int("bytes", len(data)))
		r.cfg.Metrics.errors.Inc()
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	b := r.fill
	switch b.at {
	case -1:
		b.at, b.list = len(b.list), append(b.list, waiting{tick, len(b.data)})
	case len(b.list) - 1:
		b.list[b.at].tick = tick
	default:
		return
	}
	b.cp = append(b.cp[:0], data...)
	r.offered.Store(tick)
	if r.lost {
		r.lost = false
		r.needs.Store(false)
		r.given.Store(max(r.given.Load(), tick))
	}
	r.signal()
}

func (r *Recorder) signal() {
	select {
	case r.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// NeedsCheckpoint says that the journal cannot go on without a checkpoint, and that the store would take one.
func (r *Recorder) NeedsCheckpoint() bool { return r.needs.Load() }

// Fenced says that a newer epoch has taken the room over: it must stop.
func (r *Recorder) Fenced() bool { return r.fenced.Load() }

// Fence makes the recorder forget what waits and take nothing more: whoever calls it knows that the room is another's by
// now. Close must still be called, and returns at once.
func (r *Recorder) Fence() {
	r.fenced.Store(true)
	r.stop()
	r.once.Do(func() { close(r.quit) })
}

// Durable returns the newest tick that the store has; 0 before the first one.
func (r *Recorder) Durable() uint32 { return r.durable.Load() }

// Behind returns how many ticks the store lacks.
func (r *Recorder) Behind() uint32 {
	durable := r.durable.Load()
	given := r.given.Load()
	return given - min(durable, given)
}

// Close stores what waits and ends the recorder. Its error says what the journal lacks: ErrFenced, ErrGap where a
// checkpoint is missing, or else the context's end came first.
func (r *Recorder) Close(ctx context.Context) error {
	r.once.Do(func() { close(r.quit) })
	var err error
	select {
	case <-r.done:
	case <-ctx.Done():
		err = ctx.Err()
	}
	r.stop()
	<-r.done
	r.mu.Lock()
	left := len(r.fill.list)
	r.mu.Unlock()
	switch {
	case r.fenced.Load():
		err = ErrFenced
	case r.Behind() == 0 && left == 0 && r.Durable() >= r.offered.Load():
		return nil
	case err == nil:
		err = ErrGap
	}
	return fmt.Errorf("closing the journal of room %s at tick %d of %d: %w", r.cfg.Header.Room, r.Durable(),
		max(r.given.Load(), r.offered.Load()), err)
}

// run stores what waits, again and again, until Close.
func (r *Recorder) run(ctx context.Context) {
	defer close(r.done)
	defer func() {
		if r.degraded {
			r.cfg.Metrics.degraded.Dec()
		}
	}()
	every := time.NewTimer(r.cfg.Every)
	defer every.Stop()
	b := &batch{at: -1}
	for quitting := false; ; {
		select {
		case <-r.wake:
		case <-r.quit:
			quitting = true
		}
		if !quitting { // gather
			every.Reset(r.cfg.Every)
			select {
			case <-every.C:
			case <-r.quit:
				quitting = true
			}
		}
		r.mu.Lock()
		b, r.fill = r.fill, b
		r.mu.Unlock()
		r.store(ctx, b)
		b.reset()
		if ctx.Err() != nil || r.fenced.Load() {
			r.drain()
			return
		}
		r.settle()
		if quitting {
			return
		}
	}
}

// drain forgets what waits for a store that will not take it.
func (r *Recorder) drain() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.fill.list) > 0 {
		r.dropLocked(0)
	}
}

// settle looks, once all that was on its way is stored or given up, whether the room must give a checkpoint.
func (r *Recorder) settle() {
	r.mu.Lock()
	lost := r.lost
	if lost {
		r.needs.Store(true)
	}
	r.mu.Unlock()
	if lost && r.began {
		r.setDegraded(true, ErrGap)
	} else if !lost {
		r.setDegraded(false, nil)
	}
}

// store brings a batch to the store, however long that takes.
func (r *Recorder) store(ctx context.Context, b *batch) {
	for i := 0; i < len(b.list) && ctx.Err() == nil; {
		if i == b.at {
			cp := Checkpoint{Tick: b.list[i].tick, Data: b.cp}
			timeout := r.cfg.Timeout + time.Duration(len(b.cp))*time.Second/(8<<20)
			err := r.try(ctx, timeout, func(ctx context.Context) error {
				return r.cfg.Store.Checkpoint(ctx, r.cfg.Header.Room, r.cfg.Header.Epoch, r.cfg.Header, cp)
			})
			if err != nil {
				return
			}
			r.broken = false
			r.stored(cp.Tick, len(cp.Data))
			r.cfg.Metrics.checkpoints.Inc()
			i++
			continue
		}
		if r.broken {
			if i = r.gap(b, i); i < 0 {
				return
			}
			continue
		}
		entries, size := b.entries(r.entries[:0], i)
		r.entries = entries
		err := r.try(ctx, r.cfg.Timeout, func(ctx context.Context) error {
			return r.cfg.Store.Append(ctx, r.cfg.Header.Room, r.cfg.Header.Epoch, r.prev, entries)
		})
		switch {
		case errors.Is(err, ErrGap):
			r.cfg.Metrics.gaps.Inc()
			r.broken = true
			continue
		case err != nil:
			return
		}
		r.stored(entries[len(entries)-1].Tick, size)
		i += len(entries)
	}
}

// entries appends to list the ticks from the i-th on that one call takes: up to the checkpoint, or a bound.
func (b *batch) entries(list []Entry, i int) ([]Entry, int) {
	size := 0
	from := 0
	if i > 0 {
		from = b.list[i-1].end
	}
	for ; i < len(b.list) && i != b.at && len(list) < maxCallEntries && size < maxCall; i++ {
		list = append(list, Entry{b.list[i].tick, b.data[from:b.list[i].end]})
		size += b.list[i].end - from
		from = b.list[i].end
	}
	return list, size
}

func (r *Recorder) stored(tick uint32, size int) {
	r.prev, r.began = tick, true
	r.durable.Store(tick)
	r.cfg.Metrics.bytes.Add(float64(size))
	r.cfg.Metrics.behind.Observe(float64(r.Behind()))
}

// gap gives up the ticks from the i-th on, up to a checkpoint, and returns where that is. Where none waits, the room must
// give one.
func (r *Recorder) gap(b *batch, i int) int {
	if b.at >= i {
		r.cfg.Metrics.ticksDropped.Add(float64(b.at - i))
		return b.at
	}
	r.cfg.Metrics.ticksDropped.Add(float64(len(b.list) - i))
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fill.at < 0 {
		r.dropLocked(0)
	}
	return -1
}

// try calls the store until it answers. It returns nil, ErrGap, ErrFenced or the context's error.
func (r *Recorder) try(ctx context.Context, timeout time.Duration, call func(context.Context) error) error {
	for wait := firstRetry; ; wait = min(2*wait, lastRetry) {
		began := time.Now()
		one, cancel := context.WithTimeout(ctx, timeout)
		err := call(one)
		cancel()
		r.cfg.Metrics.seconds.Observe(time.Since(began).Seconds())
		switch {
		case err == nil, errors.Is(err, ErrGap):
			return err
		case errors.Is(err, ErrFenced):
			if !r.fenced.Swap(true) {
				r.cfg.Metrics.fenced.Inc()
				r.log.Warn("the room's journal belongs to a newer epoch", zap.Error(err))
			}
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		}
		r.cfg.Metrics.errors.Inc()
		r.setDegraded(true, err)
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}

// setDegraded notes whether the room goes on without its journal. It says so once for each change.
func (r *Recorder) setDegraded(degraded bool, why error) {
	if r.degraded == degraded {
		return
	}
	r.degraded = degraded
	if degraded {
		r.cfg.Metrics.degraded.Inc()
		r.log.Warn("the room's journal is behind", zap.Uint32("durable", r.Durable()), zap.Error(why))
		return
	}
	r.cfg.Metrics.degraded.Dec()
	r.log.Info("the room's journal goes on", zap.Uint32("durable", r.Durable()))
}
