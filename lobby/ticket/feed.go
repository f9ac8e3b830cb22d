package ticket

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/lobby/queue"
)

// feed is how far a process has followed a queue's log.
type feed struct {
	ready bool   // there was a snapshot
	last  string // the id of the last entry
	n     int64  // its number
}

// chunk is how many entries or tickets are read at once.
const chunk = 1000

// snapshotTimeout bounds the reading of a whole queue: one that was given up halfway would never be read.
const snapshotTimeout = time.Minute

// follow brings the pool up to date. more says that there is more to read at once. A queue that must be read anew takes its
// time from work.
func (e *engine) follow(ctx, work context.Context) (more bool, err error) {
	if !e.feed.ready {
		all, cancel := context.WithTimeout(work, snapshotTimeout)
		defer cancel()
		if err := e.snapshot(all); err != nil {
			return false, err
		}
	}
	pipe := e.s.cfg.Redis.Pipeline()
	read, now := pipe.XRangeN(ctx, e.keys.log(), "("+e.feed.last, "+", chunk), pipe.Time(ctx)
	if _, err := pipe.Exec(ctx); err != nil {
		return false, fmt.Errorf("following the log of queue %s: %w", e.keys.queue, err)
	}
	e.s.clock.set(now.Val())
	for _, m := range read.Val() {
		n, _ := strconv.ParseInt(text(m, "n"), 10, 64)
		if n != e.feed.n+1 { // entries went before they were read, or Redis lost its data
			e.feed.ready = false
			e.s.cfg.Metrics.Reloads.WithLabelValues(e.keys.queue).Inc()
			return true, nil
		}
		e.feed.n, e.feed.last = n, m.ID
		e.apply(m)
	}
	return len(read.Val()) == chunk, nil
}

func text(m redis.XMessage, field string) string {
	s, _ := m.Values[field].(string)
	return s
}

// apply does to the pool what an entry says. Each may be done twice.
func (e *engine) apply(m redis.XMessage) {
	if text(m, "op") == "put" {
		t, err := parseBody(text(m, "id"), text(m, "body"), text(m, "created"), text(m, "head"))
		if err != nil {
			e.s.failed(e.keys.queue, err) // of another release: the sweep takes it out
			return
		}
		e.put(t)
		if t.Head { // it comes back; of a new one nobody knows another state
			e.s.cfg.Changed(t.ID)
		}
		return
	}
	quiet := text(m, "quiet") != "" // its players see no change yet
	for id := range strings.SplitSeq(text(m, "ids"), ",") {
		if text(m, "op") == "del" {
			e.drop(id)
		}
		if !quiet {
			e.s.cfg.Changed(id)
		}
	}
}

// put adds a ticket to the pool.
func (e *engine) put(t *queue.Ticket) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.tickets[t.ID] = t
	e.pool.Put(t)
}

// drop takes a ticket out of the pool.
func (e *engine) drop(id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.tickets, id)
	delete(e.reasons, id)
	e.pool.Remove(id)
}

// snapshot reads all tickets that wait. The log's end is read before them: what changes meanwhile is applied afterwards,
// once more where the tickets read have it already.
func (e *engine) snapshot(ctx context.Context) error {
	doing := "reading queue " + e.keys.queue
	last, err := e.s.cfg.Redis.XRevRangeN(ctx, e.keys.log(), "+", "-", 1).Result()
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	f := feed{ready: true, last: "0-0"}
	if len(last) > 0 {
		f.last = last[0].ID
		f.n, _ = strconv.ParseInt(text(last[0], "n"), 10, 64)
	}
	e.mu.Lock()
	rules := e.held
	e.mu.Unlock()
	pool, tickets := queue.NewPool(rules), map[string]*queue.Ticket{}
	err = e.eachWaiting(ctx, func(ids []string) error {
		list, err := e.s.read(ctx, e.keys, ids)
		for _, t := range list {
			if t != nil && t.State == Waiting {
				tickets[t.ID] = &t.Ticket
				pool.Put(&t.Ticket)
			}
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	e.mu.Lock()
	if e.held != rules { // they changed meanwhile
		pool.SetRules(e.held)
	}
	e.pool, e.tickets, e.feed = pool, tickets, f
	e.mu.Unlock()
	e.s.cfg.Changed("") // what the log would have said of them is lost
	return nil
}

// eachWaiting calls do with the ids of all tickets that wait, some at a time. One that comes or goes meanwhile may be
// left out or come twice.
func (e *engine) eachWaiting(ctx context.Context, do func(ids []string) error) error {
	var cursor uint64
	for {
		list, next, err := e.s.cfg.Redis.ZScan(ctx, e.keys.waiting(), cursor, "", chunk).Result()
		if err != nil {
			return err //nolint:wrapcheck // callers say what they did
		}
		ids := make([]string, 0, len(list)/2)
		for i := 0; i+1 < len(list); i += 2 {
			ids = append(ids, list[i])
		}
		if len(ids) > 0 {
			if err := do(ids); err != nil {
				return err
			}
		}
		if cursor = next; cursor == 0 {
			return nil
		}
	}
}

// reconcile compares the pool with the tickets that wait, which nothing should make necessary. What differs is counted,
// and the pool is read anew.
func (e *engine) reconcile(ctx context.Context) error {
	before := e.feed.n
	there := map[string]bool{}
	err := e.eachWaiting(ctx, func(ids []string) error {
		for _, id := range ids {
			there[id] = true
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("comparing queue %s: %w", e.keys.queue, err)
	}
	if _, err := e.follow(ctx, ctx); err != nil || !e.feed.ready || e.feed.n != before {
		return err // something has changed meanwhile, so that nothing can be said
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	differ := 0
	for id := range e.tickets {
		if !there[id] {
			differ++
		}
		delete(there, id)
	}
	if differ += len(there); differ > 0 {
		e.feed.ready = false
		e.s.cfg.Metrics.Differences.WithLabelValues(e.keys.queue).Add(float64(differ))
	}
	return nil
}
