package cluster_test

import (
	"errors"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/zap"

	"muster/internal/testredis"
	"muster/match/cluster"
)

func TestNodeDrainsUntilItMayTakeRoomsAgainWhateverItsID(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		n := cluster.NewNodes(rdb, ns, zap.NewNop())
		join := func(node cluster.Node) func() {
			node.Games = map[string]string{"arena": "7"}
			m, err := n.Join(t.Context(), cluster.MemberConfig{Node: node})
			must(t, err)
			return func() { m.Leave(t.Context()) }
		}
		one := cluster.Node{ID: "n1", Process: "p1"}
		leave := join(one)
		defer join(cluster.Node{ID: "old"})()
		wantDraining := func(when string, want ...string) {
			t.Helper()
			live, err := n.Live(t.Context())
			must(t, err)
			drains := map[string]bool{}
			for _, id := range want {
				drains[id] = true
			}
			for id, node := range live {
				itself, err := n.Drains(t.Context(), node)
				must(t, err)
				if node.Draining != drains[id] || itself != drains[id] {
					t.Errorf("%s: node %s drains: %v, %v for itself", when, id, node.Draining, itself)
				}
			}
		}
		wantDraining("at first")
		must(t, n.Drain(t.Context(), "n1", "root"))
		must(t, n.Drain(t.Context(), "n1", "root"))
		wantDraining("one", "n1")
		must(t, n.Drain(t.Context(), "old", "root"))
		wantDraining("both", "n1", "old")
		live, err := n.Live(t.Context())
		must(t, err)
		if _, err := cluster.NewPlacer(nil).Place(live, arenaWant); !errors.Is(err, cluster.ErrCrowded) {
			t.Errorf("a room was placed where all drain: %v", err)
		}
		must(t, n.Undrain(t.Context(), "old"))
		leave()
		one.ID = "n2" // its process has another id by now
		leave = join(one)
		wantDraining("under another id", "n2")
		must(t, n.Undrain(t.Context(), "n2"))
		must(t, n.Undrain(t.Context(), "n2"))
		wantDraining("no longer")
		must(t, n.Drain(t.Context(), "n2", "root"))
		must(t, n.Drained(t.Context(), one))
		wantDraining("at its end")
		for what, err := range map[string]error{"draining": n.Drain(t.Context(), "n1", "root"), "the end of it": n.Undrain(t.Context(), "n1")} {
			if !errors.Is(err, cluster.ErrNoSuchNode) {
				t.Errorf("%s of a node that is gone: %v", what, err)
			}
		}
		leave()
	})
}

func TestProcessesThatDrainedAndDiedAreForgottenADayLater(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		n := cluster.NewNodes(rdb, ns, zap.NewNop())
		m, err := n.Join(t.Context(), cluster.MemberConfig{Node: cluster.Node{ID: "n1"}})
		must(t, err)
		must(t, n.Drain(t.Context(), "n1", "root"))
		m.Leave(t.Context())
		for _, step := range []struct {
			after time.Duration
			keys  int64
		}{{0, 2}, {24*time.Hour - time.Millisecond, 2}, {time.Millisecond, 1}} {
			time.Sleep(step.after)
			m, err := n.Join(t.Context(), cluster.MemberConfig{Node: cluster.Node{}})
			must(t, err)
			must(t, n.Drain(t.Context(), m.ID(), "root"))
			if keys, err := rdb.HLen(t.Context(), ns+":{nodes}:draining").Result(); keys != step.keys || err != nil {
				t.Errorf("%v later %d are remembered (%v), want %d", step.after, keys, err, step.keys)
			}
			must(t, n.Undrain(t.Context(), m.ID()))
			m.Leave(t.Context())
		}
	})
}
