package journal

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"muster/internal/testmetric"
)

// moody is a store in memory, of one room, which a test can make slow or have fail.
type moody struct {
	mu      sync.Mutex
	delay   time.Duration
	err     error
	calls   int
	base    uint32
	last    uint32
	began   bool
	ticks   []uint32
	state   []byte
	holes   bool // a tick was appended to another than the one before it
	retried bool // the call works and its answer is lost
}

var errMoody = errors.New("not today")

func (m *moody) set(delay time.Duration, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.delay, m.err = delay, err
}

func (m *moody) call(ctx context.Context, do func() error) error {
	m.mu.Lock()
	delay := m.delay
	m.calls++
	m.mu.Unlock()
	if delay > 0 {
		timer := time.NewTimer(delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return m.err
	}
	err := do()
	if m.retried && m.calls%2 == 0 {
		return errMoody
	}
	return err
}

func (m *moody) Append(ctx context.Context, _ string, _ uint64, prev uint32, entries []Entry) error {
	return m.call(ctx, func() error {
		if !m.began || prev > m.last {
			return ErrGap
		}
		for _, e := range entries {
			if tick, err := tickOf(e.Data); err != nil || tick != e.Tick {
				return errors.New("the entry's bytes are another's")
			}
			m.holes = m.holes || e.Tick > m.last+1
			if e.Tick > m.last {
				m.ticks, m.last = append(m.ticks, e.Tick), e.Tick
			}
		}
		return nil
	})
}

func (m *moody) Checkpoint(ctx context.Context, _ string, _ uint64, _ Header, cp Checkpoint) error {
	return m.call(ctx, func() error {
		m.began, m.base, m.last, m.ticks = true, cp.Tick, cp.Tick, nil
		m.state = bytes.Clone(cp.Data)
		return nil
	})
}

// forget makes the store lose everything.
func (m *moody) forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.began, m.last, m.ticks = false, 0, nil
}

func (*moody) Load(context.Context, string, uint64) (*Saved, error) { return nil, ErrNone }
func (*moody) Export(context.Context, string, io.Writer) error      { return ErrNone }
func (*moody) End(context.Context, string, uint64) error            { return nil }
func (*moody) Delete(context.Context, string, uint64) error         { return nil }

// ward is a room that ticks 20 times a second and does as the recorder wants.
type ward struct {
	*testing.T
	store *moody
	rec   *Recorder
	reg   *prometheus.Registry
	log   *observer.ObservedLogs
	tick  uint32
	body  []byte
}

const period = 50 * time.Millisecond

func record(t *testing.T, cfg RecorderConfig, test func(*ward)) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.InfoLevel)
		w := &ward{T: t, store: &moody{}, reg: prometheus.NewRegistry(), log: logs, body: make([]byte, 1000)}
		cfg.Store, cfg.Header, cfg.Log, cfg.Metrics = w.store, header(), zap.New(core), NewMetrics(w.reg)
		w.rec = NewRecorder(cfg)
		w.tick = cfg.After
		test(w)
		_ = w.rec.Close(t.Context())
		if n := testmetric.Value(t, w.reg, "muster_journal_degraded_rooms"); n != 0 {
			t.Errorf("%v rooms are degraded after the last one has ended", n)
		}
	})
}

// run lets n ticks pass. The room never waits.
func (w *ward) run(n int) {
	w.Helper()
	for range n {
		began := time.Now()
		if w.rec.NeedsCheckpoint() {
			w.rec.Checkpoint(w.tick, []byte("state"))
		}
		w.tick++
		w.rec.Tick(&Record{Tick: w.tick, Inputs: []InputRecord{{Seat: 1, Seq: w.tick, Body: w.body}}})
		if d := time.Since(began); d > 0 {
			w.Fatalf("tick %d waited %v for the journal", w.tick, d)
		}
		time.Sleep(period)
		synctest.Wait()
	}
}

func (w *ward) said(message string) int { return w.log.FilterMessage(message).Len() }

// whole checks that the store has every tick since its checkpoint.
func (w *ward) whole(from uint32) {
	w.Helper()
	w.store.mu.Lock()
	defer w.store.mu.Unlock()
	if w.store.base != from || w.store.last != w.tick {
		w.Errorf("the store has ticks %d to %d, want %d to %d", w.store.base, w.store.last, from, w.tick)
	}
	for i, tick := range w.store.ticks {
		if tick != w.store.base+uint32(i)+1 {
			w.Fatalf("tick %d in place of %d", tick, w.store.base+uint32(i)+1)
		}
	}
}

const (
	saysBehind = "the room's journal is behind"
	saysGoesOn = "the room's journal goes on"
)

