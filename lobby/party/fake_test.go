package party

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"

	"muster/match/cluster"
)

const ns = "test"

// world is what stores tell, and of what they ask.
type world struct {
	mu      sync.Mutex
	events  map[string][]Event // by player
	keys    map[string]bool    // of events that a player has, as an inbox remembers them
	tickets [][]string         // the players whose tickets are to be cancelled
	blocked map[[2]string]bool
	deaf    bool // posting fails
}

func newWorld() *world {
	return &world{events: map[string][]Event{}, keys: map[string]bool{}, blocked: map[[2]string]bool{}}
}

var errDeaf = errors.New("deaf")

func (w *world) post(_ context.Context, key, kind string, body any, players ...string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.deaf {
		return errDeaf
	}
	for _, p := range players {
		if kind == Kind && !w.keys[p+"/"+key] {
			w.keys[p+"/"+key] = true
			w.events[p] = append(w.events[p], body.(Event)) //nolint:forcetypeassert // a test's
		}
	}
	return nil
}

func (w *world) members(_ context.Context, _ string, players []string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.deaf {
		return errDeaf
	}
	w.tickets = append(w.tickets, slices.Clone(players))
	return nil
}

func (w *world) blocks(_ context.Context, player, other string) (bool, error) {
	return w.blocked[[2]string{player, other}], nil
}

// last returns a player's newest event.
func (w *world) last(player string) Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	if list := w.events[player]; len(list) > 0 {
		return list[len(list)-1]
	}
	return Event{}
}

func (w *world) store(rdb redis.UniversalClient) *Store {
	return New(Config{Redis: rdb, Namespace: ns, Post: w.post, Members: w.members, Blocked: w.blocks})
}

// twice runs each script two times, as go-redis does when the first answer is lost.
type twice struct{}

func (twice) DialHook(next redis.DialHook) redis.DialHook { return next }

func (twice) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (twice) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if name := cmd.Name(); name == "evalsha" || name == "eval" {
			if err := next(ctx, cmd); err != nil {
				return err
			}
		}
		return next(ctx, cmd)
	}
}

// crashing lets commands fail, before or after they are carried out, by a seeded chance. Once one has failed all do
// until revive: the process is dead.
type crashing struct {
	mu   sync.Mutex
	rand *rand.Rand
	one  int // of so many commands fails
	dead bool
}

var errCrash = errors.New("crash")

func (c *crashing) DialHook(next redis.DialHook) redis.DialHook { return next }

func (c *crashing) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		return c.run(func() error { return next(ctx, cmds) }, func(err error) {
			for _, cmd := range cmds {
				cmd.SetErr(err)
			}
		})
	}
}

func (c *crashing) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		return c.run(func() error { return next(ctx, cmd) }, cmd.SetErr)
	}
}

func (c *crashing) run(do func() error, fail func(error)) error {
	c.mu.Lock()
	before, after := c.dead, false
	if !c.dead && c.one > 0 && c.rand.IntN(c.one) == 0 {
		c.dead = true
		before = c.rand.IntN(2) == 0
		after = !before
	}
	c.mu.Unlock()
	if before {
		fail(errCrash)
		return errCrash
	}
	err := do()
	if after {
		fail(errCrash)
		return errCrash
	}
	return err
}

func (c *crashing) revive() {
	c.mu.Lock()
	c.dead = false
	c.mu.Unlock()
}

// player is a member as a request brings him.
func player(id string) Member { return Member{ID: id, Name: "the " + id} }

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// gather makes a party of these players, the first of whom leads.
func gather(t testing.TB, s *Store, players ...string) *Party {
	t.Helper()
	p := must[*Party](t)(s.Create(context.Background(), cluster.NewID(), "", player(players[0]), MaxSize))
	for _, id := range players[1:] {
		p = must[*Party](t)(s.JoinByCode(context.Background(), p.Code, player(id)))
	}
	return p
}

func wantErr(t testing.TB, doing string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", doing, err, want)
	}
}
