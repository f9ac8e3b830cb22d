package cluster_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/internal/testport"
	"muster/internal/testredis"
	"muster/match/cluster"
)

// A client writes the whole of a pipeline before it reads the first answer.
func TestLongPipelinesWork(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		must(t, rdb.Set(t.Context(), "k", strings.Repeat("v", 1000), 0).Err())
		pipe := rdb.Pipeline()
		for range 2000 {
			pipe.Get(t.Context(), "k")
		}
		answers, err := pipe.Exec(t.Context())
		if len(answers) != 2000 || err != nil {
			t.Errorf("%d answers, %v", len(answers), err)
		}
	})
}

func TestEmbeddedRedisLetsTimePass(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		must(t, rdb.Set(t.Context(), "k", "v", time.Minute).Err())
		began, err := rdb.Time(t.Context()).Result()
		must(t, err)
		time.Sleep(time.Minute)
		wantError(t, "GET of a key that has run out", rdb.Get(t.Context(), "k").Err(), redis.Nil)
		if now, err := rdb.Time(t.Context()).Result(); now.Sub(began) != time.Minute {
			t.Errorf("its clock went on by %v in a minute (%v)", now.Sub(began), err)
		}
	})
}

func TestContextBoundsACallThatIsNotAnswered(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		hurt, wires := rewired(t, rdb)
		must(t, hurt.Ping(t.Context()).Err())
		wires.swallow("")
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		began := time.Now()
		if err := hurt.Ping(ctx).Err(); err == nil || time.Since(began) > 100*time.Millisecond {
			t.Errorf("got %v after %v", err, time.Since(began))
		}
		must(t, hurt.Close())
	})
}

// A process that starts, or a player who waits, must hear soon that there is no Redis.
func TestAbsentRedisIsNoticedSoon(t *testing.T) {
	addr := testport.Held(t)
	began := time.Now()
	_, err := cluster.Connect(t.Context(), "redis://"+addr)
	if err == nil || !strings.Contains(err.Error(), addr) {
		t.Errorf("got %v, want an error that names %s", err, addr)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestConnectTellsNoPassword(t *testing.T) {
	for _, url := range []string{
		"redis://user:s3cr%t@127.0.0.1:1/0", "redis://user:s3cret@127.0.0.1:s3cret", "redis://:s3cret@127.0.0.1:1",
		"redis://user:s3cret@[::1", "http://user:s3cret@127.0.0.1", "redis://:s3cret@127.0.0.1:1?no_such=1", "s3cret", "://s3cret",
	} {
		_, err := cluster.Connect(t.Context(), url)
		if err == nil {
			t.Errorf("%s: no error", url)
		} else if strings.Contains(err.Error(), "s3cr") {
			t.Errorf("%s: the error shows the password: %v", url, err)
		}
	}
}

func TestConnectKnowsTheURLsForms(t *testing.T) {
	s := testredis.Start(t, "--requirepass", "s3cret")
	rdb, err := cluster.Connect(t.Context(), "redis://:s3cret@"+s.Addr+"/3")
	must(t, err)
	defer func() { _ = rdb.Close() }()
	must(t, rdb.Set(t.Context(), "k", "v", 0).Err())
	if info, err := rdb.Info(t.Context(), "keyspace").Result(); !strings.Contains(info, "db3:") {
		t.Errorf("the key is not in database 3: %q, %v", info, err)
	}
	if _, err := cluster.Connect(t.Context(), s.URL()); err == nil {
		t.Error("connected without the password")
	}
}
