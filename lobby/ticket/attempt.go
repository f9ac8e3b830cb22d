package ticket

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/lobby/keyspace"
	"muster/lobby/queue"
	"muster/match/cluster"
)

// States of a match attempt.
const (
	attemptConfirming = "confirming"
	attemptReserving  = "reserving"
	attemptConnecting = "connecting"
	attemptStarted    = "started"
	attemptFailed     = "failed"
)

const (
	// carryTTL is how long whoever carries an attempt on has it for himself.
	carryTTL = 3 * time.Second
	// attemptTTL is how long an attempt's record outlives its last change.
	attemptTTL = 10 * time.Minute
	// fillTTL is how long a room that runs is left to one attempt at the longest.
	fillTTL = 30 * time.Second
)

// plan is what an attempt wants, and does not change.
type plan struct {
	Room       string            `json:"room,omitempty"` // one that runs; "" is a new one
	Version    uint64            `json:"version,omitempty"`
	Region     string            `json:"region,omitempty"`
	On         map[string]string `json:"on,omitempty"` // tags of its server
	Tickets    []planned         `json:"tickets"`
	Roles      map[string]string `json:"roles,omitempty"`
	Bots       int               `json:"bots,omitempty"`
	Attributes map[string]any    `json:"attributes,omitempty"`
	Players    []queue.Player    `json:"-"`
	Confirm    time.Duration     `json:"confirm,omitempty"`
	Connect    time.Duration     `json:"connect"`
	Need       int               `json:"need"` // how many players are enough when the time to connect is over
	MaxWait    time.Duration     `json:"max_wait"`
	// What the room is made of, by the rules by which the match was found: they may be others by then.
	Seats    int  `json:"seats"`
	Teams    int  `json:"teams,omitempty"`
	TeamSize int  `json:"team_size,omitempty"`
	Backfill bool `json:"backfill,omitempty"`
	Watch    bool `json:"watch,omitempty"` // anybody may watch the match
}

// planned is a ticket of an attempt.
type planned struct {
	ID      string         `json:"id"`
	Team    uint16         `json:"team,omitempty"` // from 1; 0 where there are none
	Players []queue.Player `json:"players"`
}

// attempt is a match attempt as it was read.
type attempt struct {
	plan

	id, state string
	deadline  time.Time
	accepted  map[string]bool // digests of players
	oks       int
	room      string // where the seats are
	done      string // what became of the tickets, once it is over
	faults    string // JSON of who is to be punished for what, once it is over
	told      bool   // the players have heard that they are matched
	now       time.Time
	back      time.Time // when an outage was over, the last one; now while there is one
	tickets   []*Ticket // nil where there is none any more
	fresh     bool      // it was made by this process a moment ago, and nobody has had it before
}

// freshAttempt is an attempt as the script that proposed it leaves it. The caller holds the engine's lock.
func (e *engine) freshAttempt(id string, p *plan) *attempt {
	now := e.s.clock.now()
	a := &attempt{
		plan: *p, id: id, state: attemptReserving, deadline: now.Add(p.Confirm), accepted: map[string]bool{}, now: now,
		tickets: make([]*Ticket, len(p.Tickets)), fresh: true,
	}
	state := reserving
	if p.Confirm > 0 {
		a.state, state = attemptConfirming, Confirming
	}
	for i := range p.Tickets {
		if t := e.tickets[p.Tickets[i].ID]; t != nil {
			a.tickets[i] = &Ticket{Ticket: *t, Queue: e.keys.queue, State: state, attempt: id}
		}
	}
	return a
}

// planOf makes a plan of what the pool assigned. tickets has those of the assignment.
func planOf(r *queue.Rules, a *queue.Assignment, tickets map[string]*queue.Ticket) (p plan, ok bool) {
	p = plan{
		Room: a.Room, Version: a.Version, Region: a.Region, On: r.Tags, Roles: a.Roles, Bots: a.Bots, Attributes: a.Attributes,
		Confirm: r.Confirm, Connect: r.Connect, MaxWait: r.MaxWait,
		Seats: r.Max(), Backfill: r.Backfill, Watch: r.Watch,
	}
	if r.Teams > 1 {
		p.Teams, p.TeamSize = r.Teams, r.TeamSize
	}
	players := 0
	for team, ids := range a.Teams {
		for _, id := range ids {
			t := tickets[id]
			if t == nil {
				return p, false
			}
			planned := planned{ID: id, Players: t.Players}
			if r.Teams > 1 {
				planned.Team = uint16(team + 1)
			}
			p.Tickets = append(p.Tickets, planned)
			players += len(t.Players)
		}
	}
	p.Need = min(r.Min, players)
	return p, len(p.Tickets) > 0
}

