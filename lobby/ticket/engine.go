package ticket

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"muster/internal/pause"
	"muster/lobby/queue"
	"muster/match/cluster"
)

const (
	// lookEvery is how often a queue is looked at when nothing is heard: for tickets that expire, rules that relax and
	// notices that were lost.
	lookEvery = time.Second
	// lookApart is the least time between two looks.
	lookApart = 50 * time.Millisecond
	// lookTimeout bounds one look.
	lookTimeout = 5 * time.Second
	// compareEvery is how often the pool is compared with Redis.
	compareEvery = time.Minute
	// proposeChunk is how many matches are proposed in one exchange.
	proposeChunk = 64
)

// engine makes one queue's matches, in this process.
type engine struct {
	s     *Service
	keys  queueKeys
	game  Game
	self  string       // names this process's engine in the lease
	epoch atomic.Int64 // of the lease; 0 is that another has it
	woken chan struct{}
	news  atomic.Bool // the other processes are to be told that the queue has changed
	ended atomic.Bool // nobody looks any more
	crowd crowd
	stop  context.CancelFunc
	wg    sync.WaitGroup

	// The engine's own goroutine uses these.
	feed     feed
	lately   time.Time // when it last did what is done each second
	compared time.Time

	rules   atomic.Pointer[queue.Rules]
	players atomic.Int64 // that waited when it was last looked
	stats   statsMemory
	explain chan struct{} // held by the one who has an explanation worked out

	mu      sync.Mutex // of what follows; it is held while the pool works, which may take half a second
	pool    *queue.Pool
	held    *queue.Rules             // to which the pool is held: the queue's, with the regions that have servers
	tickets map[string]*queue.Ticket // those of the pool
	reasons map[string]said
	servers servers
}

func newEngine(s *Service, r queue.Rules, g Game) *engine {
	e := &engine{
		s: s, keys: keysOf(s.cfg.Namespace, r.Name), game: g, self: cluster.NewID(), woken: make(chan struct{}, 1),
		explain: make(chan struct{}, 1),
		pool:    queue.NewPool(&r), held: &r, tickets: map[string]*queue.Ticket{}, reasons: map[string]said{},
	}
	e.rules.Store(&r)
	return e
}

// start begins the engine's work, which ends with ctx or with close.
func (e *engine) start(ctx context.Context) {
	ctx, e.stop = context.WithCancel(ctx)
	e.wg.Go(func() { e.lead(ctx) })
	e.wg.Go(func() { e.run(ctx) })
}

// current returns the rules of now.
func (e *engine) current() *queue.Rules { return e.rules.Load() }

// setRules holds the queue to other rules, from the next look on.
func (e *engine) setRules(r queue.Rules) {
	e.mu.Lock()
	e.rules.Store(&r)
	e.hold(&r)
	e.mu.Unlock()
	e.wake()
}

// hold holds the pool to these rules until the next look at the servers. e.mu is held.
func (e *engine) hold(r *queue.Rules) {
	e.held = r
	e.pool.SetRules(r)
	clear(e.reasons)
}

// wake asks for a look. More wishes than one say nothing new.
func (e *engine) wake() {
	select {
	case e.woken <- struct{}{}:
	default:
	}
}

// announce says to all processes that the queue has changed: with the next look, so that what comes between two looks is
// one notice.
func (e *engine) announce(ctx context.Context) {
	e.news.Store(true)
	e.wake()
	if e.ended.Load() {
		e.sayNews(ctx) // nobody looks any more
	}
}

// sayNews tells the other processes what was announced, if anything was.
func (e *engine) sayNews(ctx context.Context) {
	if e.news.Swap(false) {
		e.s.cfg.Notify(ctx, e.keys.queue)
	}
}

// endNews leaves it to whoever has news to tell them.
func (e *engine) endNews(ctx context.Context) {
	e.ended.Store(true)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaseEvery)
	defer cancel()
	e.sayNews(ctx)
}

