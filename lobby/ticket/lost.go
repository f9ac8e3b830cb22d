package ticket

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/lobby/inbox"
	"muster/lobby/keyspace"
	"muster/match/cluster"
)

// A match that has started is its tickets' end, and is forgotten soon. When its server dies and nobody can go on with it,
// its players go back to the queue all the same, as old as they were and before all others: by the ticket itself where
// that is still known, and otherwise with the next one that they make.

const (
	// lostTTL is for how long the next ticket of a player whose match was lost is as old as the one before.
	lostTTL = 10 * time.Minute
	// lostMemory is for how long it is remembered what became of a lost match's tickets.
	lostMemory = time.Hour
	// lostTries is how often a ticket is looked at whose match has just begun.
	lostTries = 4
)

// errStarting means that a lost match's attempt is not closed yet.
var errStarting = errors.New("its start is not settled yet")

// lostTicket is what one of a lost match's tickets was.
type lostTicket struct {
	id      string
	created int64    // in ms
	players []string // who had seats, of those who came with it
}

// Lost lets the players of a match that was lost wait again in the queue that made it. It may be called again with the
// same match.
func (s *Service) Lost(ctx context.Context, l cluster.Lost) error {
	var m meta
	if json.Unmarshal(l.Meta, &m) != nil {
		m = meta{} // made by a player
	}
	e := s.engine(l.Queue)
	if e == nil {
		return nil // there is nothing to go back to
	}
	tickets, err := e.lostTickets(ctx, l, m)
	if err != nil {
		return fmt.Errorf("taking back the players of lost match %s: %w", l.Room, err)
	}
	var errs []error
	for _, t := range tickets {
		if err := e.takeBack(ctx, l.Room, t); err != nil {
			errs = append(errs, fmt.Errorf("taking back ticket %s of lost match %s: %w", t.id, l.Room, err))
		}
	}
	return errors.Join(errs...)
}

// lostTickets are those of the players who had seats, as far as a matchmaker brought them.
func (e *engine) lostTickets(ctx context.Context, l cluster.Lost, m meta) ([]lostTicket, error) {
	joined, err := e.s.cfg.Redis.HGetAll(ctx, e.keys.joined(l.Room)).Result()
	if err != nil {
		return nil, err //nolint:wrapcheck // Lost says what it did
	}
	for _, text := range joined {
		var p metaPlayer
		if json.Unmarshal([]byte(text), &p) == nil {
			m.Players = append(m.Players, p)
		}
	}
	var list []lostTicket
	for _, p := range m.Players {
		if p.Ticket == "" || !slices.Contains(l.Players, p.ID) {
			continue
		}
		i := slices.IndexFunc(list, func(t lostTicket) bool { return t.id == p.Ticket })
		if i < 0 {
			i, list = len(list), append(list, lostTicket{id: p.Ticket, created: p.Created})
		}
		if !slices.Contains(list[i].players, p.ID) {
			list[i].players = append(list[i].players, p.ID)
		}
	}
	return list, nil
}

// takeBack brings one ticket's players back.
func (e *engine) takeBack(ctx context.Context, room string, t lostTicket) error {
	for try := 0; ; try++ {
		outcome, attempt, err := e.backFrom(ctx, room, t)
		switch {
		case err != nil:
			return err
		case outcome == "starting" && try == lostTries:
			return errStarting
		case outcome == "starting":
			if err := e.closeNow(ctx, attempt); err != nil {
				return err
			}
		case outcome == goBack:
			return e.backAgain(ctx, room, t)
		default:
			const why = "the match's server was lost; the next ticket in this queue comes first"
			e.s.postMany(ctx, e.keys.queue, inbox.Letter{
				Key: "ticket:" + t.id + ":lost:" + room, Kind: "ticket", Body: event{t.id, e.keys.queue, Cancelled, why}, Players: t.players,
			})
			return nil
		}
	}
}

// closeNow closes an attempt whose match was lost a moment after it had started.
func (e *engine) closeNow(ctx context.Context, id string) error {
	a, err := e.readAttempt(ctx, id)
	switch {
	case errors.Is(err, errNoAttempt):
		return nil
	case err != nil:
		return err
	case a.state == attemptConnecting:
		at, err := e.arrivals(ctx, a)
		if err != nil || at.state == cluster.Waiting {
			return err
		}
		return e.settle(ctx, a, at)
	case a.state == attemptStarted || a.state == attemptFailed:
		return e.finish(ctx, a)
	}
	return nil
}

