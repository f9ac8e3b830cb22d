package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/zap"
)

// A node's registration lasts nodeTTL and is renewed three times within it.
const (
	nodeTTL   = 6 * time.Second
	nodeRenew = 2 * time.Second
)

// Node is what a host says of itself.
type Node struct {
	ID string `json:"id"` // of this run of the process: a restarted one is another node
	// Process is the same for all ids that one run of a process has, one after the other; "" is ID.
	Process string            `json:"process,omitempty"`
	URL     string            `json:"url"`              // where clients reach it, http://HOST or https://HOST
	Asked   bool              `json:"asked,omitempty"`  // URL is a guess: clients come to its rooms by whichever server they asked
	Role    string            `json:"role,omitempty"`   // RoleLobby, RoleMatch or RoleAll, which "" is, too
	Region  string            `json:"region,omitempty"` // where it is, for players who measure latencies; "" is not said
	Tags    map[string]string `json:"tags,omitempty"`   // what is special about it, for rooms that want it
	Games   map[string]string `json:"games"`            // what it can run: the rules' version by game
	Full    string            `json:"full,omitempty"`   // why it takes no new rooms now; its running ones go on
	Ends    bool              `json:"ends,omitempty"`   // it should be replaced: nor does it take new players

	Capacity int  `json:"capacity,omitempty"` // the most rooms that it takes; 0: its load alone decides
	Draining bool `json:"draining,omitempty"` // it takes no new rooms, since an operator said so
	Load     Load `json:"load,omitzero"`
}

// Nodes is the register of hosts. Any goroutine may use it.
type Nodes struct {
	rdb redis.UniversalClient
	log *zap.Logger
	keys
}

// NewNodes returns the register of the deployment with this namespace.
func NewNodes(rdb redis.UniversalClient, namespace string, log *zap.Logger) *Nodes {
	return &Nodes{rdb: rdb, log: log, keys: keys{namespace}}
}

// Join registers a node and keeps it registered until leave is called, which takes it out. now is called each time to
// bring what changes up to date; it may be nil.
func (n *Nodes) Join(ctx context.Context, node Node, now func(*Node)) (leave func(context.Context), err error) {
	if now == nil {
		now = func(*Node) {}
	}
	now(&node)
	if err := n.register(ctx, node); err != nil {
		return nil, err
	}
	renewing, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		ticker := time.NewTicker(nodeRenew)
		defer ticker.Stop()
		for {
			select {
			case <-renewing.Done():
				return
			case <-ticker.C:
			}
			now(&node)
			if err := n.register(renewing, node); err != nil && renewing.Err() == nil {
				n.log.Warn("this node's registration was not renewed", zap.Error(err))
			}
		}
	})
	return func(ctx context.Context) {
		stop()
		wg.Wait()
		pipe := n.rdb.Pipeline()
		pipe.ZRem(ctx, n.nodes(), node.ID)
		pipe.HDel(ctx, n.nodeInfo(), node.ID)
		if _, err := pipe.Exec(ctx); err != nil {
			n.log.Warn("this node's registration was not taken out; it ends by itself", zap.Error(err))
		}
	}, nil
}

func (n *Nodes) register(ctx context.Context, node Node) error {
	info, err := json.Marshal(node)
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if err == nil {
		err = registerScript.Run(ctx, n.rdb, []string{n.nodes(), n.nodeInfo()}, node.ID, info, nodeTTL.Milliseconds()).Err()
	}
	if err != nil {
		return fmt.Errorf("registering node %s: %w", node.ID, err)
	}
	return nil
}

// Whoever registers sweeps out those whose time is over.
var registerScript = redis.NewScript(`
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now))) do
	redis.call('ZREM', KEYS[1], id)
	redis.call('HDEL', KEYS[2], id)
end
redis.call('ZADD', KEYS[1], string.format('%.0f', now + tonumber(ARGV[3])), ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
return 'ok'`)

// Live returns the registered nodes by id.
func (n *Nodes) Live(ctx context.Context) (map[string]Node, error) {
	answer, err := liveScript.Run(ctx, n.rdb, []string{n.nodes(), n.nodeInfo(), n.draining()}).StringSlice()
	drains, err := wordOf(answer, 1, err)
	if err != nil {
		return nil, fmt.Errorf("listing the nodes: %w", err)
	}
	draining, infos := strings.Fields(drains), answer[1:]
	live := make(map[string]Node, len(infos))
	for _, info := range infos {
		var node Node
		if json.Unmarshal([]byte(info), &node) == nil { // else a node of another release: it is none to this one
			node.Draining = slices.Contains(draining, node.drains()) // from now on, not from when it has heard of it
			live[node.ID] = node
		}
	}
	return live, nil
}

var liveScript = redis.NewScript(`
local t = redis.call('TIME')
local now = string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000))
local ids = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. now, '+inf')
local infos = {table.concat(redis.call('HKEYS', KEYS[3]), ' ')}
if #ids == 0 then return infos end
for _, info in ipairs(redis.call('HMGET', KEYS[2], unpack(ids))) do
	if info then infos[#infos + 1] = info end
end
return infos`)