func TestRecorderStoresEveryTickAndSaysHowFar(t *testing.T) {
	record(t, RecorderConfig{}, func(w *ward) {
		w.run(100)
		if d := w.rec.Durable(); d < 96 || w.rec.Behind() != w.tick-d {
			w.Errorf("durable up to %d of %d, behind by %d", d, w.tick, w.rec.Behind())
		}
		if w.store.calls > 60 {
			w.Errorf("%d calls for 100 ticks", w.store.calls)
		}
		if err := w.rec.Close(w.Context()); err != nil {
			w.Error(err)
		}
		w.whole(0)
		if w.rec.Behind() != 0 || w.said(saysBehind) != 0 || testmetric.Value(w.T, w.reg, "muster_journal_checkpoints_total") != 1 ||
			testmetric.Value(w.T, w.reg, "muster_journal_ticks_dropped_total") != 0 || testmetric.Value(w.T, w.reg, "muster_journal_bytes_total") < 100_000 {
			w.Errorf("behind by %d, %v", w.rec.Behind(), w.log.All())
		}
	})
}

func TestRecorderOfAResumedRoomGoesOnWithoutACheckpoint(t *testing.T) {
	record(t, RecorderConfig{Resume: true, After: 40}, func(w *ward) {
		w.store.began, w.store.base, w.store.last = true, 40, 40
		if w.rec.Durable() != 40 || w.rec.NeedsCheckpoint() {
			w.Errorf("durable up to %d, wants a checkpoint: %v", w.rec.Durable(), w.rec.NeedsCheckpoint())
		}
		w.run(10)
		must(w.T, w.rec.Close(w.Context()))
		w.whole(40)
		if w.store.state != nil {
			w.Error("a checkpoint was stored")
		}
	})
}

func TestCheckpointsGoInTheirOrder(t *testing.T) {
	record(t, RecorderConfig{}, func(w *ward) {
		w.run(7)
		w.rec.Checkpoint(w.tick, []byte("state of 7"))
		w.rec.Checkpoint(w.tick, []byte("state of 7 in other bytes"))
		w.run(3)
		must(w.T, w.rec.Close(w.Context()))
		w.whole(7)
		if string(w.store.state) != "state of 7 in other bytes" {
			w.Errorf("state %q", w.store.state)
		}
	})
}

// Rooms without records have nothing but their checkpoints: the newest counts, however slow the store is.
func TestNewestOfTheCheckpointsThatWaitIsStored(t *testing.T) {
	record(t, RecorderConfig{}, func(w *ward) {
		w.store.set(time.Minute, nil) // it does not answer
		w.rec.Checkpoint(0, []byte("state of 0"))
		for tick := uint32(200); tick <= 1000; tick += 200 {
			time.Sleep(10 * time.Second)
			w.rec.Checkpoint(tick, []byte("state of some hundreds"))
		}
		w.rec.Checkpoint(1111, []byte("the last state"))
		w.store.set(0, nil)
		must(w.T, w.rec.Close(w.Context()))
		if string(w.store.state) != "the last state" || w.store.base != 1111 || w.rec.Durable() != 1111 {
			w.Errorf("state %q of tick %d, durable up to %d", w.store.state, w.store.base, w.rec.Durable())
		}
	})
}

// Records between two checkpoints are what the older one is good for, and go with it.
func TestCheckpointThatWaitsStaysWhereTicksFollowUponIt(t *testing.T) {
	record(t, RecorderConfig{}, func(w *ward) {
		w.run(20)
		w.store.set(time.Second, nil)
		w.run(4) // a call is under way
		w.rec.Checkpoint(w.tick, []byte("first"))
		from := w.tick
		w.run(5)
		w.rec.Checkpoint(w.tick, []byte("second"))
		w.run(2)
		w.store.set(0, nil)
		must(w.T, w.rec.Close(w.Context()))
		w.whole(from)
		if string(w.store.state) != "first" || testmetric.Value(w.T, w.reg, "muster_journal_ticks_dropped_total") != 0 {
			w.Errorf("state %q", w.store.state)
		}
	})
}

func TestCloseSaysThatTheLastCheckpointIsMissing(t *testing.T) {
	record(t, RecorderConfig{}, func(w *ward) {
		w.rec.Checkpoint(0, []byte("state of 0"))
		time.Sleep(time.Second)
		w.store.set(time.Hour, nil)
		w.rec.Checkpoint(200, []byte("the last state"))
		time.Sleep(time.Second) // it is on its way
		ctx, cancel := context.WithTimeout(w.Context(), time.Second)
		defer cancel()
		if err := w.rec.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
			w.Errorf("closing: %v", err)
		}
		if w.rec.Behind() != 0 {
			w.Errorf("behind by %d ticks, and the room gives none", w.rec.Behind())
		}
	})
}