// backFrom decides what becomes of a ticket, once, and says what was decided.
func (e *engine) backFrom(ctx context.Context, room string, t lostTicket) (outcome, attempt string, err error) {
	pipe := e.s.cfg.Redis.Pipeline()
	full := pipe.HGet(ctx, e.keys.ticket(t.id), "body")
	marks, busy := make([]*redis.StringCmd, len(t.players)), make([]*redis.StringCmd, len(t.players))
	for i, p := range t.players {
		marks[i], busy[i] = pipe.Get(ctx, e.keys.mark(p)), pipe.Get(ctx, playerOf(e.s.cfg.Namespace, p).busy())
	}
	if err := answers(ctx, pipe); err != nil {
		return "", "", err
	}
	whole := "1" // the ticket may wait again as it was
	var body struct {
		Players []struct{} `json:"players"`
	}
	if json.Unmarshal([]byte(full.Val()), &body) != nil || len(body.Players) != len(t.players) {
		whole = ""
	}
	rules := e.current()
	keys := e.keys.shared(e.keys.lost(room), e.keys.ticket(t.id))
	for i, p := range t.players {
		if busy[i].Val() != "" && busy[i].Val() != busyRef(e.keys.queue, room) {
			whole = "" // another match has him
		}
		other := marks[i].Val()
		if other == "" {
			other = t.id
		}
		keys = append(keys, e.keys.mark(p), e.keys.nextTicket(p), e.keys.ticket(other))
	}
	args := []any{
		t.id, t.created, whole, reasonLost, (rules.MaxWait + graceTTL).Milliseconds(), rules.MaxWait.Milliseconds(),
		backTTL.Milliseconds(), lostTTL.Milliseconds(), lostMemory.Milliseconds(),
	}
	for i, p := range t.players {
		args = append(args, keyspace.Digest(p), marks[i].Val())
	}
	answer, err := lostScript.Run(ctx, e.s.cfg.Redis, keys, args...).StringSlice()
	if err != nil {
		return "", "", err //nolint:wrapcheck // Lost says what it did
	}
	return answer[0], answer[1], nil
}

// A ticket that waits again does so as one of an attempt that failed. Otherwise each player's next ticket comes first, or
// the one with which he waits by now; whoever is about to be matched with that one needs nothing. For each player there
// are three keys (his mark, the mark for the next ticket, the ticket with which he waits) and two arguments from the tenth
// on (his digest, the ticket that his mark was read to say).
var lostScript = script(luaKeys, `
local id = ARGV[1]
local done = redis.call('HGET', KEYS[8], id)
if done then return {done, ''} end
local n = (#KEYS - 9) / 3
local h = redis.call('HMGET', KEYS[9], 'state', 'attempt', 'body', 'created', 'final')
if h[1] == 'matched' and not h[5] then return {'starting', h[2] or ''} end
local whole = ARGV[3] == '1' and h[1] == 'matched'
for i = 1, n do
	local have = redis.call('GET', KEYS[7 + 3 * i])
	if have and have ~= id then whole = false end
end
local function wait(key, ticket, body, created)
	redis.call('HSET', key, 'state', 'waiting', 'head', '1', 'created', int(created))
	redis.call('ZADD', waiting, int(math.max(created, now - ARGV[6] + ARGV[7])), ticket)
	redis.call('PEXPIRE', waiting, day)
	log('op', 'put', 'id', ticket, 'body', body, 'created', int(created), 'head', '1')
end
local outcome = 'back'
if whole then
	redis.call('HSET', KEYS[9], 'reason', ARGV[4])
	redis.call('HDEL', KEYS[9], 'attempt', 'match', 'till', 'final')
	redis.call('PEXPIRE', KEYS[9], ARGV[5])
	for i = 1, n do
		redis.call('SET', KEYS[7 + 3 * i], id, 'PX', ARGV[5])
		redis.call('HSET', KEYS[9], 'seen:' .. ARGV[8 + 2 * i], int(now - 15000))
	end
	redis.call('ZADD', seen, int(now - 15000), id)
	redis.call('PEXPIRE', seen, day)
	wait(KEYS[9], id, h[3], tonumber(h[4]))
else
	outcome = 'next'
	for i = 1, n do
		local have, read = redis.call('GET', KEYS[7 + 3 * i]), ARGV[9 + 2 * i]
		if not have then
			redis.call('SET', KEYS[8 + 3 * i], ARGV[2], 'PX', ARGV[8])
		elseif have == read then
			local o = redis.call('HMGET', KEYS[9 + 3 * i], 'state', 'body', 'created', 'head')
			if o[1] == 'waiting' and not o[4] then
				wait(KEYS[9 + 3 * i], have, o[2], math.min(tonumber(o[3]), tonumber(ARGV[2])))
			end
		end
	end
end
redis.call('HSET', KEYS[8], id, outcome)
redis.call('PEXPIRE', KEYS[8], ARGV[9])
return {outcome, ''}`)

// backAgain does what follows when a ticket waits again: its players' indices have it, and they hear of it. Done twice it
// changes nothing.
func (e *engine) backAgain(ctx context.Context, room string, t lostTicket) error {
	ttl := e.current().MaxWait + graceTTL
	calls := make([]call, len(t.players))
	for i, p := range t.players {
		calls[i] = call{[]string{playerOf(e.s.cfg.Namespace, p).tickets()}, []any{t.id, ttl.Milliseconds()}}
	}
	if _, err := runAll(ctx, e.s.cfg.Redis, entryAgainScript, calls); err != nil {
		return err
	}
	e.s.post(ctx, t.id, e.keys.queue, Waiting, reasonLost, "lost-"+room, t.players)
	e.s.cfg.Changed(t.id)
	e.announce(ctx)
	return nil
}

var entryAgainScript = script(luaEntry, `
enter(KEYS[1], ARGV[1], ARGV[2])
return 'ok'`)
