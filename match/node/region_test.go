package node_test

import (
	"context"
	"testing"
	"time"

	"muster/match"
)

// site is what a process says of where it is.
type site struct {
	region string
	tags   map[string]string
}

var (
	fast = map[string]string{"disk": "fast", "more": "x"}
	slow = map[string]string{"disk": "slow"}
)

// suited runs a test of a room on the first of three processes, of which the second would get it by weight, and the third is
// better for it: once for a room of a region, and once for one with tags.
func suited(t *testing.T, test func(t *testing.T, w *world)) {
	for name, sites := range map[string][]site{
		"region": {{region: "eu"}, {region: "us"}, {region: "eu"}},
		"tags":   {{tags: fast}, {tags: slow}, {tags: fast}},
		// It has a region, too, and one with the tags is elsewhere.
		"region before tags": {{"eu", fast}, {"us", fast}, {"eu", slow}},
		"both":               {{"eu", fast}, {"eu", slow}, {"eu", fast}},
	} {
		t.Run(name, func(t *testing.T) { atSites(t, sites, test) })
	}
}

// atSites has a room on the first of some processes, which is to be where that is, and have the tag disk=fast where that has it.
// The second one would get it by weight.
func atSites(t *testing.T, sites []site, test func(t *testing.T, w *world)) {
	inWorld(t, len(sites), match.Rules{}, func(t *testing.T, w *world) {
		w.mu.Lock()
		for i, p := range w.procs {
			p.region, p.tags = sites[i].region, sites[i].tags
		}
		w.procs[1].weight = 1000
		w.mu.Unlock()
		w.begin("journal", "r1", "", w.procs[0], "alice")
		fields := []any{"region", sites[0].region}
		if sites[0].tags != nil {
			fields = append(fields, "on", `{"disk":"fast"}`)
		}
		if err := w.rdb.HSet(context.Background(), ns+":{room:r1}:record", fields...).Err(); err != nil {
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

func TestRoomOfADeadNodeGoesOnInItsRegionAndWithItsTags(t *testing.T) {
	suited(t, func(t *testing.T, w *world) {
		w.procs[0].kill()
		w.runsOn(t, w.procs[2], time.Second)
	})
}

func TestAPlayerWhoComesByAnotherNodeDoesNotTakeTheRoomFromItsRegionOrTags(t *testing.T) {
	suited(t, func(t *testing.T, w *world) {
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

func TestRoomGoesElsewhereAtOnceWhereNoNodeOfItsRegionOrWithItsTagsIsLeft(t *testing.T) {
	suited(t, func(t *testing.T, w *world) {
		w.procs[2].kill()
		w.procs[0].kill()
		w.runsOn(t, w.procs[1], time.Second)
	})
}

func TestRoomGoesElsewhereWhereNobodyOfItsRegionOrWithItsTagsTakesItForAWhile(t *testing.T) {
	suited(t, func(t *testing.T, w *world) {
		w.procs[2].claims.Close() // it is there, and takes nothing
		w.procs[0].kill()
		time.Sleep(2 * time.Second)
		if at := w.hosts("r1"); len(at) != 0 {
			t.Errorf("it is at %s already", at[0].id)
		}
		w.runsOn(t, w.procs[1], 3*time.Second)
	})
}
