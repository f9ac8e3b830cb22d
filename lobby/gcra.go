package lobby

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// limits counts in Redis by the generic cell rate algorithm, which keeps one time for each counter: when all that was
// counted is paid for. All lobbies count together, by Redis's clock.
type limits struct {
	rdb redis.UniversalClient
	ns  string
}

// rate is a limit: so many in a period, and so many at once.
type rate struct {
	Rate   int // for each Period
	Burst  int
	Period time.Duration
}

// counter is something that is counted against a limit. Its key has a hash tag.
type counter struct {
	key   string
	limit rate
	what  string // in the words of the error
}

// take counts one more for each counter, in one exchange with Redis; each counts for itself, whatever becomes of the
// others. Its error is a tooOftenError of the one that is over its limit for the longest.
func (l *limits) take(ctx context.Context, list ...counter) error {
	cmds, err := l.ask(ctx, gcraScript.EvalSha, list)
	if redis.HasErrorPrefix(err, "NOSCRIPT") { // in a cluster some may have run, and count twice this once
		cmds, err = l.ask(ctx, gcraScript.Eval, list)
	}
	if err != nil {
		return fmt.Errorf("counting what is limited: %w", err)
	}
	var worst *tooOftenError
	for i, c := range list {
		wait, err := cmds[i].Int64()
		if err != nil {
			return fmt.Errorf("counting what is limited: %w", err)
		}
		if after := seconds(time.Duration(wait) * time.Microsecond); wait > 0 && (worst == nil || after > worst.after) {
			worst = &tooOftenError{c.what, after}
		}
	}
	if worst != nil {
		return worst
	}
	return nil
}

// seconds is a time in whole seconds, rounded up.
func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

// ask sends the script for each counter, in one pipeline.
func (l *limits) ask(
	ctx context.Context, run func(context.Context, redis.Scripter, []string, ...any) *redis.Cmd, list []counter,
) ([]*redis.Cmd, error) {
	pipe := l.rdb.Pipeline()
	cmds := make([]*redis.Cmd, len(list))
	for i, c := range list {
		interval := c.limit.Period.Microseconds() / int64(c.limit.Rate)
		cmds[i] = run(ctx, pipe, []string{l.ns + ":rate:" + c.key}, interval, interval*int64(c.limit.Burst))
	}
	_, err := pipe.Exec(ctx)
	if errors.Is(err, redis.Nil) {
		err = nil
	}
	return cmds, err
}

// The answer is 0, or after how many microseconds there is room for one more. Run again, it counts once more, which
// harms nobody but who is at his limit. More than the burst cannot be owed: where it is, Redis's clock has gone back, and
// the count begins anew at its full.
var gcraScript = redis.NewScript(`
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local function keep(paid)
	redis.call('SET', KEYS[1], string.format('%.0f', paid), 'PX', math.ceil((paid - now) / 1000))
end
local paid = tonumber(redis.call('GET', KEYS[1]) or '0')
if paid < now then paid = now end
if paid > now + burst then
	paid = now + burst
	keep(paid)
end
local wait = paid + interval - burst - now
if wait > 0 then return wait end
keep(paid + interval)
return 0`)
