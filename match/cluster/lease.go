package cluster

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/match/cluster/ownership"
)

// What Redis has of leases lies under one hash tag. lease holds of each incarnation "BEAT BORN TTL WHO,KNOWS,IT", live the
// end of its lease by Redis's clock, which only those read who look for a node to use, info what it says of itself. fenced
// has the incarnations that are over, each with its number in their order; nothing takes one out but the next maxFenced.

// maxFenced bounds how many fences Redis keeps, and newFenced how many a node hears of that has just come.
const (
	maxFenced = 4096
	newFenced = 128
)

// errFenced means that the incarnation is over; errLate that a newer attempt to renew has come first.
var (
	errFenced = errors.New("this incarnation is fenced")
	errLate   = errors.New("the attempt was overtaken")
)

func (k keys) leaseKeys() []string {
	return []string{k.nodes(), k.nodeInfo(), k.leases(), k.fenced(), k.epochs()}
}

// renew makes one attempt to renew a lease and returns what Redis answers, with what the others say of themselves.
func (n *Nodes) renew(ctx context.Context, id string, info []byte, r ownership.Renewal) (a ownership.Answer, infos map[string]string, err error) {
	res, err := renewLeaseScript.Run(ctx, n.rdb, n.leaseKeys(), id, info, r.TTL.Milliseconds(), r.Beat, r.Acked,
		strings.Join(r.Knows, ","), r.News, r.Epoch, strings.Join(r.Fences, ","), maxFenced, newFenced).Slice()
	if err == nil {
		a, infos, err = parseAnswer(res)
	}
	if err != nil {
		return a, nil, fmt.Errorf("renewing the lease of node %s: %w", id, err)
	}
	return a, infos, nil
}

func parseAnswer(res []any) (a ownership.Answer, infos map[string]string, err error) {
	if len(res) > 0 && res[0] == "fenced" {
		return a, nil, errFenced
	}
	if len(res) > 0 && res[0] == "late" {
		return a, nil, errLate
	}
	if len(res) != 7 {
		return a, nil, fmt.Errorf("%d values, want 7", len(res))
	}
	text := func(v any) string { s, _ := v.(string); return s }
	number := func(v any) uint64 {
		n, perr := strconv.ParseUint(text(v), 10, 64)
		if perr != nil && err == nil {
			err = perr
		}
		return n
	}
	a = ownership.Answer{Lineage: text(res[1]), Born: number(res[2]), Epoch: number(res[3]), News: number(res[4])}
	others, _ := res[5].([]any)
	fenced, _ := res[6].([]any)
	infos = make(map[string]string, len(others)/5)
	for ; len(others) >= 5; others = others[5:] {
		id := text(others[0])
		a.Others = append(a.Others, ownership.Entry{
			ID: id, Beat: number(others[1]), TTL: time.Duration(number(others[2])) * time.Millisecond, Knows: text(others[3]) == "1", //nolint:gosec // ours
		})
		infos[id] = text(others[4])
	}
	for _, id := range fenced {
		a.Fenced = append(a.Fenced, text(id))
	}
	return a, infos, err
}

// fenceOne is the part of scripts that fences an incarnation: nobody undoes it.
const fenceOne = `
local function fence(id, most)
	if redis.call('ZSCORE', KEYS[4], id) then return end
	local last = redis.call('ZREVRANGE', KEYS[4], 0, 0, 'WITHSCORES')
	redis.call('ZADD', KEYS[4], (tonumber(last[2]) or 0) + 1, id)
	redis.call('ZREMRANGEBYRANK', KEYS[4], 0, -1 - tonumber(most))
	redis.call('ZREM', KEYS[1], id)
	redis.call('HDEL', KEYS[2], id)
	redis.call('HDEL', KEYS[3], id)
end
`

