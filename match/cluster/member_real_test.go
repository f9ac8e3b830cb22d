package cluster_test

import (
	"testing"
	"time"

	"go.uber.org/zap"

	"muster/internal/testredis"
	"muster/match/cluster"
)

// The same on a real server, in real time and with short leases: it is stopped for all, killed and started anew without its
// data, and one of two nodes leaves.
func TestMembersOutliveARealServersOutages(t *testing.T) {
	server := testredis.Start(t)
	n := newPeerNet()
	join := func(id string) *peer {
		return n.join(t, server.Connect(), id, func(cfg *cluster.MemberConfig) { cfg.Lease = 2 * time.Second })
	}
	a, b := join("a"), join("b")
	run := func(what string, d time.Duration) {
		t.Helper()
		for began := time.Now(); time.Since(began) < d; {
			until(t, what, func() bool { return a.runs() && b.runs() })
			if len(a.fences())+len(b.fences()) > 0 {
				t.Fatalf("%s: somebody was fenced: %q, %q", what, a.fences(), b.fences())
			}
		}
	}
	until(t, "both are steady", func() bool { return a.Steady() && b.Steady() })
	server.Pause()
	run("while Redis is stopped", 5*time.Second)
	server.Resume()
	until(t, "both hold their leases again", func() bool { return a.Steady() && b.Steady() })
	server.Kill()
	run("while Redis is gone", 4*time.Second)
	server.Restart()
	until(t, "both hear that Redis is another one", func() bool { return a.forgotten() && b.forgotten() })
	run("with an empty Redis", 2*time.Second)
	until(t, "both are steady again", func() bool { return a.Steady() && b.Steady() })
	if live, err := cluster.NewNodes(server.Connect(), ns, zap.NewNop()).Live(t.Context()); len(live) != 2 || err != nil {
		t.Errorf("live nodes: %v (%v)", live, err)
	}
	b.Leave(t.Context())
	until(t, "the other one hears that a node has left", func() bool { return a.heardOf("b") })
}

// A node is killed and started again at the same place while nobody else is there: whoever has its place knows that it is
// dead, and does not wait as a stranger does.
func TestNodeThatIsStartedAgainAtItsPlaceTakesOverAtOnce(t *testing.T) {
	server := testredis.Start(t)
	n := newPeerNet()
	at := func(cfg *cluster.MemberConfig) { cfg.Lease, cfg.Node.Place = 500*time.Millisecond, "here" }
	dead := n.join(t, server.Connect(), "dead", at)
	must(t, dead.rdb.Close()) // nothing that it does reaches Redis any more
	dead.setDeaf(true)
	began := time.Now()
	again := n.join(t, server.Connect(), "again", at)
	until(t, "the dead one is fenced", func() bool { return again.heardOf("dead") })
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
	dead.Leave(t.Context())
}
