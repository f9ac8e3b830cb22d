package cluster

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// Registered is a node as the register has it.
type Registered struct {
	Node

	// Left is how long its registration lasts if it is not renewed; below 0 since when it is over.
	Left time.Duration
}

// Registered returns all nodes that the register has, those whose time is over and that nobody has swept out included, by
// their ids. Those of another release that cannot be read are left out.
func (n *Nodes) Registered(ctx context.Context) ([]Registered, error) {
	answer, err := registeredScript.Run(ctx, n.rdb, []string{n.nodes(), n.nodeInfo(), n.draining()}).StringSlice()
	drains, err := wordOf(answer, 1, err)
	if err != nil {
		return nil, fmt.Errorf("listing the registered nodes: %w", err)
	}
	draining, rest := strings.Fields(drains), answer[1:]
	var list []Registered
	for i := 0; i+1 < len(rest); i += 2 {
		left, err := strconv.ParseInt(rest[i], 10, 64)
		var r Registered
		if err != nil || json.Unmarshal([]byte(rest[i+1]), &r.Node) != nil {
			continue
		}
		r.Left = time.Duration(left) * time.Millisecond
		r.Draining = slices.Contains(draining, r.drains())
		list = append(list, r)
	}
	slices.SortFunc(list, func(a, b Registered) int { return cmp.Compare(a.ID, b.ID) })
	return list, nil
}

var registeredScript = redis.NewScript(`
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local list = {table.concat(redis.call('HKEYS', KEYS[3]), ' ')}
local ends = redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
for i = 1, #ends, 2 do
	local info = redis.call('HGET', KEYS[2], ends[i])
	if info then
		list[#list + 1] = string.format('%.0f', tonumber(ends[i + 1]) - now)
		list[#list + 1] = info
	end
end
return list`)
