package lobby_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"muster/internal/testredis"
	"muster/lobby"
	"muster/match/cluster"
)

// act is an operator's.
func (p *place) act(path, body string) answer {
	p.t.Helper()
	return p.backend("root", "POST", path, body, "", "admin")
}

func (p *place) adminRooms(query string) lobby.AdminRooms {
	p.t.Helper()
	return want[lobby.AdminRooms](p.t, p.operator("GET", "/v1/admin/rooms"+query, "admin"), 200)
}

func TestOperatorsSeeAllRoomsThatSomebodyHasOpenedPageByPage(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		p := open(t, rdb, nil)
		defer p.Close()
		d := cluster.NewDirectory(rdb, ns)
		defer join(t, rdb, cluster.Node{ID: "n1"})()
		defer join(t, rdb, cluster.Node{ID: "n2"})()
		opened := map[string]string{} // by id, the node
		for i := range 25 {
			node, game := fmt.Sprint("n", i%2+1), "arena"
			if i%5 == 0 {
				game = "pair"
			}
			r, err := d.Create(t.Context(), cluster.NewRoom{
				Game: game, Rules: "7", Node: node, Seats: 4, Public: i%3 == 0, Owner: "alice", Code: "", Title: "t",
			})
			must(t, err)
			if i < 20 {
				must(t, d.Own(t.Context(), node, r.ID))
				must(t, d.Begin(t.Context(), r.ID, node, r.Epoch))
				opened[r.ID] = node
			}
		}
		gone, err := d.Create(t.Context(), cluster.NewRoom{Game: "arena", Rules: "7", Node: "dead", Seats: 4})
		must(t, err)
		must(t, d.Own(t.Context(), "dead", gone.ID))
		got, pages := map[string]string{}, 0
		for cursor := ""; ; pages++ {
			page := p.adminRooms("?limit=6&cursor=" + cursor)
			for _, r := range page.Rooms {
				if _, twice := got[r.ID]; twice || r.Seats != 4 || r.Title != "t" || r.Owner != "alice" || !r.Open {
					t.Errorf("on page %d: %+v", pages, r)
				}
				got[r.ID] = r.Node
			}
			if cursor = page.Next; cursor == "" {
				break
			}
		}
		if diff := cmp.Diff(opened, got); diff != "" || pages < 3 {
			t.Errorf("on %d pages (-want +got):\n%s", pages, diff)
		}
		if n := len(p.adminRooms("?game=pair").Rooms); n != 4 {
			t.Errorf("%d rooms of one game", n)
		}
		for _, r := range p.adminRooms("?node=n2&limit=100").Rooms {
			if opened[r.ID] != "n2" {
				t.Errorf("not on this server: %+v", r)
			}
		}
		if n := len(p.adminRooms("?node=n2&limit=100").Rooms); n != 10 {
			t.Errorf("%d rooms of one server", n)
		}
		if n := len(p.adminRooms("?game=chess").Rooms); n != 0 {
			t.Errorf("%d rooms of no game", n)
		}
		wantProblem(t, p.operator("GET", "/v1/admin/rooms?limit=1000", "admin"), 422, "query.limit")
		wantProblem(t, p.operator("GET", "/v1/admin/rooms?node=N_1", "admin"), 422, "query.node")
	})
}

func TestOperatorSeesWhoIsInARoomAndWhoIsComing(t *testing.T) {
	rdb := testredis.Embedded(t)
	p, d := ordering(t, rdb, isDone)
	defer p.Close()
	seats, err := d.dir.Reserve(t.Context(), d.room.ID, time.Minute, []cluster.Claim{{Player: "alice", Token: "t1"}, {Player: "bob", Token: "t2"}})
	must(t, err)
	must(t, take(d.dir, t.Context(), d.room.ID, seats.List[0], "alice", "t1"))
	got := want[lobby.AdminRoomDetail](t, p.operator("GET", "/v1/admin/rooms/"+d.room.ID, "admin"), 200)
	if got.Players != 2 || got.Free != 2 || !slices.Equal(got.Seated, []string{"alice"}) || !slices.Equal(got.Coming, []string{"bob"}) || got.Public || got.On["disk"] != "fast" {
		t.Errorf("the room: %+v", got)
	}
	wantProblem(t, p.operator("GET", "/v1/admin/rooms/none", "admin"), 404, "")
	wantProblem(t, p.operator("GET", "/v1/admin/rooms/a%20b", "admin"), 422, "path.id")

	told := want[lobby.Notified](t, p.act("/v1/admin/rooms/"+d.room.ID+"/announce", `{"title":"Soon","body":"The end"}`), 200)
	if notes := p.heard("alice", "notification"); told.To != 1 || len(notes) != 1 || !strings.Contains(notes[0], `"kind":"announcement","title":"Soon","body":"The end"`) {
		t.Errorf("%+v: she hears %v", told, notes)
	}
	if notes := p.heard("bob", "notification"); len(notes) != 0 {
		t.Errorf("who is not there yet hears %v", notes)
	}
	wantProblem(t, p.act("/v1/admin/rooms/none/announce", `{"title":"Soon"}`), 404, "")
	wantProblem(t, p.act("/v1/admin/rooms/"+d.room.ID+"/announce", `{"title":"a\nb"}`), 422, "body.title")
}

