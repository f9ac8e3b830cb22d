package ticket_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	"go.uber.org/zap"

	"muster/internal/testmetric"
	"muster/internal/testredis"
	"muster/lobby/inbox"
	"muster/lobby/queue"
	"muster/lobby/ticket"
	"muster/match/cluster"
	"muster/proto/token"
)

const ns = "test"

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// inBubble runs a test in virtual time, on an embedded Redis.
func inBubble(t *testing.T, test func(t *testing.T, rdb redis.UniversalClient)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		rdb, stop := cluster.Embedded()
		defer stop()
		test(t, rdb)
	})
}

// inOffice runs a test in a bubble, with an office whose services end with it.
func inOffice(t *testing.T, test func(t *testing.T, o *office)) {
	t.Helper()
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		o := newOffice(t, rdb)
		defer o.close()
		test(t, o)
	})
}

// duel is a queue whose matches have two players; sure asks them first; team is two teams of two.
var (
	duel = queue.Rules{Name: "duel", Game: "arena", TeamSize: 2}
	sure = queue.Rules{Name: "sure", Game: "arena", TeamSize: 2, Confirm: 10 * time.Second}
	team = queue.Rules{Name: "team", Game: "arena", Teams: 2, TeamSize: 2}
)

// office is what lobbies have in common: they hear each other's notices.
type office struct {
	t     testing.TB
	rdb   redis.UniversalClient
	dir   *cluster.Directory
	nodes live // n1, until it is said otherwise

	mu       sync.Mutex
	services map[*service]bool
}

// service is one lobby's part in matchmaking.
type service struct {
	*ticket.Service

	reg *prometheus.Registry
	die func()
}

func newOffice(t testing.TB, rdb redis.UniversalClient) *office {
	o := &office{t: t, rdb: rdb, dir: cluster.NewDirectory(rdb, ns), services: map[*service]bool{}}
	o.nodes.set(cluster.Node{ID: "n1"})
	return o
}

// live is the register of nodes.
type live struct {
	mu    sync.Mutex
	nodes map[string]cluster.Node
}

// set says which nodes there are now, which run the arena.
func (l *live) set(nodes ...cluster.Node) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.nodes = map[string]cluster.Node{}
	for _, n := range nodes {
		n.URL, n.Games = "http://"+n.ID, map[string]string{"arena": "7"}
		l.nodes[n.ID] = n
	}
}

func (l *live) Live(context.Context) (map[string]cluster.Node, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.nodes), nil
}

// hook does something with the commands of a client, of a pipeline one after the other.
type hook func(cmd redis.Cmder, next func() error) error

func (hook) DialHook(next redis.DialHook) redis.DialHook { return next }

func (h hook) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		return h(cmd, func() error { return next(ctx, cmd) })
	}
}

func (h hook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		var first error
		for _, cmd := range cmds {
			if err := h(cmd, func() error { return next(ctx, []redis.Cmder{cmd}) }); err != nil && first == nil {
				first = err
			}
		}
		return first
	}
}

var errDead = errors.New("the process is dead")

// open starts a lobby's part, whose calls of Redis go through h, which may be nil.
func (o *office) open(h hook, queues ...queue.Rules) *service {
	o.t.Helper()
	client := o.rdb
	if h != nil {
		client = testredis.Another(o.t, o.rdb, -1, nil)
		client.AddHook(h)
	}
	keys, err := token.New([]byte("a key of 32 bytes, for these tests"), nil)
	must(o.t, err)
	s := &service{reg: prometheus.NewRegistry()}
	quiet := func(context.Context, ...cluster.Notice) error { return nil }
	s.Service, err = ticket.Start(ticket.Config{
		Redis: client, Namespace: ns, Keys: keys, Rooms: cluster.NewDirectory(client, ns), Nodes: &o.nodes,
		Games: []ticket.Game{{Name: "arena", Rules: "7", Seats: 16}}, Inbox: inbox.New(client, ns, quiet),
		Notify: o.notify, Changed: func(string) {}, Log: zap.NewNop(),
		Metrics: ticket.NewMetrics(s.reg, prometheus.NewCounter(prometheus.CounterOpts{Name: "failures"})),
	}, queues)
	must(o.t, err)
	o.mu.Lock()
	o.services[s] = true
	o.mu.Unlock()
	s.die = sync.OnceFunc(func() {
		o.mu.Lock()
		delete(o.services, s)
		o.mu.Unlock()
		s.Close()
		if client != o.rdb {
			_ = client.Close()
		}
	})
	return s
}

// close ends all services.
func (o *office) close() {
	o.mu.Lock()
	list := slices.Collect(maps.Keys(o.services))
	o.mu.Unlock()
	for _, s := range list {
		s.die()
	}
}

func (o *office) notify(_ context.Context, name string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for s := range o.services {
		s.Wake(name)
	}
}

// solo is a ticket of one player.
func solo(queueName, player string) ticket.New { return group(queueName, player) }

// group is a ticket of a party.
func group(queueName string, players ...string) ticket.New {
	n := ticket.New{Queue: queueName, By: players[0], ID: cluster.NewID()}
	for _, p := range players {
		n.Ticket.Players = append(n.Ticket.Players, queue.Player{ID: p})
	}
	return n
}

// enqueue makes a ticket of one player, or of a party.
func enqueue(t testing.TB, s *service, queueName string, players ...string) string {
	t.Helper()
	tk, err := s.Create(t.Context(), group(queueName, players...))
	must(t, err)
	return tk.ID
}

// get reads a ticket.
func get(t testing.TB, s *service, id, player string) *ticket.Ticket {
	t.Helper()
	tk, err := s.Get(t.Context(), id, player)
	must(t, err)
	return tk
}

// wantState reads a ticket that must be in a state.
func wantState(t testing.TB, s *service, id, player string, want ticket.State) *ticket.Ticket {
	t.Helper()
	tk := get(t, s, id, player)
	if tk.State != want {
		t.Fatalf("the ticket of %s is %s (%s), want %s; %+v", player, tk.State, tk.Reason, want, tk.Match)
	}
	return tk
}

// come takes a matched player's seat.
func (o *office) come(t testing.TB, tk *ticket.Ticket, player string) {
	t.Helper()
	must(t, o.tryCome(tk, player))
}

func (o *office) tryCome(tk *ticket.Ticket, player string) error {
	seat := tk.Match.SeatOf(player)
	_, err := o.dir.TakeSeat(context.Background(), tk.Match.Room, seat.Seat, player, seat.Token)
	return err
}

// endless returns the keys that do not end by themselves.
func endless(t testing.TB, rdb redis.UniversalClient) (list []string) {
	t.Helper()
	keys, err := rdb.Keys(context.Background(), "*").Result()
	must(t, err)
	for _, k := range keys {
		if rdb.PTTL(context.Background(), k).Val() == -1 {
			list = append(list, k)
		}
	}
	slices.Sort(list)
	return list
}

// value reads the sum of a counter's values that have these labels.
func value(t testing.TB, s *service, name string, labels ...string) float64 {
	t.Helper()
	return testmetric.Sum(t, s.reg, name, labels...)
}

// says says whether a command has all these words.
func says(cmd redis.Cmder, words ...string) bool {
	text := fmt.Sprint(cmd.Args()...)
	return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, w) })
}

// until waits, outside of bubbles, for what other goroutines bring about.
func until(t testing.TB, what string, done func() bool) {
	t.Helper()
	for began := time.Now(); !done(); time.Sleep(2 * time.Millisecond) {
		if time.Since(began) > time.Minute {
			t.Fatalf("not within a minute: %s", what)
		}
	}
}