func (e *engine) run(ctx context.Context) {
	defer e.endNews(ctx)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-e.woken:
		case <-timer.C:
		}
		began := time.Now()
		look, cancel := context.WithTimeout(ctx, lookTimeout)
		e.sayNews(look)
		wait, err := e.look(look, ctx)
		cancel()
		took := time.Since(began)
		e.s.cfg.Metrics.Looks.Observe(took.Seconds())
		if ctx.Err() == nil {
			e.s.failed(e.keys.queue, err)
		}
		timer.Reset(max(wait, 0))
		// A look that takes long is not made again at once, so that half of the time is left for everything else.
		if pause.For(ctx, max(lookApart-took, took)) != nil {
			return
		}
	}
}

// look follows the log, carries on what is due, and, where this process leads, matches what waits now. wait is after how
// long it is worth looking again although nothing is heard. work is what carrying on may take its time from.
func (e *engine) look(ctx, work context.Context) (wait time.Duration, err error) {
	for more := true; more; {
		if more, err = e.follow(ctx, work); err != nil {
			return lookEvery, err
		}
	}
	now := e.s.clock.now()
	var errs []error
	if e.lately.IsZero() || now.Sub(e.lately) >= lookEvery || now.Before(e.lately) {
		e.lately = now
		errs = append(errs, e.lookAfter(ctx, work, now))
	}
	e.mu.Lock()
	waiting := len(e.tickets)
	e.players.Store(int64(e.pool.Players()))
	e.mu.Unlock()
	e.s.cfg.Metrics.Waiting.WithLabelValues(e.keys.queue).Set(float64(waiting))
	if e.epoch.Load() == 0 || waiting == 0 {
		return lookEvery, errors.Join(errs...)
	}
	next, err := e.match(ctx, work)
	return next, errors.Join(append(errs, err)...)
}

// lookAfter does what is done each second: attempts that are due, and, where this process leads, tickets whose time is
// over.
func (e *engine) lookAfter(ctx, work context.Context, now time.Time) error {
	err := e.handDue(ctx, work)
	if e.epoch.Load() != 0 {
		err = errors.Join(err, e.sweep(ctx))
	} else {
		err = errors.Join(err, e.lookAtServers(ctx)) // whoever leads does it each time
	}
	if e.compared.IsZero() {
		e.compared = now
	}
	if now.Sub(e.compared) >= compareEvery {
		e.compared = now
		err = errors.Join(err, e.reconcile(ctx))
	}
	return err
}

// handDue hands out the attempts that are due.
func (e *engine) handDue(ctx, work context.Context) error {
	for range dueRounds {
		due, err := e.due(ctx)
		if err != nil {
			return err
		}
		for id, had := range due {
			if !e.s.hand(work, job{e: e, id: id, had: had}) {
				return nil
			}
		}
		if len(due) < maxDue {
			return nil
		}
	}
	return nil
}

// match asks the pool for matches and proposes them. wait is as look's.
func (e *engine) match(ctx, work context.Context) (wait time.Duration, err error) {
	live, err := e.s.cfg.Nodes.Live(ctx)
	if err != nil {
		return lookEvery, err //nolint:wrapcheck // says what it did
	}
	rules := e.current()
	rooms, err := e.openRooms(ctx, rules, live)
	if err != nil {
		return lookEvery, err
	}
	there := serversOf(live, e.game, rules)
	if e.setServers(there, rooms); there.none != nil && len(rooms) == 0 {
		return lookEvery, there.none
	}
	e.mu.Lock()
	now := e.s.clock.now()
	out := e.pool.Match(rooms, now)
	e.mu.Unlock()
	again := false
	for rest := out.Assignments; len(rest) > 0; {
		n := min(proposeChunk, len(rest))
		moved, perr := e.propose(ctx, work, rules, rest[:n], &there)
		rest, again = rest[n:], again || moved
		if perr != nil {
			e.putBack(rest)
			return lookEvery, perr
		}
	}
	if again {
		e.wake()
	}
	if out.Next.IsZero() {
		return lookEvery, there.none
	}
	return min(lookEvery, max(out.Next.Sub(now), time.Millisecond)), there.none
}