func TestOperatorsActsReachTheRoomAndTheAuditLog(t *testing.T) {
	rdb := testredis.Embedded(t)
	p, d := ordering(t, rdb, func(o *cluster.Order) cluster.Outcome {
		if o.Player == "nobody" {
			return cluster.Outcome{State: cluster.OrderAbsent, Why: "the player is not in the room"}
		}
		return cluster.Outcome{State: cluster.OrderDone}
	})
	defer p.Close()
	at := "/v1/admin/rooms/" + d.room.ID
	want[lobby.Ordered](t, p.act(at+"/kick", `{"player":"mallory","reason":"cheating"}`), 200)
	want[lobby.Ordered](t, p.act(at+"/end", `{"reason":"maintenance"}`), 200)
	wantProblem(t, p.act(at+"/kick", `{"player":"nobody","reason":"cheating"}`), 404, "")
	wantProblem(t, p.act(at+"/kick", `{"player":"x\u0007","reason":"cheating"}`), 422, "body.player")
	wantProblem(t, p.act(at+"/end", `{"reason":"a\nb"}`), 422, "body.reason")
	wantProblem(t, p.act(at+"/end", `{}`), 422, "body")
	wantProblem(t, p.act("/v1/admin/rooms/none/end", `{"reason":"x"}`), 404, "")
	if diff := cmp.Diff([]cluster.Order{
		{Kind: "kick", Player: "mallory", Text: "cheating"}, {Kind: "end", Text: "maintenance"}, {Kind: "kick", Player: "nobody", Text: "cheating"},
	}, d.orders()); diff != "" {
		t.Errorf("the room's host gets (-want +got):\n%s", diff)
	}
	var log []string
	for _, e := range p.logs.FilterMessage("audit").All() {
		text, _ := json.Marshal(e.ContextMap())
		log = append(log, strings.ReplaceAll(string(text), d.room.ID, "ROOM"))
	}
	if diff := cmp.Diff([]string{
		`{"by":"root","player":"mallory","reason":"cheating","room":"ROOM","what":"a player is kicked"}`,
		`{"by":"root","reason":"maintenance","room":"ROOM","what":"a room's match is ended"}`,
	}, log); diff != "" {
		t.Errorf("the audit log (-want +got):\n%s", diff)
	}
}

func TestOperatorLooksIntoARoomsState(t *testing.T) {
	rdb := testredis.Embedded(t)
	p, d := ordering(t, rdb, func(*cluster.Order) cluster.Outcome {
		return cluster.Outcome{State: cluster.OrderDone, Answer: []byte(
			`{"tick":7,"tables":[{"name":"Ships","single":false,"count":9,"rows":[{"id":65537,"fields":{"X":1.5,"Name":"<b>"}}]}]}`)}
	})
	defer p.Close()
	got := want[lobby.AdminRoomState](t, p.operator("GET", "/v1/admin/rooms/"+d.room.ID+"/state", "admin"), 200)
	if got.Tick != 7 || len(got.Tables) != 1 || got.Tables[0].Count != 9 || got.Tables[0].Rows[0].Fields["X"] != 1.5 {
		t.Errorf("the state: %+v", got)
	}
	if o := d.orders(); len(o) != 1 || o[0].Kind != "state" {
		t.Errorf("the room was asked %+v", o)
	}
	limited := 0
	for range 30 {
		if p.operator("GET", "/v1/admin/rooms/"+d.room.ID+"/state", "admin").status == http.StatusTooManyRequests {
			limited++
		}
	}
	if limited < 10 {
		t.Errorf("of 30 at once %d are refused", limited)
	}
}

