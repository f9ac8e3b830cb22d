package ticket

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/lobby/keyspace"
)

func isNil(err error) bool { return errors.Is(err, redis.Nil) }

// answers sends a pipeline in which keys may be missing. Exec's error is the first of any kind: behind a missing key may
// be a server that did not answer.
func answers(ctx context.Context, pipe redis.Pipeliner) error {
	cmds, err := pipe.Exec(ctx)
	if err == nil {
		return nil
	}
	for _, cmd := range cmds {
		if err := cmd.Err(); err != nil && !isNil(err) {
			return err
		}
	}
	if isNil(err) {
		return nil
	}
	return err //nolint:wrapcheck // callers say what they did
}

// claimEntries puts a new ticket's entry into each of its players' indices, unless a penalty keeps one of them out.
func (s *Service) claimEntries(ctx context.Context, n *New, t *Ticket, ttl time.Duration) error {
	calls := make([]call, len(t.Players))
	for i := range t.Players {
		p := t.Players[i].ID
		k, digest := playerOf(s.cfg.Namespace, p), ""
		if p == n.By {
			digest = n.Digest
		}
		calls[i] = call{
			[]string{k.tickets(), k.penalty(), k.request(n.ID)},
			[]any{t.ID, ttl.Milliseconds(), digest, requestTTL.Milliseconds(), maxTickets},
		}
	}
	cmds, err := runAll(ctx, s.cfg.Redis, entryScript, calls)
	if err != nil {
		return fmt.Errorf("creating a ticket: %w", err)
	}
	for i, cmd := range cmds {
		answer, err := cmd.StringSlice()
		if err != nil {
			return fmt.Errorf("creating a ticket: %w", err)
		}
		p := t.Players[i].ID
		switch answer[0] {
		case "reused":
			return ErrReused
		case "many":
			if swept, err := s.sweepEntries(ctx, p); err != nil || swept == 0 {
				return errors.Join(ErrMany, err)
			}
			return s.claimEntries(ctx, n, t, ttl)
		case "penalty":
			ms, err := strconv.ParseInt(answer[1], 10, 64)
			if err != nil {
				return fmt.Errorf("creating a ticket: the penalty: %w", err)
			}
			return &PenaltyError{Player: p, Why: answer[2], For: time.Duration(ms) * time.Millisecond}
		}
	}
	return nil
}

// luaEntry puts a ticket into a player's index, which lives as long as the one of its tickets that may live longest: a ticket
// of a short queue must not have that of a long one forgotten.
const luaEntry = luaNow + `
local function enter(index, id, ttl)
	redis.call('ZADD', index, int(now + ttl), id)
	if redis.call('PTTL', index) < tonumber(ttl) then redis.call('PEXPIRE', index, ttl) end
end
`

// That a request came before does not say that its ticket was made, so it is asked for the same again.
var entryScript = script(luaEntry, `
if ARGV[3] ~= '' then
	local had = redis.call('GET', KEYS[3])
	if had and had ~= ARGV[3] then return {'reused'} end
end
local p = redis.call('HMGET', KEYS[2], 'till', 'why')
if p[1] and tonumber(p[1]) > now then return {'penalty', int(p[1] - now), p[2]} end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', int(now))
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[5]) then return {'many'} end
if ARGV[3] ~= '' then redis.call('SET', KEYS[3], ARGV[3], 'PX', ARGV[4]) end
enter(KEYS[1], ARGV[1], ARGV[2])
return {'ok'}`)

// Of returns the ids of a player's tickets that have not ended, in all queues.
func (s *Service) Of(ctx context.Context, player string) ([]string, error) {
	ids, err := s.cfg.Redis.ZRange(ctx, playerOf(s.cfg.Namespace, player).tickets(), 0, -1).Result()
	if err != nil || len(ids) == 0 {
		return nil, wrap(err, "listing a player's tickets")
	}
	pipe, cmds := s.cfg.Redis.Pipeline(), make([]*redis.StringCmd, len(ids))
	for i, id := range ids {
		name, _ := QueueOf(id)
		cmds[i] = pipe.HGet(ctx, keysOf(s.cfg.Namespace, name).ticket(id), "state")
	}
	if err := answers(ctx, pipe); err != nil {
		return nil, fmt.Errorf("listing a player's tickets: %w", err)
	}
	live := ids[:0]
	for i, cmd := range cmds {
		if state := State(cmd.Val()); state != "" && !state.ended() {
			live = append(live, ids[i])
		}
	}
	return live, nil
}

