package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/proto"
)

const (
	// postedTTL is how long it is remembered that a result was posted.
	postedTTL = 24 * time.Hour
	// outboxGroup is the consumer group of the lobbies.
	outboxGroup = "lobby"
	// outboxBatch is how many results one Drain takes.
	outboxBatch = 64
	// outboxIdle is after how long another lobby takes over what one has taken and not stored.
	outboxIdle = 10 * time.Second
	// outboxGone is after how long without a sign a lobby counts as gone, as far as it has taken nothing; one that comes
	// back after all is known again. outboxTend is how often each lobby looks for such.
	outboxGone = time.Minute
	outboxTend = 15 * time.Second
)

// PostResult puts a result into the outbox, once for each (room, tick, n) however often it is called. It is kept with the
// room's record first, so that whoever takes the room over posts this one and plays nothing again; of a room whose record
// has a result already that one counts. Where r names no queue it is the one that made the match. Errors: ErrFenced.
func (d *Directory) PostResult(ctx context.Context, r proto.Result) error {
	doing := "posting the result of match " + r.Room
	body, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	answer, err := keepScript.Run(ctx, d.rdb, d.all(r.Room), r.Epoch, body, roomTTL.Milliseconds()).StringSlice()
	word, err := wordOf(answer, 3, err)
	if err = answered(doing, word, err); err != nil {
		return err
	}
	if answer[1] != "" {
		if err := json.Unmarshal([]byte(answer[1]), &r); err != nil {
			return fmt.Errorf("%s: the one that its record has: %w", doing, err)
		}
	}
	if r.Queue == "" {
		r.Queue = answer[2]
	}
	return d.post(ctx, r)
}

// Of a room that is forgotten there is nobody who could post another.
var keepScript = redis.NewScript(older + `
local rec = redis.call('HMGET', KEYS[1], 'epoch', 'result', 'queue', 'madeby')
if not rec[1] then return {'ok', '', ''} end
if older(ARGV[1], rec[1]) then return {'fenced', '', ''} end
if not rec[2] then redis.call('HSET', KEYS[1], 'result', ARGV[2]) end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return {'ok', rec[2] or '', rec[4] or rec[3] or ''}`)

// post puts a result into the outbox.
func (d *Directory) post(ctx context.Context, r proto.Result) error {
	body, err := json.Marshal(r)
	if err == nil {
		key := fmt.Sprintf("%s:%d:%d", r.Room, r.Tick, r.N)
		err = postScript.Run(ctx, d.rdb, []string{d.outbox(), d.posted(key)}, body, postedTTL.Milliseconds(), "result").Err()
	}
	if err != nil {
		return fmt.Errorf("posting the result of match %s: %w", r.Room, err)
	}
	return nil
}

var postScript = redis.NewScript(`
if redis.call('SET', KEYS[2], '1', 'NX', 'PX', ARGV[2]) then redis.call('XADD', KEYS[1], '*', ARGV[3], ARGV[1]) end
return 'ok'`)

// Outbox is the lobby's end of the results' way. One goroutine uses it; each lobby process has its own.
type Outbox struct {
	rdb  redis.UniversalClient
	self string
	keys
	// Lost, if it is not nil, is told of matches that were lost, at least once.
	Lost   func(context.Context, Lost) error
	gone   time.Duration
	ready  bool      // the group exists
	tended time.Time // when it was last looked for lobbies that are gone
	next   string    // where to go on among those that another lobby has taken and not stored
}

// NewOutbox returns the outbox of the deployment with this namespace.
func NewOutbox(rdb redis.UniversalClient, namespace string) *Outbox {
	return &Outbox{rdb: rdb, self: NewID(), keys: keys{namespace}, gone: outboxGone, next: "0-0"}
}

