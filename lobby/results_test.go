package lobby_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"muster/internal/testredis"
	"muster/lobby"
	"muster/match/cluster"
	"muster/proto"
)

func TestResultIsForThoseWhoPlayed(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		p := open(t, rdb, nil)
		defer p.Close()
		p.serve()
		room, at := cluster.NewID(), time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		r := proto.Result{
			Room: room, Game: "arena", Rules: "7", Epoch: 9, Tick: 600, Started: at, Ended: at.Add(time.Minute),
			Placements: []proto.Placement{{Seat: 2, Player: "bob", Rank: 1, Score: 12}, {Seat: 1, Player: "alice", Team: 3, Rank: 2, Score: -1}},
		}
		read := func(player, room string) answer {
			return p.send(request{method: "GET", path: "/v1/matches/" + room, token: p.player(player)})
		}
		none := wantProblem(t, read("alice", room), http.StatusNotFound, "")
		dir := cluster.NewDirectory(rdb, ns)
		must(t, dir.PostResult(t.Context(), r))
		until(t, "the result is stored", func() bool { return rdb.Exists(t.Context(), ns+":{match:"+room+"}:result").Val() == 1 })
		want1 := lobby.Result{
			Room: room, Game: "arena", Rules: "7", Tick: 600, Started: at, Ended: at.Add(time.Minute),
			Placements: []lobby.Placement{{Seat: 2, Player: "bob", Rank: 1, Score: 12}, {Seat: 1, Player: "alice", Team: 3, Rank: 2, Score: -1}},
		}
		for _, player := range []string{"alice", "bob"} {
			if diff := cmp.Diff(want1, want[lobby.Result](t, read(player, room), http.StatusOK)); diff != "" {
				t.Errorf("%s reads another result (-want +got):\n%s", player, diff)
			}
		}
		for name, a := range map[string]answer{"another player": read("mallory", room), "another match": read("alice", cluster.NewID())} {
			if got := wantProblem(t, a, http.StatusNotFound, ""); got.Detail != none.Detail {
				t.Errorf("%s: %q differs from %q", name, got.Detail, none.Detail)
			}
		}

		r.N, r.Placements = 1, nil // another effect of the same tick does not replace it
		must(t, dir.PostResult(t.Context(), r))
		until(t, "the outbox is empty", func() bool { return rdb.XLen(t.Context(), ns+":{outbox}:results").Val() == 0 })
		if got := read("alice", room); got.status != http.StatusOK {
			t.Errorf("the first result was replaced: %s", got.body)
		}
	})
}

func TestResultOfNobodyIsAnEmptyList(t *testing.T) {
	b, err := json.Marshal(lobby.Result{Placements: []lobby.Placement{}})
	if err != nil || !strings.Contains(string(b), `"placements":[]`) {
		t.Errorf("%s, %v", b, err)
	}
}

func TestResultIsKeptForADay(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		p := open(t, rdb, nil)
		room := cluster.NewID()
		must(t, cluster.NewDirectory(rdb, ns).PostResult(t.Context(), proto.Result{Room: room, Placements: []proto.Placement{{Player: "alice"}}}))
		time.Sleep(time.Second)
		p.Close() // an idle day of a lobby takes long even in virtual time
		key := ns + ":{match:" + room + "}:result"
		time.Sleep(24*time.Hour - time.Second)
		if n := rdb.Exists(t.Context(), key).Val(); n != 1 {
			t.Error("it is gone within a day")
		}
		time.Sleep(time.Second)
		if n := rdb.Exists(t.Context(), key).Val(); n != 0 {
			t.Error("it is there after a day")
		}
	})
}

// A result waits while it cannot be stored.
func TestResultSurvivesALobbyThatCannotStoreIt(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		var works atomic.Bool
		p := open(t, hurt(t, rdb, func(cmd redis.Cmder, next func() error) error {
			if cmd.Name() == "set" && !works.Load() {
				cmd.SetErr(redis.ErrClosed)
				return redis.ErrClosed
			}
			return next()
		}), nil)
		defer p.Close()
		room := cluster.NewID()
		must(t, cluster.NewDirectory(rdb, ns).PostResult(t.Context(), proto.Result{Room: room, Placements: []proto.Placement{{Player: "alice"}}}))
		time.Sleep(time.Minute)
		r := request{method: "GET", path: "/v1/matches/" + room, token: p.player("alice")}
		wantProblem(t, p.send(r), http.StatusNotFound, "")
		works.Store(true)
		time.Sleep(11 * time.Second)
		want[lobby.Result](t, p.send(r), http.StatusOK)
	})
}