func TestStoreThatStallsForHalfASecondCostsNothing(t *testing.T) {
	record(t, RecorderConfig{}, func(w *ward) {
		w.run(20)
		w.store.set(500*time.Millisecond, nil)
		w.run(20)
		if b := w.rec.Behind(); b < 5 || b > 25 {
			w.Errorf("behind by %d ticks", b)
		}
		w.store.set(0, nil)
		w.run(20)
		if b := w.rec.Behind(); b > 4 {
			w.Errorf("still behind by %d ticks", b)
		}
		must(w.T, w.rec.Close(w.Context()))
		w.whole(0)
		if w.said(saysBehind) != 0 || testmetric.Value(w.T, w.reg, "muster_journal_ticks_dropped_total") != 0 {
			w.Errorf("%v", w.log.All())
		}
	})
}

func TestStoreThatFailsForAWhileIsTriedAgainAndSaidOnce(t *testing.T) {
	record(t, RecorderConfig{}, func(w *ward) {
		w.run(20)
		durable := w.rec.Durable()
		w.store.set(0, errMoody)
		w.run(100)
		if w.rec.Durable() > durable+4 || w.rec.NeedsCheckpoint() || testmetric.Value(w.T, w.reg, "muster_journal_degraded_rooms") != 1 {
			w.Errorf("durable up to %d while the store fails", w.rec.Durable())
		}
		w.store.set(0, nil)
		w.run(120)
		must(w.T, w.rec.Close(w.Context()))
		w.whole(0)
		if w.said(saysBehind) != 1 || w.said(saysGoesOn) != 1 || testmetric.Value(w.T, w.reg, "muster_journal_errors_total") < 3 {
			w.Errorf("%v", w.log.All())
		}
	})
}

func TestOutageThatIsTooLongDropsTicksAndEndsWithACheckpoint(t *testing.T) {
	record(t, RecorderConfig{MaxBytes: 50_000}, func(w *ward) {
		w.run(20)
		w.store.set(time.Hour, nil) // it does not answer at all
		for range 40 {
			w.run(20)
			w.rec.mu.Lock()
			if n := len(w.rec.fill.data); n > 50_000 {
				w.Fatalf("%d bytes wait", n)
			}
			w.rec.mu.Unlock()
			if w.rec.NeedsCheckpoint() {
				w.Fatal("a checkpoint is wanted while the store does not answer")
			}
		}
		w.store.set(0, nil)
		w.run(200)
		if w.said(saysBehind) != 1 || w.said(saysGoesOn) != 1 || testmetric.Value(w.T, w.reg, "muster_journal_degraded_rooms") != 0 {
			w.Errorf("%v", w.log.All())
		}
		dropped := testmetric.Value(w.T, w.reg, "muster_journal_ticks_dropped_total")
		if err := w.rec.Close(w.Context()); err != nil || w.store.base < 800 {
			w.Errorf("%v; the store's checkpoint is of tick %d", err, w.store.base)
		}
		w.whole(w.store.base)
		if dropped < 600 || dropped > 950 {
			w.Errorf("%v ticks are counted as dropped", dropped)
		}
	})
}

func TestStoreThatLostEverythingIsGivenACheckpoint(t *testing.T) {
	record(t, RecorderConfig{}, func(w *ward) {
		for n := range uint32(3) {
			w.run(20)
			w.store.forget()
			w.run(20)
			if w.store.base < 20+40*n || w.rec.Behind() > 4 {
				w.Errorf("the store begins with tick %d, behind by %d", w.store.base, w.rec.Behind())
			}
		}
		must(w.T, w.rec.Close(w.Context()))
		w.whole(w.store.base)
		if n := testmetric.Value(w.T, w.reg, "muster_journal_gaps_total"); n != 3 || w.said(saysBehind) != 3 || w.said(saysGoesOn) != 3 {
			w.Errorf("%v gaps, %v", n, w.log.All())
		}
	})
}

// TestAGapIsNotPaperedOver: the store asks for a checkpoint although it has the newest tick (its segment is full), so that
// ticks which were given up must not follow upon it.
func TestAGapIsNotPaperedOver(t *testing.T) {
	record(t, RecorderConfig{}, func(w *ward) {
		w.run(20)
		w.store.set(4*period, ErrGap)
		for calls := w.store.calls; w.store.calls == calls; {
			w.run(1)
		}
		w.run(2)
		w.rec.Checkpoint(w.tick, []byte("of the game's own schedule")) // while the gap is not found out yet
		w.run(3)
		w.store.set(0, nil)
		w.run(40)
		must(w.T, w.rec.Close(w.Context()))
		w.whole(w.store.base)
		if w.store.holes || string(w.store.state) != "of the game's own schedule" || testmetric.Value(w.T, w.reg, "muster_journal_gaps_total") != 1 {
			w.Errorf("holes: %v, state %q", w.store.holes, w.store.state)
		}
	})
}

