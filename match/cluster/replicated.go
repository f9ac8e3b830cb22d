package cluster

import (
	"context"
	"errors"
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
// where Sentinels watch, and in a Cluster that has replicas. Elsewhere the master's word is enough.
type replicated struct {
	rdb redis.UniversalClient

	mu    sync.Mutex
	asked time.Time
	has   bool
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
	for tried := false; ; tried = true {
		// WAIT is about what its connection wrote, so both go over one: a connection does not outlive a failover.
		pipe := node.Pipeline()
		answer, wait := s.EvalSha(ctx, pipe, keys, args...), pipe.Do(ctx, "wait", 1, replicaWait.Milliseconds())
		_, _ = pipe.Exec(ctx) // the commands have their errors
		text, err := answer.Text()
		switch {
		case err != nil && strings.HasPrefix(err.Error(), "NOSCRIPT") && !tried:
			if err := s.Load(ctx, node).Err(); err != nil {
				return "", err
			}
			continue
		case err != nil:
			r.moved(ctx, err)
			return "", err //nolint:wrapcheck // callers say what they did
		}
		if n, err := wait.Int(); err != nil {
			return "", fmt.Errorf("waiting for a replica: %w", err)
		} else if n < 1 {
			return "", errReplica
		}
		return text, nil
	}
}

// node returns a client of the one server that has a key, or nil where no replica is waited for.
func (r *replicated) node(ctx context.Context, key string) (*redis.Client, error) {
	rdb := r.rdb
	if b, ok := rdb.(*batched); ok {
		rdb = b.UniversalClient
	}
	switch c := rdb.(type) {
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

// ask says whether a Cluster has replicas, also such that are down.
func (r *replicated) ask(ctx context.Context, c *redis.ClusterClient) (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.asked.IsZero() && time.Since(r.asked) < replicasAsked {
		return r.has, nil
	}
	nodes, err := c.ClusterNodes(ctx).Result()
	if err != nil {
		return false, fmt.Errorf("asking whether there are replicas: %w", err)
	}
	r.asked, r.has = time.Now(), strings.Contains(nodes, "slave")
	return r.has, nil
}

// moved looks anew who has which slots where an error says that they have moved.
func (r *replicated) moved(ctx context.Context, err error) {
	rdb := r.rdb
	if b, ok := rdb.(*batched); ok {
		rdb = b.UniversalClient
	}
	var said redis.Error
	if c, ok := rdb.(*redis.ClusterClient); ok && errors.As(err, &said) {
		c.ReloadState(ctx)
	}
}
