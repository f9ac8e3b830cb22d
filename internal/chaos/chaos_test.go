package chaos

import (
	"flag"
	"math/rand/v2"
	"testing"
	"time"

	"muster/internal/testredis"
)

var (
	which     = flag.String("chaos", "little", "how much is broken: little, short, long, cluster, nginx")
	nodesFlag = flag.Int("nodes", 3, "x")
	seedFlag  = flag.Uint64("seed", 0, "of the tests' dice; 0 is another one each time")
)

// dice are a test's own, by a seed that it prints.
func dice(t testing.TB) *rand.Rand {
	seed := *seedFlag
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("-seed %d", seed)
	return rand.New(rand.NewPCG(seed, seed))
}

// mostPause is what 99 of 100 pauses may take at whose end another host goes on.
const mostPause = 3 * time.Second

// Rooms whose host dies go on at another one, and nothing is lost that was durable or told.
func TestRoomsOutliveTheirHosts(t *testing.T) {
	store := testredis.Start(t)
	f := startFleet(t, store.Connect(), fleetConfig{nodes: *nodesFlag, size: 2, redis: store.URL()})
	c := f.gather(kept.Name(), 6, 2)
	c.play("at first", time.Now(), c.bots)
	c.killAndRestart(dice(t))
	s := c.reckon()
	if p := percentile(s.takenOver, 99); p > mostPause {
		t.Errorf("the 99th percentile of pauses is %v", p)
	}
}

// killAndRestart kills the server with most rooms, waits until all play on, and starts it again.
func (c *crowd) killAndRestart(rng *rand.Rand) {
	t := c.f.t
	t.Helper()
	rooms := c.rooms()
	host, n := c.f.busiest(rooms)
	pass(t, time.Duration(rng.IntN(500))*time.Millisecond)
	c.f.kill(host)
	killed := time.Now()
	t.Logf("server %d is killed with %d of %d rooms", host.n, n, len(rooms))
	if *nodesFlag == 1 {
		c.f.start(host)
	}
	c.play("after the kill", killed.Add(100*time.Millisecond), c.bots)
	t.Logf("all play on after %v", time.Since(killed).Round(10*time.Millisecond))
	if *nodesFlag > 1 {
		c.f.start(host)
	}
}
