package cluster_test

import (
	"strings"
	"testing"

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
