package cluster_test

import (
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"muster/internal/testredis"
	"muster/match/cluster"
)

// A room is told that a tick is durable only when a replica has it: who becomes the master then knows it.
func TestTicksAreDurableWhenAReplicaHasThemAndSurviveAFailover(t *testing.T) {
	s := testredis.StartSentinel(t)
	rdb := s.Connect()
	j := cluster.NewJournal(cluster.Batched(rdb), ns, cluster.JournalConfig{})
	must(t, checkpoint(t, j, "room", 1, 0, []byte("state")))
	must(t, put(t, j, "room", 1, 1, 5))

	s.Replica.Pause()
	if err := put(t, j, "room", 1, 6, 8); err == nil || !strings.Contains(err.Error(), "no replica") {
		t.Fatalf("with a replica that stands still: %v", err)
	}
	other := cluster.NewJournal(s.Connect(), ns, cluster.JournalConfig{})
	if err := put(t, other, "room", 1, 6, 8); err == nil || !strings.Contains(err.Error(), "no replica") {
		t.Fatalf("the same over a connection that wrote nothing: %v", err)
	}
	s.Replica.Resume()
	until(t, "what is tried again is durable", func() bool { return put(t, j, "room", 1, 6, 8) == nil })

	under, stop, durable := make(chan struct{}), make(chan struct{}), make(chan uint32)
	go func() {
		tick := uint32(8)
		for {
			select {
			case <-stop:
				durable <- tick
				return
			default:
				if put(t, j, "room", 1, tick+1, tick+1) == nil {
					tick++
					if tick == 100 {
						close(under)
					}
				}
			}
		}
	}()
	<-under
	s.Failover()
	close(stop)
	last := <-durable
	until(t, "the new master has every tick that was called durable", func() bool {
		saved, err := j.Load(t.Context(), "room", 0)
		if err != nil {
			return false
		}
		if got := saved.Last(); got < last {
			t.Fatalf("it has ticks up to %d, %d were durable", got, last)
		}
		return true
	})
}

// A replica is waited for by what a connection wrote. What is tried again, over another connection, finds all done, and must
// write as well: else a replica that stands still counts.
func TestWhatIsTriedAgainIsAWriteAgain(t *testing.T) {
	rdb := testredis.Start(t).Connect()
	j := cluster.NewJournal(rdb, ns, cluster.JournalConfig{})
	for _, c := range []struct {
		what string
		call func() error
	}{
		{"a first checkpoint", func() error { return checkpoint(t, j, "room", 2, 0, []byte("state")) }},
		{"an append", func() error { return put(t, j, "room", 2, 1, 5) }},
		{"a checkpoint", func() error { return checkpoint(t, j, "room", 2, 5, []byte("state")) }},
		{"a load", func() error { _, err := j.Load(t.Context(), "room", 2); return err }},
		{"an end", func() error { return j.End(t.Context(), "room", 2) }},
		{"a deletion", func() error { return j.Delete(t.Context(), "room", 2) }},
	} {
		for _, turn := range []string{"once", "again"} {
			before := changes(t, rdb)
			must(t, c.call())
			if changes(t, rdb) == before {
				t.Errorf("%s, %s: nothing was written", c.what, turn)
			}
		}
	}
	if n, err := rdb.DBSize(t.Context()).Result(); n != 0 || err != nil {
		t.Errorf("%d keys are left behind the deletion, %v", n, err)
	}
}

// changes is how many changes Redis has made to what it has: each goes to replicas.
func changes(t *testing.T, rdb redis.UniversalClient) string {
	t.Helper()
	info, err := rdb.Info(t.Context(), "persistence").Result()
	must(t, err)
	_, rest, ok := strings.Cut(info, "rdb_changes_since_last_save:")
	if !ok {
		t.Fatalf("it does not say how many: %s", info)
	}
	n, _, _ := strings.Cut(rest, "\r\n")
	return n
}
