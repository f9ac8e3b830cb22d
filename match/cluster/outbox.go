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
)

// PostResult puts a result into the outbox, once for each (room, tick, n) however often it is called. Which queue made the
// match is taken from the room's record, which is there as long as its host has not ended it.
func (d *Directory) PostResult(ctx context.Context, r proto.Result) error {
	doing := "posting the result of match " + r.Room
	queue, err := d.rdb.HGet(ctx, d.room(r.Room), "queue").Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return fmt.Errorf("%s: %w", doing, err)
	}
	r.Queue = queue
	body, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	key := fmt.Sprintf("%s:%d:%d", r.Room, r.Tick, r.N)
	err = postScript.Run(ctx, d.rdb, []string{d.outbox(), d.posted(key)}, body, postedTTL.Milliseconds()).Err()
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return nil
}

var postScript = redis.NewScript(`
if redis.call('SET', KEYS[2], '1', 'NX', 'PX', ARGV[2]) then redis.call('XADD', KEYS[1], '*', 'result', ARGV[1]) end
return 'ok'`)

// Outbox is the lobby's end of the results' way. One goroutine uses it; each lobby process has its own.
type Outbox struct {
	rdb  redis.UniversalClient
	self string
	keys
	ready bool   // the group exists
	next  string // where to go on among those that another lobby has taken and not stored
}

// NewOutbox returns the outbox of the deployment with this namespace.
func NewOutbox(rdb redis.UniversalClient, namespace string) *Outbox {
	return &Outbox{rdb: rdb, self: NewID(), keys: keys{namespace}, next: "0-0"}
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

// failed wraps an error. A Redis that lost its data has no group.
func (o *Outbox) failed(doing string, err error) error {
	if strings.HasPrefix(err.Error(), "NOGROUP") {
		o.ready = false
	}
	return fmt.Errorf("draining the outbox: %s: %w", doing, err)
}

func (o *Outbox) one(ctx context.Context, m redis.XMessage, store func(context.Context, proto.Result) error) error {
	var r proto.Result
	body, _ := m.Values["result"].(string)
	broken := json.Unmarshal([]byte(body), &r)
	if broken != nil {
		broken = fmt.Errorf("draining the outbox: entry %s is no result and is dropped: %w", m.ID, broken)
	} else if err := store(ctx, r); err != nil {
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
