package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"
)

// gate is a hook that counts exchanges and holds them until it is opened.
type gate struct {
	open chan struct{}

	mu    sync.Mutex
	sizes []int
	waits int // for a replica
}

func (g *gate) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

func (g *gate) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if err := g.pass(ctx, []redis.Cmder{cmd}); err != nil {
			cmd.SetErr(err)
			return err
		}
		return next(ctx, cmd)
	}
}

func (g *gate) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if cmds[0].Name() != "hello" {
			if err := g.pass(ctx, cmds); err != nil {
				for _, cmd := range cmds {
					cmd.SetErr(err)
				}
				return err
			}
		}
		return next(ctx, cmds)
	}
}

func (g *gate) pass(ctx context.Context, cmds []redis.Cmder) error {
	g.mu.Lock()
	g.sizes = append(g.sizes, len(cmds))
	for _, cmd := range cmds {
		if cmd.Name() == "wait" {
			g.waits++
		}
	}
	g.mu.Unlock()
	select {
	case <-g.open:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (g *gate) seen() []int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]int(nil), g.sizes...)
}

// gated runs a test with a batched client of an embedded Redis behind a gate, in virtual time.
func gated(t *testing.T, test func(t *testing.T, b *batched, g *gate)) {
	synctest.Test(t, func(t *testing.T) {
		rdb, stop := Embedded()
		defer func() {
			time.Sleep(time.Second) // a connection goes on for a moment
			stop()
		}()
		g := &gate{open: make(chan struct{})}
		rdb.(*redis.Client).AddHook(g)
		test(t, &batched{UniversalClient: rdb}, g)
	})
}

const echo = `return ARGV[1]`

func TestCommandsOfManyGoroutinesGoTogetherAndEachGetsItsOwnAnswer(t *testing.T) {
	gated(t, func(t *testing.T, b *batched, g *gate) {
		var wg sync.WaitGroup
		for i := range 100 {
			wg.Go(func() {
				want := fmt.Sprint(i)
				if got, err := b.Eval(t.Context(), echo, nil, want).Text(); got != want || err != nil {
					t.Errorf("got %q, %v; want %q", got, err, want)
				}
			})
			wg.Go(func() {
				pipe := b.Pipeline()
				set, missing := pipe.Set(t.Context(), fmt.Sprint("k", i), i, 0), pipe.Get(t.Context(), "missing")
				if cmds, err := pipe.Exec(t.Context()); len(cmds) != 2 || !errors.Is(err, redis.Nil) || set.Err() != nil || !errors.Is(missing.Err(), redis.Nil) {
					t.Errorf("%d commands, %v, %v, %v", len(cmds), err, set.Err(), missing.Err())
				}
			})
			synctest.Wait()
		}
		if n := len(g.seen()); n != batchesAtOnce {
			t.Errorf("%d exchanges are under way, want %d", n, batchesAtOnce)
		}
		close(g.open)
		wg.Wait()
		if n := len(g.seen()); n > 20 {
			t.Errorf("200 calls took %d exchanges: %v", n, g.seen())
		}
		if b.running != 0 || len(b.waiting) != 0 {
			t.Errorf("%d run and %d wait at the end", b.running, len(b.waiting))
		}
	})
}

func TestEmptyPipelineSendsNothing(t *testing.T) {
	gated(t, func(t *testing.T, b *batched, g *gate) {
		if cmds, err := b.Pipeline().Exec(t.Context()); len(cmds) != 0 || err != nil {
			t.Errorf("%d commands, %v; want none", len(cmds), err)
		}
		if n := len(g.seen()); n != 0 || b.running != 0 {
			t.Errorf("%d exchanges, %d under way; want none", n, b.running)
		}
	})
}

