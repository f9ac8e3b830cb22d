package cluster

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// callTimeout bounds one exchange with Redis. A game would rather hear of an error than wait for the default five
// seconds.
const callTimeout = time.Second

// Connect returns a client for a redis:// or rediss:// URL after one answered PING.
func Connect(ctx context.Context, url string) (redis.UniversalClient, error) {
	o, err := redis.ParseURL(url)
	if err != nil {
		return nil, fmt.Errorf("the address of Redis: %w", err)
	}
	rdb := redis.NewClient(withDefaults(o))
	if err := rdb.Ping(ctx).Err(); err != nil {
		_ = rdb.Close()
		return nil, fmt.Errorf("connecting to Redis at %s: %w", o.Addr, err)
	}
	return rdb, nil
}

// Embedded returns a client of a Redis within this process. It listens on no port, so nobody else can reach it, and
// keeps nothing after stop, which must be called once, after the client's users have ended.
func Embedded() (rdb redis.UniversalClient, stop func()) {
	server := miniredis.NewMiniRedis()
	server.ClockTTL(true)
	client := redis.NewClient(withDefaults(&redis.Options{
		Addr:   "embedded",
		Dialer: func(context.Context, string, string) (net.Conn, error) { return server.Dial() },
	}))
	return client, func() {
		_ = client.Close()
		server.Close()
	}
}

func withDefaults(o *redis.Options) *redis.Options {
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout = callTimeout, callTimeout, callTimeout
	o.ContextTimeoutEnabled = true // else a context's deadline does not bound a command
	o.MinIdleConns = 2
	// The default asks each new connection for a feature that open-source servers answer with an error.
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	return o
}
