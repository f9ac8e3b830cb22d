package lobby_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/internal/testredis"
	"muster/lobby"
	"muster/lobby/queue"
	"muster/match/cluster"
	"muster/proto/token"
)

// withRoles declares a game, with a queue, and one whose rooms have names, which are for the role staff.
func withRoles(c *lobby.Config) {
	c.Games = append(c.Games,
		lobby.Game{Name: "ops", Rules: "1", Seats: 4, Watch: true, Role: "staff"},
		lobby.Game{Name: "board", Rules: "1", Seats: 4, Persist: true, Role: "staff"})
	c.Queues = append(c.Queues, queue.Rules{Name: "ops", Game: "ops", Min: 1, TeamSize: 4, Backfill: true})
}

var rolesNode = cluster.Node{ID: "n1", URL: "http://n1.example", Games: map[string]string{"arena": "7", "ops": "1", "board": "1"}}

// as makes a request of a player with roles.
func (p *place) as(player, roles, method, path, body string) answer {
	p.t.Helper()
	s, err := p.keys.SignPlayer(token.Player{ID: player, Name: player, Roles: strings.Fields(roles)}, time.Hour)
	must(p.t, err)
	return p.send(request{method: method, path: path, token: s, body: body})
}

// wayIn is one way into a room, or to know of it.
type wayIn struct{ name, method, path, body string }

// waysIn are all the ways to a room of ops, and into board.
func waysIn(room made) []wayIn {
	id := "/v1/rooms/" + room.Room.ID
	return []wayIn{
		{"a ticket", "POST", "/v1/tickets", `{"queue":"ops"}`},
		{"a ticket with a party", "POST", "/v1/tickets", `{"queue":"ops","party":true}`},
		{"a room of one's own", "POST", "/v1/rooms", `{"game":"ops"}`},
		{"a name", "POST", "/v1/games/board/rooms/main/join", ""},
		{"an id", "POST", id + "/join", ""},
		{"a code", "POST", "/v1/codes/" + room.Room.Code + "/join", ""},
		{"a seat of before", "POST", id + "/rejoin", ""},
		{"watching", "POST", id + "/spectate", ""},
		{"reading", "GET", id, ""},
		{"the list", "GET", "/v1/rooms?game=ops", ""},
	}
}

// opsRoom makes a room of ops and takes its maker's seat. Each way has a maker of its own, as what a player asks is counted.
func (p *place) opsRoom(maker, roles string) made {
	p.t.Helper()
	m := want[made](p.t, p.as(maker, roles, "POST", "/v1/rooms", `{"game":"ops","public":true}`), 201)
	seat := p.seat(&m.Match)
	must(p.t, take(cluster.NewDirectory(p.rdb, ns), p.t.Context(), m.Room.ID, seat.Seat, maker, seat.ID))
	return m
}

func TestGameOfARoleIsForbiddenToOthersByEveryWay(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		p := open(t, rdb, withRoles)
		defer p.Close()
		defer join(t, rdb, rolesNode)()
		for i := range waysIn(made{}) {
			boss := fmt.Sprint("boss", i)
			way := waysIn(p.opsRoom(boss, "player staff"))[i]
			for _, roles := range []string{"", "player", "Staff admin moderator service"} {
				a := p.as(boss, roles, way.method, way.path, way.body) // who had the role: his seat is there
				if a.status != http.StatusForbidden || strings.Contains(string(a.body), "eyJ") {
					t.Errorf("by %s, with the roles %q: %d %s", way.name, roles, a.status, a.body)
					continue
				}
				wantProblem(t, a, http.StatusForbidden, "")
			}
			a := p.as(boss, "staff", way.method, way.path, way.body)
			if way.name == "a ticket with a party" { // whose others have shown nothing
				wantProblem(t, a, http.StatusForbidden, "")
			} else if a.status/100 != 2 {
				t.Errorf("by %s, with the role: %d %s", way.name, a.status, a.body)
			}
		}
	})
}

func TestRoomsAndQueuesOfAGameOfARoleAreNotOfferedToOthers(t *testing.T) {
	rdb := testredis.Embedded(t)
	p := open(t, rdb, withRoles)
	defer p.Close()
	defer join(t, rdb, rolesNode)()
	want[made](t, p.as("boss", "staff", "POST", "/v1/rooms", `{"game":"ops","public":true}`), 201)
	for roles, offered := range map[string]int{"": 0, "player admin": 0, "player staff": 1} {
		if list := want[lobby.RoomList](t, p.as("ann", roles, "GET", "/v1/rooms", ""), 200); len(list.Rooms) != offered {
			t.Errorf("with the roles %q rooms are listed: %+v", roles, list.Rooms)
		}
		a := p.as("ann", roles, "GET", "/v1/queues", "")
		if got := strings.Count(string(a.body), `"name":"ops"`); a.status != 200 || got != offered || !strings.Contains(string(a.body), `"name":"arena"`) {
			t.Errorf("with the roles %q the queues are %s", roles, a.body)
		}
	}
}

func TestTicketIsWorthNothingWithoutTheRoleThatItsGameAsksFor(t *testing.T) {
	rdb := testredis.Embedded(t)
	p := open(t, rdb, withRoles)
	defer p.Close()
	defer join(t, rdb, rolesNode)()
	made := want[lobby.Ticket](t, p.as("ann", "staff", "POST", "/v1/tickets", `{"queue":"ops"}`), 201)
	path := "/v1/tickets/" + made.ID
	if got := want[lobby.Ticket](t, p.as("ann", "staff", "GET", path+"?wait=10s", ""), 200); got.Match == nil {
		t.Fatalf("the ticket is %+v", got)
	}
	a := p.as("ann", "player", "GET", path, "")
	wantProblem(t, a, http.StatusForbidden, "")
	wantProblem(t, p.as("ann", "player", "DELETE", path, ""), http.StatusForbidden, "")
}

func TestDevelopmentAsksForNoRole(t *testing.T) {
	rdb := testredis.Embedded(t)
	p := open(t, rdb, func(c *lobby.Config) { withRoles(c); c.OpenAdmin = true })
	defer p.Close()
	defer join(t, rdb, rolesNode)()
	for i := range waysIn(made{}) {
		boss := fmt.Sprint("boss", i)
		way := waysIn(p.opsRoom(boss, ""))[i]
		p.gather(boss)
		if a := p.as(boss, "", way.method, way.path, way.body); a.status/100 != 2 {
			t.Errorf("by %s: %d %s", way.name, a.status, a.body)
		}
	}
}

func TestRoomOfAGameOfARoleIsOpenedWhereNoServerTakesRooms(t *testing.T) {
	rdb := testredis.Embedded(t)
	p := open(t, rdb, func(c *lobby.Config) { withRoles(c); withDocs(c) })
	defer p.Close()
	n := rolesNode
	n.Full, n.Games = "its rooms' ticks are late", map[string]string{"board": "1", "docs": "3"}
	defer join(t, rdb, n)()
	wantProblem(t, p.joinNamed("ann", "minutes"), http.StatusServiceUnavailable, "")
	want[lobby.Match](t, p.as("boss", "staff", "POST", "/v1/games/board/rooms/main/join", ""), 200)
}
