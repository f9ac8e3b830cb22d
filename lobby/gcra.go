package lobby

import (
	"context"
	"errors"
	"fmt"
	"strings"
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
	n := 0
	for _, cmd := range cmds {
		waits, err := cmd.Int64Slice()
		if err == nil && n+len(waits) > len(list) {
			err = errors.New("more answers than questions")
		}
		if err != nil {
			return fmt.Errorf("counting what is limited: %w", err)
		}
		for _, wait := range waits {
			c := list[n]
			n++
			if after := seconds(time.Duration(wait) * time.Microsecond); wait > 0 && (worst == nil || after > worst.after) {
				worst = &tooOftenError{c.what, after}
			}
		}
	}
	if worst != nil {
		return worst
	}
	return nil
}

// seconds is a time in whole seconds, rounded up.
func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

// ask sends the script in one pipeline, once for those counters next to each other that share a hash tag.
func (l *limits) ask(
	ctx context.Context, run func(context.Context, redis.Scripter, []string, ...any) *redis.Cmd, list []counter,
) ([]*redis.Cmd, error) {
	pipe := l.rdb.Pipeline()
	cmds := make([]*redis.Cmd, 0, len(list))
	for len(list) > 0 {
		tag := tagOf(list[0].key)
		var keys []string
		var args []any
		for len(list) > 0 && tagOf(list[0].key) == tag {
			c := list[0]
			interval := c.limit.Period.Microseconds() / int64(c.limit.Rate)
			keys, args = append(keys, l.ns+":rate:"+c.key), append(args, interval, interval*int64(c.limit.Burst))
			list = list[1:]
		}
		cmds = append(cmds, run(ctx, pipe, keys, args...))
	}
	_, err := pipe.Exec(ctx)
	if errors.Is(err, redis.Nil) {
		err = nil
	}
	return cmds, err
}

// tagOf is a key's hash tag.
func tagOf(key string) string {
	_, rest, _ := strings.Cut(key, "{")
	tag, _, _ := strings.Cut(rest, "}")
	return tag
}

// For each key the answer is 0, or after how many microseconds there is room for one more. Run again, it counts once more,
// which harms nobody but who is at his limit. More than the burst cannot be owed: where it is, Redis's clock has gone
// back, and the count begins anew at its full.
var gcraScript = redis.NewScript(`
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local waits = {}
for i = 1, #KEYS do
	local interval, burst = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
	local function keep(paid)
		redis.call('SET', KEYS[i], string.format('%.0f', paid), 'PX', math.ceil((paid - now) / 1000))
	end
	local paid = math.max(tonumber(redis.call('GET', KEYS[i]) or '0'), now)
	if paid > now + burst then
		paid = now + burst
		keep(paid)
	end
	waits[i] = math.max(paid + interval - burst - now, 0)
	if waits[i] == 0 then keep(paid + interval) end
end
return waits`)
