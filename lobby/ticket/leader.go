package ticket

import (
	"context"
	"fmt"
	"time"
)

// A queue's leader holds its lease for leaseTTL and renews it each leaseEvery; the others ask as often.
const (
	leaseTTL   = 2 * time.Second
	leaseEvery = 500 * time.Millisecond
	// leaderless is how long a queue is without a leader at the longest while Redis and one lobby are there.
	leaderless = 2 * time.Second
)

// lead keeps asking for the queue's lease until ctx ends, and gives it back then.
func (e *engine) lead(ctx context.Context) {
	ticker := time.NewTicker(leaseEvery)
	defer ticker.Stop()
	for {
		before := e.epoch.Load()
		asking, cancel := context.WithTimeout(ctx, leaseEvery)
		epoch, err := e.lease(asking)
		cancel()
		if err != nil {
			epoch = 0 // every proposal asks Redis itself, so this costs a pause and no more
			if ctx.Err() == nil {
				e.s.failed(e.keys.queue, err)
			}
		}
		if e.epoch.Store(epoch); epoch != 0 && epoch != before {
			e.s.cfg.Metrics.Leads.WithLabelValues(e.keys.queue).Inc()
			e.wake()
		}
		e.s.cfg.Metrics.Epoch.WithLabelValues(e.keys.queue).Set(float64(epoch))
		select {
		case <-ctx.Done():
			e.resign(ctx)
			return
		case <-ticker.C:
		}
	}
}

// lease asks for the lease, or for more of it, and returns the epoch; 0 is that another has it.
func (e *engine) lease(ctx context.Context) (int64, error) {
	epoch, err := leaseScript.Run(ctx, e.s.cfg.Redis, []string{e.keys.leader()}, e.self, leaseTTL.Milliseconds(), leaderless.Milliseconds()).Int64()
	if err != nil {
		return 0, fmt.Errorf("asking for the lease of queue %s: %w", e.keys.queue, err)
	}
	return epoch, nil
}

// The epoch rises with every new leader, also when Redis has lost what it knew of the last one. That nobody has led for
// longer than others need to take over means that Redis itself was away, or every lobby: back is when that was over.
var leaseScript = script(luaNow, `
local l = redis.call('HMGET', KEYS[1], 'holder', 'epoch', 'until')
local holds = tonumber(l[3] or 0) > now
if holds and l[1] ~= ARGV[1] then return 0 end
local epoch = tonumber(l[2] or 0)
if not holds then
	epoch = math.max(epoch + 1, now)
	if now - tonumber(l[3] or now) > tonumber(ARGV[3]) then redis.call('HSET', KEYS[1], 'back', int(now)) end
end
redis.call('HSET', KEYS[1], 'holder', ARGV[1], 'epoch', int(epoch), 'until', int(now + ARGV[2]))
redis.call('PEXPIRE', KEYS[1], 86400000)
return epoch`)

// resign gives the lease back, so that the next leader need not wait for its end.
func (e *engine) resign(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaseEvery)
	defer cancel()
	if e.epoch.Swap(0) == 0 {
		return
	}
	if err := resignScript.Run(ctx, e.s.cfg.Redis, []string{e.keys.leader()}, e.self).Err(); err != nil {
		return // it ends by itself
	}
	e.announce(ctx)
}

var resignScript = script(luaNow, `
if redis.call('HGET', KEYS[1], 'holder') == ARGV[1] then redis.call('HSET', KEYS[1], 'until', int(now)) end
return 'ok'`)
