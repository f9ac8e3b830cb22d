package cluster

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// replicaWait bounds how long a write waits for a replica.
	replicaWait = 500 * time.Millisecond
	// replicasAsked is how long it is believed that a Cluster has replicas, or none.
	replicasAsked = time.Minute
)

// errReplica means that a write is on the master and on no replica yet: a failover may lose it.
var errReplica = fmt.Errorf("no replica had it within %v", replicaWait)

// replicated runs scripts whose writes count when a replica has them as well, wherever a failover can make one the master:
// where Sentinels watch, and in a Cluster that has replicas. Elsewhere the master's word is enough. Scripts of callers that
// are busy at the same time go to a server together, and one WAIT is for all of them.
type replicated struct {
	rdb redis.UniversalClient

	mu    sync.Mutex
	asked time.Time
	has   bool
	lanes lanes
}

// run runs a script whose first key says where. A script that fails with errReplica has run.
func (r *replicated) run(ctx context.Context, s *redis.Script, keys []string, args ...any) (string, error) {
	node, err := r.node(ctx, keys[0])
	if err != nil {
		return "", err
	}
	if node == nil {
		return s.Run(ctx, r.rdb, keys, args...).Text() //nolint:wrapcheck // callers say what they did
	}
	text, err := s.Run(ctx, r.lane(node), keys, args...).Text()
	if err != nil {
		reload(ctx, r.rdb)
	}
	return text, err //nolint:wrapcheck // callers say what they did
}

// lane returns what goes to a server together.
func (r *replicated) lane(server *redis.Client) *batched {
	return r.lanes.of(server, func() *batched { return &batched{UniversalClient: server, replica: true} })
}

// waited makes an exchange that ends when a replica has what the commands wrote. WAIT is about what its connection wrote, and
// a pipeline goes over one, which does not outlive a failover. What Redis has refused has said so already.
func waited(ctx context.Context, rdb redis.UniversalClient, cmds []redis.Cmder) {
	pipe := rdb.Pipeline()
	_ = pipe.BatchProcess(ctx, cmds...)
	wait := pipe.Do(ctx, "wait", 1, replicaWait.Milliseconds())
	_, _ = pipe.Exec(ctx) // the commands have their errors
	n, err := wait.Int()
	switch {
	case err != nil:
		err = fmt.Errorf("waiting for a replica: %w", err)
	case n < 1:
		err = errReplica
	default:
		return
	}
	for _, cmd := range cmds {
		if cmd.Err() == nil {
			cmd.SetErr(err)
		}
	}
}

// node returns a client of the one server that has a key, or nil where no replica is waited for.
func (r *replicated) node(ctx context.Context, key string) (*redis.Client, error) {
	switch c := unbatched(r.rdb).(type) {
	case *redis.Client:
		if c.Options().Addr == "FailoverClient" { // so go-redis names the address of one that Sentinels know
			return c, nil
		}
	case *redis.ClusterClient:
		if has, err := r.ask(ctx, c); err != nil || !has {
			return nil, err
		}
		return c.MasterForKey(ctx, key) //nolint:wrapcheck // callers say what they did
	}
	return nil, nil //nolint:nilnil // there is none
}

// ask says whether a Cluster has replicas, also such that are down. Once that is known one caller at a time asks again, not for
// long, and the others go on with what was known: the server that is asked may be one that does not answer.
func (r *replicated) ask(ctx context.Context, c *redis.ClusterClient) (bool, error) {
	r.mu.Lock()
	known, has := !r.asked.IsZero(), r.has
	if known && time.Since(r.asked) < replicasAsked {
		r.mu.Unlock()
		return has, nil
	}
	if known {
		r.asked = time.Now()
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, replicaWait)
		defer cancel()
	}
	r.mu.Unlock()
	nodes, err := c.ClusterNodes(ctx).Result()
	if err != nil && known {
		return has, nil //nolint:nilerr // in a minute it is asked again
	}
	if err != nil {
		return false, fmt.Errorf("asking whether there are replicas: %w", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked, r.has = time.Now(), strings.Contains(nodes, "slave")
	return r.has, nil
}
