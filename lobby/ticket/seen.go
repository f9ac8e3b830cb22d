package ticket

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"

	"muster/lobby/keyspace"
)

// Seen notes that players are there, as if each had asked for all his tickets: those who have a lobby socket. It takes two
// exchanges with Redis, however many players.
func (s *Service) Seen(ctx context.Context, players []string) error {
	pipe, lists := s.cfg.Redis.Pipeline(), make([]*redis.StringSliceCmd, len(players))
	for i, p := range players {
		lists[i] = pipe.ZRange(ctx, playerOf(s.cfg.Namespace, p).tickets(), 0, -1)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return fmt.Errorf("listing the tickets of those who are here: %w", err)
	}
	var calls []call
	for i, p := range players {
		for _, id := range lists[i].Val() {
			if name, ok := QueueOf(id); ok {
				k := keysOf(s.cfg.Namespace, name)
				calls = append(calls, call{[]string{k.ticket(id), k.seen()}, []any{id, keyspace.Digest(p)}})
			}
		}
	}
	if len(calls) == 0 {
		return nil
	}
	_, err := runAll(ctx, s.cfg.Redis, getScript, calls)
	return wrap(err, "noting who is here")
}
