package doctor

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/internal/pause"
)

const (
	// page is about how many keys one exchange is about.
	page = 200
	// maxSuspects bounds how many are looked at again.
	maxSuspects = 10_000
	// pageTimeout bounds the exchanges about one page.
	pageTimeout = 10 * time.Second
)

// Config is what a look needs.
type Config struct {
	Redis     redis.UniversalClient // required
	Namespace string                // required
	// Grace is how long a key must have had no owner. 0 looks again at once.
	Grace time.Duration
	// Again is told before the second look how many keys it is about. nil: nobody wants to know.
	Again func(suspects int, wait time.Duration)
	// Wait waits, or returns an error when ctx ends before. nil waits by the clock.
	Wait func(ctx context.Context, d time.Duration) error
}

// Look walks all keys of a namespace and returns what it found. It reads only, one page after the other, with as long a
// pause after each as that took, and holds what it found and one page in memory. Where its error is not nil the report
// is of what it has seen.
func Look(ctx context.Context, cfg Config) (*Report, error) {
	if cfg.Wait == nil {
		cfg.Wait = pause.For
	}
	l := &look{cfg: cfg, prefix: cfg.Namespace + ":", table: theTable(), report: newReport(cfg.Namespace, cfg.Grace)}
	err := l.walk(ctx)
	if err == nil && len(l.suspects) > 0 {
		err = l.again(ctx)
	}
	l.report.finish()
	if err != nil {
		return l.report, fmt.Errorf("looking through namespace %s: %w", cfg.Namespace, err)
	}
	return l.report, nil
}

// look is one look.
type look struct {
	cfg    Config
	prefix string
	table  table
	report *Report

	suspects  map[finding]*row
	confirmed map[finding]bool // on the second look; nil on the first
	now       time.Time        // Redis's, of the page
	live      map[string]bool  // the nodes that live, of the page
}

// finding is a key, or a part of one, that may have no owner.
type finding struct{ pattern, key, part, why string }

// key is a key of a page.
type key struct {
	row  *row
	name string
	ids  []string
	ttl  time.Duration // negative where it does not end
	kind string
}

// found notes what can never become right, or shows its age.
func (l *look) found(k *key, part, why string) {
	if l.confirmed == nil {
		l.report.add(finding{k.row.pattern, k.name, part, why})
	}
}

// suspect notes what has no owner now. What ends within the grace could never be found, and is left alone.
func (l *look) suspect(k *key, part, why string) {
	f := finding{k.row.pattern, k.name, part, why}
	switch {
	case l.confirmed != nil:
		l.confirmed[f] = true
	case k.ttl >= 0 && k.ttl < l.cfg.Grace:
	case len(l.suspects) >= maxSuspects:
		l.report.Unchecked++
	default:
		if l.suspects == nil {
			l.suspects = map[finding]*row{}
		}
		l.suspects[f] = k.row
	}
}

// walk looks at all keys.
func (l *look) walk(ctx context.Context) error {
	return masters(ctx, l.cfg.Redis, func(ctx context.Context, rdb redis.UniversalClient) error {
		for cursor := uint64(0); ; {
			began := time.Now()
			names, next, err := rdb.Scan(ctx, cursor, l.prefix+"*", page).Result()
			if err == nil {
				err = l.names(ctx, names)
			}
			if err != nil || next == 0 {
				return err
			}
			cursor = next
			if err := l.cfg.Wait(ctx, time.Since(began)); err != nil { // others have at least half of Redis
				return err
			}
		}
	})
}

// again looks at the suspects once more, after the grace.
func (l *look) again(ctx context.Context) error {
	if l.cfg.Again != nil {
		l.cfg.Again(len(l.suspects), l.cfg.Grace)
	}
	if err := l.cfg.Wait(ctx, l.cfg.Grace); err != nil {
		return err
	}
	l.confirmed = map[finding]bool{}
	seen, names := map[string]bool{}, make([]string, 0, page)
	for f := range l.suspects {
		if seen[f.key] {
			continue
		}
		seen[f.key] = true
		if names = append(names, f.key); len(names) == page {
			if err := l.names(ctx, names); err != nil {
				return err
			}
			names = names[:0]
		}
	}
	if err := l.names(ctx, names); err != nil {
		return err
	}
	for f := range l.suspects {
		if l.confirmed[f] {
			l.report.add(f)
		}
	}
	return nil
}

