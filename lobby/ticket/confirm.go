package ticket

import (
	"context"
	"fmt"

	"muster/lobby/keyspace"
)

// Confirm takes a player's word on the match that was found for his ticket, and returns the ticket as it is then. Who
// declines is out, with his ticket. Errors: ErrNoTicket, also for another's; ErrNotAsked.
func (s *Service) Confirm(ctx context.Context, id, player string, accept bool) (*Ticket, error) {
	t, err := s.Get(ctx, id, player)
	if err != nil {
		return nil, err
	}
	if t.attempt == "" || t.State != Confirming {
		return nil, ErrNotAsked
	}
	if !accept {
		if err := s.cancel(ctx, t, byPlayer, player); err != nil {
			return nil, err
		}
		return s.Get(ctx, id, player)
	}
	k := keysOf(s.cfg.Namespace, t.Queue)
	answer, err := confirmScript.Run(ctx, s.cfg.Redis, k.shared(k.ticket(id), k.attempt(t.attempt)), id,
		keyspace.Digest(player), t.attempt).Text()
	switch {
	case err != nil:
		return nil, fmt.Errorf("confirming ticket %s: %w", id, err)
	case answer == "late":
		return nil, ErrNotAsked
	case answer == "all":
		s.carryOn(t.Queue, t.attempt)
	}
	if e := s.engine(t.Queue); e != nil {
		e.announce(ctx)
	}
	return s.Get(ctx, id, player)
}

var confirmScript = script(luaKeys, `
local h = redis.call('HMGET', KEYS[8], 'state', 'attempt')
local a = redis.call('HMGET', KEYS[9], 'state', 'players', 'deadline')
if h[1] ~= 'confirming' or h[2] ~= ARGV[3] or not a[1] then return 'late' end
if a[1] ~= 'confirming' then return 'ok' end
if now >= tonumber(a[3]) then return 'late' end
if redis.call('HSETNX', KEYS[9], 'ok:' .. ARGV[2], '1') == 0 then return 'ok' end
log('op', 'look', 'ids', ARGV[1])
if redis.call('HINCRBY', KEYS[9], 'oks', 1) < tonumber(a[2]) then return 'ok' end
redis.call('HSET', KEYS[9], 'state', 'reserving')
redis.call('ZADD', attempts, int(now), ARGV[3])
return 'all'`)
