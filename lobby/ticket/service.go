package ticket

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/zap"

	"muster/internal/complaint"
	"muster/lobby/inbox"
	"muster/lobby/queue"
	"muster/match/cluster"
	"muster/proto/token"
)

// Rooms is what matchmaking asks of the directory of rooms.
type Rooms interface {
	Create(ctx context.Context, n cluster.NewRoom) (cluster.Room, error)
	Room(ctx context.Context, id string) (cluster.Room, error)
	Move(ctx context.Context, r cluster.Room, node, rules string) (cluster.Room, error)
	OpenRooms(ctx context.Context, queue string) ([]cluster.OpenRoom, error)
	ReserveIf(ctx context.Context, room string, version uint64, ttl time.Duration, claims []cluster.Claim) (cluster.Seats, error)
	Settle(ctx context.Context, room string) (cluster.Settled, error)
	Came(ctx context.Context, room string, tokens []string) ([]bool, error)
	Release(ctx context.Context, room string, claims []cluster.Claim) error
}

// Nodes is the register of nodes.
type Nodes interface {
	Live(ctx context.Context) (map[string]cluster.Node, error)
}

// Inbox is where players hear of their tickets.
type Inbox interface {
	PostMany(ctx context.Context, letters ...inbox.Letter) error
}

// Config is what a Service needs. All of it is required, but Inbox, Placer, Hostless and Queued.
type Config struct {
	Redis     redis.UniversalClient
	Namespace string
	Keys      *token.Keys
	Rooms     Rooms
	Nodes     Nodes
	Games     []Game
	Placer    *cluster.Placer // nil: one of its own
	Hostless  bool            // no rooms run in this process: where none run anywhere, players had better come later
	Inbox     Inbox           // nil: nobody hears of events
	// Notify says to all processes that a queue has changed: they call Wake. Changed hears that a ticket may have changed, "" that any may have.
	// Neither may block for long.
	Notify func(ctx context.Context, queue string)
	// Queued hears which players wait in a queue from now on, and for how long they may at most; 0 is no longer. nil: nobody
	// wants to know.
	Queued  func(queue string, longest time.Duration, players []string)
	Changed func(id string)
	Log     *zap.Logger
	Metrics *Metrics
}

const (
	// workers is how many attempts a process carries on at a time. Each mostly waits for Redis, which answers many at once.
	workers = 64
	// handed is how many wait for a worker; the engines wait with them.
	handed = 64
)

// Service keeps the tickets and makes the matches of all queues. Any goroutine may use it.
type Service struct {
	cfg   Config
	clock clock
	games map[string]Game
	work  chan job

	stop    context.CancelFunc
	running context.Context //nolint:containedctx // ends when Close begins
	wg      sync.WaitGroup

	said    complaint.Book
	setting sync.Mutex // held while the queues are replaced

	mu      sync.Mutex
	engines map[string]*engine
	retired map[string]*engine // of queues that exist no longer, until all there is of them has ended
}

// job is an attempt to be carried on.
type job struct {
	e       *engine
	id, had string
	fresh   *attempt // as it was made a moment ago; nil: it is to be read
}

// Start returns a running service with these queues.
func Start(cfg Config, queues []queue.Rules) (*Service, error) {
	s := &Service{cfg: cfg, games: map[string]Game{}, work: make(chan job, handed), engines: map[string]*engine{}, retired: map[string]*engine{}}
	if cfg.Placer == nil {
		s.cfg.Placer = cluster.NewPlacer(nil)
	}
	for _, g := range cfg.Games {
		s.games[g.Name] = g
	}
	s.running, s.stop = context.WithCancel(context.Background())
	if err := s.SetQueues(queues); err != nil {
		s.stop()
		return nil, err
	}
	for range workers {
		s.wg.Go(s.carryWork)
	}
	return s, nil
}

