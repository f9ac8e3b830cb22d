package ticket

import (
	"context"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Every script begins with luaNow; those that change tickets with luaKeys, too.
const (
	luaNow = `
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local function int(n) return string.format('%.0f', n) end
`
	luaKeys = luaNow + `
local waiting, seen, attempts, filling, leader = KEYS[1], KEYS[2], KEYS[5], KEYS[6], KEYS[7]
local day = 86400000
local function log(...)
	redis.call('XADD', KEYS[3], 'MAXLEN', '~', '20000', '*', 'n', redis.call('INCR', KEYS[4]), ...)
	redis.call('PEXPIRE', KEYS[3], day)
	redis.call('PEXPIRE', KEYS[4], day)
end
local function free(mark, id)
	if redis.call('GET', mark) == id then redis.call('DEL', mark) end
end
`
)

// script is one that begins with head.
func script(head, body string) *redis.Script { return redis.NewScript(head + body) }

// call is one run of a script.
type call struct {
	keys []string
	args []any
}

// runAll runs a script once for each call, in one exchange. It returns the first error.
func runAll(ctx context.Context, rdb redis.UniversalClient, s *redis.Script, calls []call) ([]*redis.Cmd, error) {
	if len(calls) == 1 {
		cmd := s.Run(ctx, rdb, calls[0].keys, calls[0].args...)
		return []*redis.Cmd{cmd}, cmd.Err()
	}
	for tried := false; ; tried = true {
		pipe, cmds := rdb.Pipeline(), make([]*redis.Cmd, len(calls))
		for i, c := range calls {
			cmds[i] = s.EvalSha(ctx, pipe, c.keys, c.args...)
		}
		_, err := pipe.Exec(ctx)
		if err == nil || tried || !strings.HasPrefix(err.Error(), "NOSCRIPT") {
			return cmds, err //nolint:wrapcheck // callers say what they did
		}
		if err := s.Load(ctx, rdb).Err(); err != nil { // all of them may run twice
			return cmds, err
		}
	}
}

// wrap says what was being done when err came up; nil stays nil.
func wrap(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf(format+": %w", append(args, err)...)
}
