package lobby

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/match/cluster"
)

// States of a ticket.
const (
	stateWaiting   = "waiting"
	stateMatched   = "matched"
	stateCancelled = "cancelled"
	stateExpired   = "expired"
)

const (
	// endedTTL is how long a ticket that has ended can still be read.
	endedTTL = 5 * time.Minute
	// seenTTL is how long a ticket waits without its player asking for it: who has gone away must not start a match.
	seenTTL = 30 * time.Second
	// maxWaiting bounds a queue; more tickets are refused until it is shorter.
	maxWaiting = 100_000
)

// Errors of the store that its callers decide on.
var (
	errNoTicket   = errors.New("no such ticket")
	errQueueFull  = errors.New("too many players are waiting in this queue")
	errNotWaiting = errors.New("a ticket does not wait any more")
)

// haveTicketError says that the player waits in this queue already.
type haveTicketError struct{ id string }

func (e *haveTicketError) Error() string { return "the player has ticket " + e.id }

// ticket is a player's wish for a match, as it lies in Redis.
type ticket struct {
	id      string
	queue   string
	player  string
	name    string
	expires time.Time // the player's token's
	created time.Time
	state   string
	match   seatInfo // of a matched one
}

// seatInfo is the seat that a matched ticket got.
type seatInfo struct {
	room  string
	seat  uint16
	token string    // the id of the seat token
	till  time.Time // when the seat token ends
	node  cluster.Node
}

// ticketID is a queue's name and a random text, so that the id says which keys belong to it.
var ticketID = regexp.MustCompile(`^([a-z][a-z0-9_-]{0,30})\.[a-z0-9]{26}$`)

func queueOf(id string) (queue string, ok bool) {
	m := ticketID.FindStringSubmatch(id)
	if m == nil {
		return "", false
	}
	return m[1], true
}

// ticketStore keeps tickets in Redis. Any goroutine may use it.
type ticketStore struct {
	rdb redis.UniversalClient
	keys
}

// create stores a new ticket. Errors: *haveTicketError, errQueueFull.
func (s *ticketStore) create(ctx context.Context, t *ticket, maxWait time.Duration) error {
	t.id, t.state = t.queue+"."+cluster.NewID(), stateWaiting
	answer, err := createScript.Run(ctx, s.rdb,
		[]string{s.ticket(t.queue, t.id), s.waiting(t.queue), s.playerIn(t.queue, t.player)},
		t.id, t.player, t.name, t.expires.Unix(), (maxWait + endedTTL).Milliseconds(), maxWaiting).Text()
	switch {
	case err != nil:
		return fmt.Errorf("creating a ticket: %w", err)
	case answer == "full":
		return errQueueFull
	case strings.HasPrefix(answer, "have "):
		return &haveTicketError{answer[len("have "):]}
	}
	ms, err := strconv.ParseInt(answer, 10, 64)
	if err != nil {
		return fmt.Errorf("creating a ticket: its time: %w", err)
	}
	t.created = time.UnixMilli(ms)
	return nil
}

// The player's mark may outlive a ticket that ended without anybody noticing, so what it names is looked at.
var createScript = redis.NewScript(`
local created = redis.call('HGET', KEYS[1], 'created')
if created then return created end
local have = redis.call('GET', KEYS[3])
if have and redis.call('ZSCORE', KEYS[2], have) then return 'have ' .. have end
if redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[6]) then return 'full' end
local t = redis.call('TIME')
local now = string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000))
redis.call('HSET', KEYS[1], 'state', 'waiting', 'player', ARGV[2], 'name', ARGV[3], 'expires', ARGV[4],
	'created', now, 'seen', now)
redis.call('PEXPIRE', KEYS[1], ARGV[5])
redis.call('ZADD', KEYS[2], now, ARGV[1])
redis.call('SET', KEYS[3], ARGV[1], 'PX', ARGV[5])
return now`)

// get returns a ticket of a player and notes that it was asked for. Errors: errNoTicket, also for another's.
func (s *ticketStore) get(ctx context.Context, id, player string) (*ticket, error) {
	queue, ok := queueOf(id)
	if !ok {
		return nil, errNoTicket
	}
	list, err := getScript.Run(ctx, s.rdb, []string{s.ticket(queue, id)}, player).StringSlice()
	if err != nil {
		return nil, fmt.Errorf("reading ticket %s: %w", id, err)
	}
	fields := map[string]string{}
	for i := 0; i+1 < len(list); i += 2 {
		fields[list[i]] = list[i+1]
	}
	t, err := parseTicket(id, queue, fields)
	if err != nil {
		return nil, fmt.Errorf("reading ticket %s: %w", id, err)
	}
	return t, nil
}

