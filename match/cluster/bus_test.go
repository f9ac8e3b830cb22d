package cluster_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"muster/internal/testredis"
	"muster/match/cluster"
)

// ear is a bus and what it heard.
type ear struct {
	*cluster.Bus
	logs *observer.ObservedLogs

	mu    sync.Mutex
	heard []string // "KIND ID", and "gap"
}

func listen(rdb redis.UniversalClient) *ear {
	core, logs := observer.New(zapcore.InfoLevel)
	e := &ear{logs: logs}
	e.Bus = cluster.StartBus(rdb, ns, zap.New(core),
		func(n cluster.Notice) { e.note(n.Kind + " " + n.ID + n.Body) }, func() { e.note("gap") })
	return e
}

func (e *ear) note(what string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.heard = append(e.heard, what)
}

func (e *ear) all() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.heard)
}

func (e *ear) count(what string) (n int) {
	for _, h := range e.all() {
		if h == what {
			n++
		}
	}
	return n
}

func publish(t *testing.T, b *cluster.Bus, kind, id string) {
	t.Helper()
	must(t, b.Publish(context.Background(), cluster.Notice{Kind: kind, ID: id}))
}

func TestNoticesReachEveryBusInOrderAfterAFirstGap(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		ears := []*ear{listen(rdb), listen(rdb), listen(rdb)}
		want := []string{"gap"}
		for _, e := range ears {
			defer e.Close()
			until(t, "the bus listens", func() bool { return e.count("gap") == 1 && e.Live() })
		}
		for i := range 50 {
			publish(t, ears[i%3].Bus, "ticket", fmt.Sprint(i))
			want = append(want, fmt.Sprint("ticket ", i))
		}
		for i, e := range ears {
			until(t, "every notice has come", func() bool { return len(e.all()) >= len(want) })
			if got := e.all(); !slices.Equal(got, want) {
				t.Errorf("bus %d heard %q, want %q", i, got, want)
			}
		}
	})
}

func TestNoticeHasABodyOfBoundedLength(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		e := listen(rdb)
		defer e.Close()
		until(t, "the bus listens", func() bool { return e.count("gap") == 1 && e.Live() })
		must(t, e.Publish(t.Context(), cluster.Notice{Kind: "k", ID: "1", Body: ": \x00\xff"}, cluster.Notice{Kind: "k", ID: "2"}))
		until(t, "both are heard", func() bool { return e.count("k 1: \x00\xff") == 1 && e.count("k 2") == 1 })
		if err := e.Publish(t.Context(), cluster.Notice{Kind: "k", Body: strings.Repeat("x", 64<<10+1)}); err == nil {
			t.Error("one of more than 64 KiB was published")
		}
	})
}

func TestBusIsLiveAsSoonAsItListens(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		e := listen(rdb)
		defer e.Close()
		synctest.Wait() // no time passes
		if !e.Live() || e.count("gap") != 1 {
			t.Errorf("live %v, heard %q", e.Live(), e.all())
		}
	})
}

func TestBusStaysLiveThroughSilence(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		e := listen(rdb)
		defer e.Close()
		time.Sleep(time.Hour)
		if !e.Live() || e.count("gap") != 1 || e.logs.Len() != 0 {
			t.Errorf("after a silent hour: live %v, heard %q, logged %v", e.Live(), e.all(), e.logs.All())
		}
	})
}

// A process that is stopped for a moment, as any machine may be, has heard nothing meanwhile: its subscription is as good as
// before, and what is under way on it is not to be thrown away. Here what takes notices in stops.
func TestABusThatWasStoppedItselfIsNotDeaf(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		core, logs := observer.New(zapcore.InfoLevel)
		var stops, gaps atomic.Int32
		b := cluster.StartBus(rdb, ns, zap.New(core), func(cluster.Notice) { stops.Add(1); time.Sleep(2500 * time.Millisecond) }, func() { gaps.Add(1) })
		defer b.Close()
		const times = 20 // of several things that are ready any may be taken first
		for range times {
			time.Sleep(5 * time.Second)
			publish(t, b, "ticket", "1")
		}
		time.Sleep(5 * time.Second)
		if stops.Load() != times || gaps.Load() != 1 || !b.Live() || logs.Len() != 0 {
			t.Errorf("after %d of %d stops: live %v, %d gaps, logged %v", stops.Load(), times, b.Live(), gaps.Load(), logs.All())
		}
	})
}

// go-redis writes pings into a connection that swallows them and waits for no answer.
func TestBlackHoledSubscriptionIsNoticedWithinThreeBeatsAndFollowedByAGap(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		hurt, wires := rewired(t, rdb)
		defer func() { _ = hurt.Close() }()
		e := listen(hurt)
		defer e.Close()
		other := cluster.StartBus(rdb, ns, zap.NewNop(), func(cluster.Notice) {}, func() {})
		defer other.Close()
		time.Sleep(time.Minute + 100*time.Millisecond) // between two beats
		if n := wires.swallow("subscribe"); n != 1 {
			t.Fatalf("%d subscriptions were hurt, want 1", n)
		}
		publish(t, other, "ticket", "lost")
		within(t, 3*500*time.Millisecond, "the bus knows that it is deaf", func() bool { return !e.Live() })
		within(t, 500*time.Millisecond, "a gap", func() bool { return e.count("gap") == 2 })
		publish(t, other, "ticket", "heard")
		synctest.Wait()
		if got, want := e.all(), []string{"gap", "gap", "ticket heard"}; !e.Live() || !slices.Equal(got, want) {
			t.Errorf("live %v, heard %q, want %q", e.Live(), got, want)
		}
		if n := e.logs.FilterMessage("the notice bus is down and connects again").Len(); n != 1 {
			t.Errorf("logged %d times that it was down, want once", n)
		}
		if n := e.logs.FilterMessage("the notice bus is connected again").Len(); n != 1 {
			t.Errorf("logged %d times that it is up, want once", n)
		}
	})
}

