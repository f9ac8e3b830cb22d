package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"
	"go.uber.org/zap"
)

// Node is what a host says of itself.
type Node struct {
	ID string `json:"id"` // the incarnation: a node that is started again, or was fenced, has another
	// Process is the same for all ids that one run of a process has, one after the other; "" is ID.
	Process string            `json:"process,omitempty"`
	URL     string            `json:"url"`              // where clients reach it, http://HOST or https://HOST
	Peer    string            `json:"peer,omitempty"`   // URL by which other nodes reach it
	Place   string            `json:"place,omitempty"`  // what only one process at a time can have, see PlaceOf; "" is not known
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

	// Key tells the deployment's keys apart and nothing else of them; "" is not said.
	Key string `json:"key,omitempty"`
	// For operators: the release that it runs, and when its process began, by its own clock, as Unix time in milliseconds.
	Version string `json:"version,omitempty"`
	Began   int64  `json:"began,omitempty"`

	Playing map[string]InGame `json:"playing,omitempty"` // what of its load is each game's, by name
	Queues  map[string]string `json:"queues,omitempty"`  // the queues of its lobby, and their games
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

// Live returns the nodes that hold their leases, by id.
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
