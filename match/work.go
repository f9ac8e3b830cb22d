package match

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"
)

// Bounds of the work that a room has done outside its ticks.
const (
	// maxWorks is how much of it may be under way.
	maxWorks = 64
	// maxWorkData is how long a result may be, in bytes.
	maxWorkData = 64 << 10
)

// Errors of work.
var (
	// ErrBusy is returned by Do when too much is under way already.
	ErrBusy = errors.New("too much work is under way")
	// ErrLost is the error of work of which nothing can be known: the process ended meanwhile. It may have been done.
	ErrLost = errors.New("the work's outcome was lost")
)

// Work is a finished piece of work.
type Work struct {
	ID   uint32 // what Do returned
	Kind string
	Data []byte // valid during the call
	Err  error  // ErrLost, or one with the text of the work's own, at most 120 bytes of it
}

// BegunWork is work that a step wants done.
type BegunWork struct {
	ID   uint32 // what Do returned
	Kind string
	do   func(context.Context) ([]byte, error)
}

// Result is what came of the work, as a room records it: the text of an error is cut to 120 bytes, and data of more than
// 64 KiB is an error.
func (b BegunWork) Result(data []byte, err error) WorkResult {
	if err == nil && len(data) > maxWorkData {
		err = fmt.Errorf("the result has %d bytes, at most %d allowed", len(data), maxWorkData)
	}
	if err != nil {
		return WorkResult{ID: b.ID, Err: clip(err.Error())}
	}
	return WorkResult{ID: b.ID, Body: data}
}

// works are the pieces of work of which the result has not come, in the order in which they began.
type works struct {
	last    uint32 // the newest id
	pending []pendingWork
}

type pendingWork struct {
	id   uint32
	kind string
}

// Do has work done outside the ticks: what waits for a disk, a database, another service. It runs on a goroutine of its
// own and must not touch the room's state; its result, of at most 64 KiB, comes to the game's Done hook at a later tick,
// with the kind, of at most 1 KiB, and the id that Do returned. Results are recorded: a replay does not do the work again. The context ends
// after 10 seconds, or with the room. The only error is ErrBusy: 64 pieces of work are under way.
func (r *Room[S]) Do(kind string, work func(ctx context.Context) ([]byte, error)) (id uint32, err error) {
	if len(r.pending) >= maxWorks {
		return 0, ErrBusy
	}
	kind = kind[:min(len(kind), maxKind)]
	r.last++
	r.pending = append(r.pending, pendingWork{r.last, kind})
	r.out.works = append(r.out.works, BegunWork{r.last, kind, work})
	return r.last, nil
}

// take takes a piece of work out of those that are awaited.
func (w *works) take(id uint32) (kind string, ok bool) {
	for i, p := range w.pending {
		if p.id == id {
			w.pending = append(w.pending[:i], w.pending[i+1:]...)
			return p.kind, true
		}
	}
	return "", false
}

// result hands a recorded result to the game.
func (c *core[S, In]) result(res *WorkResult) {
	kind, ok := c.room.take(res.ID)
	if !ok || c.hooks.done == nil {
		return
	}
	w := Work{ID: res.ID, Kind: kind, Data: res.Body}
	if res.Err != "" {
		w.Err = workError(res.Err)
	}
	c.hooks.done.Done(&c.room, w)
}

// workError is the recorded text of an error; the same in a replay.
func workError(text string) error {
	if text == ErrLost.Error() {
		return ErrLost
	}
	return errors.New(text)
}

// workTimeout is how long a piece of work may take.
const workTimeout = 10 * time.Second

// beginWork does work on a goroutine of its own, which the host waits for; its result comes through the inbox.
func (rm *Instance) beginWork(b BegunWork) {
	rm.works++
	rm.host.wg.Go(func() {
		ctx, cancel := context.WithTimeout(rm.working, workTimeout)
		defer cancel()
		res := b.Result(rm.doWork(ctx, b))
		rm.inbox.put(message{kind: msgWork, work: &res})
	})
}

// doWork calls the game's function; a panic is an error of the work, not of the process.
func (rm *Instance) doWork(ctx context.Context, b BegunWork) (data []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			rm.metrics.panics.Inc()
			rm.log.Error("a game's work panicked", zap.String("kind", b.Kind), zap.Any("panic", p), zap.Stack("stack"))
			data, err = nil, errors.New("the work failed")
		}
	}()
	return b.do(ctx)
}