func TestBusComesBackWhenEveryConnectionIsABlackHole(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		hurt, wires := rewired(t, rdb)
		defer func() { _ = hurt.Close() }()
		e := listen(hurt)
		defer e.Close()
		time.Sleep(time.Minute + 100*time.Millisecond) // between two beats
		wires.swallow("")
		within(t, 3*500*time.Millisecond, "the bus knows that it is deaf", func() bool { return !e.Live() })
		within(t, 5*time.Second, "a gap", func() bool { return e.count("gap") == 2 && e.Live() })
	})
}

func TestGapFollowsARestartOfRedis(t *testing.T) {
	s := testredis.Start(t)
	rdb := s.Connect()
	e := listen(rdb)
	defer e.Close()
	until(t, "the bus listens", e.Live)
	s.Kill()
	until(t, "the bus is deaf", func() bool { return !e.Live() })
	if err := e.Publish(t.Context(), cluster.Notice{Kind: "ticket", ID: "nowhere"}); err == nil {
		t.Error("a notice was published without a Redis")
	}
	s.Restart()
	until(t, "a gap", func() bool { return e.count("gap") == 2 && e.Live() })
	// The client's pool goes on saying that Redis cannot be reached until it has tried again by itself.
	until(t, "a notice is published", func() bool {
		return e.Publish(t.Context(), cluster.Notice{Kind: "ticket", ID: "x"}) == nil
	})
	until(t, "a notice", func() bool { return e.count("ticket x") == 1 })
}

// A Redis that restarts between two beats is missed by no beat, but what was said meanwhile is lost all the same.
func TestGapFollowsALostConnectionThatComesBackAtOnce(t *testing.T) {
	s := testredis.Start(t)
	e := listen(s.Connect())
	defer e.Close()
	until(t, "the bus listens", e.Live)
	must(t, s.Connect().Do(t.Context(), "CLIENT", "KILL", "TYPE", "pubsub").Err())
	until(t, "a gap", func() bool { return e.count("gap") == 2 })
}

func TestBusClosesInAnyState(t *testing.T) {
	for name, prepare := range map[string]func(t *testing.T, w *wires, rdb redis.UniversalClient){
		"connecting": func(*testing.T, *wires, redis.UniversalClient) {},
		"live":       func(*testing.T, *wires, redis.UniversalClient) { time.Sleep(time.Second) },
		"deaf": func(_ *testing.T, w *wires, _ redis.UniversalClient) {
			time.Sleep(time.Second)
			w.swallow("")
			time.Sleep(time.Second)
		},
		"waiting to connect again": func(_ *testing.T, w *wires, _ redis.UniversalClient) {
			time.Sleep(time.Second)
			w.swallow("subscribe")
			time.Sleep(1700 * time.Millisecond)
		},
		"with a closed client": func(t *testing.T, _ *wires, rdb redis.UniversalClient) {
			time.Sleep(time.Second)
			must(t, rdb.Close())
			time.Sleep(10 * time.Second)
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
				hurt, wires := rewired(t, rdb)
				e := listen(hurt)
				prepare(t, wires, hurt)
				began := time.Now()
				e.Close()
				if took := time.Since(began); took > 2*time.Second {
					t.Errorf("closing took %v", took)
				}
				before := len(e.all())
				time.Sleep(10 * time.Second)
				if e.Live() || len(e.all()) != before {
					t.Error("a closed bus goes on")
				}
				_ = hurt.Close() // one of the cases has
			})
		})
	}
}

func TestMalformedNoticesAreIgnored(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		e := listen(rdb)
		defer e.Close()
		until(t, "the bus listens", func() bool { return e.count("gap") == 1 })
		for _, payload := range []string{
			"", "x", "\x92", "\x92\xa1a", "\x92\xa1a\xa1b!", "\xdd\xff\xff\xff\xff", "\x92\xdb\xff\xff\xff\xff", "\x91\xa1a",
			"\x92\x01\x02", "\x92\xa1\xff\xa1b", "\xc0", "\x93\xa1a\xa1b\x01", "\x93\xa1a\xa1b\xc6\xff\xff\xff\xff",
		} {
			publishRaw(t, rdb, ns+":{notices}", payload)
		}
		publishRaw(t, rdb, ns+":{notices}", "\x94\xa5other\xa1x\xc4\x00\x01") // a later release may say more
		until(t, "the good one", func() bool { return e.count("other x") == 1 })
		if got, want := e.all(), []string{"gap", "other x"}; !slices.Equal(got, want) {
			t.Errorf("heard %q, want %q", got, want)
		}
		if !e.Live() {
			t.Error("a malformed notice ended the bus")
		}
	})
}
