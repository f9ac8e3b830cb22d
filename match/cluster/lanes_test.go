package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"
)

// master is one of a Cluster of embedded servers. It can fall silent: then what is asked of it ends with its caller's time.
type master struct {
	addr   string
	silent atomic.Bool
}

func (m *master) pass(ctx context.Context) error {
	if m.silent.Load() {
		<-ctx.Done()
		return ctx.Err()
	}
	return nil
}

func (m *master) DialHook(next redis.DialHook) redis.DialHook { return next }

func (m *master) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if err := m.pass(ctx); err != nil {
			cmd.SetErr(err)
			return err
		}
		return next(ctx, cmd)
	}
}

func (m *master) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if err := m.pass(ctx); err != nil {
			for _, cmd := range cmds {
				cmd.SetErr(err)
			}
			return err
		}
		return next(ctx, cmds)
	}
}

// split runs a test with a batched client of a Cluster of three masters, in virtual time. key returns the nth key that a
// master has.
func split(t *testing.T, test func(t *testing.T, b *batched, masters []*master, key func(m, n int) string)) {
	synctest.Test(t, func(t *testing.T) {
		dial := map[string]func(context.Context, string, string) (net.Conn, error){}
		var masters []*master
		var slots []redis.ClusterSlot
		for i := range 3 {
			rdb, stop := Embedded()
			defer stop()
			m := &master{addr: fmt.Sprintf("10.0.0.%d:1", i)}
			masters, dial[m.addr] = append(masters, m), rdb.(*redis.Client).Options().Dialer
			slots = append(slots, redis.ClusterSlot{Start: 16384 * i / 3, End: 16384*(i+1)/3 - 1, Nodes: []redis.ClusterNode{{Addr: m.addr}}})
		}
		c := redis.NewClusterClient(&redis.ClusterOptions{
			ClusterSlots: func(context.Context) ([]redis.ClusterSlot, error) { return slots, nil },
			Dialer: func(ctx context.Context, network, addr string) (net.Conn, error) {
				return dial[addr](ctx, network, addr)
			},
			ContextTimeoutEnabled: true,
		})
		defer func() {
			_ = c.Close()
			time.Sleep(time.Second) // a connection goes on for a moment
		}()
		c.OnNewNode(func(node *redis.Client) {
			for _, m := range masters {
				if m.addr == node.Options().Addr {
					node.AddHook(m)
				}
			}
		})
		keys := make([][]string, len(masters))
		for i := range 300 {
			k := fmt.Sprint("k", i)
			node, err := c.MasterForKey(t.Context(), k)
			if err != nil {
				t.Fatal(err)
			}
			for m := range masters {
				if masters[m].addr == node.Options().Addr {
					keys[m] = append(keys[m], k)
				}
			}
		}
		b := Batched(c).(*batched)
		key := func(m, n int) string { return keys[m][n] }
		for m := range masters { // by now it knows what it asks of a Cluster once
			if err := b.Eval(t.Context(), echo, []string{key(m, 0)}, "").Err(); err != nil {
				t.Fatal(err)
			}
		}
		test(t, b, masters, key)
	})
}

func TestMasterThatDoesNotAnswerFailsAndDelaysNothingOfTheOthers(t *testing.T) {
	split(t, func(t *testing.T, b *batched, masters []*master, key func(m, n int) string) {
		masters[1].silent.Store(true)
		var wg sync.WaitGroup
		for range 3 {
			for n := range 50 {
				for m := range masters {
					wg.Go(func() {
						ctx, cancel := context.WithTimeout(t.Context(), 2*batchTimeout)
						defer cancel()
						began, want := time.Now(), key(m, n)
						got, err := b.Eval(ctx, echo, []string{want}, want).Text()
						took := time.Since(began)
						switch {
						case m == 1 && (!errors.Is(err, context.DeadlineExceeded) || took > 2*batchTimeout):
							t.Errorf("of the master that does not answer: %q, %v after %v", got, err, took)
						case m != 1 && (err != nil || got != want || took > 10*time.Millisecond):
							t.Errorf("of another one: %q, %v after %v", got, err, took)
						}
					})
				}
			}
			time.Sleep(100 * time.Millisecond)
		}
		wg.Wait()
	})
}

func TestPipelineOfSeveralMastersHasAllItsAnswers(t *testing.T) {
	split(t, func(t *testing.T, b *batched, masters []*master, key func(m, n int) string) {
		var wg sync.WaitGroup
		for n := range 30 {
			wg.Go(func() {
				pipe, gets := b.Pipeline(), []*redis.StringCmd(nil)
				for m := range masters {
					pipe.Set(t.Context(), key(m, n), fmt.Sprint(m, n), 0)
					gets = append(gets, pipe.Get(t.Context(), key(m, n)))
				}
				if _, err := pipe.Exec(t.Context()); err != nil {
					t.Error(err)
				}
				for m, get := range gets {
					if get.Val() != fmt.Sprint(m, n) {
						t.Errorf("%q of master %d", get.Val(), m)
					}
				}
			})
			wg.Go(func() { // and of one
				pipe := b.Pipeline()
				pipe.Set(t.Context(), key(2, 30+n), n, 0)
				get := pipe.Get(t.Context(), key(2, 30+n))
				if _, err := pipe.Exec(t.Context()); err != nil || get.Val() != fmt.Sprint(n) {
					t.Errorf("%q, %v", get.Val(), err)
				}
			})
		}
		wg.Wait()
	})
}

// Once it is known whether a Cluster has replicas nobody waits for a server that is asked again and does not answer.
func TestWhetherThereAreReplicasIsKnownWhileItIsAskedAgain(t *testing.T) {
	split(t, func(t *testing.T, b *batched, masters []*master, _ func(m, n int) string) {
		r := &replicated{rdb: b}
		ask := func(atMost time.Duration) {
			began := time.Now()
			if _, err := r.ask(t.Context(), b.UniversalClient.(*redis.ClusterClient)); err != nil || time.Since(began) > atMost {
				t.Errorf("%v after %v, want at most %v", err, time.Since(began), atMost)
			}
		}
		ask(0)
		time.Sleep(replicasAsked)
		for _, m := range masters {
			m.silent.Store(true)
		}
		var wg sync.WaitGroup
		wg.Go(func() { ask(replicaWait) })
		synctest.Wait()
		ask(0)
		wg.Wait()
		ask(0)
	})
}

func TestFirstKeyIsTheOneByWhichACommandFindsItsServer(t *testing.T) {
	ctx := t.Context()
	for want, cmds := range map[string][]redis.Cmder{
		"k": {
			redis.NewCmd(ctx, "evalsha", "sum", 2, "k", "k2", "arg"), redis.NewCmd(ctx, "eval", "return 1", 1, "k"),
			redis.NewCmd(ctx, "hgetall", "k"), redis.NewCmd(ctx, "spublish", "k", "text"),
		},
		"": {
			redis.NewCmd(ctx, "eval", "return 1", 0, "arg"), redis.NewCmd(ctx, "publish", "k", "text"), redis.NewCmd(ctx, "time"),
			redis.NewCmd(ctx, "xinfo", "consumers", "k", "group"), redis.NewCmd(ctx, "xgroup", "destroy", "k", "group"),
		},
	} {
		for _, cmd := range cmds {
			if got := firstKey(cmd); got != want {
				t.Errorf("the first key of %v is %q, want %q", cmd.Args(), got, want)
			}
		}
	}
}
