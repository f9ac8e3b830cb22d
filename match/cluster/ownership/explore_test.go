package ownership

import (
	"flag"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"muster/internal/race"
)

// With -seed and -profile one run is made again, with all that happens in it.
var (
	oneSeed    = flag.Uint64("seed", 0, "explore this seed alone, and print what happens")
	oneProfile = flag.String("profile", "", "the profile of -seed")
	runs       = flag.Int("runs", 0, "how many runs are explored, instead of as many as take some seconds")
)

const ppm = 1000 // of a percent

var profiles = []profile{
	{
		name: "everything", least: 1, most: 4, seconds: 8, every: ttl,
		weights: [faultKinds]int{
			cutRedis: 4, slowRedis: 2, outage: 2, restart: 1, empty: 1, failover: 1, stop: 4, kill: 3, join: 2, leave: 1,
			cutPeers: 3, slowPeers: 2, starve: 1,
		},
	},
	{
		name: "clocks", least: 2, most: 4, seconds: 8, every: ttl, // nobody dies who remembers what the epochs were
		weights: [faultKinds]int{cutRedis: 4, outage: 1, empty: 3, stop: 4, join: 1, cutPeers: 2, clockStep: 3},
	},
	{
		name: "cut off", least: 2, most: 4, seconds: 8, every: ttl / 2,
		weights: [faultKinds]int{cutRedis: 6, slowRedis: 2, outage: 3, stop: 5, join: 2, kill: 1, cutPeers: 4, slowPeers: 2},
	},
	{
		name: "ends well", least: 1, most: 4, seconds: 5, every: ttl, settles: true,
		weights: [faultKinds]int{
			cutRedis: 4, slowRedis: 2, outage: 2, restart: 1, stop: 4, kill: 3, join: 2, leave: 1,
			cutPeers: 3, slowPeers: 2, starve: 1, clockStep: 1,
		},
	},
	{
		name: "outages", least: 1, most: 4, seconds: 12, every: 2 * ttl, neverWaits: true, nobodyDies: true,
		weights: [faultKinds]int{outage: 3, restart: 2, clockStep: 1},
	},
	{
		name: "starved", least: 2, most: 4, seconds: 8, every: ttl, nobodyDies: true,
		weights: [faultKinds]int{starve: 4, clockStep: 1},
	},
}

func explorations() int {
	if *runs > 0 {
		return *runs
	}
	if race.Enabled {
		return 1500
	}
	return 12_000
}

// TestNoScheduleOfFaultsBreaksOwnership explores random schedules. -seed N -profile NAME makes one run again.
func TestNoScheduleOfFaultsBreaksOwnership(t *testing.T) {
	if *oneSeed > 0 {
		replay(t, *oneSeed, *oneProfile)
		return
	}
	seed, prof, what := search(0, explorations(), common(nothing))
	if what != "" {
		t.Fatalf("%s\nseed %d of profile %q; again with -run %s -seed %d -profile %q", what, seed, prof, t.Name(), seed, prof)
	}
}

func replay(t *testing.T, seed uint64, name string) {
	t.Helper()
	list := common(nothing)
	for _, o := range worlds {
		list = append(list, o)
	}
	for _, o := range list {
		if o.profile.name != name {
			continue
		}
		trace := &strings.Builder{}
		what := newWorld().explore(seed, o, trace)
		t.Log("\n" + trace.String())
		if what != "" {
			t.Error(what)
		}
		return
	}
	t.Fatalf("there is no profile %q", name)
}

// search explores n runs after the first ones, on two goroutines, and returns a seed that violates something.
func search(first, n int, list []options) (seed uint64, name, what string) {
	var wg sync.WaitGroup
	var found atomic.Bool
	var mu sync.Mutex
	const workers = 2
	for worker := range workers {
		wg.Go(func() {
			w := newWorld()
			for i := first + worker; i < first+n && !found.Load(); i += workers {
				o, at := list[i%len(list)], uint64(i+1)
				if got := w.explore(at, o, nil); got != "" && !found.Swap(true) {
					mu.Lock()
					seed, name, what = at, o.profile.name, got
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	return seed, name, what
}

func TestRunIsTheSameWithTheSameSeed(t *testing.T) {
	for _, p := range profiles {
		a, b := &strings.Builder{}, &strings.Builder{}
		w := newWorld()
		w.explore(7, options{profile: p, drift: 10 * ppm}, a)
		w.explore(8, options{profile: p, drift: 10 * ppm}, nil)
		w.explore(7, options{profile: p, drift: 10 * ppm}, b)
		if a.String() != b.String() || !strings.Contains(a.String(), "runs room") {
			t.Errorf("profile %s: two runs of one seed differ, or nothing happens in them:\n%s", p.name, fmt.Sprint(a.Len(), b.Len()))
		}
	}
}
