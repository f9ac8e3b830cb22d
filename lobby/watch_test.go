package lobby_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"muster/internal/testredis"
	"muster/lobby"
	"muster/lobby/queue"
	"muster/match/cluster"
)

// withShow declares a game that may be watched, a queue whose matches everyone may watch and which takes players later, and
// one whose matches nobody may.
func withShow(c *lobby.Config) {
	c.Games = []lobby.Game{{Name: "arena", Rules: "7", Seats: 8, Watch: true, Delay: 30e9}}
	c.Queues = []queue.Rules{
		{Name: "show", Game: "arena", Min: 2, TeamSize: 8, Backfill: true, Watch: true},
		{Name: "duel", Game: "arena", TeamSize: 2},
	}
}

// matched brings two players into a match of a queue, and returns its room.
func (p *place) matched(queue, a, b string) string {
	p.t.Helper()
	first, second := p.enqueue(a, queue), p.enqueue(b, queue)
	var rooms []string
	for player, t := range map[string]lobby.Ticket{a: first, b: second} {
		got := p.ticket(player, t.ID, "10s")
		if got.Match == nil {
			p.t.Fatalf("the ticket of %s is %+v", player, got)
		}
		seat := p.seat(got.Match)
		must(p.t, take(cluster.NewDirectory(p.rdb, ns), p.t.Context(), got.Match.Room, seat.Seat, player, seat.ID))
		rooms = append(rooms, got.Match.Room)
	}
	if rooms[0] != rooms[1] {
		p.t.Fatalf("they play in %q", rooms)
	}
	return rooms[0]
}

func TestMatchOfAQueueIsWatchedByEveryoneWhereTheQueueSaysSo(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		p := open(t, rdb, withShow)
		defer p.Close()
		defer join(t, rdb, someNode)()
		room := p.matched("show", "alice", "bob")
		list := p.rooms("walter", "game=arena")
		if len(list) != 1 || list[0].ID != room || !list[0].Watch || list[0].Delay != 30_000 || list[0].Free != 0 || list[0].Players != 2 ||
			list[0].Public || list[0].Queue != "show" || list[0].Code != "" {
			t.Fatalf("he finds %+v", list)
		}
		if list := p.rooms("walter", "game=arena&open_seats=1"); len(list) != 0 {
			t.Errorf("of rooms with a seat for him he finds %+v", list)
		}
		if got := want[lobby.RoomInfo](t, p.get("walter", "/v1/rooms/"+room), 200); got.ID != room || got.Free != 0 || got.Queue != "show" {
			t.Errorf("he reads %+v", got)
		}
		w := want[lobby.Match](t, p.post("walter", "/v1/rooms/"+room+"/spectate", ""), 200)
		if claims, err := p.keys.VerifyWatch(w.Token); err != nil || claims.Player != "walter" || claims.Room != room {
			t.Errorf("to watch he gets %+v with %+v, %v", w, claims, err)
		}
		for _, who := range []string{"walter", "alice"} { // who plays comes back by rejoin
			a := p.joinRoom(who, room)
			wantProblem(t, a, http.StatusForbidden, "")
			if !strings.Contains(string(a.body), "the queue show") || strings.Contains(string(a.body), "eyJ") {
				t.Errorf("%s joins with %s", who, a.body)
			}
			wantProblem(t, p.me(who, "PATCH", "rooms/"+room, `{"public":false}`), http.StatusNotFound, "")
			wantProblem(t, p.me(who, "DELETE", "rooms/"+room, ""), http.StatusNotFound, "")
		}
		want[lobby.Match](t, p.post("alice", "/v1/rooms/"+room+"/rejoin", ""), 200)
		must(t, cluster.NewDirectory(rdb, ns).CallOff(t.Context(), room)) // it ends
		if list := p.rooms("walter", "game=arena"); len(list) != 0 {
			t.Errorf("after its end he finds %+v", list)
		}
		wantProblem(t, p.post("walter", "/v1/rooms/"+room+"/spectate", ""), http.StatusNotFound, "")
	})
}

func TestMatchOfAnotherQueueIsNotThereForWhoDoesNotPlayInIt(t *testing.T) {
	p := open(t, testredis.Embedded(t), withShow)
	defer p.Close()
	defer join(t, p.rdb, someNode)()
	room := p.matched("duel", "alice", "bob")
	if list := p.rooms("walter", "game=arena"); len(list) != 0 {
		t.Errorf("he finds %+v", list)
	}
	for _, id := range []string{room, "x5n2rm7ksm6vqzcgq3nyzj4k5e"} { // as if there were none
		for _, path := range []string{"/join", "/spectate", "/rejoin"} {
			wantProblem(t, p.post("walter", "/v1/rooms/"+id+path, ""), http.StatusNotFound, "")
		}
		wantProblem(t, p.get("walter", "/v1/rooms/"+id), http.StatusNotFound, "")
	}
}

func TestWhoQueuesIsToldWhetherHisMatchMayBeWatched(t *testing.T) {
	p := open(t, testredis.Embedded(t), withShow)
	defer p.Close()
	queues := want[struct{ Queues []lobby.Queue }](t, p.get("alice", "/v1/queues"), 200)
	told := map[string]bool{}
	for _, q := range queues.Queues {
		told[q.Name] = q.Watch
	}
	if len(told) != 2 || !told["show"] || told["duel"] {
		t.Errorf("she is told %v", told)
	}
	// A match that was found keeps what the queue said then; the next has what it says now.
	defer join(t, p.rdb, someNode)()
	room := p.matched("show", "alice", "bob")
	must(t, p.SetQueues([]queue.Rules{{Name: "show", Game: "arena", TeamSize: 2}}))
	want[lobby.Match](t, p.post("walter", "/v1/rooms/"+room+"/spectate", ""), 200)
	next := p.matched("show", "carol", "dave")
	wantProblem(t, p.post("walter", "/v1/rooms/"+next+"/spectate", ""), http.StatusNotFound, "")
}
