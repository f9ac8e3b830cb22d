package lobby_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/internal/testredis"
	"muster/lobby"
)

// post sends a POST of a player; a body that is "" is none.
func (p *place) post(player, path, body string) answer {
	p.t.Helper()
	return p.send(request{method: "POST", path: path, token: p.player(player), body: body})
}

func (p *place) get(player, path string) answer {
	p.t.Helper()
	return p.send(request{method: "GET", path: path, token: p.player(player)})
}

// wantNothing checks an answer without content.
func wantNothing(t *testing.T, a answer) {
	t.Helper()
	if a.status != http.StatusNoContent || len(a.body) > 0 {
		t.Errorf("status %d, want 204 and nothing: %s", a.status, a.body)
	}
}

// gather makes a party of players.
func (p *place) gather(players ...string) lobby.Party {
	p.t.Helper()
	party := want[lobby.Party](p.t, p.post(players[0], "/v1/parties", `{}`), 201)
	for _, who := range players[1:] {
		party = want[lobby.Party](p.t, p.post(who, "/v1/parties/join", `{"code":"`+party.Code+`"}`), 200)
	}
	return party
}

func players(p lobby.Party) (list []string) {
	for _, m := range p.Members {
		list = append(list, m.Player)
	}
	return list
}

func TestPlayersFormAPartyOverSeveralLobbies(t *testing.T) {
	rdb := testredis.Embedded(t)
	here, there := open(t, rdb, nil), open(t, rdb, nil)
	defer here.Close()
	defer there.Close()
	party := want[lobby.Party](t, here.post("alice", "/v1/parties", `{"max":4}`), 201)
	if party.Leader != "alice" || party.Max != 4 || len(party.Members) != 1 || len(party.Code) != 6 {
		t.Errorf("the new party is %+v", party)
	}
	at := "/v1/parties/" + party.ID
	wantNothing(t, there.post("alice", at+"/invite", `{"player":"bob"}`))
	want[lobby.Party](t, here.post("bob", at+"/join", ""), 200)
	want[lobby.Party](t, there.post("carol", "/v1/parties/join", `{"code":"`+strings.ToLower(party.Code)+`"}`), 200)
	if got := want[lobby.Party](t, here.post("bob", at+"/ready", `{"ready":true}`), 200); !got.Members[1].Ready {
		t.Errorf("bob is not ready: %+v", got)
	}
	if got := want[lobby.Party](t, there.post("alice", at+"/promote", `{"player":"carol"}`), 200); got.Leader != "carol" {
		t.Errorf("%s leads", got.Leader)
	}
	wantProblem(t, here.post("alice", at+"/kick", `{"player":"bob"}`), 403, "")
	renewed := want[lobby.Party](t, here.post("carol", at+"/code", ""), 200)
	wantProblem(t, here.post("dave", "/v1/parties/join", `{"code":"`+party.Code+`"}`), 404, "")
	wantNothing(t, here.post("carol", at+"/kick", `{"player":"bob"}`))
	wantProblem(t, here.post("carol", at+"/kick", `{"player":"bob"}`), 404, "")
	wantNothing(t, there.post("carol", at+"/leave", ""))
	got := want[lobby.Party](t, there.get("alice", "/v1/me/party"), 200)
	if got.Leader != "alice" || !slices.Equal(players(got), []string{"alice"}) || got.Code == renewed.Code {
		t.Errorf("in the end the party is %+v", got)
	}
	wantProblem(t, here.get("bob", "/v1/me/party"), 404, "")
}

func TestPartyIsCreatedOnceForAKey(t *testing.T) {
	rdb := testredis.Embedded(t)
	here, there := open(t, rdb, nil), open(t, rdb, nil)
	defer here.Close()
	defer there.Close()
	create := func(p *place, player, key, body string) answer {
		return p.send(request{
			method: "POST", path: "/v1/parties", token: p.player(player), body: body, header: http.Header{"Idempotency-Key": {key}},
		})
	}
	first := want[lobby.Party](t, create(here, "alice", "k", `{"max":4}`), 201)
	if again := want[lobby.Party](t, create(there, "alice", "k", `{"max":4}`), 201); fmt.Sprint(again) != fmt.Sprint(first) {
		t.Errorf("again: %+v, first: %+v", again, first)
	}
	wantProblem(t, create(there, "alice", "k", `{"max":5}`), 422, "header.Idempotency-Key")
	a := wantProblem(t, create(there, "alice", "other", `{"max":4}`), 409, "")
	if a.Errors[0].Value != first.ID {
		t.Errorf("the party that she is in is %v, want %s", a.Errors[0].Value, first.ID)
	}
	if bobs := want[lobby.Party](t, create(there, "bob", "k", `{"max":4}`), 201); bobs.ID == first.ID {
		t.Error("another player's key is the same party")
	}
}

