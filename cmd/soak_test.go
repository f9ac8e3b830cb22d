package cmd

import (
	"context"
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/internal/testredis"
)

// How long the churn lasts: see "make soak".
var soakFor = flag.Duration("soak", 20*time.Second, "how long rooms and sockets come and go")

const (
	churners = 12
	// longSoak is from when on a heap's slope says something; before it the heap is still growing into its use.
	longSoak = 5 * time.Minute
	// mostSlope is the slope that is too small to be looked for, in bytes a second: 22 MB a day.
	mostSlope = 256
	// mostSlopeShort is that of a short run.
	mostSlopeShort = 256 << 10
	// spareFiles are connections to Redis that a pool opened under load and keeps.
	spareFiles = 24
)

// forEver is how go-redis says that a key has no end.
const forEver time.Duration = -1

// sample is what the process holds at one moment.
type sample struct {
	heap       float64 // bytes that are alive
	goroutines int
	files      int
	keys       int // but for those that are kept on purpose and end by themselves
	kept       int // these
}

func (s sample) String() string {
	return fmt.Sprintf("heap %.0f KiB, %d goroutines, %d files, %d keys and %d that end by themselves",
		s.heap/1024, s.goroutines, s.files, s.keys, s.kept)
}

// endByThemselves are parts of the names of keys that outlive a match for a time: results and that they were posted, who
// came to a match, tickets and attempts that have ended, what is kept of a queue's latest hours, and what players must
// hear.
var endByThemselves = []string{
	"}:posted:", "}:rating:", ":ticket:", ":joined:", ":player:", "}:came", "}:settled", ":attempt:", "}:log", "}:seq", "}:leader", "}:waits", "}:made",
	"{player:",
}

func takeSample(t *testing.T, rdb redis.UniversalClient) (s sample) {
	t.Helper()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	s.heap, s.goroutines = float64(m.HeapAlloc), runtime.NumGoroutine()
	if list, err := os.ReadDir("/proc/self/fd"); err == nil { // else the system has no such folder
		s.files = len(list)
	}
	for _, key := range allKeys(t, rdb) {
		if isKept(key) {
			s.kept++
		} else {
			s.keys++
		}
	}
	return s
}

func isKept(key string) bool {
	if strings.HasSuffix(key, "}:result") {
		return true
	}
	for _, part := range endByThemselves {
		if strings.Contains(key, part) {
			return true
		}
	}
	return false
}

func allKeys(t *testing.T, rdb redis.UniversalClient) (keys []string) {
	t.Helper()
	seen := map[string]bool{}
	it := rdb.Scan(t.Context(), 0, "*", 1000).Iterator()
	for it.Next(t.Context()) {
		if !seen[it.Val()] {
			seen[it.Val()] = true
			keys = append(keys, it.Val())
		}
	}
	must(t, it.Err())
	return keys
}

// Rooms open and end, players join, play, drop, resume, leave, are replaced and end matches, all the time, against the
// whole server with a real Redis. What is held must not grow, and is given back when it is quiet.
func TestChurnOfRoomsAndSocketsLeavesNothing(t *testing.T) {
	store := testredis.Start(t)
	rdb := store.Connect()
	r := serve(t, []Game{churnGame}, "--redis", store.URL(), "--log-level", "error")
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d, %v", seed, *soakFor)
	counts := &churnCounts{}
	var all []*churner
	for n := range churners {
		all = append(all, newChurner(r, n, seed, churnGame.Schema(), counts))
	}
	for kind := range ends { // what is made once is made before the first look
		all[0].turn(soon(t), kind)
	}
	quiet := func() {
		for _, c := range all {
			c.close()
		}
		until(t, "no room runs", func() bool {
			return strings.Contains(r.ask("GET", "/metrics", "").body, "\nmuster_rooms 0\n")
		})
	}
	quiet()
	base := takeSample(t, rdb)
	t.Logf("before: %v", base)

	ctx, stop := context.WithTimeout(t.Context(), *soakFor)
	defer stop()
	var wg sync.WaitGroup
	for _, c := range all {
		wg.Go(func() {
			for ctx.Err() == nil {
				c.turn(ctx, c.rng.IntN(ends))
			}
		})
	}
	var heap []float64
	every := time.NewTicker(time.Second)
	defer every.Stop()
	for running := true; running; {
		select {
		case <-ctx.Done():
			running = false
		case <-every.C:
			s := takeSample(t, rdb)
			heap = append(heap, s.heap)
			if len(heap)%30 == 0 {
				t.Logf("%3d s: %v; %v", len(heap), s, counts)
			}
		}
	}
	wg.Wait()
	quiet()
	t.Logf("done: %v", counts)
	for _, err := range counts.errs {
		t.Errorf("a turn failed: %v", err)
	}

	var after sample
	deadline := time.Now().Add(75 * time.Second) // a room that nobody came to is forgotten after a minute
	for {
		after = takeSample(t, rdb)
		if after.goroutines <= base.goroutines && after.keys <= base.keys || time.Now().After(deadline) {
			break
		}
		<-every.C
	}
	t.Logf("after: %v", after)
	if after.goroutines > base.goroutines {
		buf := make([]byte, 1<<20)
		t.Errorf("%d goroutines, %d before:\n%s", after.goroutines, base.goroutines, buf[:runtime.Stack(buf, true)])
	}
	if after.files > base.files+spareFiles {
		t.Errorf("%d open files, %d before", after.files, base.files)
	}
	for _, key := range allKeys(t, rdb) {
		ttl, err := rdb.PTTL(t.Context(), key).Result()
		must(t, err)
		switch {
		case isKept(key) && ttl == forEver: // less than that: it has ended since it was listed
			t.Errorf("%s does not end by itself", key)
		case !isKept(key) && after.keys > base.keys:
			t.Errorf("left behind: %s", key)
		}
	}

	half := trendOf(heap[len(heap)/2:])
	t.Logf("heap in the second half: %v bytes", half)
	most := float64(mostSlopeShort)
	if *soakFor >= longSoak {
		most = mostSlope
	}
	if half.low > 0 && half.slope > most {
		t.Errorf("the heap grows: %v bytes", half)
	}
}