var getScript = redis.NewScript(`
local t = redis.call('HMGET', KEYS[1], 'player', 'state')
if t[1] ~= ARGV[1] then return {} end
if t[2] == 'waiting' then
	local now = redis.call('TIME')
	redis.call('HSET', KEYS[1], 'seen', string.format('%.0f', now[1] * 1000 + math.floor(now[2] / 1000)))
end
return redis.call('HGETALL', KEYS[1])`)

func parseTicket(id, queue string, f map[string]string) (*ticket, error) {
	if len(f) == 0 {
		return nil, errNoTicket
	}
	t := &ticket{id: id, queue: queue, player: f["player"], name: f["name"], state: f["state"]}
	created, err1 := strconv.ParseInt(f["created"], 10, 64)
	expires, err2 := strconv.ParseInt(f["expires"], 10, 64)
	t.created, t.expires = time.UnixMilli(created), time.Unix(expires, 0)
	if err := errors.Join(err1, err2); err != nil || t.state != stateMatched {
		return t, err
	}
	seat, err1 := strconv.ParseUint(f["seat"], 10, 16)
	till, err2 := strconv.ParseInt(f["till"], 10, 64)
	t.match = seatInfo{
		room: f["room"], seat: uint16(seat), token: f["token"], till: time.UnixMilli(till),
		node: cluster.Node{ID: f["node"], URL: f["url"], Asked: f["asked"] == "1"},
	}
	return t, errors.Join(err1, err2)
}

// cancel gives a player's ticket up. One that has ended stays as it is. Errors: errNoTicket, also for another's.
func (s *ticketStore) cancel(ctx context.Context, id, player string) error {
	queue, ok := queueOf(id)
	if !ok {
		return errNoTicket
	}
	answer, err := cancelScript.Run(ctx, s.rdb,
		[]string{s.ticket(queue, id), s.waiting(queue), s.playerIn(queue, player)},
		id, player, endedTTL.Milliseconds()).Text()
	if err != nil {
		return fmt.Errorf("cancelling ticket %s: %w", id, err)
	}
	if answer == "none" {
		return errNoTicket
	}
	return nil
}

var cancelScript = redis.NewScript(`
local t = redis.call('HMGET', KEYS[1], 'player', 'state')
if t[1] ~= ARGV[2] then return 'none' end
if t[2] ~= 'waiting' then return 'ended' end
redis.call('HSET', KEYS[1], 'state', 'cancelled')
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('ZREM', KEYS[2], ARGV[1])
if redis.call('GET', KEYS[3]) == ARGV[1] then redis.call('DEL', KEYS[3]) end
return 'ok'`)

// batch is how many waiting tickets the matchmaker looks at together.
const batch = 1000

// lookout is a queue at one moment.
type lookout struct {
	waiting []*ticket // the oldest first, without those that a lobby holds
	expired []string  // the ids of those whose time was over
	more    bool      // there are more, which were not looked at
	now     time.Time // by Redis's clock, which the tickets' times are by
}

// look expires the tickets whose time is over and returns those that wait.
func (s *ticketStore) look(ctx context.Context, queue string, maxWait time.Duration) (l lookout, err error) {
	ids, err := s.rdb.ZRange(ctx, s.waiting(queue), 0, batch-1).Result()
	if err != nil || len(ids) == 0 {
		return l, wrap(err, "listing queue %s", queue)
	}
	pipe := s.rdb.Pipeline()
	for _, id := range ids {
		pipe.HGetAll(ctx, s.ticket(queue, id))
	}
	now := pipe.Time(ctx)
	answers, err := pipe.Exec(ctx)
	if err != nil {
		return l, wrap(err, "reading the tickets of queue %s", queue)
	}
	l.now, l.more = now.Val(), len(ids) == batch
	for i, id := range ids {
		f := answers[i].(*redis.MapStringStringCmd).Val() //nolint:forcetypeassert // what HGetAll put there
		t, err := parseTicket(id, queue, f)
		seen, _ := strconv.ParseInt(f["seen"], 10, 64)
		held, _ := strconv.ParseInt(f["held"], 10, 64)
		if err == nil && t.state == stateWaiting && l.now.Sub(t.created) < maxWait && l.now.Sub(time.UnixMilli(seen)) < seenTTL {
			if held <= l.now.UnixMilli() {
				l.waiting = append(l.waiting, t)
			}
			continue
		}
		// One that cannot be read, or does not wait at all, must not stand before the others for ever.
		if err := s.expire(ctx, &ticket{id: id, queue: queue, player: f["player"]}); err != nil {
			return l, err
		}
		l.expired = append(l.expired, id)
	}
	return l, nil
}

func (s *ticketStore) expire(ctx context.Context, t *ticket) error {
	err := expireScript.Run(ctx, s.rdb,
		[]string{s.ticket(t.queue, t.id), s.waiting(t.queue), s.playerIn(t.queue, t.player)},
		t.id, endedTTL.Milliseconds()).Err()
	return wrap(err, "expiring ticket %s", t.id)
}

