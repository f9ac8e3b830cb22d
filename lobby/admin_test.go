package lobby_test

import (
	"maps"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"muster/internal/testredis"
	"muster/lobby"
	"muster/match/cluster"
	"muster/proto/token"
)

// operator asks as somebody with roles.
func (p *place) operator(method, path string, roles ...string) answer {
	p.t.Helper()
	s, err := p.keys.SignPlayer(token.Player{ID: "root", Roles: roles}, time.Hour)
	must(p.t, err)
	return p.send(request{method: method, path: path, token: s})
}

func (p *place) nodes() map[string]lobby.AdminNode {
	p.t.Helper()
	nodes := map[string]lobby.AdminNode{}
	for _, n := range want[lobby.AdminNodes](p.t, p.operator("GET", "/v1/admin/nodes", "admin"), 200).Nodes {
		nodes[n.ID] = n
	}
	return nodes
}

func TestOperatorsSeeEachServerWithItsLoadAndWhyItTakesNoRooms(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		p := open(t, rdb, nil)
		defer p.Close()
		load := cluster.Load{Tick: 0.25, Late: 0.01, Rooms: 4, Players: 9, Sockets: 12, Heap: 1 << 20, Limit: 1 << 30}
		defer join(t, rdb, cluster.Node{
			ID: "big", URL: "https://eu1.play.example", Role: cluster.RoleMatch, Region: "eu", Tags: map[string]string{"disk": "fast"}, Capacity: 200,
			Load: load, Peer: "http://10.0.0.1:80", Version: "v1.4.0", Began: 1_700_000_000_000,
		})()
		defer join(t, rdb, cluster.Node{ID: "full", URL: "http://10.0.0.2:80", Asked: true, Full: "its memory limit is near"})()
		defer join(t, rdb, cluster.Node{ID: "lobby", Role: cluster.RoleLobby})()
		defer join(t, rdb, cluster.Node{ID: "packed", Capacity: 2, Load: cluster.Load{Rooms: 2}})()
		got := p.nodes()
		for id, n := range got {
			if n.Lease <= 0 || n.Lease > 6000 {
				t.Errorf("the lease of %s lasts for %d ms", id, n.Lease)
			}
			n.Lease = 0
			got[id] = n
		}
		arena := map[string]string{"arena": "7"}
		if diff := cmp.Diff(map[string]lobby.AdminNode{
			"big": {
				ID: "big", URL: "https://eu1.play.example", Role: "match", Region: "eu", Tags: map[string]string{"disk": "fast"}, Capacity: 200,
				Peer: "http://10.0.0.1:80", Version: "v1.4.0", Began: new(time.UnixMilli(1_700_000_000_000).UTC()),
				Games: arena, Load: lobby.AdminLoad(load),
			},
			"full":  {ID: "full", Role: "all", Games: arena, Closed: "its memory limit is near"},
			"lobby": {ID: "lobby", Role: "lobby", Games: arena, Closed: "it is a lobby and runs no rooms"},
			"packed": {
				ID: "packed", Role: "all", Games: arena, Capacity: 2, Load: lobby.AdminLoad{Rooms: 2},
				Closed: "it has 2 rooms, 0 more are on the way, and its capacity is 2",
			},
		}, got); diff != "" {
			t.Errorf("the servers (-want +got):\n%s", diff)
		}
	})
}

func TestOperatorIsToldWhereARoomWouldGoAndWhyNotElsewhere(t *testing.T) {
	rdb := testredis.Embedded(t)
	p := open(t, rdb, nil)
	defer p.Close()
	eu := cluster.Node{ID: "busy", Region: "eu", Load: cluster.Load{Tick: 0.5, Rooms: 10}}
	defer join(t, rdb, eu)()
	eu.ID, eu.Load.Tick = "idle", 0.1
	defer join(t, rdb, eu)()
	eu.ID, eu.Full = "full", "it is full"
	defer join(t, rdb, eu)()
	defer join(t, rdb, cluster.Node{ID: "us", Region: "us", Tags: map[string]string{"disk": "fast"}})()
	ask := func(query string) lobby.AdminPlacement {
		t.Helper()
		return want[lobby.AdminPlacement](t, p.operator("GET", "/v1/admin/placement?"+query, "admin"), 200)
	}
	if diff := cmp.Diff(lobby.AdminPlacement{Rules: "7", Node: "idle", Nodes: []lobby.AdminVerdict{
		{ID: "busy", Score: 0.5, Drawn: true},
		{ID: "full", Score: 0.1, Why: "it is full"},
		{ID: "idle", Score: 0.1, Drawn: true, Chosen: true},
		{ID: "us", Why: "it is in region us"},
	}}, ask("game=arena&region=eu")); diff != "" {
		t.Errorf("in eu (-want +got):\n%s", diff)
	}
	if x := ask("game=arena&tag=disk=fast"); x.Node != "us" {
		t.Errorf("with tags it goes to %+v", x)
	}
	if x := ask("game=arena&region=mars"); x.Node != "" || x.Reason != "no server runs this game now" || len(x.Nodes) != 4 {
		t.Errorf("where there is none: %+v", x)
	}
	if x := ask("game=arena&region=us&tag=disk=slow"); x.Node != "" || x.Nodes[3].Why != "it lacks the tag disk=slow" ||
		x.Reason != "no server of this game has the tag disk=slow now" {
		t.Errorf("with other tags: %+v", x)
	}
	wantProblem(t, p.operator("GET", "/v1/admin/placement?game=chess", "admin"), http.StatusNotFound, "")
	wantProblem(t, p.operator("GET", "/v1/admin/placement", "admin"), http.StatusUnprocessableEntity, "query.game")
	wantProblem(t, p.operator("GET", "/v1/admin/placement?game=arena&tag=disk", "admin"), http.StatusUnprocessableEntity, "query.tag")
}

