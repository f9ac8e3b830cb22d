// Package invitation keeps who is invited to what: a sorted set beside the invitation's subject, of players' digests by
// the end of their invitations. It tells nobody.
package invitation

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/lobby/keyspace"
)

// Errors that callers decide on.
var (
	// ErrNone means that there is nothing of this key to be invited to.
	ErrNone = errors.New("there is nothing to be invited to")
	// ErrMany means that as many invitations are open as may be.
	ErrMany = errors.New("too many invitations are open")
)

// Open invites a player to what is at the key subject, whose invitations are at the key list of the same hash tag, and
// returns until when. One who is invited already stays invited until then.
func Open(ctx context.Context, rdb redis.UniversalClient, subject, list, player string, lasts time.Duration, most int) (until time.Time, err error) {
	till, err := openScript.Run(ctx, rdb, []string{subject, list}, keyspace.Digest(player), lasts.Milliseconds(), most).Int64()
	switch {
	case err != nil:
		return time.Time{}, err //nolint:wrapcheck // callers say to what
	case till < 0:
		return time.Time{}, ErrMany
	case till == 0:
		return time.Time{}, ErrNone
	}
	return time.UnixMilli(till).UTC(), nil
}

// The answer is until when the invitation is good; 0 where there is no such subject, -1 where there are too many.
var openScript = redis.NewScript(`
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', string.format('%.0f', now))
local till = redis.call('ZSCORE', KEYS[2], ARGV[1])
if till then return tonumber(till) end
if redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[3]) then return -1 end
redis.call('ZADD', KEYS[2], string.format('%.0f', now + tonumber(ARGV[2])), ARGV[1])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
return now + tonumber(ARGV[2])`)