// sweepEntries takes out of a player's index what is no live ticket, and says how many were.
func (s *Service) sweepEntries(ctx context.Context, player string) (int, error) {
	live, err := s.Of(ctx, player)
	if err != nil {
		return 0, err
	}
	key := playerOf(s.cfg.Namespace, player).tickets()
	all, err := s.cfg.Redis.ZRange(ctx, key, 0, -1).Result()
	if err != nil {
		return 0, fmt.Errorf("sweeping a player's tickets: %w", err)
	}
	n := 0
	for _, id := range all {
		if !slices.Contains(live, id) {
			if err := s.cfg.Redis.ZRem(ctx, key, id).Err(); err != nil {
				return n, fmt.Errorf("sweeping a player's tickets: %w", err)
			}
			n++
		}
	}
	s.cfg.Metrics.Swept.WithLabelValues("entry").Add(float64(n))
	return n, nil
}

// busyTTL is how long a player is busy with an attempt that nobody carries on: longer than any attempt takes.
const busyTTL = 4 * time.Minute

// busyRef is what a busy mark says.
func busyRef(queue, attempt string) string { return queue + "/" + attempt }

// claimed is what busy found.
type claimed struct {
	holder string   // another attempt, which has the player
	others []string // the player's tickets
}

// busy marks players as busy with an attempt, in the order of their digests, so that two attempts never hold each what
// the other needs. It returns what it found for each, up to the first who is busy elsewhere; marks after that one are
// given back.
func (s *Service) busy(ctx context.Context, ref string, players []string) (found []claimed, err error) {
	calls := make([]call, len(players))
	for i, p := range players {
		k := playerOf(s.cfg.Namespace, p)
		calls[i] = call{[]string{k.busy(), k.tickets()}, []any{ref, busyTTL.Milliseconds()}}
	}
	cmds, err := runAll(ctx, s.cfg.Redis, busyScript, calls)
	if err != nil {
		return nil, fmt.Errorf("marking players as busy: %w", err)
	}
	for i, cmd := range cmds {
		answer, err := cmd.StringSlice()
		if err != nil {
			return nil, fmt.Errorf("marking players as busy: %w", err)
		}
		found = append(found, claimed{answer[0], answer[1:]})
		if answer[0] != "" {
			return found, s.release(ctx, ref, players[i+1:], nil, "")
		}
	}
	return found, nil
}

func byDigest(players []string) []string {
	slices.SortFunc(players, func(a, b string) int { return cmp.Compare(keyspace.Digest(a), keyspace.Digest(b)) })
	return players
}

var busyScript = script(luaNow, `
local have = redis.call('GET', KEYS[1])
if have and have ~= ARGV[1] then return {have} end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
local answer = {''}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], int(now), '+inf')) do answer[#answer + 1] = id end
return answer`)

// penalties are how long a player may not queue after the first, second, … time that he let others wait. They are
// forgotten after penaltyTTL without another.
var penalties = []time.Duration{30 * time.Second, 2 * time.Minute, 10 * time.Minute, time.Hour}

const penaltyTTL = 24 * time.Hour

// release frees players of an attempt. ended has the tickets that go out of their indices, by player; why is what they
// are punished for, "" is nothing.
func (s *Service) release(ctx context.Context, ref string, players []string, ended map[string]string, why string) error {
	if len(players) == 0 {
		return nil
	}
	calls := make([]call, len(players))
	for i, p := range players {
		k := playerOf(s.cfg.Namespace, p)
		args := []any{ref, ended[p], why, penaltyTTL.Milliseconds()}
		for _, d := range penalties {
			args = append(args, d.Milliseconds())
		}
		calls[i] = call{[]string{k.busy(), k.tickets(), k.penalty()}, args}
	}
	_, err := runAll(ctx, s.cfg.Redis, releaseScript, calls)
	return wrap(err, "freeing the players of an attempt")
}

// That the last attempt is remembered keeps the script's repeat from punishing twice.
var releaseScript = script(luaNow, `
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
if ARGV[2] ~= '' then redis.call('ZREM', KEYS[2], ARGV[2]) end
if ARGV[3] == '' or redis.call('HGET', KEYS[3], 'last') == ARGV[1] then return 'ok' end
local n = math.min(redis.call('HINCRBY', KEYS[3], 'n', 1), #ARGV - 4)
redis.call('HSET', KEYS[3], 'last', ARGV[1], 'why', ARGV[3], 'till', int(now + ARGV[4 + n]))
redis.call('PEXPIRE', KEYS[3], ARGV[4])
return 'ok'`)
