package cluster_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/redis/go-redis/v9"

	"muster/internal/testredis"
	"muster/match/cluster"
)

const (
	// lag is how many ticks a host may have run that its journal does not have.
	lag = 3
	// blameRuns is how many rooms each exploration plays.
	blameRuns = 25
	// mostHosts bounds what a room may cost before it must be over.
	mostHosts = 12
)

// culprit is a room, and why its hosts stop.
type culprit int

const (
	stuck    culprit = iota // its rules stop each host at the same tick
	resent                  // what a player sends again stops each host, once he is back
	innocent                // two of its hosts stop for reasons of their own soon after the claim, then none for a while
)

// blamed plays one room from host to host, as dice have it, and returns how many hosts stopped until it was over. Where it was
// not, over is false.
func blamed(t *testing.T, d *cluster.Directory, j *cluster.Journal, kind culprit, dice *rand.Rand) (hosts int, over bool) {
	t.Helper()
	ctx := t.Context()
	r := create(t, d, aRoom(1))
	must(t, checkpoint(t, j, r.ID, r.Epoch, 0, nil))
	must(t, d.Begin(ctx, r.ID, r.Node, r.Epoch))
	durable := uint32(0)
	runs := func(ticks uint32) {
		if ticks > 0 {
			must(t, put(t, j, r.ID, r.Epoch, durable+1, durable+ticks))
		}
		durable += ticks
	}
	runs(1 + dice.Uint32N(5))
	failing := durable + 1 + dice.Uint32N(lag) // which nobody gets past, where it is stuck
	for hosts = 1; hosts < mostHosts; hosts++ {
		blame := &cluster.Blame{Further: lag}
		if kind == innocent && dice.IntN(4) == 0 {
			blame = nil // this one was seen to stand still
		}
		what, now, err := d.Claim(ctx, r.ID, r.Node, fmt.Sprint("n", hosts+1), 0, blame)
		must(t, err)
		if what == cluster.ClaimedOver {
			return hosts, true
		}
		r = now
		must(t, d.Begin(ctx, r.ID, r.Node, r.Epoch))
		switch kind {
		case stuck: // its journal may have less than what it ran
			runs(dice.Uint32N(failing - durable))
		case resent:
			runs(lag + 1 + dice.Uint32N(5))
		case innocent:
			runs(lag + 1 + dice.Uint32N(5))
			if hosts%2 == 0 { // after the second the room has some time
				must(t, d.Renew(ctx, r.ID, r.Epoch, cluster.Alive{Past: true}))
			}
		}
	}
	return hosts, false
}

// explored plays rooms of each kind, until something is wrong with what became of one, and says what.
func explored(t *testing.T, limit func(*cluster.Directory)) (wrong []string) {
	rdb := testredis.Embedded(t)
	d, j := cluster.NewDirectory(rdb, ns), cluster.NewJournal(rdb, ns, cluster.JournalConfig{})
	limit(d)
	for seed := uint64(0); seed < blameRuns && wrong == nil; seed++ {
		for kind := stuck; kind <= innocent; kind++ {
			dice := rand.New(rand.NewPCG(seed, uint64(kind)))
			hosts, over := blamed(t, d, j, kind, dice)
			switch {
			case kind == innocent && over:
				wrong = append(wrong, fmt.Sprintf("seed %d: a room was over after %d hosts that had other reasons", seed, hosts))
			case kind == stuck && (!over || hosts > 2):
				wrong = append(wrong, fmt.Sprintf("seed %d: a room that stops each host at one tick has cost %d", seed, hosts))
			case kind == resent && (!over || hosts > 3):
				wrong = append(wrong, fmt.Sprintf("seed %d: a room that players stop has cost %d hosts", seed, hosts))
			}
		}
	}
	return wrong
}

// A room is to blame where two hosts in a row stop at the same tick, or three soon after they had it, whatever they did; not
// where two stop and it went on in between.
func TestRoomsThatStopTheirHostsEndAndOthersGoOn(t *testing.T) {
	for _, text := range explored(t, func(*cluster.Directory) {}) {
		t.Error(text)
	}
}

// With each of the limits taken out, or as they once were, the exploration finds what they are for.
func TestEachLimitOfBlameIsNeeded(t *testing.T) {
	for name, limit := range map[string]func(*cluster.Directory){
		"hosts that stop at one tick":       func(d *cluster.Directory) { d.Limit(100, 3) },
		"hosts that stop at all":            func(d *cluster.Directory) { d.Limit(2, 100) },
		"any two, though one got further":   func(d *cluster.Directory) { d.Limit(2, 2) },
		"none for what one host stopped at": func(d *cluster.Directory) { d.Limit(1, 3) },
	} {
		if len(explored(t, limit)) == 0 {
			t.Errorf("%s: nothing is found", name)
		}
	}
}

// The same on each kind of Redis: what the script looks at is of one slot.
func TestAHostThatGotFurtherCountsAnew(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		d, j := cluster.NewDirectory(rdb, ns), cluster.NewJournal(rdb, ns, cluster.JournalConfig{})
		if hosts, over := blamed(t, d, j, innocent, rand.New(rand.NewPCG(1, 1))); over {
			t.Errorf("it was over after %d hosts", hosts)
		}
		if hosts, over := blamed(t, d, j, stuck, rand.New(rand.NewPCG(1, 1))); !over || hosts != 2 {
			t.Errorf("a room that is stuck: %v after %d hosts", over, hosts)
		}
	})
}
