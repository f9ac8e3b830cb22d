package chaos

import (
	"flag"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

var (
	amount   = flag.String("chaos", "little", "how much is broken: little, short, long or nginx")
	kind     = flag.String("redis", "single", "what is broken: a single Redis, a Redis cluster, or one behind sentinels")
	only     = flag.String("only", "", "the one scenario that is wanted")
	seedFlag = flag.Uint64("seed", 0, "of the tests' dice; 0 is another one each time")
)

// scenario is something that breaks while bots play. It has a deployment of its own.
type scenario struct {
	name  string
	nodes int
	rooms int    // with bots in them
	size  int    // players of a room
	game  string // that the bots play; "" is the one with a journal
	lines bool   // each server has a line of its own to Redis, where that is a single one
	of    string // the one kind of Redis for which it is; "" is all
	// replicas: a Cluster has one of each of its masters.
	replicas bool
	nginx    bool // before the servers
	ends     bool // it reckons up by itself
	// pause is what 99 of 100 pauses may take at whose end another host goes on; 0 is mostPause.
	pause time.Duration
	run   func(w *world)
}

// scenarios are what each amount of chaos consists of.
var scenarios = map[string][]scenario{
	"little": {
		{name: "a host is killed", nodes: 2, rooms: 4, size: 2, run: func(w *world) { w.killOne() }},
		{name: "a host is killed while a backend feeds its rooms", nodes: 2, rooms: 3, size: 2, run: (*world).feed},
	},
	"short": {{name: "a host is killed, Redis starts again and is away, a host is stopped", nodes: 3, rooms: 12, size: 4, pause: silence + mostPause, run: func(w *world) {
		w.killOne()
		w.restartRedis(0)
		w.restartRedis(6 * time.Second)
		w.stopFor(2 * lease)
	}}},
	"nginx": {{name: "nginx reloads", nodes: 3, rooms: 30, size: 10, nginx: true, run: (*world).reloads}},
	"long": {
		{name: "hosts are killed for two minutes", nodes: 3, rooms: 40, size: 10, run: func(w *world) { w.killFor(2*time.Minute, 10*time.Second) }},
		{name: "hosts with checkpoints are killed", nodes: 3, rooms: 12, size: 4, game: "slipping", run: func(w *world) { w.killFor(30*time.Second, 10*time.Second) }},
		{name: "hosts are stopped", nodes: 3, rooms: 12, size: 4, pause: silence + mostPause, run: func(w *world) {
			w.stopFor(lease)
			w.prove()
			w.stopFor(2 * lease)
			w.prove()
			w.stopFor(10 * lease)
		}},
		{name: "Redis is away for 30 seconds", nodes: 3, rooms: 20, size: 4, run: func(w *world) { w.restartRedis(30 * time.Second) }},
		{name: "a replica of Redis becomes the master", nodes: 3, rooms: 12, size: 4, of: "sentinel", run: (*world).promote},
		{name: "one Redis of three is away", nodes: 3, rooms: 12, size: 4, of: "cluster", run: func(w *world) { w.oneAway(4 * time.Second) }},
		{name: "replicas of a Cluster become masters", nodes: 3, rooms: 12, size: 4, of: "cluster", replicas: true, run: (*world).promoteEach},
		{name: "Redis is emptied", nodes: 3, rooms: 12, size: 4, run: (*world).emptyRedis},
		{name: "one server is cut off from Redis", nodes: 3, rooms: 12, size: 4, lines: true, of: "single", pause: 10 * time.Second, run: func(w *world) {
			w.cutOff()
			w.prove()
			w.blackHole()
		}},
		{name: "Redis is slow", nodes: 3, rooms: 12, size: 4, lines: true, of: "single", run: func(w *world) { w.slowRedis(500 * time.Millisecond) }},
		{name: "rules hang", nodes: 3, rooms: 9, size: 4, ends: true, run: (*world).hang},
		{name: "hosts are killed while matches end", nodes: 3, rooms: 24, size: 4, lines: true, ends: true, run: (*world).end},
		{name: "a host of matches without durability is killed", nodes: 3, rooms: 6, size: 3, game: "passing", ends: true, run: (*world).lose},
	},
}

const (
	// lease is the servers' default.
	lease = 1500 * time.Millisecond
	// mostPause is what 99 of 100 pauses may take at whose end another host goes on, where that is found at once.
	mostPause = 3 * time.Second
	// mostSlip is what a failover may take back on the screen: the time between two checkpoints, and what is on its way.
	mostSlip = checkpointEvery + 500*time.Millisecond
	// mostMissed is how many ticks a room may be short of its schedule: a busy machine stalls any process for a moment.
	mostMissed = 8
)

// world is what a scenario breaks.
type world struct {
	t     *testing.T
	store store
	rdb   redis.UniversalClient
	f     *fleet
	c     *crowd
	front *front // nil: there is none
	rng   *rand.Rand
	sc    scenario
}

// dice are a test's own, by a seed that it prints.
func dice(t testing.TB) *rand.Rand {
	seed := *seedFlag
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("-seed %d", seed)
	return rand.New(rand.NewPCG(seed, seed))
}

// Matches outlive servers that are killed or stopped, and a Redis that is away: nothing is lost that was durable or told.
func TestMatchesOutliveWhatBreaks(t *testing.T) {
	list, ok := scenarios[*amount]
	if !ok {
		t.Fatalf("-chaos %s: want one of %v", *amount, slices.Sorted(maps.Keys(scenarios)))
	}
	for _, sc := range list {
		if *only != "" && *only != sc.name || sc.of != "" && sc.of != *kind {
			continue
		}
		t.Run(sc.name, func(t *testing.T) {
			w := newWorld(t, sc)
			sc.run(w)
			if !sc.ends {
				w.reckon()
			}
		})
	}
}

func newWorld(t *testing.T, sc scenario) *world {
	st := startStore(t, sc.replicas)
	w := &world{t: t, store: st, rdb: st.Connect(), rng: dice(t), sc: sc}
	cfg := fleetConfig{nodes: sc.nodes, size: sc.size, redis: st.URL()}
	if sc.lines && *kind == "single" {
		cfg.lines = st.line()
	}
	if sc.nginx {
		cfg.args = append(cfg.args, "--trusted-proxy", "127.0.0.1")
	}
	w.f = startFleet(t, w.rdb, cfg)
	if sc.nginx {
		w.front = w.f.startNginx()
	}
	if w.sc.game == "" {
		w.sc.game = kept.Name()
	}
	w.c = w.f.gather(w.sc.game, sc.rooms, sc.size)
	w.c.play("at first", time.Now(), w.c.bots)
	t.Logf("%d servers, lease %v, %d rooms of %s with %d players each", sc.nodes, lease, sc.rooms, w.sc.game, sc.size)
	return w
}