var expireScript = redis.NewScript(`
redis.call('ZREM', KEYS[2], ARGV[1])
if redis.call('GET', KEYS[3]) == ARGV[1] then redis.call('DEL', KEYS[3]) end
if redis.call('HGET', KEYS[1], 'state') == 'waiting' then
	redis.call('HSET', KEYS[1], 'state', 'expired')
	redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return 'ok'`)

// holdTTL is how long a lobby may take to make a match of tickets; then another may. It is longer than a look.
const holdTTL = 10 * time.Second

// hold takes tickets out of other lobbies' sight, all or none, so that one lobby at a time reserves seats for a player.
// by is one attempt's own. errNotWaiting means that another lobby, or the player, was faster.
func (s *ticketStore) hold(ctx context.Context, queue, by string, tickets []*ticket) error {
	answer, err := holdScript.Run(ctx, s.rdb, s.names(queue, tickets), by, holdTTL.Milliseconds()).Text()
	if err != nil {
		return fmt.Errorf("holding tickets of queue %s: %w", queue, err)
	}
	if answer != "ok" {
		return fmt.Errorf("a ticket of queue %s: %w", queue, errNotWaiting)
	}
	return nil
}

func (s *ticketStore) names(queue string, tickets []*ticket) []string {
	names := make([]string, len(tickets))
	for i, t := range tickets {
		names[i] = s.ticket(queue, t.id)
	}
	return names
}

var holdScript = redis.NewScript(`
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
for i = 1, #KEYS do
	local h = redis.call('HMGET', KEYS[i], 'state', 'holder', 'held')
	if h[1] ~= 'waiting' or (h[2] ~= ARGV[1] and tonumber(h[3] or 0) > now) then return 'no' end
end
for i = 1, #KEYS do
	redis.call('HSET', KEYS[i], 'holder', ARGV[1], 'held', string.format('%.0f', now + tonumber(ARGV[2])))
end
return 'ok'`)

// letGo ends a hold. From then on no match by it can be made.
func (s *ticketStore) letGo(ctx context.Context, queue, by string, tickets []*ticket) error {
	err := letGoScript.Run(ctx, s.rdb, s.names(queue, tickets), by).Err()
	return wrap(err, "letting tickets of queue %s go", queue)
}

var letGoScript = redis.NewScript(`
for i = 1, #KEYS do
	if redis.call('HGET', KEYS[i], 'holder') == ARGV[1] then redis.call('HDEL', KEYS[i], 'holder', 'held') end
end
return 'ok'`)

// match marks held tickets as matched, all or none. errNotWaiting means that one of them was taken meanwhile, by its
// player or by another lobby after the hold had run out, and nothing was changed.
func (s *ticketStore) match(ctx context.Context, queue, by string, tickets []*ticket, seats []seatInfo) error {
	names := append(make([]string, 0, 1+2*len(tickets)), s.waiting(queue))
	args := append(make([]any, 0, 2+8*len(tickets)), endedTTL.Milliseconds(), by)
	for i, t := range tickets {
		m := &seats[i]
		names = append(names, s.ticket(queue, t.id), s.playerIn(queue, t.player))
		args = append(args, t.id, m.room, m.seat, m.token, m.till.UnixMilli(), m.node.ID, m.node.URL, m.node.Asked)
	}
	answer, err := matchScript.Run(ctx, s.rdb, names, args...).Text()
	if err != nil {
		return fmt.Errorf("matching tickets of queue %s: %w", queue, err)
	}
	if answer != "ok" {
		return fmt.Errorf("ticket %s: %w", answer, errNotWaiting)
	}
	return nil
}

// A ticket that has this very seat already makes the script's repeat succeed.
var matchScript = redis.NewScript(`
local n = (#KEYS - 1) / 2
local function arg(i, k) return ARGV[2 + (i - 1) * 8 + k] end
for i = 1, n do
	local t = redis.call('HMGET', KEYS[i * 2], 'state', 'holder', 'token')
	local ours = t[1] == 'waiting' and t[2] == ARGV[2]
	if not ours and not (t[1] == 'matched' and t[3] == arg(i, 4)) then return arg(i, 1) end
end
for i = 1, n do
	redis.call('HSET', KEYS[i * 2], 'state', 'matched', 'room', arg(i, 2), 'seat', arg(i, 3), 'token', arg(i, 4),
		'till', arg(i, 5), 'node', arg(i, 6), 'url', arg(i, 7), 'asked', arg(i, 8))
	redis.call('PEXPIRE', KEYS[i * 2], ARGV[1])
	redis.call('ZREM', KEYS[1], arg(i, 1))
	if redis.call('GET', KEYS[i * 2 + 1]) == arg(i, 1) then redis.call('DEL', KEYS[i * 2 + 1]) end
end
return 'ok'`)

// wrap says what was being done when err came up; nil stays nil.
func wrap(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf(format+": %w", append(args, err)...)
}
