package ticket

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"muster/lobby/keyspace"
)

// What becomes of a ticket when its attempt is over.
const (
	goBack  = "back"  // it waits again
	goOut   = "out"   // it is cancelled
	goFinal = "final" // its match has started
)

// verdict is what becomes of one ticket. That it is no longer the attempt's is seen by the script.
type verdict struct {
	action, reason string
	faults         []string // players to be punished, for the reason
}

// close ends an attempt that is as it was read, with a verdict for each of its tickets; where it is not, nothing happens.
// Either way it is to be read again.
func (e *engine) close(ctx context.Context, a *attempt, state string, verdicts []verdict) error {
	faults := map[string]string{}
	for _, v := range verdicts {
		for _, p := range v.faults {
			faults[p] = v.reason
		}
	}
	text, err := json.Marshal(faults)
	if err != nil {
		return fmt.Errorf("closing match attempt %s: %w", a.id, err)
	}
	keys := e.keys.shared(e.keys.attempt(a.id))
	args := []any{
		a.id, a.state, a.oks, state, text, a.Room, len(a.Tickets), endedTTL.Milliseconds(),
		(a.MaxWait + graceTTL).Milliseconds(), a.MaxWait.Milliseconds(), backTTL.Milliseconds(), carryTTL.Milliseconds(),
	}
	for i := range a.Tickets {
		keys = append(keys, e.keys.ticket(a.Tickets[i].ID))
		args = append(args, a.Tickets[i].ID, verdicts[i].action, verdicts[i].reason, len(a.Tickets[i].Players))
	}
	for i := range a.Tickets {
		for j := range a.Tickets[i].Players {
			p := a.Tickets[i].Players[j].ID
			keys, args = append(keys, e.keys.mark(p)), append(args, keyspace.Digest(p))
		}
	}
	if err := closeScript.Run(ctx, e.s.cfg.Redis, keys, args...).Err(); err != nil {
		return fmt.Errorf("closing match attempt %s of queue %s: %w", a.id, e.keys.queue, err)
	}
	return nil
}

// From ARGV[13] on there are four for each ticket, and then the digest of each player, whose mark is the key. A ticket
// whose player waits with another one meanwhile cannot come back. Who comes back has at least 15 seconds to ask for it, so
// that it is known that he is there. The answer is what became of each ticket.
var closeScript = script(luaKeys, `
local a = redis.call('HMGET', KEYS[8], 'state', 'oks', 'done')
if a[1] == ARGV[4] and a[3] then return a[3] end
if a[1] ~= ARGV[2] or a[2] ~= ARGV[3] then return 'moved' end
local n, mark = tonumber(ARGV[7]), 1
local done, looks = {}, {}
for i = 1, n do
	local at = 9 + i * 4
	local id, action, reason, players = ARGV[at], ARGV[at + 1], ARGV[at + 2], tonumber(ARGV[at + 3])
	local key, first = KEYS[8 + i], mark
	mark = mark + players
	local h = redis.call('HMGET', key, 'state', 'attempt', 'body', 'created')
	local live = h[2] == ARGV[1] and (h[1] == 'confirming' or h[1] == 'reserving' or h[1] == 'matched')
	if not live then action = 'gone' end
	if action == 'back' then
		for m = first, mark - 1 do
			local have = redis.call('GET', KEYS[8 + n + m])
			if have and have ~= id then action, reason = 'out', '`+reasonTwo+`' end
		end
	end
	if action == 'back' then
		redis.call('HSET', key, 'state', 'waiting', 'head', '1', 'reason', reason)
		redis.call('HDEL', key, 'attempt', 'match', 'till')
		redis.call('PEXPIRE', key, ARGV[9])
		local least = now
		for m = first, mark - 1 do
			redis.call('SET', KEYS[8 + n + m], id, 'PX', ARGV[9])
			local field = 'seen:' .. ARGV[12 + n * 4 + m]
			local heard = math.max(tonumber(redis.call('HGET', key, field) or 0), now - 15000)
			redis.call('HSET', key, field, int(heard))
			least = math.min(least, heard)
		end
		redis.call('ZADD', waiting, int(math.max(tonumber(h[4]), now - ARGV[10] + ARGV[11])), id)
		redis.call('ZADD', seen, int(least), id)
		redis.call('PEXPIRE', waiting, day)
		redis.call('PEXPIRE', seen, day)
		log('op', 'put', 'id', id, 'body', h[3], 'created', h[4], 'head', '1')
	elseif action == 'out' then
		redis.call('HSET', key, 'state', 'cancelled', 'reason', reason)
		redis.call('PEXPIRE', key, ARGV[8])
		for m = first, mark - 1 do free(KEYS[8 + n + m], id) end
		looks[#looks + 1] = id
	elseif action == 'final' then
		redis.call('HSET', key, 'final', '1')
	end
	done[i] = action
end
if #looks > 0 then log('op', 'look', 'ids', table.concat(looks, ',')) end
if ARGV[6] ~= '' then redis.call('ZREM', filling, ARGV[6]) end
local all = table.concat(done, ',')
redis.call('HSET', KEYS[8], 'state', ARGV[4], 'faults', ARGV[5], 'done', all)
redis.call('ZADD', attempts, int(now + ARGV[12]), ARGV[1])
return all`)