func TestServerThatDrainsGetsNoRoomsAndKeepsItsOwn(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		p := open(t, rdb, nil)
		defer p.Close()
		defer join(t, rdb, cluster.Node{ID: "n1"})()
		defer join(t, rdb, cluster.Node{ID: "n2"})()
		made := func(player string) lobby.MadeRoom {
			t.Helper()
			return want[lobby.MadeRoom](t, p.post(player, "/v1/rooms", `{"game":"arena","public":true}`), http.StatusCreated)
		}
		on := func(room string) string {
			t.Helper()
			rec, err := cluster.NewDirectory(rdb, ns).Room(t.Context(), room)
			must(t, err)
			return rec.Node
		}
		old := map[string]string{}
		for i := range 4 {
			room := made(string(rune('a' + i))).Room.ID
			old[on(room)] = room
		}
		if a := p.operator("POST", "/v1/admin/nodes/n1/drain", "admin"); a.status != http.StatusNoContent {
			t.Fatalf("draining: %d %s", a.status, a.body)
		}
		if n := p.nodes()["n1"]; !n.Draining || n.Closed != "it drains" {
			t.Errorf("the server is %+v", n)
		}
		for i := range 8 {
			if node := on(made(string(rune('e' + i))).Room.ID); node != "n2" {
				t.Errorf("a room was made on %s", node)
			}
		}
		want[lobby.Match](t, p.post("late", "/v1/rooms/"+old["n1"]+"/join", ""), http.StatusOK)
		if a := p.operator("POST", "/v1/admin/nodes/n2/drain", "admin"); a.status != http.StatusNoContent {
			t.Fatalf("draining the other: %d %s", a.status, a.body)
		}
		wantProblem(t, p.post("z", "/v1/rooms", `{"game":"arena"}`), http.StatusServiceUnavailable, "")
		for range 2 {
			if a := p.operator("DELETE", "/v1/admin/nodes/n1/drain", "admin"); a.status != http.StatusNoContent {
				t.Fatalf("no longer draining: %d %s", a.status, a.body)
			}
		}
		if node := on(made("z").Room.ID); node != "n1" {
			t.Errorf("a room was made on %s", node)
		}
		for _, method := range []string{"POST", "DELETE"} {
			wantProblem(t, p.operator(method, "/v1/admin/nodes/n9/drain", "admin"), http.StatusNotFound, "")
			wantProblem(t, p.operator(method, "/v1/admin/nodes/N_9/drain", "admin"), http.StatusUnprocessableEntity, "path.id")
		}
		var log []string
		for _, e := range p.logs.FilterMessage("audit").All() {
			m := e.ContextMap()
			log = append(log, m["what"].(string)+" "+m["node"].(string)+" by "+m["by"].(string))
		}
		if diff := cmp.Diff([]string{
			"a server drains n1 by root", "a server drains n2 by root", "a server drains no longer n1 by root", "a server drains no longer n1 by root",
		}, log); diff != "" {
			t.Errorf("the audit log (-want +got):\n%s", diff)
		}
	})
}

func TestOnlyOperatorsAreAnswered(t *testing.T) {
	rdb := testredis.Embedded(t)
	p := open(t, rdb, nil)
	defer p.Close()
	defer join(t, rdb, someNode)()
	routes := map[string]string{
		"/v1/admin/nodes": "GET", "/v1/admin/placement?game=arena": "GET", "/v1/admin/nodes/n1/drain": "POST", "/v1/admin/nodes/n1/drain?": "DELETE",
	}
	for path, method := range routes {
		wantProblem(t, p.send(request{method: method, path: path}), http.StatusUnauthorized, "")
		wantProblem(t, p.send(request{method: method, path: path, token: "x"}), http.StatusUnauthorized, "")
		wantProblem(t, p.operator(method, path, "player", "metrics", "service", "Admin"), http.StatusForbidden, "")
	}
	if n := p.nodes()["n1"]; n.Draining {
		t.Error("it drains since somebody said so who is no operator")
	}
	dev := open(t, rdb, func(c *lobby.Config) { c.OpenAdmin = true })
	defer dev.Close()
	for _, path := range slices.Sorted(maps.Keys(routes)) {
		if a := dev.send(request{method: routes[path], path: path}); a.status/100 != 2 {
			t.Errorf("in development %s %s: %d %s", routes[path], path, a.status, a.body)
		}
		wantProblem(t, dev.send(request{method: routes[path], path: path, token: "x"}), http.StatusUnauthorized, "")
	}
	if e := dev.logs.FilterMessage("audit").All(); len(e) != 2 || e[0].ContextMap()["by"] != "anybody" {
		t.Errorf("the audit log is %v", e)
	}
	wantProblem(t, dev.send(request{method: "GET", path: "/v1/me"}), http.StatusUnauthorized, "") // that is no operator's
}
