package presence

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/redis/go-redis/v9"

	"muster/lobby/keyspace"
)

// The states of a player. Of several the last counts.
const (
	Offline = "offline"
	Online  = "online"
	InQueue = "in_queue"
	InMatch = "in_match"
)

// State is how a player is seen.
type State struct {
	Player string `json:"player"`
	State  string `json:"state"`
}

// Notice is the kind of the notice that a player's state has changed; its id is the player's keyspace.Digest.
const Notice = "presence"

// Fields of a player's hash; the values are when they end, in milliseconds by Redis's clock.
const (
	fieldSocket = "c:" // and the Tracker's id
	fieldMatch  = "m:" // and the Tracker's id
	fieldQueue  = "q:" // and the queue
)

// batch is how many players one exchange with Redis is about.
const batch = 64

// read returns players' states as they are, whoever may see them.
func (t *Tracker) read(ctx context.Context, players []string) (list []string, err error) {
	for some := range slices.Chunk(players, batch) {
		pipe := t.cfg.Redis.Pipeline()
		hashes := make([]*redis.MapStringStringCmd, len(some))
		for i, p := range some {
			hashes[i] = pipe.HGetAll(ctx, t.key(p))
		}
		now := pipe.Time(ctx)
		if _, err := pipe.Exec(ctx); err != nil {
			return nil, fmt.Errorf("reading who is there: %w", err)
		}
		for _, h := range hashes {
			list = append(list, stateOf(h.Val(), now.Val().UnixMilli()))
		}
	}
	return list, nil
}

func (t *Tracker) key(player string) string {
	return keyspace.Player(t.cfg.Namespace, player) + ":presence"
}

// stateOf is what a hash says; changeScript decides the same.
func stateOf(fields map[string]string, now int64) string {
	state := Offline
	for f, till := range fields {
		if ends, err := strconv.ParseInt(till, 10, 64); err != nil || ends <= now || len(f) < 2 {
			continue
		}
		switch f[:2] {
		case fieldMatch:
			return InMatch
		case fieldQueue:
			state = InQueue
		default:
			if state == Offline {
				state = Online
			}
		}
	}
	return state
}

// changeScript sets fields, each for a time in milliseconds, 0 removes it. It says whether the state has changed.
const changeScript = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local function state()
	local best, last = 0, 0
	local all = redis.call('HGETALL', KEYS[1])
	for i = 1, #all, 2 do
		local ends = tonumber(all[i + 1]) or 0
		if ends <= now then
			redis.call('HDEL', KEYS[1], all[i])
		else
			local kind = string.sub(all[i], 1, 2)
			last = math.max(last, ends)
			best = math.max(best, kind == 'm:' and 3 or kind == 'q:' and 2 or 1)
		end
	end
	return best, last
end
local before = state()
for i = 1, #ARGV, 2 do
	if ARGV[i + 1] == '0' then
		redis.call('HDEL', KEYS[1], ARGV[i])
	else
		redis.call('HSET', KEYS[1], ARGV[i], string.format('%.0f', now + ARGV[i + 1]))
	end
end
local after, last = state()
if last > 0 then redis.call('PEXPIRE', KEYS[1], string.format('%.0f', last - now)) end
return before ~= after and 1 or 0`
