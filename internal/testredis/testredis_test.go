package testredis_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"muster/internal/testredis"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestEachRunsOnThreeThatAreEmpty(t *testing.T) {
	var ran []string
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		ran = append(ran, filepath.Base(t.Name()))
		if n, err := rdb.DBSize(t.Context()).Result(); err != nil || n != 0 {
			t.Errorf("DBSIZE = %d, %v; want an empty server", n, err)
		}
		if err := rdb.Set(t.Context(), "k", "v", 0).Err(); err != nil {
			t.Error(err)
		}
	})
	if _, err := exec.LookPath("redis-server"); err == nil && len(ran) != 3 {
		t.Errorf("ran on %v, want the embedded, the real one and the Cluster", ran)
	}
}

func TestServerLosesEverythingWithoutPersistence(t *testing.T) {
	s := testredis.Start(t)
	rdb := s.Connect()
	if err := rdb.Set(t.Context(), "k", "v", 0).Err(); err != nil {
		t.Fatal(err)
	}
	s.Kill()
	if err := rdb.Ping(t.Context()).Err(); err == nil {
		t.Error("a killed server answers")
	}
	s.Restart()
	if err := s.Connect().Get(t.Context(), "k").Err(); err != redis.Nil { //nolint:errorlint // never wrapped
		t.Errorf("GET after the restart: %v, want nothing", err)
	}
}

func TestServerKeepsWhatItIsAskedToKeep(t *testing.T) {
	s := testredis.Start(t, "--appendonly", "yes", "--appendfsync", "always")
	if err := s.Connect().Set(t.Context(), "k", "v", 0).Err(); err != nil {
		t.Fatal(err)
	}
	s.Kill()
	s.Restart()
	if got, err := s.Connect().Get(t.Context(), "k").Result(); got != "v" {
		t.Errorf("GET after the restart: %q, %v", got, err)
	}
}

func TestPausedServerAnswersNothingUntilResumed(t *testing.T) {
	s := testredis.Start(t)
	rdb := s.Connect()
	s.Pause()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := rdb.Ping(ctx).Err(); err == nil {
		t.Error("a paused server answers")
	}
	s.Resume()
	if err := rdb.Ping(t.Context()).Err(); err != nil {
		t.Error(err)
	}
}

func TestServerEndsWithItsTest(t *testing.T) {
	var rdb redis.UniversalClient
	var dir string
	t.Run("inner", func(t *testing.T) {
		s := testredis.Start(t)
		rdb = redis.NewClient(&redis.Options{Addr: s.Addr, MaxRetries: -1})
		config, err := rdb.ConfigGet(t.Context(), "dir").Result()
		if err != nil {
			t.Fatal(err)
		}
		dir = config["dir"]
	})
	defer func() { _ = rdb.Close() }()
	if err := rdb.Ping(t.Context()).Err(); err == nil {
		t.Error("the server outlives its test")
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("its directory outlives the test: %v", err)
	}
}

func TestClusterServesAllSlotsAndAgainAfterAMasterWasKilled(t *testing.T) {
	c := testredis.StartCluster(t, 3, "--appendonly", "yes", "--appendfsync", "always")
	rdb := c.Connect()
	keys := []string{"a", "b", "c", "d", "e", "f"}
	owners := map[*testredis.Server]bool{}
	for _, k := range keys {
		owners[c.Owner(k)] = true
		if err := rdb.Set(t.Context(), k, "v", 0).Err(); err != nil {
			t.Fatal(err)
		}
	}
	if len(owners) != 3 {
		t.Fatalf("the keys are on %d servers", len(owners))
	}
	owner := c.Owner("a")
	owner.Kill()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := rdb.Get(ctx, "a").Err(); err == nil {
		t.Error("a killed master answers")
	}
	for _, k := range keys {
		if c.Owner(k) == owner {
			continue
		}
		if err := rdb.Get(t.Context(), k).Err(); err != nil {
			t.Errorf("%s, which another master has: %v", k, err)
		}
	}
	owner.Restart()
	c.Wait()
	if got, err := rdb.Get(t.Context(), "a").Result(); got != "v" {
		t.Errorf("after its restart: %q, %v", got, err)
	}
}

func TestSentinelsMakeTheReplicaTheMaster(t *testing.T) {
	s := testredis.StartSentinel(t)
	rdb := s.Connect()
	if err := rdb.Set(t.Context(), "k", "v", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if n, err := rdb.Do(t.Context(), "WAIT", 1, 1000).Int(); n != 1 {
		t.Fatalf("%d replicas have it, %v", n, err)
	}
	old := s.Master
	s.Failover()
	if s.Replica != old || s.Master == old {
		t.Error("the master is the same")
	}
	var got string
	var err error
	for end := time.Now().Add(10 * time.Second); got != "v" && time.Now().Before(end); {
		got, err = rdb.Get(t.Context(), "k").Result()
	}
	if got != "v" {
		t.Errorf("the client has no new master: %v", err)
	}
}
