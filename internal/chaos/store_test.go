package chaos

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/redis/go-redis/v9"

	"muster/internal/testredis"
)

// store is a Redis that a test may break, with what it has on its disk.
type store interface {
	URL() string
	Connect() redis.UniversalClient
	Kill()
	Restart()
	// line is HOST:PORT of the only server; where there are several, "": clients find them by themselves, and no line
	// of a server can be bad.
	line() string
}

// onDisk are options of a Redis whose process may be killed without a loss of what it has acknowledged. The machine lives
// on: a disk that is slow to sync would be another fault than those that are looked at.
var onDisk = []string{"--appendonly", "yes", "--appendfsync", "no"}

func startStore(t testing.TB, replicas bool) store {
	t.Helper()
	switch *kind {
	case "single":
		return single{testredis.Start(t, onDisk...)}
	case "cluster":
		if replicas {
			return whole{testredis.StartReplicatedCluster(t, 3, onDisk...)}
		}
		return whole{testredis.StartCluster(t, 3, onDisk...)}
	case "sentinel":
		return pair{testredis.StartSentinel(t, onDisk...)}
	}
	t.Fatalf("-redis %s: there is no such Redis", *kind)
	return nil
}

type single struct{ *testredis.Server }

func (s single) line() string { return s.Addr }

// whole is a Redis Cluster of which all servers break at once.
type whole struct{ *testredis.Cluster }

func (whole) line() string { return "" }

func (c whole) Kill() {
	for _, s := range slices.Concat(c.Replicas, c.Masters) {
		s.Kill()
	}
}

func (c whole) Restart() {
	for _, s := range slices.Concat(c.Masters, c.Replicas) {
		s.Restart()
	}
	c.Wait()
}

// pair is a master and a replica, with Sentinels; both break at once.
type pair struct{ *testredis.Sentinel }

func (pair) line() string { return "" }

func (p pair) Kill() {
	p.Replica.Kill()
	p.Master.Kill()
}

func (p pair) Restart() {
	p.Master.Restart()
	p.Replica.Restart()
}

// wipe makes Redis forget everything, scripts too.
func wipe(ctx context.Context, rdb redis.UniversalClient) error {
	forget := func(ctx context.Context, c *redis.Client) error {
		if err := c.FlushAll(ctx).Err(); err != nil {
			return err
		}
		return c.ScriptFlush(ctx).Err()
	}
	switch c := rdb.(type) {
	case *redis.ClusterClient:
		return c.ForEachMaster(ctx, forget)
	case *redis.Client:
		return forget(ctx, c)
	}
	return fmt.Errorf("a %T cannot be emptied", rdb)
}
