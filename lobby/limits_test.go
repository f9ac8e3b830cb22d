package lobby

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/zap"
	"pgregory.net/rapid"

	"muster/internal/testredis"
	"muster/match/cluster"
)

// limited is a lobby that can count, and nothing else.
func limited(rdb redis.UniversalClient, rate int) *Lobby {
	return &Lobby{
		cfg: Config{Redis: rdb, Namespace: "test", AddressRate: rate}, log: zap.NewNop(), metrics: newMetrics(nil),
		limits: &limits{rdb, "test"},
	}
}

// noDeadline hides the test's deadline, which must not be asked for in a bubble.
type noDeadline struct{ rapid.TB }

// inVirtualTime runs a test on an embedded Redis.
func inVirtualTime(t *testing.T, test func(t *testing.T, rdb redis.UniversalClient)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		rdb, stop := cluster.Embedded()
		defer func() {
			time.Sleep(time.Second) // a connection goes on for a moment
			stop()
		}()
		test(t, rdb)
	})
}

// However calls are spread over time, Redis and one process say the same, and never more than the limit allows.
func TestLimitIsABurstAndThenARate(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, rdb redis.UniversalClient) {
		rapid.Check(noDeadline{t}, func(t *rapid.T) {
			limit := rate{
				Rate: rapid.SampledFrom([]int{1, 4, 10, 50}).Draw(t, "rate"), Burst: rapid.IntRange(1, 20).Draw(t, "burst"), Period: time.Second,
			}
			ctx, l, local, began, passed := context.Background(), &limits{rdb, "test"}, &attempts{}, time.Now(), 0
			// The textbook's bucket: it holds the burst, and each call takes an interval's worth of it.
			interval := limit.Period / time.Duration(limit.Rate)
			full := interval * time.Duration(limit.Burst)
			bucket, filled := full, began
			gaps := rapid.SliceOfN(rapid.SampledFrom([]int{0, 0, 0, 1, 20, 100, 250, 999, 5000}), 1, 60)
			for _, gap := range gaps.Draw(t, "milliseconds between calls") {
				time.Sleep(time.Duration(gap) * time.Millisecond)
				err := l.take(ctx, counter{"{address:x}", limit, "too much"})
				wait := local.take("x", limit, time.Now())
				bucket, filled = min(full, bucket+time.Since(filled)), time.Now()
				room := bucket >= interval
				if room {
					bucket -= interval
				}
				var often *tooOftenError
				if errors.As(err, &often) != (wait > 0) || often == nil && err != nil || room != (wait == 0) {
					t.Fatalf("Redis says %v, this process %v; the bucket has room: %v", err, wait, room)
				}
				if often == nil {
					passed++
				} else if often.after != seconds(wait) {
					t.Fatalf("Redis says to wait %d s, this process %v", often.after, wait)
				}
				if most := limit.Burst + int(time.Since(began)*time.Duration(limit.Rate)/time.Second); passed > most {
					t.Fatalf("%d passed in %v, at most %d may", passed, time.Since(began), most)
				}
			}
			left := time.Duration(limit.Burst+1) * time.Second / time.Duration(limit.Rate)
			time.Sleep(left)
			if n, err := rdb.DBSize(ctx).Result(); n != 0 || err != nil {
				t.Fatalf("%d keys are left %v later, %v", n, left, err)
			}
		})
	})
}

// A replica that takes over may have a clock that is behind.
func TestLimitIsNotClosedForLongWhenRedisClockGoesBack(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		l := &limits{rdb, "test"}
		ahead := time.Now().Add(time.Hour).UnixMicro()
		if err := rdb.Set(t.Context(), "test:rate:{address:x}", ahead, time.Hour).Err(); err != nil {
			t.Fatal(err)
		}
		err := l.take(t.Context(), counter{"{address:x}", rate{Rate: 1, Burst: 5, Period: time.Second}, "too much"})
		var often *tooOftenError
		if !errors.As(err, &often) || often.after != 1 {
			t.Errorf("with a count of a clock that was an hour ahead: %v, %+v; want to wait a second", err, often)
		}
		if left := rdb.PTTL(t.Context(), "test:rate:{address:x}").Val(); left > 5*time.Second {
			t.Errorf("the count is paid for in %v", left)
		}
	})
}

func TestLimitsWorkAfterRedisForgotTheScript(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		l := &limits{rdb, "test"}
		one := counter{"{address:x}", rate{Rate: 1, Burst: 2, Period: time.Hour}, "x"}
		other := counter{"{address:y}", rate{Rate: 1, Burst: 9, Period: time.Hour}, "y"}
		for i := range 3 {
			if err := rdb.ScriptFlush(t.Context()).Err(); err != nil {
				t.Fatal(err)
			}
			err := l.take(t.Context(), one, other)
			var often *tooOftenError
			if errors.As(err, &often) != (i == 2) {
				t.Errorf("call %d: %v", i, err)
			}
			if i == 2 && (often.what != "x" || often.after < 3500 || often.after > 3600) {
				t.Errorf("it says %q, and to come after %d s", often.what, often.after)
			}
		}
	})
}