func TestOnlyOperatorsSeeRoomsAndAct(t *testing.T) {
	rdb := testredis.Embedded(t)
	p, d := ordering(t, rdb, isDone)
	defer p.Close()
	at := "/v1/admin/rooms/" + d.room.ID
	for path, body := range map[string]string{
		"/v1/admin/rooms": "", at: "", at + "/state": "", at + "/end": `{"reason":"x"}`, at + "/kick": `{"player":"a","reason":"x"}`, at + "/announce": `{"title":"x"}`,
	} {
		method := "GET"
		if body != "" {
			method = "POST"
		}
		wantProblem(t, p.send(request{method: method, path: path, body: body}), 401, "")
		wantProblem(t, p.backend("alice", method, path, body, "", "player", "service", "Admin"), 403, "")
	}
	if len(d.orders()) != 0 || len(p.heard("alice", "notification")) != 0 {
		t.Errorf("the room was given %+v", d.orders())
	}
}

// Who may not ask is told that and nothing else, whatever else is wrong.
func TestWhoLacksTheRoleLearnsNothingOfWhatIsWrongWithTheRequest(t *testing.T) {
	p := open(t, testredis.Embedded(t), nil)
	defer p.Close()
	var doc struct {
		Paths map[string]map[string]struct {
			Tags        []string
			OperationID string
		}
	}
	must(t, json.Unmarshal(p.send(request{method: "GET", path: "/openapi.json"}).body, &doc))
	asked := 0
	for path, item := range doc.Paths {
		for method, op := range item {
			if !slices.Contains(op.Tags, "Operators") && op.OperationID != "publish-event" && op.OperationID != "notify-players" {
				continue
			}
			asked++
			path := strings.NewReplacer("{id}", "NO*ID").Replace(path) + "?no=1"
			body := ""
			if method == "post" {
				body = `{"no":`
			}
			wantProblem(t, p.backend("alice", strings.ToUpper(method), path, body, "", "player"), 403, "")
		}
	}
	if asked != 12 {
		t.Errorf("%d operations need a role, want 12", asked)
	}
}

// What may be done, or is to be, has its line, also where nobody heard what came of it.
func TestActOfWhichNothingIsHeardIsInTheAuditLog(t *testing.T) {
	rdb := testredis.Embedded(t)
	p, d := ordering(t, rdb, isDone)
	defer p.Close()
	lame := open(t, hurt(t, rdb, func(cmd redis.Cmder, next func() error) error {
		if cmd.Name() == "hgetall" && strings.Contains(fmt.Sprint(cmd.Args()...), "}:order:") {
			return errors.New("it is away")
		}
		return next()
	}), nil)
	defer lame.Close()
	at := "/v1/admin/rooms/" + d.room.ID
	for i, c := range []struct{ path, body, what string }{
		{at + "/kick", `{"player":"mallory","reason":"cheating"}`, "a player is kicked"}, {at + "/end", `{"reason":"maintenance"}`, "a room's match is ended"},
	} {
		if a := lame.act(c.path, c.body); a.status < 500 {
			t.Fatalf("%s: %d %s", c.what, a.status, a.body)
		}
		until(t, "the room has done it", func() bool { return len(d.orders()) == i+1 })
		log := lame.logs.FilterMessage("audit").All()
		if len(log) != i+1 || log[i].ContextMap()["what"] != c.what || log[i].ContextMap()["unsure"] != true {
			t.Errorf("the audit log has %+v", log)
		}
	}
	lame.act("/v1/admin/rooms/none/end", `{"reason":"x"}`)
	if log := lame.logs.FilterMessage("audit").All(); len(log) != 2 {
		t.Errorf("what was refused is in the audit log: %+v", log)
	}
}

func TestWhatIsAnnouncedToAllIsInTheAuditLog(t *testing.T) {
	p := open(t, testredis.Embedded(t), nil)
	defer p.Close()
	first := want[lobby.Notified](t, p.act("/v1/notifications", `{"to":"all","kind":"announcement","title":"Soon","body":"The end"}`), 202).ID
	second := want[lobby.Published](t, p.publish(`{"to":"all","event":{"kind":"x.news"}}`, "key"), 200).ID
	want[lobby.Published](t, p.publish(`{"to":"all","event":{"kind":"x.news"}}`, "key"), 200) // the same again, and its line says so
	var log []string
	for _, e := range p.logs.FilterMessage("audit").All() {
		text, _ := json.Marshal(e.ContextMap())
		log = append(log, strings.NewReplacer(first, "FIRST", second, "SECOND").Replace(string(text)))
	}
	if diff := cmp.Diff([]string{
		`{"by":"root","id":"FIRST","kind":"announcement","title":"Soon","what":"something is announced to all"}`,
		`{"by":"feed","id":"SECOND","kind":"x.news","what":"something is published to all"}`,
		`{"by":"feed","id":"SECOND","kind":"x.news","what":"something is published to all"}`,
	}, log); diff != "" {
		t.Errorf("the audit log (-want +got):\n%s", diff)
	}
}
