package ticket

import (
	"context"
	"time"

	"muster/lobby/inbox"
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
	if err := s.cancel(ctx, t, byPlayer, player); err != nil {
		return nil, err
	}
	return s.Get(ctx, id, player)
}

// outcome is what a ticket is that ended in a way, and why.
func outcome(t *Ticket, way string) (State, string) {
	switch way {
	case byWait:
		return Expired, reasonLong
	case byUnseen:
		if len(t.Players) > 1 {
			return Cancelled, reasonMember
		}
		return Expired, reasonUnseen
	case byElsewhere:
		return Cancelled, reasonElsewhere
	case byParty:
		return Cancelled, reasonParty
	case byRetired:
		return Expired, reasonRetired
	}
	return Cancelled, reasonCancelled
}

// cancel is endAll for one ticket that still waits or is asked to confirm a match.
func (s *Service) cancel(ctx context.Context, t *Ticket, way, player string) error {
	_, err := s.endAll(ctx, []*Ticket{t}, way, player, 0)
	return err
}

// endAll ends those of a queue's tickets, as they were read, that are still as the way says, and does what follows, in a few
// exchanges with Redis. over is how many ended. Where it fails some may have ended and some not.
func (s *Service) endAll(ctx context.Context, list []*Ticket, way, player string, bound time.Duration) (over int, err error) {
	if len(list) == 0 {
		return 0, nil
	}
	calls := make([]call, len(list))
	for i, t := range list {
		calls[i] = s.endCall(t, way, player, bound)
	}
	cmds, err := runAll(ctx, s.cfg.Redis, endScript, calls)
	var ended []*Ticket
	for i, t := range list {
		if answer, err := cmds[i].Text(); err == nil && answer == "ended" {
			ended = append(ended, t)
		}
	}
	s.ended(ctx, ended, way)
	return len(ended), wrap(err, "ending tickets of queue %s", list[0].Queue)
}

// endCall is the script's run that ends a ticket. It answers "ended", or the state that the ticket is in.
func (s *Service) endCall(t *Ticket, way, player string, bound time.Duration) call {
	k := keysOf(s.cfg.Namespace, t.Queue)
	state, reason := outcome(t, way)
	keys := k.shared(k.ticket(t.ID), k.ended())
	for i := range t.Players {
		keys = append(keys, k.mark(t.Players[i].ID))
	}
	return call{keys, []any{
		t.ID, way, string(state), reason, endedTTL.Milliseconds(), keyspace.Digest(player), bound.Milliseconds(), carryTTL.Milliseconds(),
	}}
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

// ended does what follows when tickets of one queue have ended by themselves: they go out of their players' indices, those
// hear of it, and the others of a match that was about to be made go back to the queue at once. What fails here costs a
// look, since a ticket itself says what it is.
func (s *Service) ended(ctx context.Context, list []*Ticket, way string) {
	if len(list) == 0 {
		return
	}
	queue := list[0].Queue
	letters := make([]inbox.Letter, len(list))
	var players []string
	gone := map[string]string{} // a player has one ticket in a queue
	for i, t := range list {
		state, reason := outcome(t, way)
		s.cfg.Metrics.Tickets.WithLabelValues(queue, string(state)).Inc()
		letters[i] = letter(t.ID, queue, state, reason, "", playersOf(&t.Ticket))
		for _, p := range letters[i].Players {
			players, gone[p] = append(players, p), t.ID
		}
	}
	s.failed(queue, s.release(ctx, "", players, gone, ""))
	s.postMany(ctx, queue, letters...)
	for _, t := range list {
		s.cfg.Changed(t.ID)
		if t.attempt != "" {
			s.carryOn(queue, t.attempt)
		}
	}
	if e := s.engine(queue); e != nil {
		e.announce(ctx)
	}
}
