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
		leave, err := n.Join(t.Context(), node, nil)
		must(t, err)
		leaveOther, err := n.Join(t.Context(), cluster.Node{ID: "n2"}, nil)
		must(t, err)
		nodes, err := n.Live(t.Context())
		must(t, err)
		if diff := cmp.Diff(map[string]cluster.Node{"n1": node, "n2": {ID: "n2"}}, nodes); diff != "" {
			t.Errorf("live nodes differ (-joined +live):\n%s", diff)
		}
		leave(t.Context())
		wantLive(t, "after one left", n, "n2")
		leaveOther(t.Context())
		wantLive(t, "after both left", n)
		if keys, err := rdb.DBSize(t.Context()).Result(); keys != 0 || err != nil {
			t.Errorf("%d keys are left (%v)", keys, err)
		}
	})
}

func TestNodeStaysLiveWhileItRenews(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		n := cluster.NewNodes(rdb, ns, zap.NewNop())
		leave, err := n.Join(t.Context(), cluster.Node{ID: "n1"}, nil)
		must(t, err)
		for range 100 {
			time.Sleep(1300 * time.Millisecond)
			wantLive(t, "while it renews", n, "n1")
		}
		leave(t.Context())
	})
}

func TestNodeThatDiedEndsByItselfAndIsSweptOut(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		dying, _ := rewired(t, rdb)
		leave, err := cluster.NewNodes(dying, ns, zap.NewNop()).Join(t.Context(), cluster.Node{ID: "dead"}, nil)
		must(t, err)
		n := cluster.NewNodes(rdb, ns, zap.NewNop())
		must(t, dying.Close()) // nothing that it does reaches Redis any more
		time.Sleep(6*time.Second - time.Millisecond)
		wantLive(t, "just before its registration ends", n, "dead")
		time.Sleep(time.Millisecond)
		wantLive(t, "when its registration has ended", n)

		leaveOther, err := n.Join(t.Context(), cluster.Node{ID: "n2"}, nil)
		must(t, err)
		if infos, err := rdb.HKeys(t.Context(), ns+":{nodes}:info").Result(); !slices.Equal(infos, []string{"n2"}) {
			t.Errorf("the register holds %q (%v), want only n2", infos, err)
		}
		leave(t.Context())
		leaveOther(t.Context())
	})
}

func TestNodeIsRegisteredAgainWhenRedisLostEverything(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		n := cluster.NewNodes(rdb, ns, zap.NewNop())
		leave, err := n.Join(t.Context(), cluster.Node{ID: "n1"}, nil)
		must(t, err)
		must(t, rdb.FlushAll(t.Context()).Err())
		wantLive(t, "with an empty Redis", n)
		time.Sleep(2*time.Second + time.Millisecond)
		wantLive(t, "after the next renewal", n, "n1")
		leave(t.Context())
	})
}

// A node of another release may say of itself what this one cannot read.
func TestNodeThatCannotBeReadDoesNotHideTheOthers(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		n := cluster.NewNodes(rdb, ns, zap.NewNop())
		for _, id := range []string{"n1", "n2"} {
			leave, err := n.Join(t.Context(), cluster.Node{ID: id}, nil)
			must(t, err)
			defer leave(t.Context())
		}
		must(t, rdb.HSet(t.Context(), ns+":{nodes}:info", "n1", `{"games": 7}`).Err())
		wantLive(t, "with a broken entry", n, "n2")
	})
}

func TestJoinFailsWithoutRedis(t *testing.T) {
	rdb := testredis.Embedded(t)
	must(t, rdb.Close())
	if leave, err := cluster.NewNodes(rdb, ns, zap.NewNop()).Join(t.Context(), cluster.Node{ID: "n1"}, nil); err == nil {
		leave(t.Context())
		t.Error("joined a Redis that is not there")
	}
}
