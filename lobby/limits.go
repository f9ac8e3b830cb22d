package lobby

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-redis/redis_rate/v10"
	"github.com/redis/go-redis/v9"
	"go.uber.org/zap"
)

// Requests that one player, and for guests' logins one address, may make; all lobbies count together.
var (
	playerLimit = redis_rate.Limit{Rate: 10, Burst: 30, Period: time.Second}
	guestLimit  = redis_rate.Limit{Rate: 50, Burst: 200, Period: time.Second}
)

// openLimit is how many rooms a player may make or, where they have names, open, which are kept for ever. Joining those
// that are open is free.
var openLimit = redis_rate.Limit{Rate: 20, Burst: 20, Period: time.Hour}

// tooOftenError says that a limit is reached, and after how many seconds it is worth trying again.
type tooOftenError struct {
	what  string
	after int
}

func (e *tooOftenError) Error() string { return e.what }

// limits counts requests in Redis.
type limits struct{ limiter *redis_rate.Limiter }

func newLimits(rdb redis.UniversalClient, namespace string) *limits {
	return &limits{redis_rate.NewLimiter(namespaced{rdb, namespace})}
}

// namespaced puts the namespace before the limiter's keys, which have a prefix of their own.
type namespaced struct {
	redis.UniversalClient
	ns string
}

func (n namespaced) key(keys []string) []string {
	own := make([]string, len(keys))
	for i, k := range keys {
		own[i] = n.ns + ":" + k
	}
	return own
}

func (n namespaced) Eval(ctx context.Context, script string, keys []string, args ...any) *redis.Cmd {
	return n.UniversalClient.Eval(ctx, script, n.key(keys), args...)
}

func (n namespaced) EvalSha(ctx context.Context, sha string, keys []string, args ...any) *redis.Cmd {
	return n.UniversalClient.EvalSha(ctx, sha, n.key(keys), args...)
}

// addressOf is the address from which a request comes.
func addressOf(ctx huma.Context) string {
	host, _, _ := net.SplitHostPort(ctx.RemoteAddr())
	return host
}

// limitKey is the beginning of the keys of what is counted of the player who makes a request.
func limitKey(ctx context.Context) string { return limitKeyOf(playerOf(ctx).ID) }

func limitKeyOf(player string) string { return "{player:" + digest(player) + "}" }

// count counts one more of what key names. Where that is over the limit its error is a tooOftenError, which says what.
func (l *Lobby) count(ctx context.Context, key string, limit redis_rate.Limit, what string) error {
	res, err := l.limits.limiter.Allow(ctx, key, limit)
	switch {
	case err != nil:
		return fmt.Errorf("counting what is limited: %w", err)
	case res.Allowed == 0:
		l.metrics.limited.Inc()
		return &tooOftenError{what, int(res.RetryAfter/time.Second) + 1}
	}
	return nil
}

// limit refuses requests over the limit with 429 and says when to come again. Without Redis nothing is counted and
// nothing can be done, so the answer is 503.
func (l *Lobby) limit(api huma.API) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		key, limit := limitKey(ctx.Context()), playerLimit
		if len(ctx.Operation().Security) == 0 {
			key, limit = "{address:"+addressOf(ctx)+"}", guestLimit
		}
		var often *tooOftenError
		switch err := l.count(ctx.Context(), key, limit, "too many requests"); {
		case errors.As(err, &often):
			ctx.SetHeader("Retry-After", strconv.Itoa(often.after))
			_ = huma.WriteErr(api, ctx, http.StatusTooManyRequests, often.what) // nobody is left to tell
			return
		case err != nil:
			l.log.Warn("a request could not be counted", zap.Error(err))
			ctx.SetHeader("Retry-After", "1")
			_ = huma.WriteErr(api, ctx, http.StatusServiceUnavailable, notNow) // nobody is left to tell
			return
		}
		next(ctx)
	}
}