// ARGV: id, info, TTL in ms, beat, acked beat, whom it knows, news, epoch, fences that may be forgotten, bounds of fences.
// The server's run id tells whether it is another one, or was started anew; where it may not be asked the answer is "".
var renewLeaseScript = redis.NewScript(fenceOne + `
for id in string.gmatch(ARGV[9], '[^,]+') do fence(id, ARGV[10]) end
if redis.call('ZSCORE', KEYS[4], ARGV[1]) then return {'fenced'} end
local born = ARGV[4]
local mine = redis.call('HGET', KEYS[3], ARGV[1])
if mine then
	local beat, since = string.match(mine, '^(%d+) (%d+) ')
	if tonumber(beat) > tonumber(ARGV[4]) then return {'late'} end
	born = since
end
local t = redis.call('TIME')
redis.call('HSET', KEYS[3], ARGV[1], ARGV[4] .. ' ' .. born .. ' ' .. ARGV[3] .. ' ' .. ARGV[6])
redis.call('ZADD', KEYS[1], string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000) + ARGV[3]), ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
local epoch = redis.call('GET', KEYS[5]) or '0'
if tonumber(ARGV[8]) > tonumber(epoch) then
	epoch = ARGV[8]
	redis.call('SET', KEYS[5], epoch)
end
local others, entries = {}, redis.call('HGETALL', KEYS[3])
for i = 1, #entries, 2 do
	if entries[i] ~= ARGV[1] then
		local beat, _, ttl, knows = string.match(entries[i + 1], '^(%d+) (%d+) (%d+) (.*)$')
		local n = #others
		others[n + 1], others[n + 2], others[n + 3] = entries[i], beat, ttl
		others[n + 4] = string.find(',' .. knows .. ',', ',' .. ARGV[1] .. ',', 1, true) and '1' or '0'
		others[n + 5] = redis.call('HGET', KEYS[2], entries[i]) or ''
	end
end
local last = redis.call('ZREVRANGE', KEYS[4], 0, 0, 'WITHSCORES')
local fenced
if ARGV[7] == '0' then
	fenced = redis.call('ZREVRANGE', KEYS[4], 0, ARGV[11] - 1)
else
	fenced = redis.call('ZRANGEBYSCORE', KEYS[4], '(' .. ARGV[7], '+inf')
end
local info = redis.pcall('INFO', 'server')
local lineage = type(info) == 'string' and string.match(info, 'run_id:(%w+)') or ''
return {'ok', lineage, born, epoch, string.format('%.0f', tonumber(last[2]) or 0), others, fenced}`)

// fence fences an incarnation if its beat is still the one that was seen; where Redis has no such incarnation the beat is 0.
// false: it is another one.
func (n *Nodes) fence(ctx context.Context, f ownership.Fence) (bool, error) {
	done, err := fenceScript.Run(ctx, n.rdb, n.leaseKeys(), f.ID, f.Beat, maxFenced).Bool()
	if err != nil {
		return false, fmt.Errorf("fencing node %s: %w", f.ID, err)
	}
	return done, nil
}

var fenceScript = redis.NewScript(fenceOne + `
if redis.call('ZSCORE', KEYS[4], ARGV[1]) then return 1 end
local entry = redis.call('HGET', KEYS[3], ARGV[1]) or '0 '
if string.match(entry, '^%d+') ~= ARGV[2] then return 0 end
fence(ARGV[1], ARGV[3])
return 1`)

// leave ends an incarnation by its own will.
func (n *Nodes) leave(ctx context.Context, id string) error {
	if err := leaveScript.Run(ctx, n.rdb, n.leaseKeys(), id, maxFenced).Err(); err != nil {
		return fmt.Errorf("taking node %s out: %w", id, err)
	}
	return nil
}

var leaveScript = redis.NewScript(fenceOne + `
fence(ARGV[1], ARGV[2])
return 1`)

// gone says whether an incarnation is fenced, and whether Redis knows it at all.
func (n *Nodes) gone(ctx context.Context, id string) (fenced, known bool, err error) {
	state, err := goneScript.Run(ctx, n.rdb, n.leaseKeys(), id).Int()
	if err != nil {
		return false, false, fmt.Errorf("asking for node %s: %w", id, err)
	}
	return state == 1, state != 2, nil
}

// Gone says whether what a node ran may be given to another one: it is fenced, or has let the room go. That a lease is over
// does not say so: the node may be late, and run its rooms on.
func (n *Nodes) Gone(ctx context.Context, id string) (bool, error) {
	if id == Released {
		return true, nil
	}
	fenced, _, err := n.gone(ctx, id)
	return fenced, err
}

var goneScript = redis.NewScript(`
if redis.call('ZSCORE', KEYS[4], ARGV[1]) then return 1 end
if redis.call('HEXISTS', KEYS[3], ARGV[1]) == 1 then return 0 end
return 2`)
