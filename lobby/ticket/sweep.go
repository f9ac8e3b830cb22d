package ticket

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// sweepChunk is how many tickets are swept together, in a few exchanges with Redis.
	sweepChunk = 256
	// sweepRounds bounds how many chunks of each kind one sweep takes: what is left is swept a second later.
	sweepRounds = 16
)

// sweep ends tickets that have waited for too long, or of which a player has not been heard, and takes out what is no
// ticket at all.
func (e *engine) sweep(ctx context.Context) error {
	longest := e.current().MaxWait
	return errors.Join(
		e.sweepOver(ctx, e.keys.waiting(), byWait, longest),
		e.sweepOver(ctx, e.keys.seen(), byUnseen, seenTTL),
		e.sweepEnded(ctx),
	)
}

// sweepEnded takes tickets that ended a moment ago out of their players' indices once more: whoever ended them may have died
// before he did.
func (e *engine) sweepEnded(ctx context.Context) error {
	return wrap(inRounds(func() (int, error) { return e.sweepEndedChunk(ctx) }), "sweeping what ended in queue %s", e.keys.queue)
}

// inRounds sweeps on while a chunk is full.
func inRounds(sweep func() (n int, err error)) error {
	for range sweepRounds {
		if n, err := sweep(); err != nil || n < sweepChunk {
			return err
		}
	}
	return nil
}

func (e *engine) sweepEndedChunk(ctx context.Context) (n int, err error) {
	rdb, until := e.s.cfg.Redis, strconv.FormatInt(e.s.clock.now().UnixMilli(), 10)
	ids, err := rdb.ZRangeByScore(ctx, e.keys.ended(), &redis.ZRangeBy{Min: "-inf", Max: until, Count: sweepChunk}).Result()
	if err != nil || len(ids) == 0 {
		return 0, err //nolint:wrapcheck // sweepEnded says what it did
	}
	list, err := e.s.read(ctx, e.keys, ids)
	if err != nil {
		return 0, err
	}
	pipe, gone := rdb.Pipeline(), make([]any, len(ids))
	for i, t := range list {
		if gone[i] = ids[i]; t == nil || !t.State.ended() {
			continue // it ended long ago, cannot be read, or was made anew by the same request
		}
		for _, p := range playersOf(&t.Ticket) {
			pipe.ZRem(ctx, playerOf(e.s.cfg.Namespace, p).tickets(), ids[i])
		}
	}
	if _, err = pipe.Exec(ctx); err == nil {
		err = rdb.ZRem(ctx, e.keys.ended(), gone...).Err()
	}
	return len(ids), err
}

func (e *engine) sweepOver(ctx context.Context, set, way string, bound time.Duration) error {
	until := strconv.FormatInt(e.s.clock.now().Add(-bound).UnixMilli(), 10)
	return inRounds(func() (int, error) {
		ids, err := e.s.cfg.Redis.ZRangeByScore(ctx, set, &redis.ZRangeBy{Min: "-inf", Max: until, Count: sweepChunk}).Result()
		if err != nil || len(ids) == 0 {
			return 0, wrap(err, "sweeping queue %s", e.keys.queue)
		}
		return len(ids), e.endAll(ctx, ids, way, bound)
	})
}

// endAll ends tickets of the queue in one way.
func (e *engine) endAll(ctx context.Context, ids []string, way string, bound time.Duration) error {
	list, err := e.s.read(ctx, e.keys, ids)
	if err != nil {
		return err
	}
	var errs []error
	var live []*Ticket
	for i, t := range list {
		if t == nil || t.State != Waiting && t.State != Confirming && t.State != reserving {
			errs = append(errs, e.sweepBroken(ctx, ids[i]))
			continue
		}
		live = append(live, t)
	}
	over, err := e.s.endAll(ctx, live, way, "", bound)
	e.s.cfg.Metrics.Swept.WithLabelValues("ticket_" + way).Add(float64(over))
	return errors.Join(append(errs, err)...)
}

// sweepBroken takes out of the queue what cannot be read as a ticket that waits: what one release writes another may not
// be able to read.
func (e *engine) sweepBroken(ctx context.Context, id string) error {
	if err := brokenScript.Run(ctx, e.s.cfg.Redis, e.keys.shared(e.keys.ticket(id)), id, endedTTL.Milliseconds()).Err(); err != nil {
		return fmt.Errorf("taking ticket %s out of its queue: %w", id, err)
	}
	e.s.cfg.Metrics.Swept.WithLabelValues("ticket_broken").Inc()
	return nil
}

var brokenScript = script(luaKeys, `
redis.call('ZREM', waiting, ARGV[1])
redis.call('ZREM', seen, ARGV[1])
if redis.call('HGET', KEYS[8], 'state') == 'waiting' then
	redis.call('HSET', KEYS[8], 'state', 'expired')
	redis.call('PEXPIRE', KEYS[8], ARGV[2])
end
log('op', 'del', 'ids', ARGV[1])
return 'ok'`)
