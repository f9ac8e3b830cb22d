package ticket

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/lobby/keyspace"
)

// Get returns a player's ticket and notes that he asked for it. Errors: ErrNoTicket, also for another's.
func (s *Service) Get(ctx context.Context, id, player string) (*Ticket, error) {
	name, ok := QueueOf(id)
	if !ok {
		return nil, ErrNoTicket
	}
	k, digest := keysOf(s.cfg.Namespace, name), keyspace.Digest(player)
	list, err := getScript.Run(ctx, s.cfg.Redis, []string{k.ticket(id), k.seen()}, id, digest).StringSlice()
	if err != nil {
		return nil, fmt.Errorf("reading ticket %s: %w", id, err)
	}
	if len(list) == 0 {
		return nil, ErrNoTicket
	}
	f := fieldsOf(list[1:])
	t, err := parse(id, f)
	if err != nil {
		return nil, fmt.Errorf("reading ticket %s: %w", id, err)
	}
	ms, err := strconv.ParseInt(list[0], 10, 64)
	if err != nil {
		return nil, fmt.Errorf("reading ticket %s: the time: %w", id, err)
	}
	t.Now = time.UnixMilli(ms).UTC()
	s.clock.set(t.Now)
	if t.State == Confirming {
		if err := s.readConfirm(ctx, k, t, digest); err != nil {
			return nil, err
		}
	}
	if t.State == reserving {
		t.State, t.Reason = Waiting, reasonFound
	}
	return t, nil
}

// seen has a ticket by the one of its players who has not been heard of for longest.
var getScript = script(luaNow, `
local list = redis.call('HGETALL', KEYS[1])
local mine, state, least = 'seen:' .. ARGV[2], '', now
local found = false
for i = 1, #list, 2 do
	if list[i] == mine then found = true
	elseif list[i] == 'state' then state = list[i + 1]
	elseif string.sub(list[i], 1, 5) == 'seen:' then least = math.min(least, tonumber(list[i + 1])) end
end
if not found then return {} end
if state == 'waiting' or state == 'confirming' then
	redis.call('HSET', KEYS[1], mine, int(now))
	redis.call('ZADD', KEYS[2], 'XX', int(least), ARGV[1])
end
local answer = {int(now)}
for i = 1, #list do answer[i + 1] = list[i] end
return answer`)

// heardChunk is how many players are asked for in one exchange.
const heardChunk = 256

// Heard notes that players are there, as if they had asked for their tickets.
func (s *Service) Heard(ctx context.Context, players []string) error {
	for part := range slices.Chunk(players, heardChunk) {
		pipe, cmds := s.cfg.Redis.Pipeline(), make([]*redis.StringSliceCmd, len(part))
		for i, p := range part {
			cmds[i] = pipe.ZRange(ctx, playerOf(s.cfg.Namespace, p).tickets(), 0, -1)
		}
		if _, err := pipe.Exec(ctx); err != nil {
			return fmt.Errorf("listing the tickets of players who are here: %w", err)
		}
		var calls []call
		for i, cmd := range cmds {
			for _, id := range cmd.Val() {
				if name, ok := QueueOf(id); ok {
					k := keysOf(s.cfg.Namespace, name)
					calls = append(calls, call{[]string{k.ticket(id), k.seen()}, []any{id, keyspace.Digest(part[i])}})
				}
			}
		}
		if len(calls) == 0 {
			continue
		}
		if _, err := runAll(ctx, s.cfg.Redis, getScript, calls); err != nil {
			return fmt.Errorf("noting that players are here: %w", err)
		}
	}
	return nil
}

// readConfirm adds how far the players' word is.
func (s *Service) readConfirm(ctx context.Context, k queueKeys, t *Ticket, digest string) error {
	list, err := s.cfg.Redis.HMGet(ctx, k.attempt(t.attempt), "players", "oks", "deadline", "ok:"+digest).Result()
	if err != nil {
		return fmt.Errorf("reading ticket %s: its match: %w", t.ID, err)
	}
	number := func(i int) int64 {
		text, _ := list[i].(string)
		n, _ := strconv.ParseInt(text, 10, 64)
		return n
	}
	t.Confirm = &Confirm{
		Players: int(number(0)), Accepted: int(number(1)), Mine: list[3] != nil, Until: time.UnixMilli(number(2)).UTC(),
	}
	return nil
}

// read returns tickets as they are, nil where there is none or it cannot be read. Nobody counts as having asked.
func (s *Service) read(ctx context.Context, k queueKeys, ids []string) ([]*Ticket, error) {
	pipe, cmds := s.cfg.Redis.Pipeline(), make([]*redis.MapStringStringCmd, len(ids))
	for i, id := range ids {
		cmds[i] = pipe.HGetAll(ctx, k.ticket(id))
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, fmt.Errorf("reading tickets of queue %s: %w", k.queue, err)
	}
	list := make([]*Ticket, len(ids))
	for i, id := range ids {
		list[i], _ = parse(id, cmds[i].Val()) // nil with an error
	}
	return list, nil
}
