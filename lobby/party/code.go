package party

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"

	"muster/lobby/joincode"
)

// newCode finds a code that nobody has and makes it name a party. It counts once the party's record has it too, so
// that one which comes to nothing is of no use.
func (s *Store) newCode(ctx context.Context, id string) (string, error) {
	for range attempts {
		code := joincode.New()
		done, err := s.cfg.Redis.SetNX(ctx, s.codeKey(code), id, keepFor).Result()
		if err != nil {
			return "", fmt.Errorf("making a code for party %s: %w", id, err)
		}
		if done {
			return code, nil
		}
	}
	return "", ErrBusy
}

// byCode returns the id of the party that a code, as it was made, names. Errors: ErrNone.
func (s *Store) byCode(ctx context.Context, code string) (string, error) {
	id, err := s.cfg.Redis.Get(ctx, s.codeKey(code)).Result()
	switch {
	case errors.Is(err, redis.Nil):
		return "", ErrNone
	case err != nil:
		return "", fmt.Errorf("looking for a code: %w", err)
	}
	return id, nil
}
