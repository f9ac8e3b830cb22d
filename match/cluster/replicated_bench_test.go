package cluster_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"muster/internal/testredis"
	"muster/match/cluster"
	"muster/match/journal"
	"muster/match/journal/journaltest"
)

// BenchmarkAppendsThatAReplicaHas is rooms that append a tick each, all at once, again and again, to a master with a replica.
func BenchmarkAppendsThatAReplicaHas(b *testing.B) {
	const rooms = 100
	s := testredis.StartSentinel(b)
	j := cluster.NewJournal(cluster.Batched(s.Connect()), ns, cluster.JournalConfig{})
	for i := range rooms {
		err := j.Checkpoint(b.Context(), fmt.Sprint("room", i), 1, journaltest.Header(), journal.Checkpoint{})
		if err != nil {
			b.Fatal(err)
		}
	}
	var took []time.Duration
	var mu sync.Mutex
	tick := uint32(0)
	for b.Loop() {
		tick++
		e, err := journal.NewEntry(&journal.Record{Tick: tick})
		if err != nil {
			b.Fatal(err)
		}
		var wg sync.WaitGroup
		for i := range rooms {
			wg.Go(func() {
				began := time.Now()
				if err := j.Append(b.Context(), fmt.Sprint("room", i), 1, tick-1, []journal.Entry{e}); err != nil {
					b.Error(err)
				}
				mu.Lock()
				took = append(took, time.Since(began))
				mu.Unlock()
			})
		}
		wg.Wait()
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(len(took)), "µs/append")
}
