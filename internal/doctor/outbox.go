package doctor

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"
)

// until is the range of a sorted set up to a time.
func until(t time.Time) *redis.ZRangeBy {
	return &redis.ZRangeBy{Min: "-inf", Max: millis(t), Count: page}
}

// outboxRule: a lobby stores each result within a minute, and takes it out; and lobbies take out the readers of those
// that are gone.
func outboxRule(ctx context.Context, l *look, keys []*key) error {
	for _, k := range keys {
		old, err := l.cfg.Redis.XRangeN(ctx, k.name, "-", millis(l.now.Add(-overdue)), page).Result()
		if err != nil {
			return err //nolint:wrapcheck // says the rule's caller
		}
		for _, m := range old {
			l.found(k, m.ID, whyResult)
		}
		groups, err := l.cfg.Redis.XInfoGroups(ctx, k.name).Result()
		if err != nil {
			return err //nolint:wrapcheck // as above
		}
		for _, g := range groups {
			readers, err := l.cfg.Redis.XInfoConsumers(ctx, k.name, g.Name).Result()
			if err != nil {
				return err //nolint:wrapcheck // as above
			}
			for _, r := range readers {
				if silent(r.Idle, l.cfg.Grace) {
					l.found(k, r.Name, whyConsumer)
				}
			}
		}
	}
	return nil
}

// readerGone is after how long without a sign the reader of a lobby must have been taken out: lobbies read twice a second,
// and take those out that were silent for a minute.
const readerGone = 2 * time.Minute

// silent says whether a reader that was idle for so long is gone.
func silent(idle, grace time.Duration) bool { return idle > max(readerGone, grace) }
