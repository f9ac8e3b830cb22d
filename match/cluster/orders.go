package cluster

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// maxOrders is how many orders wait for one room, or are not known to be kept.
	maxOrders = 256
	// maxOrderBody bounds an order, in bytes.
	maxOrderBody = 8 << 10
	// orderTTL is how long an order waits for a room of which nobody hears anything.
	orderTTL = roomTTL
	// orderKept is how long it is known what became of an order, and that it was given.
	orderKept = time.Hour
	// askKept is the same of an order that changes nothing; answerKept of its answer, which may be long.
	askKept    = time.Minute
	answerKept = 15 * time.Second
)

// Errors of orders that callers decide on.
var (
	// ErrUnopened means that the room has not been opened yet: nobody has come.
	ErrUnopened = errors.New("nobody has opened the room yet")
	// ErrManyOrders means that as many orders wait for the room as may.
	ErrManyOrders = errors.New("too many orders wait for the room")
	// ErrOtherOrder means that the order's id was another order's.
	ErrOtherOrder = errors.New("the id was another order's")
	// ErrNoOrder means that nothing is known of an order, or nothing any more.
	ErrNoOrder = errors.New("no such order")
)

// NoticeOrder is the kind of the notice that orders wait for a room; its ID is the room's.
const NoticeOrder = "order"

// Order is what a backend or an operator wants of a running room.
type Order struct {
	// ID makes it known when it is given again, for an hour. 1 to 64 bytes.
	ID     string
	Kind   string // OrderInput, …
	Player string // whom an event is for, or who is kicked
	Team   uint16 // whom an event is for; 0 is none
	Event  string // its type
	Text   string // why, of an end or a kick
	Body   []byte // the fields of an input or event as JSON, at most 8 KiB
	// Digest stands for what was asked for, so that another order under the same id is found out.
	Digest string
	// Asks says that it changes nothing and wants an answer; it is not kept for long.
	Asks bool
	// Place is where it stands among the others, once it is read.
	Place string
}

// Kinds of orders.
const (
	OrderInput = "input" // the game is fed
	OrderEvent = "event" // for everybody in the room, a player or a team
	OrderEnd   = "end"   // the match ends
	OrderKick  = "kick"  // a player is sent away
	OrderState = "state" // asks for the present state as JSON
)

// Outcome is what came of an order.
type Outcome struct {
	State  string // OrderWaits, OrderDone, or why it was not done
	Why    string // for people
	Answer []byte // of an order that asks
}

// What can come of an order.
const (
	OrderWaits   = "waiting"
	OrderDone    = "done"
	OrderRefused = "refused" // by the rules, or it was none of this game's
	OrderAbsent  = "absent"  // the player is not in the room
	// OrderGone is of one that the room had not done when it ended.
	OrderGone = "gone"
)

