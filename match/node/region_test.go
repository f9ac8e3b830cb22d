package node_test

import (
	"context"
	"testing"
	"time"

	"muster/match"
)

// regional is a room of region eu on the first of three processes, of which the second is in us and would get it by weight,
// and the third in eu.
func regional(t *testing.T, test func(t *testing.T, w *world)) {
	inWorld(t, 3, match.Rules{}, func(t *testing.T, w *world) {
		w.mu.Lock()
		for i, p := range w.procs {
			p.region, p.weight = []string{"eu", "us", "eu"}[i], []float64{1, 1000, 1}[i]
		}
		w.mu.Unlock()
		w.begin("journal", "r1", "", w.procs[0], "alice")
		if err := w.rdb.HSet(context.Background(), ns+":{room:r1}:record", "region", "eu").Err(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		test(t, w)
	})
}

func (w *world) runsOn(t *testing.T, p *process, d time.Duration) {
	t.Helper()
	within(t, d, "the room goes on at "+p.id, func() bool { at := w.hosts("r1"); return len(at) == 1 && at[0] == p })
}

func TestRoomOfADeadNodeGoesOnInItsRegion(t *testing.T) {
	regional(t, func(t *testing.T, w *world) {
		w.procs[0].kill()
		w.runsOn(t, w.procs[2], time.Second)
	})
}

func TestAPlayerWhoComesByAnotherRegionsNodeDoesNotTakeTheRoomThere(t *testing.T) {
	regional(t, func(t *testing.T, w *world) {
		came := make(chan struct{})
		go func() {
			defer close(came)
			time.Sleep(time.Millisecond) // it is dead by then
			ctx, cancel := context.WithTimeout(context.Background(), lease+time.Second)
			defer cancel()
			_, _ = w.procs[1].rooms.Open(ctx, "r1")
		}()
		w.procs[0].kill()
		<-came
		w.runsOn(t, w.procs[2], time.Second)
	})
}

func TestRoomGoesToAnotherRegionAtOnceWhereItsOwnHasNoNodeLeft(t *testing.T) {
	regional(t, func(t *testing.T, w *world) {
		w.procs[2].kill()
		w.procs[0].kill()
		w.runsOn(t, w.procs[1], time.Second)
	})
}

func TestRoomGoesToAnotherRegionWhereNobodyOfItsOwnTakesItForAWhile(t *testing.T) {
	regional(t, func(t *testing.T, w *world) {
		w.procs[2].claims.Close() // it is there, and takes nothing
		w.procs[0].kill()
		time.Sleep(2 * time.Second)
		if at := w.hosts("r1"); len(at) != 0 {
			t.Errorf("it is at %s already", at[0].id)
		}
		w.runsOn(t, w.procs[1], 3*time.Second)
	})
}