// finish does what follows when an attempt is over: its players are free, those at fault are punished, all hear of it;
// then it is forgotten. Until that is done whoever comes next does it again.
func (e *engine) finish(ctx context.Context, a *attempt) error {
	var faults map[string]string
	if err := json.Unmarshal([]byte(a.faults), &faults); err != nil {
		return fmt.Errorf("finishing match attempt %s: %w", a.id, err)
	}
	done := strings.Split(a.done, ",")
	if len(done) != len(a.Tickets) {
		return fmt.Errorf("finishing match attempt %s: %d tickets and %q", a.id, len(a.Tickets), a.done)
	}
	ref := busyRef(e.keys.queue, a.id)
	byWhy, ended := map[string][]string{}, map[string]string{}
	for i := range a.Tickets {
		t := &a.Tickets[i]
		for j := range t.Players {
			p := t.Players[j].ID
			byWhy[faults[p]] = append(byWhy[faults[p]], p)
			if done[i] != goBack {
				ended[p] = t.ID
			}
		}
	}
	if err := e.s.release(ctx, ref, byWhy[""], ended); err != nil {
		return err
	}
	delete(byWhy, "")
	for why, players := range byWhy { // whom no other attempt may have meanwhile
		if err := e.s.punish(ctx, ref, players, why); err != nil {
			return err
		}
		if err := e.s.release(ctx, ref, players, ended); err != nil {
			return err
		}
	}
	for i := range a.Tickets {
		t := &a.Tickets[i]
		switch done[i] {
		case goBack:
			e.s.post(ctx, t.ID, e.keys.queue, Waiting, e.reasonNow(a, i), a.id, planPlayers(t))
		case goOut:
			e.s.cfg.Metrics.Tickets.WithLabelValues(e.keys.queue, string(Cancelled)).Inc()
			e.s.post(ctx, t.ID, e.keys.queue, Cancelled, e.reasonNow(a, i), a.id, planPlayers(t))
		}
		e.s.cfg.Changed(t.ID)
	}
	if err := forgetScript.Run(ctx, e.s.cfg.Redis, []string{e.keys.attempts(), e.keys.attempt(a.id)}, a.id).Err(); err != nil {
		return fmt.Errorf("forgetting match attempt %s: %w", a.id, err)
	}
	e.s.cfg.Metrics.Attempts.WithLabelValues(e.keys.queue, a.state).Inc()
	e.announce(ctx)
	return nil
}

// What is left of a closed attempt for a minute makes the repeat of a script that closed it find that it is closed.
var forgetScript = script("", `
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('PEXPIRE', KEYS[2], 60000)
return 'ok'`)

// reasonNow is a ticket's reason as it was read last.
func (e *engine) reasonNow(a *attempt, i int) string {
	if t := a.tickets[i]; t != nil {
		return t.Reason
	}
	return ""
}

func planPlayers(t *planned) []string {
	ids := make([]string, len(t.Players))
	for i := range t.Players {
		ids[i] = t.Players[i].ID
	}
	return ids
}