// Order gives a room an order, once however often it is called with the same id. Whoever gives one tells the hosts, by a
// notice of NoticeOrder; a host that has not heard of it finds it within its next renewal. Errors: ErrNoRoom, ErrUnopened,
// ErrManyOrders, ErrOtherOrder.
func (d *Directory) Order(ctx context.Context, room string, o Order) error {
	doing := "giving room " + room + " an order"
	if len(o.Body) > maxOrderBody {
		return fmt.Errorf("%s: it has %d bytes, at most %d allowed", doing, len(o.Body), maxOrderBody)
	}
	kept := orderKept
	if o.Asks {
		kept = askKept
	}
	answer, err := orderScript.Run(ctx, d.rdb, []string{d.room(room), d.orders(room), d.order(room, o.ID)},
		o.ID, o.Digest, maxOrders, orderTTL.Milliseconds(), kept.Milliseconds(), o.Kind, o.Player, o.Team, o.Event, o.Text, o.Body).Text()
	switch {
	case err != nil:
	case answer == "unopened":
		err = ErrUnopened
	case answer == "many":
		err = ErrManyOrders
	case answer == "other":
		err = ErrOtherOrder
	default:
		return answered(doing, answer, nil)
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// One that was given before is found first: whatever has become of the room, its outcome is there. A room whose result is
// posted is about to end.
var orderScript = redis.NewScript(`
local digest = redis.call('HGET', KEYS[3], 'digest')
if digest then return digest == ARGV[2] and 'ok' or 'other' end
local rec = redis.call('HMGET', KEYS[1], 'epoch', 'off', 'result', 'ran')
if not rec[1] or rec[2] or rec[3] then return 'gone' end
if not rec[4] then return 'unopened' end
if redis.call('XLEN', KEYS[2]) >= tonumber(ARGV[3]) then return 'many' end
redis.call('XADD', KEYS[2], '*', 'id', ARGV[1], 'kind', ARGV[6], 'player', ARGV[7], 'team', ARGV[8], 'event', ARGV[9],
	'text', ARGV[10], 'body', ARGV[11])
redis.call('PEXPIRE', KEYS[2], ARGV[4])
redis.call('HSET', KEYS[3], 'digest', ARGV[2], 'state', 'waiting')
redis.call('PEXPIRE', KEYS[3], ARGV[5])
return 'ok'`)

// Outcome says what came of an order. Errors: ErrNoOrder.
func (d *Directory) Outcome(ctx context.Context, room, order string) (Outcome, error) {
	pipe := d.rdb.Pipeline()
	of := pipe.HGetAll(ctx, d.order(room, order))
	rec := pipe.HMGet(ctx, d.room(room), "epoch", "off")
	_, err := pipe.Exec(ctx)
	f := of.Val()
	if err == nil && f["state"] == "" {
		err = ErrNoOrder
	}
	if err != nil {
		return Outcome{}, fmt.Errorf("reading what came of an order for room %s: %w", room, err)
	}
	o := Outcome{State: f["state"], Why: f["why"], Answer: bytesOf(f["answer"])}
	if r := rec.Val(); o.State == OrderWaits && (r[0] == nil || r[1] != nil) {
		o.State, o.Why = OrderGone, "the room has ended"
	}
	return o, nil
}

// Orders returns those that a room has not done, the oldest first, at most limit; after is the Place of the last one that
// is known, "" for none. They wait for another minute.
func (d *Directory) Orders(ctx context.Context, room, after string, limit int64) ([]Order, error) {
	from := "-"
	if after != "" {
		from = "(" + after
	}
	pipe := d.rdb.Pipeline()
	read := pipe.XRangeN(ctx, d.orders(room), from, "+", limit)
	pipe.PExpire(ctx, d.orders(room), orderTTL)
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, fmt.Errorf("reading the orders for room %s: %w", room, err)
	}
	list := make([]Order, len(read.Val()))
	for i, m := range read.Val() {
		text := func(field string) string { s, _ := m.Values[field].(string); return s }
		team, _ := strconv.ParseUint(text("team"), 10, 16) // which Order has written
		list[i] = Order{
			ID: text("id"), Kind: text("kind"), Player: text("player"), Team: uint16(team), Event: text("event"), Text: text("text"),
			Body: bytesOf(text("body")), Place: m.ID,
		}
	}
	return list, nil
}

// Done is what a room has done with an order.
type Done struct {
	ID, Place string
	Outcome
}

// OrdersDone says what a room has done with orders, which then wait no longer. What was said first of one counts. Errors:
// ErrFenced.
func (d *Directory) OrdersDone(ctx context.Context, room string, epoch uint64, done []Done) error {
	if len(done) == 0 {
		return nil
	}
	keys, args := []string{d.room(room), d.orders(room)}, []any{epoch, answerKept.Milliseconds()}
	for i := range done {
		o := &done[i]
		keys = append(keys, d.order(room, o.ID))
		args = append(args, o.Place, o.State, o.Why, o.Answer)
	}
	answer, err := ordersDoneScript.Run(ctx, d.rdb, keys, args...).Text()
	return answered(fmt.Sprintf("telling what came of %d orders for room %s", len(done), room), answer, err)
}

var ordersDoneScript = redis.NewScript(older + `
local owner = redis.call('HGET', KEYS[1], 'epoch')
if owner and older(ARGV[1], owner) then return 'fenced' end
for i = 3, #KEYS do
	local at = 4 * i - 9
	redis.call('XDEL', KEYS[2], ARGV[at])
	if redis.call('HGET', KEYS[i], 'state') == 'waiting' then
		redis.call('HSET', KEYS[i], 'state', ARGV[at + 1], 'why', ARGV[at + 2], 'answer', ARGV[at + 3])
		if ARGV[at + 3] ~= '' then redis.call('PEXPIRE', KEYS[i], ARGV[2]) end
	end
end
return 'ok'`)