// Drain hands results to store and forgets those that it stored: each comes at least once, also when the lobby that
// took it first has died. It returns how many came. What store refuses comes again.
func (o *Outbox) Drain(ctx context.Context, store func(context.Context, proto.Result) error) (n int, err error) {
	if !o.ready {
		err := o.rdb.XGroupCreateMkStream(ctx, o.outbox(), outboxGroup, "0").Err()
		if err != nil && !strings.HasPrefix(err.Error(), "BUSYGROUP") {
			return 0, fmt.Errorf("draining the outbox: making its group: %w", err)
		}
		o.ready = true
	}
	if time.Since(o.tended) > outboxTend {
		if err := tendScript.Run(ctx, o.rdb, []string{o.outbox()}, outboxGroup, o.self, o.gone.Milliseconds()).Err(); err != nil {
			return 0, o.failed("forgetting lobbies that are gone", err)
		}
		o.tended = time.Now()
	}
	left, next, err := o.rdb.XAutoClaim(ctx, &redis.XAutoClaimArgs{
		Stream: o.outbox(), Group: outboxGroup, Consumer: o.self, MinIdle: outboxIdle, Start: o.next, Count: outboxBatch,
	}).Result()
	if err != nil {
		return 0, o.failed("taking over", err)
	}
	o.next = next // "0-0" when it has come to the end
	read, err := o.rdb.XReadGroup(ctx, &redis.XReadGroupArgs{
		Streams: []string{o.outbox(), ">"}, Group: outboxGroup, Consumer: o.self, Count: outboxBatch, Block: -1,
	}).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return 0, o.failed("reading", err)
	}
	for _, s := range read {
		left = append(left, s.Messages...)
	}
	var errs []error
	for _, m := range left {
		if err := o.one(ctx, m, store); err != nil {
			errs = append(errs, err)
		}
	}
	return len(left), errors.Join(errs...)
}

// Each process is a reader of its own, which Redis keeps until it is told otherwise. What one has taken is another's by
// outboxIdle, so that in the end a reader that is gone has nothing.
var tendScript = redis.NewScript(`
local function fields(list)
	local f = {}
	for i = 1, #list, 2 do f[list[i]] = list[i + 1] end
	return f
end
for _, reader in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
	local f = fields(reader)
	if f.name ~= ARGV[2] and tonumber(f.pending) == 0 and tonumber(f.idle) > tonumber(ARGV[3]) then
		redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], f.name)
	end
end
return 'ok'`)

// failed wraps an error. A Redis that lost its data has no group, or not even a stream; where a script meets that it is
// told so in the middle of its error.
func (o *Outbox) failed(doing string, err error) error {
	if text := err.Error(); strings.Contains(text, "NOGROUP") || strings.Contains(text, "no such key") {
		o.ready = false
	}
	return fmt.Errorf("draining the outbox: %s: %w", doing, err)
}

func (o *Outbox) one(ctx context.Context, m redis.XMessage, store func(context.Context, proto.Result) error) error {
	var broken, err error
	if body, ok := m.Values["lost"].(string); ok {
		var lost Lost
		if broken = json.Unmarshal([]byte(body), &lost); broken == nil && o.Lost != nil {
			err = o.Lost(ctx, lost)
		}
	} else {
		var r proto.Result
		body, _ := m.Values["result"].(string)
		if broken = json.Unmarshal([]byte(body), &r); broken == nil {
			err = store(ctx, r)
		}
	}
	if broken != nil {
		broken = fmt.Errorf("draining the outbox: entry %s is no result and is dropped: %w", m.ID, broken)
	} else if err != nil {
		return err
	}
	pipe := o.rdb.TxPipeline()
	pipe.XAck(ctx, o.outbox(), outboxGroup, m.ID)
	pipe.XDel(ctx, o.outbox(), m.ID)
	if _, err := pipe.Exec(ctx); err != nil {
		return fmt.Errorf("draining the outbox: entry %s: %w", m.ID, err)
	}
	return broken
}

// Waiting returns how many results are on their way.
func (o *Outbox) Waiting(ctx context.Context) (int64, error) {
	n, err := o.rdb.XLen(ctx, o.outbox()).Result()
	if err != nil {
		return 0, fmt.Errorf("counting the outbox: %w", err)
	}
	return n, nil
}