// ids returns the plan's tickets.
func (p *plan) ids() []string {
	ids := make([]string, len(p.Tickets))
	for i := range p.Tickets {
		ids[i] = p.Tickets[i].ID
	}
	return ids
}

// players returns the ids of all players of the plan, in the order of their digests.
func (p *plan) players() []string {
	var ids []string
	for i := range p.Tickets {
		for j := range p.Tickets[i].Players {
			ids = append(ids, p.Tickets[i].Players[j].ID)
		}
	}
	return byDigest(ids)
}

// proposeCall is the script's run that proposes a plan as an attempt with this id.
func (e *engine) proposeCall(id string, p *plan) (call, error) {
	body, err := json.Marshal(p)
	if err != nil {
		return call{}, fmt.Errorf("proposing a match: %w", err)
	}
	state := attemptReserving
	if p.Confirm > 0 {
		state = attemptConfirming
	}
	keys := e.keys.shared(e.keys.attempt(id))
	args := []any{
		e.self, e.epoch.Load(), id, body, state, carryTTL.Milliseconds(), attemptTTL.Milliseconds(), p.Room, len(p.players()),
		p.Confirm.Milliseconds(), fillTTL.Milliseconds(),
	}
	for _, t := range p.Tickets {
		keys, args = append(keys, e.keys.ticket(t.ID)), append(args, t.ID)
	}
	return call{keys, args}, nil
}

// The answer: "ok"; "fenced", another leads; "filling", another attempt has the room; or "gone", a ticket that does not
// wait any more.
var proposeScript = script(luaKeys, `
if redis.call('EXISTS', KEYS[8]) == 1 then return {'ok'} end
local l = redis.call('HMGET', leader, 'holder', 'epoch', 'until')
if l[1] ~= ARGV[1] or l[2] ~= ARGV[2] or tonumber(l[3] or 0) <= now then return {'fenced'} end
local room = ARGV[8]
if room ~= '' then
	redis.call('ZREMRANGEBYSCORE', filling, '-inf', int(now))
	if redis.call('ZSCORE', filling, room) then return {'filling'} end
end
for i = 9, #KEYS do
	if redis.call('HGET', KEYS[i], 'state') ~= 'waiting' then return {'gone', ARGV[i + 3]} end
end
local ids = {}
for i = 9, #KEYS do
	local id = ARGV[i + 3]
	ids[#ids + 1] = id
	redis.call('HSET', KEYS[i], 'state', ARGV[5], 'attempt', ARGV[3])
	redis.call('HDEL', KEYS[i], 'reason')
	redis.call('ZREM', waiting, id)
	redis.call('ZREM', seen, id)
end
redis.call('HSET', KEYS[8], 'state', ARGV[5], 'body', ARGV[4], 'players', ARGV[9], 'oks', '0', 'deadline', int(now + ARGV[10]))
redis.call('PEXPIRE', KEYS[8], ARGV[7])
redis.call('ZADD', attempts, int(now + ARGV[6]), ARGV[3])
redis.call('PEXPIRE', attempts, day)
if room ~= '' then
	redis.call('ZADD', filling, int(now + ARGV[11]), room)
	redis.call('PEXPIRE', filling, day)
end
log('op', 'del', 'ids', table.concat(ids, ','), 'quiet', ARGV[5] == 'reserving' and '1' or '')
return {'ok'}`)

// errNoAttempt means that an attempt's record is gone.
var errNoAttempt = errors.New("no such match attempt")

