package lobby

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/match/cluster"
	"muster/proto"
)

const (
	// drainEvery is how often results are looked for.
	drainEvery = 500 * time.Millisecond
	// resultTTL is how long a match's result can be read.
	resultTTL = 24 * time.Hour
)

var errNoResult = errors.New("no such result")

// resultStore keeps the results of matches. Any goroutine may use it.
type resultStore struct {
	rdb redis.UniversalClient
	keys
}

// put stores a result; the first one of a match counts.
func (s *resultStore) put(ctx context.Context, r proto.Result) error {
	body, err := json.Marshal(r)
	if err == nil {
		err = s.rdb.SetArgs(ctx, s.result(r.Room), body, redis.SetArgs{Mode: "NX", TTL: resultTTL}).Err()
	}
	if err != nil && !errors.Is(err, redis.Nil) { // nil: it is there already
		return fmt.Errorf("storing the result of match %s: %w", r.Room, err)
	}
	return nil
}

func (s *resultStore) get(ctx context.Context, room string) (r proto.Result, err error) {
	body, err := s.rdb.Get(ctx, s.result(room)).Bytes()
	if errors.Is(err, redis.Nil) {
		return r, errNoResult
	}
	if err == nil {
		err = json.Unmarshal(body, &r)
	}
	if err != nil {
		return r, fmt.Errorf("reading the result of match %s: %w", room, err)
	}
	return r, nil
}

// storeTimeout bounds one look at the outbox.
const storeTimeout = 5 * time.Second

// drainResults moves results from the outbox to the store until ctx ends.
func (l *Lobby) drainResults(ctx context.Context) {
	outbox := cluster.NewOutbox(l.cfg.Redis, l.cfg.Namespace)
	outbox.Lost = l.tickets.Lost
	ticker := time.NewTicker(drainEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		call, cancel := context.WithTimeout(ctx, storeTimeout)
		_, err := outbox.Drain(call, l.keepResult)
		cancel()
		if err != nil && ctx.Err() == nil {
			l.metrics.failures.Inc()
			l.complain("storing results failed; they wait in the outbox", err)
		}
	}
}

// keepResult stores a result and has its players rated by the one that counts for its match. It may be called again with
// the same.
func (l *Lobby) keepResult(ctx context.Context, r proto.Result) error {
	if err := l.results.put(ctx, r); err != nil {
		return err
	}
	kept, err := l.results.get(ctx, r.Room)
	if err == nil {
		err = l.players.Record(ctx, kept)
	}
	if err != nil && !errors.Is(err, errNoResult) { // it is a day old: it was recorded long ago, if it could be
		return err //nolint:wrapcheck // says what it did
	}
	l.metrics.results.WithLabelValues(r.Game).Inc()
	return nil
}
