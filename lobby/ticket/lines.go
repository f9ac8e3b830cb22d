package ticket

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"
)

// Line is how a queue does, as any process can read it that knows the queue's name.
type Line struct {
	Queue     string
	Waiting   int           // tickets
	P50       time.Duration // half of the newest hundred tickets that were matched waited no longer
	PerMinute float64       // matches made
}

// lineWaits is how many waits P50 is of.
const lineWaits = 100

// Lines reads lines of queues, in the order of their names. One of which nothing is known has a line of zeros.
func Lines(ctx context.Context, rdb redis.UniversalClient, namespace string, queues []string) ([]Line, error) {
	type answers struct {
		waiting *redis.IntCmd
		waits   *redis.StringSliceCmd
		made    *redis.StringSliceCmd
	}
	pipe, asked := rdb.Pipeline(), make([]answers, len(queues))
	for i, name := range queues {
		k := keysOf(namespace, name)
		asked[i] = answers{pipe.ZCard(ctx, k.waiting()), pipe.LRange(ctx, k.waits(), 0, lineWaits-1), pipe.LRange(ctx, k.made(), 0, -1)}
	}
	now := pipe.Time(ctx)
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, fmt.Errorf("reading how %d queues do: %w", len(queues), err)
	}
	lines := make([]Line, len(queues))
	for i, a := range asked {
		lines[i] = Line{
			Queue: queues[i], Waiting: int(a.waiting.Val()), P50: median(a.waits.Val()), PerMinute: perMinute(a.made.Val(), now.Val()),
		}
	}
	slices.SortFunc(lines, func(a, b Line) int { return cmp.Compare(a.Queue, b.Queue) })
	return lines, nil
}

// median is that of entries of a queue's waits; 0 where there are none.
func median(entries []string) time.Duration {
	list := waitsIn(entries)
	if len(list) == 0 {
		return 0
	}
	slices.SortFunc(list, func(a, b wait) int { return cmp.Compare(a.took, b.took) })
	return list[rank(50, len(list))].took
}
