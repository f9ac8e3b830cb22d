package ticket

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"muster/lobby/keyspace"
	"muster/lobby/queue"
)

// New is what a ticket is made of.
type New struct {
	Queue  string
	Ticket queue.Ticket // without ID, Created and Head
	By     string       // the player who makes it
	ID     string       // 26 letters and digits, which follow from the request where that may be repeated
	Digest string       // stands for what the request asks for; "" where it cannot be repeated
}

const (
	// requestTTL is how long a request's key is remembered.
	requestTTL = time.Hour
	// maxTickets bounds a player's tickets in all queues together.
	maxTickets = 32
)

// Create makes a ticket. Errors: ErrNoQueue, *PenaltyError, *HaveError, ErrFull, ErrReused, ErrMany.
func (s *Service) Create(ctx context.Context, n New) (*Ticket, error) {
	e := s.engine(n.Queue)
	if e == nil {
		return nil, ErrNoQueue
	}
	rules := e.current()
	t := &Ticket{Ticket: n.Ticket, Queue: n.Queue, State: Waiting}
	t.ID = n.Queue + "." + n.ID
	body, err := json.Marshal(t.Ticket)
	if err != nil {
		return nil, fmt.Errorf("creating a ticket: %w", err)
	}
	ttl := rules.MaxWait + graceTTL
	if err := s.claimEntries(ctx, &n, t, ttl); err != nil {
		return s.made(ctx, &n, t.ID, err)
	}
	k, players := e.keys, playersOf(&t.Ticket)
	keys := k.shared(k.ticket(t.ID))
	args := []any{t.ID, body, ttl.Milliseconds(), maxWaiting, rules.MaxWait.Milliseconds(), backTTL.Milliseconds()}
	for _, p := range players {
		keys, args = append(keys, k.mark(p)), append(args, keyspace.Digest(p))
	}
	for _, p := range players {
		keys = append(keys, k.nextTicket(p))
	}
	for tried := false; ; tried = true {
		answer, err := createScript.Run(ctx, s.cfg.Redis, keys, args...).StringSlice()
		if err != nil {
			return nil, fmt.Errorf("creating a ticket: %w", err)
		}
		switch answer[0] {
		case "full":
			return nil, ErrFull
		case "have":
			i, _ := strconv.Atoi(answer[2])
			if !tried && s.dropMark(ctx, k, players[i], answer[1]) {
				continue
			}
			return nil, &HaveError{answer[1], players[i]}
		}
		ms, err := strconv.ParseInt(answer[1], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("creating a ticket: its time: %w", err)
		}
		t.Created, t.Head = time.UnixMilli(ms).UTC(), answer[3] != ""
		if answer[2] != "" { // the same request came before
			return s.Get(ctx, t.ID, n.By)
		}
		s.cfg.Metrics.Tickets.WithLabelValues(n.Queue, string(Waiting)).Inc()
		if len(players) > 1 {
			s.post(ctx, t.ID, t.Queue, Waiting, "", "", players) // the others of a party did not ask for it themselves
		} else {
			s.queued(t.Queue, true, players)
		}
		e.announce(ctx)
		return t, nil
	}
}

// made returns the ticket that a request made before which may be repeated, also where the players may have no new one
// now, for the reason that err says.
func (s *Service) made(ctx context.Context, n *New, id string, err error) (*Ticket, error) {
	var penalty *PenaltyError
	if n.Digest == "" || !errors.As(err, &penalty) && !errors.Is(err, ErrMany) {
		return nil, err
	}
	t, gerr := s.Get(ctx, id, n.By)
	if errors.Is(gerr, ErrNoTicket) {
		return nil, err
	}
	return t, gerr
}

// The answer: "ok", when it was created, its state where it was there before, and whether it comes first; or "have", another
// ticket, and which player's it is; or "full". It comes first, as old as the ticket before, if all of its players have lost
// a match, by the youngest of those.
var createScript = script(luaKeys, `
local h = redis.call('HMGET', KEYS[8], 'state', 'created', 'head')
if h[1] then return {'ok', h[2], h[1], h[3] or ''} end
local n = (#KEYS - 8) / 2
for i = 9, 8 + n do
	local have = redis.call('GET', KEYS[i])
	if have and have ~= ARGV[1] then return {'have', have, tostring(i - 9), ''} end
end
if redis.call('ZCARD', waiting) >= tonumber(ARGV[4]) then return {'full', '', '', ''} end
local created, head = 0, true
for i = 9 + n, 8 + 2 * n do
	local lost = redis.call('GET', KEYS[i])
	head = head and lost and true or false
	created = math.max(created, tonumber(lost or '0'))
end
local at = now
if head then
	for i = 9 + n, 8 + 2 * n do redis.call('DEL', KEYS[i]) end
	redis.call('HSET', KEYS[8], 'head', '1')
	at = math.max(created, now - ARGV[5] + ARGV[6])
else
	created = now
end
redis.call('HSET', KEYS[8], 'state', 'waiting', 'body', ARGV[2], 'created', int(created))
for i = 7, #ARGV do redis.call('HSET', KEYS[8], 'seen:' .. ARGV[i], int(now)) end
redis.call('PEXPIRE', KEYS[8], ARGV[3])
redis.call('ZADD', waiting, int(at), ARGV[1])
redis.call('ZADD', seen, int(now), ARGV[1])
redis.call('PEXPIRE', waiting, day)
redis.call('PEXPIRE', seen, day)
for i = 9, 8 + n do redis.call('SET', KEYS[i], ARGV[1], 'PX', ARGV[3]) end
if head then
	log('op', 'put', 'id', ARGV[1], 'body', ARGV[2], 'created', int(created), 'head', '1')
else
	log('op', 'put', 'id', ARGV[1], 'body', ARGV[2], 'created', int(created))
end
return {'ok', int(created), '', head and '1' or ''}`)

// dropMark takes a player's mark away whose ticket has ended or is not there, which a script never leaves behind but a
// Redis that lost a part of its data may. It says whether it did.
func (s *Service) dropMark(ctx context.Context, k queueKeys, player, id string) bool {
	state, err := s.cfg.Redis.HGet(ctx, k.ticket(id), "state").Result()
	if err == nil && !State(state).ended() || err != nil && !isNil(err) {
		return false
	}
	n, err := dropScript.Run(ctx, s.cfg.Redis, []string{k.mark(player)}, id).Int()
	if err != nil || n == 0 {
		return false
	}
	s.cfg.Metrics.Swept.WithLabelValues("mark").Inc()
	return true
}

var dropScript = script("", `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])`)
