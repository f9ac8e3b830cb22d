package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// What go-redis would print on standard error it also returns as an error, or the bus notices it.
func init() { redis.SetLogger(silent{}) }

type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}

// callTimeout bounds one exchange with Redis. A game would rather hear of an error than wait for the default five
// seconds.
const callTimeout = time.Second

// Connect returns a client for a redis:// or rediss:// URL after one answered PING.
func Connect(ctx context.Context, address string) (redis.UniversalClient, error) {
	o, err := redis.ParseURL(address)
	if bad := (*url.Error)(nil); errors.As(err, &bad) {
		return nil, errors.New("the address of Redis is not a URL like redis://USER:PASSWORD@HOST:PORT") // its text holds the password
	}
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
	var mu sync.RWMutex // a client that is closed may still be opening a connection, which the server must not see while it closes
	closed := false
	client := redis.NewClient(withDefaults(&redis.Options{
		Addr: "embedded",
		Dialer: func(context.Context, string, string) (net.Conn, error) {
			mu.RLock()
			defer mu.RUnlock()
			if closed {
				return nil, net.ErrClosed
			}
			c, err := server.Dial()
			if err != nil {
				return nil, err //nolint:wrapcheck // go-redis says what it did
			}
			return newBuffered(c), nil
		},
	}))
	return client, func() {
		_ = client.Close()
		mu.Lock()
		closed = true
		mu.Unlock()
		server.Close()
	}
}

func withDefaults(o *redis.Options) *redis.Options {
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout = callTimeout, callTimeout, callTimeout
	o.ContextTimeoutEnabled = true // else a context's deadline does not bound a command
	o.MinIdleConns = 2
	o.DialerRetries = 1 // a command is tried again as a whole
	// The default asks each new connection for a feature that open-source servers answer with an error.
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	return o
}
