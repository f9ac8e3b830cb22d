package ticket

import (
	"context"
	"errors"
	"strconv"

	"muster/internal/pause"
)

// retireRounds is how often at least it is looked what is left of a queue: a ticket may just be in the making.
const retireRounds = 5

// retire ends what there is of a queue that exists no longer, until ctx ends: its tickets expire, and its match attempts
// are carried on to their end, since their players were promised a match. Where another process has the queue all the same
// it is left to that one.
func (e *engine) retire(ctx context.Context) {
	ctx, e.stop = context.WithCancel(ctx)
	e.wg.Go(func() {
		for round := 1; ; round++ {
			left, err := e.windUp(ctx, round)
			if ctx.Err() == nil {
				e.s.failed(e.keys.queue, err)
			}
			if err == nil && !left && round >= retireRounds || pause.For(ctx, lookEvery) != nil {
				return
			}
		}
	})
}

// windUp takes what is left of a queue a step on, and says whether something may be left.
func (e *engine) windUp(work context.Context, round int) (left bool, err error) {
	ctx, cancel := context.WithTimeout(work, lookTimeout)
	defer cancel()
	if round > 1 {
		if led, err := e.led(ctx); err != nil || led {
			return false, err
		}
	}
	due, err := e.due(ctx)
	for id, had := range due {
		if !e.s.hand(work, job{e: e, id: id, had: had}) {
			break
		}
	}
	err = errors.Join(err, e.sweepEnded(ctx))
	pipe := e.s.cfg.Redis.Pipeline() // attempts first: what comes back of one waits
	attempts, waiting := pipe.ZCard(ctx, e.keys.attempts()), pipe.ZCard(ctx, e.keys.waiting())
	_, perr := pipe.Exec(ctx)
	err = errors.Join(err, wrap(perr, "winding queue %s up", e.keys.queue),
		e.eachWaiting(ctx, func(ids []string) error { return e.endAll(ctx, ids, byRetired, 0) }))
	return attempts.Val()+waiting.Val() > 0, err
}

// led says whether some process leads the queue.
func (e *engine) led(ctx context.Context) (bool, error) {
	pipe := e.s.cfg.Redis.Pipeline()
	until, now := pipe.HGet(ctx, e.keys.leader(), "until"), pipe.Time(ctx)
	if err := answers(ctx, pipe); err != nil {
		return false, wrap(err, "asking who leads queue %s", e.keys.queue)
	}
	ms, err := strconv.ParseInt(until.Val(), 10, 64)
	return err == nil && ms > now.Val().UnixMilli(), nil
}