// SetQueues replaces the queues. Tickets that wait are held to the new rules; those of queues that are there no longer
// expire. Where one of the rules is wrong nothing changes.
func (s *Service) SetQueues(queues []queue.Rules) error {
	next := map[string]queue.Rules{}
	errs := make([]error, 0, len(queues))
	for _, q := range queues {
		q, err := s.check(q)
		if _, twice := next[q.Name]; twice {
			err = errors.Join(err, fmt.Errorf("queue %q is declared twice", q.Name))
		}
		next[q.Name], errs = q, append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	s.setting.Lock()
	defer s.setting.Unlock()
	var stopped []*engine
	s.mu.Lock()
	for name, e := range s.engines {
		if q, ok := next[name]; !ok || s.games[q.Game] != e.game {
			delete(s.engines, name)
			stopped = append(stopped, e)
		}
	}
	for name, e := range s.retired {
		if _, ok := next[name]; ok {
			delete(s.retired, name)
			stopped = append(stopped, e)
		}
	}
	s.mu.Unlock()
	for _, e := range stopped {
		e.stop()
		e.wg.Wait()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range stopped {
		if _, ok := next[e.keys.queue]; !ok { // else it plays another game now, for which its tickets wait
			s.retired[e.keys.queue] = e
			e.retire(s.running)
		}
	}
	for name, q := range next {
		if e := s.engines[name]; e != nil {
			e.setRules(q)
			continue
		}
		e := newEngine(s, q, s.games[q.Game])
		s.engines[name] = e
		e.start(s.running)
	}
	return nil
}

// check returns rules with defaults filled in, or what is wrong with them.
func (s *Service) check(q queue.Rules) (queue.Rules, error) {
	name := q.Name
	q, err := q.Validate()
	if err != nil {
		return q, fmt.Errorf("queue %q: %w", name, err)
	}
	g, ok := s.games[q.Game]
	switch {
	case !ok:
		return q, fmt.Errorf("queue %q: there is no game %q", q.Name, q.Game)
	case q.Max() > g.Seats:
		return q, fmt.Errorf("queue %q: its matches have %d players, and game %q has %d seats", q.Name, q.Max(), q.Game, g.Seats)
	}
	return q, nil
}

// engine returns a queue's engine, nil where there is no such queue.
func (s *Service) engine(name string) *engine {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.engines[name]
}

// carrier returns who carries a queue's attempts on, also of one that exists no longer. Where this process knows nothing of
// the queue it can end them all the same, and no more.
func (s *Service) carrier(name string) *engine {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.engines[name]; e != nil {
		return e
	}
	if e := s.retired[name]; e != nil {
		return e
	}
	return &engine{s: s, keys: keysOf(s.cfg.Namespace, name)}
}

func (s *Service) all() map[string]*engine {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.engines)
}

// Wake hears that a queue has changed.
func (s *Service) Wake(name string) {
	if e := s.engine(name); e != nil {
		e.wake()
	}
}

// WakeAll hears that notices may be missing.
func (s *Service) WakeAll() {
	for _, e := range s.all() {
		e.wake()
	}
}

// Stop ends matchmaking in this process; tickets can still be made, read and cancelled.
func (s *Service) Stop() { s.stop() }

// Close ends matchmaking and waits for what is under way.
func (s *Service) Close() {
	s.stop()
	s.setting.Lock()
	defer s.setting.Unlock()
	s.mu.Lock()
	all := slices.AppendSeq(slices.Collect(maps.Values(s.engines)), maps.Values(s.retired))
	s.mu.Unlock()
	for _, e := range all {
		e.wg.Wait()
	}
	s.wg.Wait()
}

// hand gives an attempt to a worker. It waits for one; false means that the service ends.
func (s *Service) hand(ctx context.Context, w job) bool {
	select {
	case s.work <- w:
		return true
	case <-ctx.Done():
		return false
	}
}

// carryOn has an attempt looked at soon. Where all workers are busy, whoever looks next at what is due does it.
func (s *Service) carryOn(queue, id string) {
	select {
	case s.work <- job{e: s.carrier(queue), id: id}:
	default:
	}
}

func (s *Service) carryWork() {
	for {
		select {
		case w := <-s.work:
			w.e.carry(s.running, w)
		case <-s.running.Done():
			return
		}
	}
}

// failed counts and logs what is made again.
func (s *Service) failed(queue string, err error) {
	if err == nil || errors.Is(err, context.Canceled) {
		return
	}
	s.cfg.Metrics.Failures.Inc()
	if repeats, say := s.said.Again(queue, err.Error(), time.Now()); say {
		s.cfg.Log.Warn("matching failed", zap.String("queue", queue), zap.Error(err), zap.Int("repeats", repeats))
	}
}

// event is what players hear of a ticket.
type event struct {
	ID     string `json:"id"`
	Queue  string `json:"queue"`
	State  State  `json:"state"`
	Reason string `json:"reason,omitempty"`
}

// post tells players of a ticket, once for each state in each attempt.
func (s *Service) post(ctx context.Context, id, queue string, state State, reason, attempt string, players []string) {
	s.postMany(ctx, queue, letter(id, queue, state, reason, attempt, players))
}

// letter is what players hear of a ticket.
func letter(id, queue string, state State, reason, attempt string, players []string) inbox.Letter {
	key := "ticket:" + id + ":" + string(state) + ":" + attempt
	return inbox.Letter{Key: key, Kind: "ticket", Body: event{id, queue, state, reason}, Players: players}
}

// postMany posts letters about tickets of a queue. It says whether it could.
func (s *Service) postMany(ctx context.Context, queue string, letters ...inbox.Letter) bool {
	for _, l := range letters {
		if ev, ok := l.Body.(event); ok {
			s.queued(queue, ev.State == Waiting || ev.State == Confirming, l.Players)
		}
	}
	if s.cfg.Inbox == nil {
		return true
	}
	err := s.cfg.Inbox.PostMany(ctx, letters...)
	s.failed(queue, err)
	return err == nil
}

func (s *Service) queued(queue string, waits bool, players []string) {
	if s.cfg.Queued == nil {
		return
	}
	longest := time.Duration(0)
	if waits {
		longest = queuedGrace
		if e := s.engine(queue); e != nil { // else its tickets expire at once
			longest += e.current().MaxWait
		}
	}
	s.cfg.Queued(queue, longest, players)
}

// clock is Redis's, as well as it is known here.
type clock struct{ ahead atomic.Int64 } // how far Redis's is ahead of ours

func (c *clock) set(now time.Time) { c.ahead.Store(int64(time.Until(now))) }
func (c *clock) now() time.Time    { return time.Now().Add(time.Duration(c.ahead.Load())) }

// Ahead is how far Redis's clock is ahead of this process's.
func (s *Service) Ahead() time.Duration { return time.Duration(s.clock.ahead.Load()) }

// Rules returns a queue's rules; ok is false where there is no such queue.
func (s *Service) Rules(name string) (r queue.Rules, ok bool) {
	e := s.engine(name)
	if e == nil {
		return r, false
	}
	return *e.current(), true
}