// readAttempt reads an attempt and its tickets.
func (e *engine) readAttempt(ctx context.Context, id string) (*attempt, error) {
	pipe := e.s.cfg.Redis.Pipeline()
	all, now := pipe.HGetAll(ctx, e.keys.attempt(id)), pipe.Time(ctx)
	led := pipe.HMGet(ctx, e.keys.leader(), "until", "back")
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, fmt.Errorf("reading match attempt %s: %w", id, err)
	}
	f := all.Val()
	if len(f) == 0 {
		return nil, errNoAttempt
	}
	a := &attempt{
		id: id, state: f["state"], room: f["room"], done: f["done"], faults: f["faults"], told: f["told"] == "1",
		accepted: map[string]bool{}, now: now.Val(),
	}
	deadline, err1 := strconv.ParseInt(f["deadline"], 10, 64)
	oks, err2 := strconv.Atoi(f["oks"])
	if err := errors.Join(err1, err2, json.Unmarshal([]byte(f["body"]), &a.plan)); err != nil {
		return nil, fmt.Errorf("reading match attempt %s: %w", id, err)
	}
	a.deadline, a.oks = time.UnixMilli(deadline), oks
	for name := range f {
		if len(name) > 3 && name[:3] == "ok:" {
			a.accepted[name[3:]] = true
		}
	}
	a.back = outage(led.Val(), a.now, e.ended.Load())
	var err error
	a.tickets, err = e.s.read(ctx, e.keys, a.ids())
	return a, err
}

// outage is when the queue was led again after nobody could lead it: now where that is still so, long ago where it never
// was. That nobody leads a queue that exists no longer is none.
func outage(led []any, now time.Time, retired bool) time.Time {
	number := func(i int) (time.Time, bool) {
		text, _ := led[i].(string)
		ms, err := strconv.ParseInt(text, 10, 64)
		return time.UnixMilli(ms), err == nil
	}
	if until, ok := number(0); ok && !retired && now.Sub(until) > leaderless {
		return now
	}
	back, _ := number(1)
	return back
}

// disturbed says whether an outage fell into the time that the attempt's players had, of this length: nobody is at fault
// then for what he did not do.
func (a *attempt) disturbed(had time.Duration) bool { return a.back.After(a.deadline.Add(-had)) }

// live says whether a ticket is still in the attempt.
func (a *attempt) live(i int) bool {
	t := a.tickets[i]
	return t != nil && t.attempt == a.id && !t.State.ended()
}

// claims are the seats that the attempt asks for. A token's id follows from attempt and player, so that a repeat reserves
// the same seat.
func (e *engine) claims(a *attempt) []cluster.Claim {
	var list []cluster.Claim
	for i := range a.Tickets {
		for j := range a.Tickets[i].Players {
			p := a.Tickets[i].Players[j].ID
			list = append(list, cluster.Claim{Player: p, Token: e.s.cfg.Keys.Derive("seat", a.id, p), Team: a.Tickets[i].Team})
		}
	}
	return list
}

// seated writes that the attempt's players have seats: its tickets are matched, all or none. ok is false where one of
// them is in the attempt no longer; deadline is until when they may come.
func (e *engine) seated(ctx context.Context, a *attempt, room cluster.Room, node cluster.Node, seats []Seat) (deadline time.Time, ok bool, err error) {
	keys := e.keys.shared(e.keys.attempt(a.id), e.keys.waits(), e.keys.made())
	args := []any{
		a.id, firstLook.Milliseconds(), (endedTTL + a.Connect + late).Milliseconds(), a.Room, len(a.Tickets),
		attemptTTL.Milliseconds(), a.Connect.Milliseconds(), (a.Connect + late).Milliseconds(), room.ID,
	}
	n := 0
	for i := range a.Tickets {
		t := &a.Tickets[i]
		m := Match{
			Room: room.ID, Region: a.Region, Node: node.ID, URL: node.URL, Asked: node.Asked, Seats: map[string]Seat{},
		}
		for j := range t.Players {
			m.Seats[keyspace.Digest(t.Players[j].ID)] = seats[n]
			n++
		}
		text, err := json.Marshal(m)
		if err != nil {
			return deadline, false, fmt.Errorf("matching tickets: %w", err)
		}
		keys = append(keys, e.keys.ticket(t.ID))
		args = append(args, t.ID, string(text), strconv.FormatFloat(meanRating(&queue.Ticket{Players: t.Players}), 'f', 1, 64))
	}
	for i := range a.Tickets {
		for j := range a.Tickets[i].Players {
			keys, args = append(keys, e.keys.mark(a.Tickets[i].Players[j].ID)), append(args, a.Tickets[i].ID)
		}
	}
	ms, err := seatedScript.Run(ctx, e.s.cfg.Redis, keys, args...).Int64()
	if err != nil {
		return deadline, false, fmt.Errorf("matching tickets of queue %s: %w", e.keys.queue, err)
	}
	return time.UnixMilli(ms), ms > 0, nil
}