func TestAddressOfIPv6IsItsNetwork(t *testing.T) {
	for remote, want := range map[string]string{
		"192.0.2.1:1234": "192.0.2.1", "192.0.2.1": "192.0.2.1", "[::ffff:192.0.2.1]:80": "192.0.2.1",
		"[2001:db8:1:2:3:4:5:6]:80": "2001:db8:1:2::/64", "[2001:db8:1:2::9]:80": "2001:db8:1:2::/64", "[2001:db8:1:3::9]:80": "2001:db8:1:3::/64",
		"[fe80::1%eth0]:80": "fe80::/64", "pipe": "unknown", "": "unknown", "a}:b": "unknown",
	} {
		if got := network(remote); got != want {
			t.Errorf("%q is %q, want %q", remote, got, want)
		}
	}
}

// countExchanges counts how often Redis is asked.
type countExchanges struct{ n *int }

func (countExchanges) DialHook(next redis.DialHook) redis.DialHook { return next }

func (c countExchanges) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		*c.n++
		return next(ctx, cmd)
	}
}

func (c countExchanges) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		*c.n++
		return next(ctx, cmds)
	}
}

func TestFloodOfConnectionsDoesNotReachRedis(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, rdb redis.UniversalClient) {
		here, there := limited(rdb, 10), limited(rdb, 10)
		asked := 0
		rdb.AddHook(countExchanges{&asked})
		admitted := 0
		for i := range 1000 {
			if here.Admit(t.Context(), fmt.Sprintf("192.0.2.1:%d", i), "") == nil {
				admitted++
			}
		}
		if admitted != 50 || asked > 60 {
			t.Errorf("%d of 1000 connections were admitted, and Redis was asked %d times; want 50 and about as many", admitted, asked)
		}
		if there.Admit(t.Context(), "192.0.2.1:1", "") == nil {
			t.Error("another process admits what is over the limit of all together")
		}
		if err := here.Admit(t.Context(), "192.0.2.2:1", ""); err != nil {
			t.Errorf("another address suffers for it: %v", err)
		}
		err := here.Admit(t.Context(), "192.0.2.1:1", "")
		var status interface{ GetStatus() int }
		if !errors.As(err, &status) || status.GetStatus() != 429 {
			t.Errorf("the error is %v", err)
		}
		time.Sleep(time.Second)
		if err := there.Admit(t.Context(), "192.0.2.1:1", ""); err != nil {
			t.Errorf("a second later: %v", err)
		}
	})
}

func TestConnectionsOfAPlayerAreLimitedWhereverHeComesFrom(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, rdb redis.UniversalClient) {
		l, admitted := limited(rdb, 1000), 0
		for i := range 60 {
			if l.Admit(t.Context(), fmt.Sprintf("192.0.2.%d:1", i), "mallory") == nil {
				admitted++
			}
		}
		if admitted != attemptLimit.Burst {
			t.Errorf("%d were admitted, want %d", admitted, attemptLimit.Burst)
		}
	})
}

func TestConnectionsAreAdmittedWithoutRedisAndStillLimited(t *testing.T) {
	s := testredis.Start(t)
	l := limited(s.Connect(), 10)
	s.Kill()
	admitted, began := 0, time.Now()
	for refused := 0; refused < 50; {
		if l.Admit(t.Context(), "192.0.2.1:1", "alice") == nil {
			admitted++
		} else {
			refused++
		}
	}
	if most := 51 + int(10*time.Since(began)/time.Second); admitted < 50 || admitted > most {
		t.Errorf("%d connections were admitted, want 50 and what ten a second add, at most %d", admitted, most)
	}
}

func TestAddressesThatAProcessRemembersAreBounded(t *testing.T) {
	a, now := &attempts{}, time.Now()
	limit := rate{Rate: 1, Burst: 2, Period: time.Second}
	for i := range maxAttempts + 1000 {
		if wait := a.take(fmt.Sprint(i), limit, now); wait != 0 {
			t.Fatalf("address %d waits %v", i, wait)
		}
	}
	if len(a.paid) != maxAttempts {
		t.Errorf("%d addresses are remembered", len(a.paid))
	}
	a.take("0", limit, now)
	if a.take("0", limit, now) == 0 {
		t.Error("an address that is remembered is not limited any more")
	}
	a.take("new", limit, now.Add(3*time.Second))
	if len(a.paid) != 1 {
		t.Errorf("%d addresses are remembered although they have paid", len(a.paid))
	}
}
