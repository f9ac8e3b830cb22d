package lobby_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/client"
	"muster/internal/testredis"
	"muster/lobby"
	"muster/proto/token"
)

// notify sends a notification as a service; a key that is "" is none.
func (p *place) notify(body, key string, roles ...string) answer {
	p.t.Helper()
	s, err := p.keys.SignPlayer(token.Player{ID: "backend", Roles: roles}, time.Hour)
	must(p.t, err)
	r := request{method: "POST", path: "/v1/notifications", token: s, body: body}
	if key != "" {
		r.header = http.Header{"Idempotency-Key": {key}}
	}
	return p.send(r)
}

func TestNotificationsWaitForPlayers(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		here, there := open(t, rdb, nil), open(t, rdb, nil)
		defer here.Close()
		defer there.Close()
		party := here.gather("alice", "bob")
		group := want[lobby.Group](t, here.post("carol", "/v1/groups", `{"title":"x"}`), 201)
		for i, c := range []struct {
			to  string
			got int
		}{
			{`"to":"player:alice"`, 1},
			{`"players":["alice","carol","dave"]`, 3},
			{`"to":"party:` + party.ID + `"`, 2},
			{`"to":"group:` + group.ID + `"`, 1},
			{`"to":"all"`, 0},
		} {
			time.Sleep(time.Millisecond)
			body := fmt.Sprintf(`{%s,"kind":"news","title":"n%d","body":"<b>line</b>\nline","data":{"x":[1,null]}}`, c.to, i)
			if got := want[lobby.Notified](t, here.notify(body, "", "service"), 202); got.To != c.got || got.ID == "" {
				t.Errorf("%s: %+v", c.to, got)
			}
		}
		time.Sleep(time.Minute) // nobody was there
		for player, wanted := range map[string]string{"alice": "n0 n1 n2 n4", "bob": "n2 n4", "carol": "n1 n3 n4", "dave": "n1 n4", "eve": "n4"} {
			var titles []string
			for _, e := range there.heard(player, "notification") {
				var n lobby.Notification
				must(t, json.Unmarshal([]byte(e), &n))
				titles = append(titles, n.Title)
				if n.Body != "<b>line</b>\nline" || string(n.Data) != `{"x":[1,null]}` || n.Kind != "news" || n.ID == "" {
					t.Errorf("%s hears %+v", player, n)
				}
			}
			if got := strings.Join(titles, " "); got != wanted {
				t.Errorf("%s has %s, want %s", player, got, wanted)
			}
		}
	})
}

func TestOnlyServicesMayNotify(t *testing.T) {
	p := open(t, testredis.Embedded(t), nil)
	defer p.Close()
	body := `{"to":"all","kind":"news","title":"x"}`
	wantProblem(t, p.notify(body, ""), 403, "")
	wantProblem(t, p.notify(body, "", "player", "administrator", "metrics"), 403, "")
	want[lobby.Notified](t, p.notify(body, "", "admin"), 202)
	want[lobby.Notified](t, p.notify(body, "", "x", "service"), 202)
	wantProblem(t, p.send(request{method: "POST", path: "/v1/notifications", body: body}), 401, "")
	if n := len(p.heard("alice", "notification")); n != 2 {
		t.Errorf("%d came", n)
	}
}

func TestNotificationComesOnceForAKey(t *testing.T) {
	p := open(t, testredis.Embedded(t), nil)
	defer p.Close()
	for _, to := range []string{"all", "player:alice"} {
		body := `{"to":"` + to + `","kind":"news","title":"x"}`
		first, again := want[lobby.Notified](t, p.notify(body, to, "service"), 202), want[lobby.Notified](t, p.notify(body, to, "service"), 202)
		if first != again {
			t.Errorf("%+v and %+v", first, again)
		}
		wantProblem(t, p.notify(`{"to":"`+to+`","kind":"news","title":"y"}`, to, "service"), 422, "header.Idempotency-Key")
	}
	if n := len(p.heard("alice", "notification")); n != 2 {
		t.Errorf("%d came, want one of each", n)
	}
}

