package lobby_test

import (
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/lobby"
	"muster/match/cluster"
	"muster/proto"
)

// A replay shows what its game hid, so it is for those who played, after the end, and where the game says so.
func TestReplayIsForThoseWhoPlayedAGameThatAllowsIt(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		p := open(t, rdb, func(c *lobby.Config) {
			c.Games = []lobby.Game{
				{Name: "arena", Rules: "7", Seats: 16, OpenReplays: true},
				{Name: "cards", Seats: 4},
				{Name: "docs", Seats: 4, Persist: true, OpenReplays: true},
			}
			c.ReplaysFor = time.Hour
			c.Replays = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "of "+r.PathValue("room")) })
		})
		defer p.Close()
		dir, rooms := cluster.NewDirectory(rdb, ns), map[string]string{}
		for name, r := range map[string]proto.Result{
			"recorded": {Game: "arena", Recorded: true}, "not recorded": {Game: "arena"},
			"not open": {Game: "cards", Recorded: true}, "goes on": {Game: "docs", Recorded: true},
		} {
			r.Room, r.Ended, r.Placements = cluster.NewID(), time.Now(), []proto.Placement{{Player: "alice"}}
			rooms[name] = r.Room
			must(t, dir.PostResult(t.Context(), r))
		}
		time.Sleep(time.Second)
		fetch := func(player, room string) answer { return p.me(player, "GET", "matches/"+room+"/replay", "") }
		links := func() (n int) {
			for _, m := range want[matches](t, p.me("alice", "GET", "me/matches", ""), 200).Matches {
				if m.Replay == "" {
					continue
				}
				if n++; m.Replay != "/v1/matches/"+rooms["recorded"]+"/replay" {
					t.Errorf("a link %s", m.Replay)
				}
			}
			return n
		}
		if n := links(); n != 1 {
			t.Errorf("%d links", n)
		}
		none := wantProblem(t, fetch("alice", cluster.NewID()), http.StatusNotFound, "")
		for name, room := range rooms {
			a := fetch("alice", room)
			if name == "recorded" {
				if a.status != http.StatusOK || string(a.body) != "of "+room {
					t.Errorf("%d %s", a.status, a.body)
				}
				a = fetch("mallory", room)
			}
			if got := wantProblem(t, a, http.StatusNotFound, ""); got.Detail != none.Detail {
				t.Errorf("%s: %q differs from %q", name, got.Detail, none.Detail)
			}
		}
		time.Sleep(time.Hour)
		wantProblem(t, fetch("alice", rooms["recorded"]), http.StatusNotFound, "")
		if n := links(); n != 0 {
			t.Errorf("%d links an hour later", n)
		}
	})
}
