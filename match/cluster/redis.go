package cluster

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
)

// What go-redis would print on standard error it also returns as an error, or the bus notices it.
func init() { redis.SetLogger(silent{}) }

type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}

// callTimeout bounds one exchange with Redis. A game would rather hear of an error than wait for the default five
// seconds.
const callTimeout = time.Second

// Connect returns a client for an address of Redis after one answered PING. The forms of an address are
//
//	redis://USER:PASSWORD@HOST:PORT/DB
//	redis+sentinel://USER:PASSWORD@HOST:PORT,HOST:PORT/MASTER?db=DB
//	redis+cluster://USER:PASSWORD@HOST:PORT,HOST:PORT
//
// and the same with rediss, over TLS. The hosts are a server, the Sentinels that know who is the MASTER, or some servers of
// a Cluster. Sentinels that want a login of their own have it in sentinel_username and sentinel_password. [Access] has what
// does not belong into an address.
func Connect(ctx context.Context, text string) (redis.UniversalClient, error) {
	return Access{URL: text}.Connect(ctx)
}

// check says whether what answers is what the address says.
func (a *address) check(ctx context.Context, rdb redis.UniversalClient) error {
	if err := rdb.Ping(ctx).Err(); err != nil {
		if a.kind == kindCluster && strings.Contains(err.Error(), "cluster support disabled") {
			return errors.New("it is no Redis Cluster: want redis:// in place of redis+cluster://")
		}
		return err
	}
	info, err := rdb.Info(ctx, "cluster").Result()
	if a.kind != kindCluster && err == nil && strings.Contains(info, "cluster_enabled:1") {
		return errors.New("it is a server of a Redis Cluster: want redis+cluster:// and some of its hosts")
	}
	return nil
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

// unbatched returns what a client stands for.
func unbatched(rdb redis.UniversalClient) redis.UniversalClient {
	if b, ok := rdb.(*batched); ok {
		return b.UniversalClient
	}
	return rdb
}

// reload looks anew, soon, who has which slots of a Cluster, after an error: a server may have said that it has them no
// longer, or be gone, and its replica has them. By itself a client whose commands do not say so looks each ten seconds.
func reload(ctx context.Context, rdb redis.UniversalClient) {
	if c, ok := unbatched(rdb).(*redis.ClusterClient); ok {
		c.ReloadState(ctx)
	}
}
