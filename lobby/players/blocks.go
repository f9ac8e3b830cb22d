package players

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/redis/go-redis/v9"
)

// MaxBlocks is how many players one may block.
const MaxBlocks = 500

// ErrTooMany means that a player blocks as many others as one may.
var ErrTooMany = errors.New("too many players are blocked")

// Block has a player block another, which may be done again. Errors: ErrTooMany.
func (s *Store) Block(ctx context.Context, by, whom string) error {
	answer, err := blockScript.Run(ctx, s.rdb, []string{s.blocks(by)}, whom, MaxBlocks, keepFor.Milliseconds()).Text()
	switch {
	case err != nil:
		return fmt.Errorf("blocking a player: %w", err)
	case answer == "full":
		return ErrTooMany
	}
	return nil
}

var blockScript = redis.NewScript(`
if redis.call('SISMEMBER', KEYS[1], ARGV[1]) == 0 then
	if redis.call('SCARD', KEYS[1]) >= tonumber(ARGV[2]) then return 'full' end
	redis.call('SADD', KEYS[1], ARGV[1])
end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 'ok'`)

// Unblock undoes Block; whom the player does not block stays so.
func (s *Store) Unblock(ctx context.Context, by, whom string) error {
	if err := s.rdb.SRem(ctx, s.blocks(by), whom).Err(); err != nil {
		return fmt.Errorf("unblocking a player: %w", err)
	}
	return nil
}

// Blocks returns whom a player blocks, in the order of their ids.
func (s *Store) Blocks(ctx context.Context, by string) ([]string, error) {
	list, err := s.rdb.SMembers(ctx, s.blocks(by)).Result()
	if err != nil {
		return nil, fmt.Errorf("reading whom a player blocks: %w", err)
	}
	slices.Sort(list)
	return list, nil
}