func TestNotificationsRefuseWhatIsMalformed(t *testing.T) {
	p := open(t, testredis.Embedded(t), nil)
	defer p.Close()
	many := make([]string, 1001)
	for i := range many {
		many[i] = fmt.Sprintf("%q", fmt.Sprint("p", i))
	}
	for i, c := range []struct {
		body   string
		status int
		field  string
	}{
		{`{"kind":"news","title":"x"}`, 422, "body.to"},
		{`{"to":"all","players":["a"],"kind":"news","title":"x"}`, 422, "body.to"},
		{`{"to":"everybody","kind":"news","title":"x"}`, 422, "body.to"},
		{`{"to":"allx","kind":"news","title":"x"}`, 422, "body.to"},
		{`{"to":"player:a\nb","kind":"news","title":"x"}`, 422, "body.to"},
		{`{"players":[],"kind":"news","title":"x"}`, 422, "body.players"},
		{`{"players":["a","a\u202e"],"kind":"news","title":"x"}`, 422, "body.players"},
		{`{"players":[` + strings.Join(many, ",") + `],"kind":"news","title":"x"}`, 422, "body.players"},
		{`{"to":"all","kind":"News!","title":"x"}`, 422, "body.kind"},
		{`{"to":"all","kind":"news","title":"a\nb"}`, 422, "body.title"},
		{`{"to":"all","kind":"news","title":"` + strings.Repeat("x", 101) + `"}`, 422, "body.title"},
		{`{"to":"all","kind":"news","title":"x","body":"a\u0007"}`, 422, "body.body"},
		{`{"to":"all","kind":"news","title":"x","body":"` + strings.Repeat("x", 1001) + `"}`, 422, "body.body"},
		{`{"to":"all","kind":"news","title":"x","body":"` + strings.Repeat("<", 1000) + `"}`, 422, "body.body"},
		{`{"to":"all","kind":"news","title":"x","data":"` + strings.Repeat("x", 2048) + `"}`, 422, "body.data"},
		{`{"to":"all","kind":"news","title":"x","admin":true}`, 422, "body.admin"},
		{`{"to":"all","kind":"news","title":"x","data":"` + strings.Repeat("x", 200_000) + `"}`, 413, ""},
		{`{"to":"party:` + strings.Repeat("a", 26) + `","kind":"news","title":"x"}`, 404, ""},
		{`{"to":"group:x}:y","kind":"news","title":"x"}`, 404, ""},
	} {
		t.Run(fmt.Sprint(i), func(t *testing.T) { wantProblem(t, p.notify(c.body, "", "service"), c.status, c.field) })
	}
	if got := p.heard("alice", "notification"); len(got) != 0 {
		t.Errorf("alice heard %v", got)
	}
	want[lobby.Notified](t, p.notify(`{"players":[`+strings.Join(many[:1000], ",")+`],"kind":"news","title":"x"}`, "", "service"), 202)
}

func TestInboxIsWaitedFor(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		here, there := open(t, rdb, nil), open(t, rdb, nil)
		defer here.Close()
		defer there.Close()
		time.Sleep(time.Second) // the buses are connected
		after := ""
		for i, to := range []string{"player:alice", "all"} {
			began := time.Now()
			done := make(chan lobby.Events, 1)
			go func() { done <- want[lobby.Events](t, here.get("alice", "/v1/me/inbox?wait=30s&after="+after), 200) }()
			time.Sleep(3 * time.Second)
			want[lobby.Notified](t, there.notify(`{"to":"`+to+`","kind":"news","title":"x"}`, "", "service"), 202)
			got := <-done
			if len(got.Events) != 1 || got.Missed || time.Since(began) > 3500*time.Millisecond {
				t.Fatalf("%d: %+v after %v", i, got, time.Since(began))
			}
			after = got.Events[0].ID
		}
		began := time.Now()
		if got := want[lobby.Events](t, here.get("alice", "/v1/me/inbox?wait=10s&after="+after), 200); len(got.Events) != 0 || time.Since(began) != 10*time.Second {
			t.Errorf("%+v after %v", got, time.Since(began))
		}
		for _, q := range []string{"after=1-0", "after=x", "after=1-0/+", "limit=0", "limit=101", "wait=31s", "wait=soon"} {
			wantProblem(t, here.get("alice", "/v1/me/inbox?"+q), 422, "query."+strings.Split(q, "=")[0])
		}
	})
}

func TestNotificationForAllReachesOpenSockets(t *testing.T) {
	base := &place{rdb: testredis.Embedded(t)}
	here, there := openServed(t, base, nil), openServed(t, base, nil)
	alice, bob := here.listen("alice", ""), there.listen("bob", "")
	want[lobby.Notified](t, there.notify(`{"to":"all","kind":"news","title":"hello"}`, "", "service"), 202)
	for _, v := range []*client.Live{alice, bob} {
		if e := news(t, v, isEvent).Event; e.Kind != "notification" || !strings.Contains(string(e.Body), `"title":"hello"`) {
			t.Errorf("%s hears %+v: %s", v.Hello.Player, e, e.Body)
		}
	}
	_ = alice.Close()
	want[lobby.Notified](t, here.notify(`{"to":"player:alice","kind":"news","title":"own"}`, "", "service"), 202)
	want[lobby.Notified](t, here.notify(`{"to":"all","kind":"news","title":"again"}`, "", "service"), 202)
	again := there.listen("alice", alice.Last())
	for _, title := range []string{"own", "again"} {
		if e := news(t, again, isEvent).Event; !strings.Contains(string(e.Body), title) {
			t.Errorf("after coming back alice hears %s, want %s", e.Body, title)
		}
	}
}