// names looks at keys by their names.
func (l *look) names(ctx context.Context, names []string) error {
	if len(names) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, pageTimeout)
	defer cancel()
	if l.confirmed == nil {
		l.report.Keys += int64(len(names))
	}
	byRow := map[*row][]*key{}
	pipe := l.cfg.Redis.Pipeline()
	ttls, kinds := map[*key]*redis.DurationCmd{}, map[*key]*redis.StatusCmd{}
	for _, name := range names {
		k := &key{name: name}
		if k.row, k.ids = l.table.find(name[len(l.prefix):]); k.row == nil {
			k.row = &unknown
			l.found(k, "", whyUnknown)
			continue
		}
		ttls[k], kinds[k] = pipe.PTTL(ctx, name), pipe.Type(ctx, name)
		byRow[k.row] = append(byRow[k.row], k)
	}
	if err := l.readNodes(ctx); err != nil {
		return err
	}
	if err := exec(ctx, pipe); err != nil {
		return err
	}
	for r, keys := range byRow {
		there := keys[:0]
		for _, k := range keys {
			if k.ttl, k.kind = ttls[k].Val(), kinds[k].Val(); l.fits(k) {
				there = append(there, k)
			}
		}
		if r.owner != nil && len(there) > 0 {
			if err := r.owner(ctx, l, there); err != nil {
				return fmt.Errorf("keys like %s: %w", r.pattern, err)
			}
		}
	}
	return nil
}

// unknown stands for keys without a row.
var unknown = row{pattern: "(none)"}

// fits checks what every row says, and is false for a key of which no more can be asked.
func (l *look) fits(k *key) bool {
	switch {
	case k.ttl == -2 || k.kind == "none": // it has just gone
		return false
	case k.kind != k.row.kind:
		l.found(k, "", whyKind)
		return false
	case k.row.lasts > 0 && k.ttl < 0:
		l.found(k, "", whyForever)
	case k.row.lasts > 0 && k.ttl > k.row.lasts+slack:
		l.found(k, "", whyTooLong)
	}
	return true
}

// readNodes reads Redis's clock and which nodes live.
func (l *look) readNodes(ctx context.Context) error {
	pipe := l.cfg.Redis.Pipeline()
	now, nodes := pipe.Time(ctx), pipe.ZRangeWithScores(ctx, l.prefix+"{nodes}:live", 0, -1)
	if err := exec(ctx, pipe); err != nil {
		return fmt.Errorf("reading the nodes: %w", err)
	}
	l.now, l.live = now.Val(), map[string]bool{}
	for _, z := range nodes.Val() {
		if id, ok := z.Member.(string); ok && z.Score > float64(l.now.UnixMilli()) {
			l.live[id] = true
		}
	}
	return nil
}

// masters calls f for each server that has keys of its own, one after the other.
func masters(ctx context.Context, rdb redis.UniversalClient, f func(context.Context, redis.UniversalClient) error) error {
	cluster, ok := rdb.(interface {
		ForEachMaster(ctx context.Context, f func(context.Context, *redis.Client) error) error
	})
	if !ok {
		return f(ctx, rdb)
	}
	var mu sync.Mutex
	return cluster.ForEachMaster(ctx, func(ctx context.Context, one *redis.Client) error { //nolint:wrapcheck // f's own
		mu.Lock()
		defer mu.Unlock()
		return f(ctx, one)
	})
}

// exec sends a pipeline in which keys may be missing, or of another type by now.
func exec(ctx context.Context, pipe redis.Pipeliner) error {
	if pipe.Len() == 0 {
		return nil
	}
	cmds, err := pipe.Exec(ctx)
	if err == nil {
		return nil
	}
	for _, cmd := range cmds {
		if err := cmd.Err(); err != nil && !errors.Is(err, redis.Nil) && !redis.HasErrorPrefix(err, "WRONGTYPE") {
			return err
		}
	}
	return nil
}
