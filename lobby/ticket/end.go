package ticket

import (
	"context"
	"fmt"
	"time"

	"muster/lobby/keyspace"
)

// Ways in which a ticket ends other than by an attempt.
const (
	byPlayer    = "player"    // one of its players gave it up
	byWait      = "wait"      // it waited for too long
	byUnseen    = "unseen"    // a player has not been heard of
	byElsewhere = "elsewhere" // a player found a match in another queue
	byRetired   = "retired"   // the queue exists no longer
	byParty     = "party"     // its party has other members now
)

// Cancel gives up a ticket for one of its players, and returns what it is then: one that is matched, or has ended, stays
// as it is. To cancel a ticket that is asked for confirmation is to decline. Errors: ErrNoTicket, also for another's.
func (s *Service) Cancel(ctx context.Context, id, player string) (*Ticket, error) {
	t, err := s.Get(ctx, id, player)
	if err != nil {
		return nil, err
	}
	if err := s.cancel(ctx, t, byPlayer, player, reasonCancelled); err != nil {
		return nil, err
	}
	return s.Get(ctx, id, player)
}

// cancel ends a ticket that was read, if it still waits or is asked to confirm a match.
func (s *Service) cancel(ctx context.Context, t *Ticket, way, player, reason string) error {
	answer, err := s.end(ctx, t, way, player, 0)
	if err != nil || answer != "ended" {
		return err
	}
	s.ended(ctx, t, Cancelled, reason)
	if t.attempt != "" {
		s.carryOn(t.Queue, t.attempt) // the others of its match go back to the queue at once
	}
	return nil
}

// end ends a ticket that was read, if it is still as the way says. It answers "ended", or the state that it is in.
func (s *Service) end(ctx context.Context, t *Ticket, way, player string, bound time.Duration) (string, error) {
	k, state, reason := keysOf(s.cfg.Namespace, t.Queue), Cancelled, reasonCancelled
	switch way {
	case byWait:
		state, reason = Expired, reasonLong
	case byUnseen:
		if state, reason = Expired, reasonUnseen; len(t.Players) > 1 {
			state, reason = Cancelled, reasonMember
		}
	case byElsewhere:
		reason = reasonElsewhere
	case byParty:
		reason = reasonParty
	case byRetired:
		state, reason = Expired, reasonRetired
	}
	keys := k.shared(k.ticket(t.ID), k.ended())
	for i := range t.Players {
		keys = append(keys, k.mark(t.Players[i].ID))
	}
	answer, err := endScript.Run(ctx, s.cfg.Redis, keys, t.ID, way, string(state), reason, endedTTL.Milliseconds(),
		keyspace.Digest(player), bound.Milliseconds(), carryTTL.Milliseconds()).Text()
	if err != nil {
		return "", fmt.Errorf("ending ticket %s: %w", t.ID, err)
	}
	return answer, nil
}

// Run again after it ended the ticket, the script finds by the reason that it was itself.
var endScript = script(luaKeys, `
local id, way = ARGV[1], ARGV[2]
local h = redis.call('HMGET', KEYS[8], 'state', 'attempt', 'reason', 'by')
local state = h[1]
if not state then
	if redis.call('ZREM', waiting, id) + redis.call('ZREM', seen, id) > 0 then log('op', 'del', 'ids', id) end
	return 'none'
end
local ours = state == ARGV[3] and h[3] == ARGV[4] and h[4] == ARGV[6]
if ours then return 'ended' end
if way == 'wait' then
	local since = redis.call('ZSCORE', waiting, id)
	if state ~= 'waiting' or not since or now - since < tonumber(ARGV[7]) then return state end
elseif way == 'unseen' then
	local heard = redis.call('ZSCORE', seen, id)
	if state ~= 'waiting' or not heard or now - heard < tonumber(ARGV[7]) then return state end
elseif state ~= 'waiting' and state ~= 'confirming' and state ~= 'reserving' then return state end
redis.call('HSET', KEYS[8], 'state', ARGV[3], 'reason', ARGV[4], 'by', ARGV[6])
redis.call('PEXPIRE', KEYS[8], ARGV[5])
redis.call('ZREM', waiting, id)
redis.call('ZREM', seen, id)
for i = 10, #KEYS do free(KEYS[i], id) end
redis.call('ZADD', KEYS[9], int(now + ARGV[8]), id)
redis.call('PEXPIRE', KEYS[9], day)
if h[2] then redis.call('ZADD', attempts, 'XX', int(now), h[2]) end
log('op', 'del', 'ids', id)
return 'ended'`)

// ended does what follows when a ticket has ended by itself: it goes out of its players' indices, and they hear of it.
// What fails here costs a look, since the ticket itself says what it is.
func (s *Service) ended(ctx context.Context, t *Ticket, state State, reason string) {
	s.cfg.Metrics.Tickets.WithLabelValues(t.Queue, string(state)).Inc()
	players := playersOf(&t.Ticket)
	gone := make(map[string]string, len(players))
	for _, p := range players {
		gone[p] = t.ID
	}
	if err := s.release(ctx, "", players, gone, ""); err != nil {
		s.failed(t.Queue, err)
	}
	s.post(ctx, t.ID, t.Queue, state, reason, "", players)
	s.cfg.Changed(t.ID)
	if e := s.engine(t.Queue); e != nil {
		e.announce(ctx)
	}
}
