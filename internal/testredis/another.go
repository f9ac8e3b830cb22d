package testredis

import (
	"context"
	"net"
	"testing"

	"github.com/redis/go-redis/v9"
)

// Another returns another client of the same Redis, which is closed with the test. retries is redis.Options.MaxRetries, where
// 0 is its default; wrap may put something around each connection, nil leaves them as they are.
func Another(t testing.TB, rdb redis.UniversalClient, retries int, wrap func(net.Conn) net.Conn) redis.UniversalClient {
	t.Helper()
	var c redis.UniversalClient
	switch rdb := rdb.(type) {
	case *redis.Client:
		o := *rdb.Options()
		o.MaxRetries, o.Dialer = retries, wrapped(o.Dialer, wrap)
		c = redis.NewClient(&o)
	case *redis.ClusterClient:
		o := *rdb.Options()
		o.MaxRetries, o.Dialer = retries, wrapped((&net.Dialer{Timeout: o.DialTimeout}).DialContext, wrap)
		c = redis.NewClusterClient(&o)
	default:
		t.Fatalf("%T is no client of a Redis", rdb)
	}
	t.Cleanup(func() { _ = c.Close() }) // the test may have closed it
	return c
}

type dialer func(ctx context.Context, network, addr string) (net.Conn, error)

func wrapped(dial dialer, wrap func(net.Conn) net.Conn) dialer {
	if wrap == nil {
		return dial
	}
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return wrap(c), nil
	}
}