func TestAnswersThatGetLostDoNoHarm(t *testing.T) {
	record(t, RecorderConfig{}, func(w *ward) {
		w.store.retried = true
		w.run(200)
		must(w.T, w.rec.Close(w.Context()))
		w.whole(0)
	})
}

func TestFencedRecorderSaysSoAndTakesNoMore(t *testing.T) {
	record(t, RecorderConfig{}, func(w *ward) {
		w.run(20)
		if w.rec.Fenced() {
			w.Fatal("fenced from the start")
		}
		w.store.set(0, ErrFenced)
		w.run(5)
		if !w.rec.Fenced() {
			w.Error("the room is not told")
		}
		calls := w.store.calls
		w.run(50)
		if w.store.calls != calls || len(w.rec.fill.list) > 0 {
			w.Errorf("%d calls after that, %d ticks wait", w.store.calls-calls, len(w.rec.fill.list))
		}
		if err := w.rec.Close(w.Context()); !errors.Is(err, ErrFenced) {
			w.Errorf("closing: %v", err)
		}
		if testmetric.Value(w.T, w.reg, "muster_journal_fenced_total") != 1 || w.log.Len() != 1 {
			w.Errorf("%v", w.log.All())
		}
	})
}

func TestCloseWaitsAsLongAsItMayAndSaysWhatIsMissing(t *testing.T) {
	record(t, RecorderConfig{}, func(w *ward) {
		w.run(20)
		w.store.set(0, errMoody)
		w.run(5)
		ctx, cancel := context.WithTimeout(w.Context(), 3*time.Second)
		defer cancel()
		began := time.Now()
		if err := w.rec.Close(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != 3*time.Second {
			w.Errorf("%v after %v", err, time.Since(began))
		}
	})
	record(t, RecorderConfig{}, func(w *ward) {
		w.run(20)
		w.store.set(0, errMoody)
		w.run(5)
		go func() {
			time.Sleep(2 * time.Second)
			w.store.set(0, nil)
		}()
		if err := w.rec.Close(w.Context()); err != nil {
			w.Error(err)
		}
		w.whole(0)
	})
	record(t, RecorderConfig{}, func(w *ward) {
		w.run(20)
		w.store.forget()
		w.rec.Tick(&Record{Tick: 21})
		if err := w.rec.Close(w.Context()); !errors.Is(err, ErrGap) {
			w.Errorf("closing with a gap: %v", err)
		}
	})
	record(t, RecorderConfig{}, func(w *ward) { must(w.T, w.rec.Close(w.Context())) })
}

func TestWhatIsTooLargeCostsACheckpointAndNoMore(t *testing.T) {
	record(t, RecorderConfig{}, func(w *ward) {
		w.run(20)
		w.rec.Checkpoint(20, make([]byte, MaxCheckpoint+1))
		w.tick++
		w.rec.Tick(&Record{Tick: w.tick, Inputs: []InputRecord{{Body: make([]byte, maxBody+1)}}})
		w.run(20)
		must(w.T, w.rec.Close(w.Context()))
		w.whole(w.store.base)
		if w.store.base < 21 {
			w.Errorf("the checkpoint is of tick %d", w.store.base)
		}
	})
}

func TestTickDoesNotAllocate(t *testing.T) {
	m := &moody{err: errMoody}
	r := NewRecorder(RecorderConfig{Store: m, Header: header(), Resume: true, Every: time.Hour, MaxBytes: 1 << 30})
	rec := samples()[1]
	for range 100_000 { // the buffers grow
		r.Tick(&rec)
	}
	r.mu.Lock()
	r.fill.list, r.fill.data = r.fill.list[:0], r.fill.data[:0]
	r.mu.Unlock()
	if n := testing.AllocsPerRun(1000, func() { rec.Tick++; r.Tick(&rec) }); n != 0 {
		t.Errorf("%v allocations a tick", n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_ = r.Close(ctx)
}

// TestThousandRoomsRecordAtOnce: each has a goroutine that mostly sleeps.
func TestThousandRoomsRecordAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var list []*Recorder
		for range 1000 {
			r := NewRecorder(RecorderConfig{Store: &moody{delay: 30 * time.Millisecond}, Header: header()})
			r.Checkpoint(0, nil)
			list = append(list, r)
		}
		for tick := uint32(1); tick <= 40; tick++ {
			for _, r := range list {
				r.Tick(&Record{Tick: tick})
				if r.Behind() > 5 || r.NeedsCheckpoint() {
					t.Fatalf("behind by %d ticks at tick %d", r.Behind(), tick)
				}
			}
			time.Sleep(period)
		}
		for _, r := range list {
			must(t, r.Close(t.Context()))
			if r.Durable() != 40 {
				t.Fatalf("durable up to %d", r.Durable())
			}
		}
	})
}