// putBack gives the pool back what it assigned and was not proposed.
func (e *engine) putBack(list []queue.Assignment) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := range list {
		for _, team := range list[i].Teams {
			for _, id := range team {
				if t := e.tickets[id]; t != nil {
					e.pool.Put(t)
				}
			}
		}
	}
}

// propose writes assignments as attempts and hands them out to be carried on. Those that cannot be made now go back to
// the pool: new rooms for which there is no server, and what Redis refuses. moved says that the world
// has moved on since it was read.
func (e *engine) propose(ctx, work context.Context, r *queue.Rules, list []queue.Assignment, there *servers) (moved bool, err error) {
	var calls []call
	var of []int
	made := make([]*attempt, len(list))
	for i := range list {
		e.mu.Lock()
		p, ok := planOf(r, &list[i], e.tickets)
		made[i] = e.freshAttempt(cluster.NewID(), &p)
		e.mu.Unlock()
		if !ok || p.Room == "" && !there.has(p.Region) {
			e.putBack(list[i : i+1])
			continue
		}
		c, err := e.proposeCall(made[i].id, &p)
		if err != nil {
			e.putBack(list)
			return false, err
		}
		calls, of = append(calls, c), append(of, i)
	}
	if len(calls) == 0 {
		return false, nil
	}
	cmds, err := runAll(ctx, e.s.cfg.Redis, proposeScript, calls)
	if err != nil {
		e.putBack(list) // those that were taken all the same go out by the log
		return false, wrap(err, "proposing matches of queue %s", e.keys.queue)
	}
	for n, cmd := range cmds {
		answer, err := cmd.StringSlice()
		i := of[n]
		if err != nil {
			answer = []string{"failed"}
			e.s.failed(e.keys.queue, err)
		}
		switch answer[0] {
		case "ok":
			e.mu.Lock()
			for _, team := range list[i].Teams {
				for _, id := range team {
					delete(e.tickets, id)
					delete(e.reasons, id)
				}
			}
			e.mu.Unlock()
			e.s.hand(work, job{e: e, id: made[i].id, fresh: made[i]})
			continue
		case "gone":
			e.mu.Lock()
			delete(e.tickets, answer[1]) // the log says so, too
			e.mu.Unlock()
			moved = true
		case "fenced":
			e.epoch.Store(0)
			e.s.cfg.Metrics.Fenced.WithLabelValues(e.keys.queue).Inc()
		}
		e.putBack(list[i : i+1])
	}
	return moved, nil
}

// openRooms returns the queue's rooms with free seats, on nodes that live and take players, by the rules of now, and
// without those to which an attempt brings players already. A room that was made without a tag that the queue's matches
// must have by now is none: it may be anywhere.
func (e *engine) openRooms(ctx context.Context, r *queue.Rules, live map[string]cluster.Node) ([]queue.Room, error) {
	if !r.Backfill {
		return nil, nil
	}
	rooms, err := e.s.cfg.Rooms.OpenRooms(ctx, r.Name)
	if err != nil || len(rooms) == 0 {
		return nil, err //nolint:wrapcheck // says what it did
	}
	busy, err := e.s.cfg.Redis.ZRange(ctx, e.keys.filling(), 0, -1).Result()
	if err != nil {
		return nil, wrap(err, "listing the rooms of queue %s that are being filled", r.Name)
	}
	taken := make(map[string]bool, len(busy))
	for _, id := range busy {
		taken[id] = true
	}
	rooms = slices.DeleteFunc(rooms, func(room cluster.OpenRoom) bool {
		n, ok := live[room.Node]
		return !ok || n.Ends || room.Rules != e.game.Rules || taken[room.ID] || len((&cluster.Node{Tags: room.On}).Lacks(r.Tags)) > 0
	})
	joined, err := e.joined(ctx, rooms)
	if err != nil {
		return nil, err
	}
	list := make([]queue.Room, len(rooms))
	for i := range rooms {
		list[i] = queueRoom(r, &rooms[i], joined[i])
	}
	return list, nil
}
