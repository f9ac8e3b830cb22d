package lobby

import (
	"context"
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

// limit refuses requests over the limit with 429 and says when to come again. Without Redis nothing is counted and
// nothing can be done, so the answer is 503.
func (l *Lobby) limit(api huma.API) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		key, limit := "{player:"+digest(playerOf(ctx.Context()).ID)+"}", playerLimit
		if len(ctx.Operation().Security) == 0 {
			host, _, _ := net.SplitHostPort(ctx.RemoteAddr())
			key, limit = "{address:"+host+"}", guestLimit
		}
		res, err := l.limits.limiter.Allow(ctx.Context(), key, limit)
		switch {
		case err != nil:
			l.log.Warn("a request could not be counted", zap.Error(err))
			ctx.SetHeader("Retry-After", "1")
			_ = huma.WriteErr(api, ctx, http.StatusServiceUnavailable, notNow) // nobody is left to tell
			return
		case res.Allowed == 0:
			l.metrics.limited.Inc()
			ctx.SetHeader("Retry-After", strconv.Itoa(int(res.RetryAfter/time.Second)+1))
			_ = huma.WriteErr(api, ctx, http.StatusTooManyRequests, "too many requests") // nobody is left to tell
			return
		}
		next(ctx)
	}
}