func TestScriptThatRedisForgotIsGivenAgainAndHarmsNoOther(t *testing.T) {
	gated(t, func(t *testing.T, b *batched, g *gate) {
		close(g.open)
		script := redis.NewScript(echo)
		var wg sync.WaitGroup
		for i := range 50 {
			wg.Go(func() {
				want := fmt.Sprint(i)
				if got, err := script.Run(t.Context(), b, []string{"k"}, want).Text(); got != want || err != nil {
					t.Errorf("got %q, %v; want %q", got, err, want)
				}
			})
			wg.Go(func() {
				if err := b.Publish(t.Context(), "c", i).Err(); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	})
}

func TestWhoHasLittleTimeDoesNotWaitForOthers(t *testing.T) {
	gated(t, func(t *testing.T, b *batched, g *gate) {
		var wg sync.WaitGroup
		for range batchesAtOnce + 1 {
			wg.Go(func() {
				if err := b.Publish(t.Context(), "c", "").Err(); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), batchTimeout/2)
		defer cancel()
		began := time.Now()
		if err := b.Publish(ctx, "c", "").Err(); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > batchTimeout/2 {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		close(g.open)
		wg.Wait()
	})
}

func TestWhoGoesAwayDoesNotEndWhatOthersAskedFor(t *testing.T) {
	gated(t, func(t *testing.T, b *batched, g *gate) {
		var wg sync.WaitGroup
		for range batchesAtOnce {
			wg.Go(func() { _ = b.Publish(t.Context(), "c", "").Err() })
		}
		synctest.Wait()
		gone, leave := context.WithCancel(t.Context())
		wg.Go(func() { _ = b.Publish(gone, "c", "").Err() })
		synctest.Wait()
		wg.Go(func() {
			if err := b.Publish(t.Context(), "c", "").Err(); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		leave()
		close(g.open)
		wg.Wait()
	})
}

func TestRedisThatDoesNotAnswerFailsAllWhoWait(t *testing.T) {
	gated(t, func(t *testing.T, b *batched, _ *gate) {
		var wg sync.WaitGroup
		for i := range 50 {
			ctx, cancel := t.Context(), context.CancelFunc(func() {})
			if i < batchesAtOnce { // whoever is alone in a batch has his own time
				ctx, cancel = context.WithTimeout(ctx, 2*batchTimeout)
			}
			wg.Go(func() {
				defer cancel()
				if err := b.Publish(ctx, "c", "").Err(); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%v, want the deadline", err)
				}
			})
			synctest.Wait()
		}
		wg.Wait()
	})
}

func TestNobodyWaitsLongerForAStalledRedisThanOneExchangeMayTake(t *testing.T) {
	gated(t, func(t *testing.T, b *batched, _ *gate) {
		began := time.Now()
		var wg sync.WaitGroup
		for i := range 20 * batchLimit {
			ctx, cancel := t.Context(), context.CancelFunc(func() {})
			if i < batchesAtOnce { // in truth the connection's own timeout ends it
				ctx, cancel = context.WithTimeout(ctx, batchTimeout)
			}
			wg.Go(func() {
				defer cancel()
				if err := b.Publish(ctx, "c", "").Err(); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%v, want the deadline", err)
				}
			})
			if i < batchesAtOnce {
				synctest.Wait()
			}
		}
		wg.Wait()
		if took := time.Since(began); took > 2*batchTimeout {
			t.Errorf("somebody waited for %v", took)
		}
	})
}

func TestTooManyWhoWaitAreRefused(t *testing.T) {
	gated(t, func(t *testing.T, b *batched, g *gate) {
		var wg sync.WaitGroup
		for range batchesAtOnce {
			wg.Go(func() { _ = b.Publish(t.Context(), "c", "").Err() })
		}
		synctest.Wait()
		for range batchWaiting {
			wg.Go(func() { _ = b.Publish(t.Context(), "c", "").Err() })
		}
		synctest.Wait()
		if err := b.Publish(t.Context(), "c", "").Err(); !errors.Is(err, errWaiting) {
			t.Errorf("%v, want %v", err, errWaiting)
		}
		close(g.open)
		wg.Wait()
	})
}

// What counts only when a replica has it asks for that once an exchange, and all who were in it hear the answer: here that
// there is none. Journals give each call two seconds, which is enough to go with others.
func TestOneWaitForAReplicaIsForAllOfAnExchange(t *testing.T) {
	const callers = 10
	gated(t, func(t *testing.T, b *batched, g *gate) {
		b.replica = true
		var wg sync.WaitGroup
		for range batchesAtOnce + callers {
			wg.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
				defer cancel()
				if err := b.Publish(ctx, "c", "").Err(); !errors.Is(err, errReplica) {
					t.Errorf("without a replica: %v", err)
				}
			})
			synctest.Wait() // it is sent, or waits
		}
		close(g.open)
		wg.Wait()
		// Those who waited go in one exchange, or in as many as began in the same moment.
		if g.waits <= batchesAtOnce || g.waits > 2*batchesAtOnce {
			t.Errorf("%d waits for a replica, want one for each exchange, %d or a few more", g.waits, batchesAtOnce+1)
		}
	})
}

// A checkpoint may have megabytes: those who come after it go on in the places that are free, and it has its caller's time.
func TestLargeCommandGoesAloneAndInItsCallersTime(t *testing.T) {
	gated(t, func(t *testing.T, b *batched, g *gate) {
		const long = 2 * batchTimeout
		var wg sync.WaitGroup
		publish := func(size int, atMost time.Duration, want error) {
			wg.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), atMost)
				defer cancel()
				began := time.Now()
				err := b.Publish(ctx, "c", strings.Repeat("x", size)).Err()
				if !errors.Is(err, want) || want != nil && time.Since(began) != atMost {
					t.Errorf("%d bytes: %v after %v, want %v", size, err, time.Since(began), want)
				}
			})
			synctest.Wait()
		}
		for range batchesAtOnce {
			publish(1, 10*long, nil) // these are under way
		}
		publish(1, 10*long, nil)
		publish(batchAlone+1, long, context.DeadlineExceeded)
		publish(1, 10*long, nil)
		if got := g.seen(); len(got) != batchesAtOnce+1 {
			t.Errorf("%v are under way, want the large one as well", got)
		}
		time.Sleep(long)
		close(g.open)
		wg.Wait()
	})
}

func TestBatchIsBoundedInBytes(t *testing.T) {
	gated(t, func(t *testing.T, b *batched, g *gate) {
		const each, callers = batchAlone / 2, 3 * batchBytes / (batchAlone / 2)
		var wg sync.WaitGroup
		for range batchesAtOnce + callers {
			wg.Go(func() {
				if err := b.Publish(t.Context(), "c", strings.Repeat("x", each)).Err(); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		close(g.open)
		wg.Wait()
		if got := slices.Max(g.seen()); got != batchBytes/each {
			t.Errorf("an exchange had %d commands of %d bytes, want %d", got, each, batchBytes/each)
		}
	})
}
