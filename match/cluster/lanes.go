package cluster

import (
	"context"
	"sync"

	"github.com/redis/go-redis/v9"
)

// lanes has what goes together to each of several servers: nobody waits for one that he does not ask. The zero value is
// ready; any goroutine may use it.
type lanes struct {
	mu  sync.Mutex
	all map[*redis.Client]*batched // by the server's client
}

// mostLanes bounds the lanes: a server that has moved has another client.
const mostLanes = 64

// of returns a server's lane, which begin makes.
func (l *lanes) of(server *redis.Client, begin func() *batched) *batched {
	l.mu.Lock()
	defer l.mu.Unlock()
	lane := l.all[server]
	if lane == nil {
		if len(l.all) >= mostLanes || l.all == nil {
			l.all = map[*redis.Client]*batched{} // who is in an old one ends there
		}
		lane = begin()
		l.all[server] = lane
	}
	return lane
}

// lane returns what goes together to the master of a Cluster that has the keys of commands; nil where they are several
// masters', or have none. A master that has lost them meanwhile says whose they are, and the Cluster's client follows.
func (b *batched) lane(ctx context.Context, c *redis.ClusterClient, cmds []redis.Cmder) *batched {
	var server *redis.Client
	for _, cmd := range cmds {
		key := firstKey(cmd)
		if key == "" {
			return nil
		}
		master, err := c.MasterForKey(ctx, key)
		if err != nil || server != nil && server != master {
			return nil
		}
		server = master
	}
	return b.lanes.of(server, func() *batched { return &batched{UniversalClient: c} })
}

// firstKey is a command's first key, by which go-redis chooses its server as well; "" where it has none, or has it at another
// place than most.
func firstKey(cmd redis.Cmder) string {
	args, at := cmd.Args(), 1
	switch cmd.Name() {
	case "eval", "evalsha":
		if at = 3; len(args) > 2 && args[2] == 0 {
			return ""
		}
	case "publish", "script", "xread", "xreadgroup", "xinfo", "xgroup", "object", "memory", "bitop", "sintercard", "zinter", "zunion", "zdiff":
		return ""
	}
	if at >= len(args) {
		return ""
	}
	key, _ := args[at].(string)
	return key
}
