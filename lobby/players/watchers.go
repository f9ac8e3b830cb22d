package players

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"
)

// Watchers returns for each of the watched who may watch him; Nobody where he blocks the one who wants to.
func (s *Store) Watchers(ctx context.Context, watcher string, watched []string) ([]Watch, error) {
	pipe := s.rdb.Pipeline()
	choices, blocks := make([]*redis.StringCmd, len(watched)), make([]*redis.BoolCmd, len(watched))
	for i, id := range watched {
		choices[i], blocks[i] = pipe.HGet(ctx, s.profile(id), "watch"), pipe.SIsMember(ctx, s.blocks(id), watcher)
	}
	answers, _ := pipe.Exec(ctx) // its error may be that somebody has chosen nothing
	for _, a := range answers {
		if err := a.Err(); err != nil && !isNil(err) {
			return nil, fmt.Errorf("reading who may watch players: %w", err)
		}
	}
	list := make([]Watch, len(watched))
	for i := range watched {
		if list[i] = watchOf(choices[i].Val()); blocks[i].Val() {
			list[i] = Nobody
		}
	}
	return list, nil
}
