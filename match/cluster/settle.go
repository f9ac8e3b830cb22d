package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// How a room that expects players stands.
const (
	// Waiting is before its deadline, while not all are there.
	Waiting = "waiting"
	// Started is once all have come, or enough of them by the deadline.
	Started = "started"
	// Off is a room to which too few came: it is over.
	Off = "off"
)

// Settled is what Settle found.
type Settled struct {
	State string        // Waiting, Started or Off
	Left  time.Duration // until the deadline, while it is Waiting
	// Came are the players who took a seat, sorted: while it is Waiting those of now, then those of the moment in which it
	// was settled, whoever comes later.
	Came []string
}

// maxCame bounds how many tokens are remembered as used beyond a room's seats; the oldest go.
const maxCame = 1024

// settling is what scripts share that settle a room.
const settling = `
local function came()
	local list, seen = {}, {}
	for _, member in ipairs(redis.call('ZRANGE', KEYS[3], 0, -1)) do
		local player = string.match(member, '^[^|]*|(.*)$')
		if not seen[player] then
			seen[player] = true
			list[#list + 1] = player
		end
	end
	return list
end
local function enough(expect, need)
	need = tonumber(need) or 0
	return need > 0 and need or tonumber(expect) or 0
end
local function settle(state, players, ttl)
	redis.call('HSET', KEYS[4], 'state', state)
	for i = 1, #players do redis.call('HSET', KEYS[4], ':' .. players[i], '1') end
	redis.call('PEXPIRE', KEYS[4], ttl)
	redis.call('PEXPIRE', KEYS[3], ttl)
end
`

// Settle decides, by Redis's clock, whether a room that expects players has begun, and remembers it: all who ask hear the
// same, also for an hour after a room is over that was created by its id. A room that is off is no room for anybody from
// then on: no seat of it can be reserved or taken, and its host hears it when it renews it. One that expects nobody has
// Started. Errors: ErrNoRoom.
func (d *Directory) Settle(ctx context.Context, room string) (Settled, error) {
	doing := "settling room " + room
	answer, err := settleScript.Run(ctx, d.rdb, d.all(room), roomTTL.Milliseconds(), memoryTTL.Milliseconds()).StringSlice()
	state, err := wordOf(answer, 4, err)
	if err != nil {
		return Settled{}, fmt.Errorf("%s: %w", doing, err)
	}
	if state == "gone" {
		return Settled{}, answered(doing, state, nil)
	}
	left, err := strconv.ParseInt(answer[1], 10, 64)
	if err != nil {
		return Settled{}, fmt.Errorf("%s: %w", doing, err)
	}
	s := Settled{State: state, Left: time.Duration(left) * time.Millisecond, Came: answer[4:]}
	slices.Sort(s.Came)
	if state != Off {
		return s, nil
	}
	// Whoever settled it may have died before this, so it is done again each time that it is asked.
	return s, d.withdraw(ctx, room, answer[2], answer[3])
}

// withdraw takes a room that is off out of the indices, as far as its record says where it stands.
func (d *Directory) withdraw(ctx context.Context, room, queue, public string) error {
	err := d.index(ctx, queue, room)
	if public == "" {
		return err
	}
	r, rerr := d.Room(ctx, room)
	if errors.Is(rerr, ErrNoRoom) {
		return err
	}
	if rerr == nil {
		rerr = d.list(ctx, r)
	}
	return errors.Join(err, rerr)
}

// CallOff calls a room off, whoever is in it, as Settle does where too few came; by its owner's wish, say. It is no error
// when there is no such room.
func (d *Directory) CallOff(ctx context.Context, room string) error {
	answer, err := offScript.Run(ctx, d.rdb, d.all(room), roomTTL.Milliseconds(), memoryTTL.Milliseconds()).StringSlice()
	if _, err = wordOf(answer, 2, err); err == nil {
		err = d.withdraw(ctx, room, answer[0], answer[1])
	}
	if err != nil {
		return fmt.Errorf("calling room %s off: %w", room, err)
	}
	return nil
}

// How it began stays what it was.
var offScript = redis.NewScript(settling + callingOff + `
local rec = redis.call('HMGET', KEYS[1], 'seats', 'queue', 'public', 'off', 'once')
if not rec[1] then return {'', ''} end
if rec[5] and redis.call('EXISTS', KEYS[4]) == 0 then settle('off', came(), ARGV[2]) end
if not rec[4] then callOff(ARGV[1]) end
return {rec[2] or '', rec[3] or ''}`)

// callingOff is what scripts share that call a room off.
const callingOff = `
local function callOff(ttl)
	redis.call('HSET', KEYS[1], 'off', '1')
	redis.call('PEXPIRE', KEYS[1], ttl)
	redis.call('PEXPIRE', KEYS[2], ttl)
end
`

// The answer: how it is, how long until the deadline, the queue, whether it is public, the players who came.
var settleScript = redis.NewScript(settling + callingOff + `
local rec = redis.call('HMGET', KEYS[1], 'seats', 'expect', 'need', 'expectms', 'till', 'queue', 'public')
local state, left, players = redis.call('HGET', KEYS[4], 'state'), 0, nil
if state then
	players = {}
	for _, field in ipairs(redis.call('HKEYS', KEYS[4])) do
		if string.sub(field, 1, 1) == ':' then players[#players + 1] = string.sub(field, 2) end
	end
elseif not rec[1] then
	return {'gone', '0', '', ''}
else
	players, state = came(), 'started'
	local expect = tonumber(rec[2]) or 0
	if #players < expect then
		local t = redis.call('TIME')
		local now = t[1] * 1000 + math.floor(t[2] / 1000)
		left = rec[5] and tonumber(rec[5]) - now or tonumber(rec[4]) or 0
		if left > 0 then
			state = 'waiting'
		elseif #players < enough(rec[2], rec[3]) then
			state = 'off'
		end
	end
	if expect > 0 and state ~= 'waiting' then settle(state, players, ARGV[2]) end
	if state == 'off' then callOff(ARGV[1]) end
end
local answer = {state, string.format('%.0f', math.max(left, 0)), rec[6] or '', rec[7] or ''}
for i = 1, #players do answer[#answer + 1] = players[i] end
return answer`)

// Came says of each token whether it has taken a seat in the room. It knows the newest thousand of a room, and those of a
// room that was created by its id for an hour after its end.
func (d *Directory) Came(ctx context.Context, room string, tokens []string) ([]bool, error) {
	members, err := d.rdb.ZRange(ctx, d.came(room), 0, -1).Result()
	if err != nil {
		return nil, fmt.Errorf("reading who came to room %s: %w", room, err)
	}
	used := make(map[string]bool, len(members))
	for _, m := range members {
		token, _, _ := strings.Cut(m, "|")
		used[token] = true
	}
	list := make([]bool, len(tokens))
	for i, t := range tokens {
		list[i] = used[t]
	}
	return list, nil
}