// What a stranger asks of a party is answered as if there were none.
func TestAnothersPartyIsAsOneThatIsNot(t *testing.T) {
	p := open(t, testredis.Embedded(t), nil)
	defer p.Close()
	party := p.gather("alice", "bob")
	p.rdb.AddHook(counting{})
	p.post("mallory", "/v1/parties/"+party.ID+"/join", "") // scripts are loaded at their first use
	nobodys := strings.Repeat("a", 26)
	for _, c := range []struct{ method, path, body string }{
		{"GET", "", ""},
		{"POST", "/invite", `{"player":"carol"}`},
		{"POST", "/join", ""},
		{"POST", "/code", ""},
		{"POST", "/kick", `{"player":"alice"}`},
		{"POST", "/promote", `{"player":"alice"}`},
		{"POST", "/ready", `{"ready":true}`},
		{"POST", "/leave", ""},
	} {
		send := func(id string) (string, int) {
			commands := 0
			ctx := context.WithValue(t.Context(), counted{}, &commands)
			a := p.send(request{method: c.method, path: "/v1/parties/" + id + c.path, token: p.player("mallory"), body: c.body, context: ctx})
			wantProblem(t, a, 404, "")
			return string(a.body), commands
		}
		theirs, cost := send(party.ID)
		none, costOfNone := send(nobodys)
		if theirs != none || cost != costOfNone {
			t.Errorf("%s: of another's %s with %d commands, of none %s with %d", c.path, theirs, cost, none, costOfNone)
		}
	}
	if got := want[lobby.Party](t, p.get("alice", "/v1/me/party"), 200); got.Version != party.Version {
		t.Errorf("a stranger has changed it: %+v", got)
	}
}

// counting counts the commands that a request sends to Redis, for which it waits: the time that it takes. A connection that
// the pool had to open begins with a few of its own, which say nothing of the request.
type (
	counting struct{}
	counted  struct{}
)

func (counting) DialHook(next redis.DialHook) redis.DialHook { return next }

func (counting) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if n, ok := ctx.Value(counted{}).(*int); ok && !ofConnection(cmd) {
			*n++
		}
		return next(ctx, cmd)
	}
}

func (counting) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if n, ok := ctx.Value(counted{}).(*int); ok && !slices.ContainsFunc(cmds, ofConnection) {
			*n++
		}
		return next(ctx, cmds)
	}
}

func ofConnection(cmd redis.Cmder) bool { return cmd.Name() == "hello" || cmd.Name() == "client" }

func TestPartyBombsAreLimited(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		p := open(t, rdb, nil)
		defer p.Close()
		flood := func(send func(i int) answer) (passed int) {
			for i := range 60 {
				time.Sleep(100 * time.Millisecond) // within the requests that a player may make
				if a := send(i); a.status == http.StatusTooManyRequests {
					wantProblem(t, a, http.StatusTooManyRequests, "")
				} else {
					passed++
				}
			}
			return passed
		}
		formed := flood(func(int) answer {
			a := p.post("mallory", "/v1/parties", `{}`)
			if a.status == http.StatusCreated {
				wantNothing(t, p.post("mallory", "/v1/parties/"+want[lobby.Party](t, a, 201).ID+"/leave", ""))
			}
			return a
		})
		if formed < 10 || formed > 12 {
			t.Errorf("%d parties were formed in six seconds, want 10 and one for each further six seconds", formed)
		}
		time.Sleep(time.Minute)
		mine := p.gather("mallory")
		invited := flood(func(i int) answer {
			return p.post("mallory", "/v1/parties/"+mine.ID+"/invite", fmt.Sprintf(`{"player":"victim%d"}`, i))
		})
		if invited < 30 || invited > 34 {
			t.Errorf("%d invitations went out in six seconds, want 30 and one for each two seconds", invited)
		}
		toggled := flood(func(i int) answer { // each an event in every member's inbox, which keeps 256
			return p.post("mallory", "/v1/parties/"+mine.ID+"/ready", fmt.Sprintf(`{"ready":%v}`, i%2 == 0))
		})
		if toggled < 30 || toggled > 34 {
			t.Errorf("%d changes were made in six seconds, want 30 and one for each two seconds", toggled)
		}
		guessed := flood(func(i int) answer {
			return p.post("eve", "/v1/parties/join", fmt.Sprintf(`{"code":"BCDF%d%d"}`, 2+i%8, 2+i/8))
		})
		if guessed < 10 || guessed > 12 {
			t.Errorf("%d codes were tried in six seconds, want 10 and one for each further six seconds", guessed)
		}
	})
}

func TestPartiesRefuseWhatIsMalformed(t *testing.T) {
	p := open(t, testredis.Embedded(t), nil)
	defer p.Close()
	party := p.gather("alice")
	at := "/v1/parties/" + party.ID
	for i, c := range []struct {
		path, body string
		status     int
		field      string
	}{
		{"/v1/parties", `{"max":0}`, 422, "body.max"},
		{"/v1/parties", `{"max":33}`, 422, "body.max"},
		{"/v1/parties", `{"max":1.5}`, 422, "body.max"},
		{"/v1/parties", `{"max":4,"leader":"bob"}`, 422, "body.leader"},
		{"/v1/parties", ``, 400, ""},
		{at + "/invite", `{"player":""}`, 422, "body.player"},
		{at + "/invite", `{"player":"a\nb"}`, 422, "body.player"},
		{at + "/invite", `{"player":"a\u202eb"}`, 422, "body.player"},
		{at + "/invite", `{"player":"` + strings.Repeat("日", 22) + `"}`, 422, "body.player"},
		{at + "/invite", `{"player":"` + strings.Repeat("x", 9000) + `"}`, 413, ""},
		{at + "/invite", `{"player":"bob","name":"Bob"}`, 422, "body.name"},
		{at + "/kick", `{"player":["bob"]}`, 422, "body.player"},
		{at + "/ready", `{"ready":"yes"}`, 422, "body.ready"},
		{"/v1/parties/join", `{"code":"ABCDE0"}`, 422, "body.code"},
		{"/v1/parties/join", `{"code":"*"}`, 422, "body.code"},
		{"/v1/parties/" + strings.Repeat("A", 26) + "/ready", `{"ready":true}`, 422, "path.id"},
		{"/v1/parties/x%7D:record/leave", ``, 422, "path.id"},
	} {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			wantProblem(t, p.post("alice", c.path, c.body), c.status, c.field)
		})
	}
}
