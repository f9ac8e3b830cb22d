package party

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// A player's mark is "PARTY JOIN", where JOIN is how he came to the party, which the party remembers of him too. While
// he is on his way into it, a "?" is before it. It is set before the party takes him in, and confirmed after: whoever
// wants to put another in its place must find it as it was, so of two ways into parties at once one fails and is
// undone.

// claimFor is how long the mark of who is on his way lasts: a process that dies between the two leaves it.
const claimFor = 10 * time.Minute

// markOf is the mark of a member.
func markOf(party, join string) string { return party + " " + join }

// named returns what a mark names.
func named(mark string) (party, join string) {
	party, join, _ = strings.Cut(strings.TrimPrefix(mark, "?"), " ")
	return party, join
}

// is says whether a mark is that of this membership.
func is(mark, party, join string) bool { return strings.TrimPrefix(mark, "?") == markOf(party, join) }

// claim marks a player as on his way into a party. Errors: *ElsewhereError, also where he is in this one.
func (s *Store) claim(ctx context.Context, player, party, join string) error {
	for range attempts {
		mark, err := s.markNow(ctx, player)
		if err != nil {
			return err
		}
		if is(mark, party, join) {
			return nil
		}
		if other, how := named(mark); other != "" {
			p, err := s.read(ctx, other)
			if err != nil && !errors.Is(err, ErrNone) {
				return err
			}
			if err == nil {
				if m := p.member(player); m != nil && m.join == how {
					return &ElsewhereError{other}
				}
			}
		}
		if done, err := s.setMark(ctx, player, mark, "?"+markOf(party, join)); done || err != nil {
			return err
		}
	}
	return ErrBusy
}

func (s *Store) markNow(ctx context.Context, player string) (string, error) {
	mark, err := s.cfg.Redis.Get(ctx, s.mark(player)).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return "", fmt.Errorf("reading a player's party: %w", err)
	}
	return mark, nil
}

// setMark puts next ("" is none) in the place of was, where that is still there.
func (s *Store) setMark(ctx context.Context, player, was, next string) (done bool, err error) {
	lasts := 2 * keepFor
	if strings.HasPrefix(next, "?") {
		lasts = claimFor
	}
	answer, err := markScript.Run(ctx, s.cfg.Redis, []string{s.mark(player)}, was, next, lasts.Milliseconds()).Text()
	if err != nil {
		return false, fmt.Errorf("marking a player's party: %w", err)
	}
	return answer == "ok", nil
}

var markScript = redis.NewScript(`
local mark = redis.call('GET', KEYS[1]) or ''
if mark == ARGV[2] then return 'ok' end
if mark ~= ARGV[1] then return 'stale' end
if ARGV[2] == '' then redis.call('DEL', KEYS[1]) else redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
return 'ok'`)

// drop removes the mark of somebody who is no member any more. What fails is stale, which everybody bears.
func (s *Store) drop(ctx context.Context, player, party, join string) {
	_, _ = s.setMark(ctx, player, markOf(party, join), "")
	_, _ = s.setMark(ctx, player, "?"+markOf(party, join), "")
}