// given is when the players of an attempt got their seats, to which they may come.
func (a *attempt) given() time.Time { return a.deadline.Add(-a.Connect - late) }

// firstLook is how long after a match was made it is looked at whether its players have come.
const firstLook = 3 * time.Second

// From ARGV[10] on there are three for each ticket, and then the ticket of each mark. The answer is the deadline, "0" where
// the tickets are the attempt's no longer.
var seatedScript = script(luaKeys, `
local a = redis.call('HMGET', KEYS[8], 'state', 'deadline')
if a[1] == 'connecting' then return a[2] end
if a[1] ~= 'reserving' then return '0' end
local n = tonumber(ARGV[5])
local created = {}
for i = 1, n do
	local h = redis.call('HMGET', KEYS[10 + i], 'state', 'attempt', 'created')
	if h[2] ~= ARGV[1] or (h[1] ~= 'confirming' and h[1] ~= 'reserving') then return '0' end
	created[i] = h[3]
end
local ids = {}
for i = 1, n do
	local at = 7 + i * 3
	ids[i] = ARGV[at]
	redis.call('HSET', KEYS[10 + i], 'state', 'matched', 'match', ARGV[at + 1], 'till', int(now + ARGV[7]))
	redis.call('PEXPIRE', KEYS[10 + i], ARGV[3])
	redis.call('LPUSH', KEYS[9], ARGV[at + 2] .. ':' .. int(now - created[i]))
end
redis.call('LTRIM', KEYS[9], 0, 999)
redis.call('PEXPIRE', KEYS[9], day)
redis.call('LPUSH', KEYS[10], int(now))
redis.call('LTRIM', KEYS[10], 0, 999)
redis.call('PEXPIRE', KEYS[10], day)
for i = 1, #KEYS - 10 - n do free(KEYS[10 + n + i], ARGV[9 + n * 3 + i]) end
local deadline = int(now + ARGV[8])
redis.call('HSET', KEYS[8], 'state', 'connecting', 'deadline', deadline, 'room', ARGV[9])
redis.call('HDEL', KEYS[8], 'told')
redis.call('PEXPIRE', KEYS[8], ARGV[6])
redis.call('ZADD', attempts, int(now + math.min(tonumber(ARGV[2]), tonumber(ARGV[8]))), ARGV[1])
if ARGV[4] ~= '' then redis.call('ZREM', filling, ARGV[4]) end
log('op', 'look', 'ids', table.concat(ids, ','))
return deadline`)

// due hands out attempts that somebody must look at, and when whoever has one loses it.
func (e *engine) due(ctx context.Context) (map[string]string, error) {
	list, err := dueScript.Run(ctx, e.s.cfg.Redis, []string{e.keys.attempts()}, carryTTL.Milliseconds(), maxDue).StringSlice()
	if err != nil {
		return nil, fmt.Errorf("asking queue %s for attempts to carry on: %w", e.keys.queue, err)
	}
	if len(list) == 0 {
		return nil, nil
	}
	ids := make(map[string]string, len(list)-1)
	for _, id := range list[1:] {
		ids[id] = list[0]
	}
	return ids, nil
}

// maxDue bounds how many attempts a process takes at once, and dueRounds how often it does in a second: the others of a
// deployment take theirs meanwhile.
const (
	maxDue    = 64
	dueRounds = 8
)

var dueScript = script(luaNow, `
local ids = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', int(now), 'LIMIT', 0, ARGV[2])
if #ids == 0 then return {} end
local till = int(now + ARGV[1])
local answer = {till}
for i = 1, #ids do
	redis.call('ZADD', KEYS[1], till, ids[i])
	answer[i + 1] = ids[i]
end
return answer`)

// again says when an attempt is to be looked at next, unless something has happened to it since it was handed out.
func (e *engine) again(ctx context.Context, id, had string, at time.Time) error {
	if had == "" {
		return nil // whatever made it known has said when
	}
	err := againScript.Run(ctx, e.s.cfg.Redis, []string{e.keys.attempts()}, id, had, at.UnixMilli()).Err()
	return wrap(err, "putting match attempt %s off", id)
}

var againScript = redis.NewScript(`
if redis.call('ZSCORE', KEYS[1], ARGV[1]) == ARGV[2] then redis.call('ZADD', KEYS[1], ARGV[3], ARGV[1]) end
return 'ok'`)
