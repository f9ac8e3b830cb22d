package cluster_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"
	"go.uber.org/zap"

	"muster/internal/testredis"
	"muster/match/cluster"
)

func live(t *testing.T, n *cluster.Nodes) []string {
	t.Helper()
	nodes, err := n.Live(t.Context())
	must(t, err)
	return slices.Sorted(maps.Keys(nodes))
}

func wantLive(t *testing.T, when string, n *cluster.Nodes, want ...string) {
	t.Helper()
	if got := live(t, n); !slices.Equal(got, want) {
		t.Errorf("%s: live nodes are %q, want %q", when, got, want)
	}
}

func TestNodeIsLiveFromJoinToLeave(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		n := cluster.NewNodes(rdb, ns, zap.NewNop())
		wantLive(t, "before", n)
		node := cluster.Node{ID: "n1", URL: "http://10.0.0.1:8080", Asked: true, Games: map[string]string{"arena": "7"}}
		member, err := n.Join(t.Context(), cluster.MemberConfig{Node: node})
		must(t, err)
		other, err := n.Join(t.Context(), cluster.MemberConfig{Node: cluster.Node{ID: "n2"}})
		must(t, err)
		nodes, err := n.Live(t.Context())
		must(t, err)
		if diff := cmp.Diff(map[string]cluster.Node{"n1": node, "n2": {ID: "n2"}}, nodes); diff != "" {
			t.Errorf("live nodes differ (-joined +live):\n%s", diff)
		}
		member.Leave(t.Context())
		wantLive(t, "after one left", n, "n2")
		other.Leave(t.Context())
		wantLive(t, "after both left", n)
		if keys, err := rdb.Keys(t.Context(), "*").Result(); !slices.Equal(keys, []string{ns + ":{nodes}:fenced"}) || err != nil {
			t.Errorf("%q are left (%v), want only who has been here", keys, err)
		}
	})
}

func TestNodeStaysLiveWhileItRenews(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		n := cluster.NewNodes(rdb, ns, zap.NewNop())
		member, err := n.Join(t.Context(), cluster.MemberConfig{Node: cluster.Node{ID: "n1"}})
		must(t, err)
		for range 100 {
			time.Sleep(1300 * time.Millisecond)
			wantLive(t, "while it renews", n, "n1")
		}
		member.Leave(t.Context())
	})
}

func TestNodeThatDiedEndsByItselfAndIsSweptOut(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		dying, _ := rewired(t, rdb)
		member, err := cluster.NewNodes(dying, ns, zap.NewNop()).Join(t.Context(), cluster.MemberConfig{Node: cluster.Node{ID: "dead"}})
		must(t, err)
		n := cluster.NewNodes(rdb, ns, zap.NewNop())
		must(t, dying.Close()) // nothing that it does reaches Redis any more
		time.Sleep(1500*time.Millisecond - time.Millisecond)
		wantLive(t, "just before its lease ends", n, "dead")
		time.Sleep(time.Millisecond)
		wantLive(t, "when its lease has ended", n)

		other, err := n.Join(t.Context(), cluster.MemberConfig{Node: cluster.Node{ID: "n2"}})
		must(t, err)
		time.Sleep(9 * time.Second)
		wantInfos := func(when string, want ...string) {
			t.Helper()
			if infos, err := rdb.HKeys(t.Context(), ns+":{nodes}:info").Result(); !slices.Equal(infos, want) {
				t.Errorf("%s the register holds %q (%v), want %q", when, infos, err, want)
			}
		}
		wantInfos("while its lease may be renewed", "dead", "n2")
		time.Sleep(2 * time.Second) // the one who came after its death has waited as a stranger does
		wantInfos("when it was fenced", "n2")
		member.Leave(t.Context())
		other.Leave(t.Context())
	})
}

func TestNodeIsRegisteredAgainWhenRedisLostEverything(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		n := cluster.NewNodes(rdb, ns, zap.NewNop())
		member, err := n.Join(t.Context(), cluster.MemberConfig{Node: cluster.Node{ID: "n1"}})
		must(t, err)
		must(t, rdb.FlushAll(t.Context()).Err())
		wantLive(t, "with an empty Redis", n)
		time.Sleep(301 * time.Millisecond)
		wantLive(t, "after the next renewal", n, "n1")
		member.Leave(t.Context())
	})
}

// A node of another release may say of itself what this one cannot read.
func TestNodeThatCannotBeReadDoesNotHideTheOthers(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		n := cluster.NewNodes(rdb, ns, zap.NewNop())
		for _, id := range []string{"n1", "n2"} {
			member, err := n.Join(t.Context(), cluster.MemberConfig{Node: cluster.Node{ID: id}})
			must(t, err)
			member.Leave(t.Context()) // which ends its renewals
			must(t, rdb.ZAdd(t.Context(), ns+":{nodes}:live", redis.Z{Score: 1e15, Member: id}).Err())
			must(t, rdb.HSet(t.Context(), ns+":{nodes}:info", id, `{"id":"`+id+`"}`).Err())
		}
		must(t, rdb.HSet(t.Context(), ns+":{nodes}:info", "n1", `{"games": 7}`).Err())
		wantLive(t, "with a broken entry", n, "n2")
	})
}

func TestJoinFailsWithoutRedis(t *testing.T) {
	rdb := testredis.Embedded(t)
	must(t, rdb.Close())
	if member, err := cluster.NewNodes(rdb, ns, zap.NewNop()).Join(t.Context(), cluster.MemberConfig{Node: cluster.Node{ID: "n1"}}); err == nil {
		member.Leave(t.Context())
		t.Error("joined a Redis that is not there")
	}
}

// As on a machine that is busy while everything on it starts.
func TestJoinIsTriedAgainWhereRedisDidNotAnswerInTime(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		hurt, wires := rewired(t, rdb)
		defer func() { _ = hurt.Close() }()
		must(t, hurt.Ping(t.Context()).Err())
		wires.swallowAll(true)
		go func() {
			time.Sleep(2500 * time.Millisecond)
			wires.swallowAll(false)
		}()
		member, err := cluster.NewNodes(hurt, ns, zap.NewNop()).Join(t.Context(), cluster.MemberConfig{Node: cluster.Node{ID: "n1"}})
		must(t, err)
		wantLive(t, "after the line came back", cluster.NewNodes(rdb, ns, zap.NewNop()), "n1")
		member.Leave(t.Context())

		wires.swallowAll(true)
		began := time.Now()
		member, err = cluster.NewNodes(hurt, ns, zap.NewNop()).Join(t.Context(), cluster.MemberConfig{Node: cluster.Node{ID: "n2"}})
		if took := time.Since(began); err == nil || took > 10*time.Second {
			t.Errorf("where nothing answers: %v, %v after %v", member, err, took)
		}
	})
}
