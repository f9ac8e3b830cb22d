package lobby_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"muster/client"
	"muster/internal/testredis"
	"muster/lobby"
	"muster/match/cluster"
	"muster/proto/token"
)

// backend asks as a backend of that name; a key that is "" is none.
func (p *place) backend(name, method, path, body, key string, roles ...string) answer {
	p.t.Helper()
	s, err := p.keys.SignPlayer(token.Player{ID: name, Roles: roles}, time.Hour)
	must(p.t, err)
	r := request{method: method, path: path, token: s, body: body}
	if key != "" {
		r.header = http.Header{"Idempotency-Key": {key}}
	}
	return p.send(r)
}

func (p *place) publish(body, key string) answer {
	p.t.Helper()
	return p.backend("feed", "POST", "/v1/publish", body, key, "service")
}

// doer is a host as far as orders go: it answers each, when the lobby says that some wait.
type doer struct {
	dir    *cluster.Directory
	room   cluster.Room
	answer func(o *cluster.Order) cluster.Outcome

	mu   sync.Mutex
	seen []cluster.Order
}

// ordering makes a room that is open, and a lobby that a doer listens to.
func ordering(t *testing.T, rdb redis.UniversalClient, answer func(o *cluster.Order) cluster.Outcome) (*place, *doer) {
	t.Helper()
	d := &doer{dir: cluster.NewDirectory(rdb, ns), answer: answer}
	p := open(t, rdb, func(c *lobby.Config) { c.Ordered = d.ordered })
	var err error
	d.room, err = d.dir.Create(t.Context(), cluster.NewRoom{Game: "arena", Rules: "7", Node: "n1", Seats: 4, On: map[string]string{"disk": "fast"}})
	must(t, err)
	must(t, d.dir.Own(t.Context(), "n1", d.room.ID))
	must(t, d.dir.Begin(t.Context(), d.room.ID, "n1", d.room.Epoch))
	until(t, "the lobby hears notices", func() bool { return p.Ready(t.Context()) == "" })
	return p, d
}

func (d *doer) ordered(room string) {
	ctx := context.Background()
	list, err := d.dir.Orders(ctx, room, "", 64)
	if err != nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range list {
		if d.answer == nil {
			return
		}
		d.seen = append(d.seen, list[i])
		_ = d.dir.OrdersDone(ctx, room, d.room.Epoch, []cluster.Done{{ID: list[i].ID, Place: list[i].Place, Outcome: d.answer(&list[i])}})
	}
}

// orders are those that were seen, without what differs from run to run.
func (d *doer) orders() (list []cluster.Order) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, o := range d.seen {
		o.ID, o.Place = "", ""
		list = append(list, o)
	}
	return list
}

func isDone(*cluster.Order) cluster.Outcome { return cluster.Outcome{State: cluster.OrderDone} }

func TestBackendPublishesIntoARoom(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		p, d := ordering(t, rdb, isDone)
		defer p.Close()
		for _, body := range []string{
			`"input":{"Score":3}`, `"event":{"type":"Hit","fields":{"By":1}}`, `"event":{"type":"Hit","player":"alice"}`, `"event":{"type":"Hit","team":2}`,
		} {
			got := want[lobby.Published](t, p.publish(`{"to":"room:`+d.room.ID+`",`+body+`}`, ""), 200)
			if got.State != "done" || got.ID == "" || got.To != 0 {
				t.Errorf("%s: %+v", body, got)
			}
		}
		if diff := cmp.Diff([]cluster.Order{
			{Kind: "input", Body: []byte(`{"Score":3}`)},
			{Kind: "event", Event: "Hit", Body: []byte(`{"By":1}`)},
			{Kind: "event", Event: "Hit", Player: "alice"},
			{Kind: "event", Event: "Hit", Team: 2},
		}, d.orders()); diff != "" {
			t.Errorf("the room's host gets (-want +got):\n%s", diff)
		}
	})
}

func TestPublishedWithAKeyItIsDoneOnceAndAnsweredTheSame(t *testing.T) {
	rdb := testredis.Embedded(t)
	p, d := ordering(t, rdb, isDone)
	defer p.Close()
	other := open(t, rdb, nil) // another lobby
	defer other.Close()
	body := `{"to":"room:` + d.room.ID + `","input":{"Score":3}}`
	first := want[lobby.Published](t, p.publish(body, "k1"), 200)
	if again := want[lobby.Published](t, other.publish(body, "k1"), 200); again != first || len(d.orders()) != 1 {
		t.Errorf("%+v, and again %+v; %d orders", first, again, len(d.orders()))
	}
	wantProblem(t, p.publish(strings.Replace(body, ":3}", ":4}", 1), "k1"), 422, "header.Idempotency-Key")
	if a := p.backend("other", "POST", "/v1/publish", body, "k1", "service"); a.status != 200 || len(d.orders()) != 2 {
		t.Errorf("the same key of another backend: %d, %d orders", a.status, len(d.orders()))
	}
}

func TestWhatARoomSaysOfAnOrderIsTheAnswer(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		var outcome cluster.Outcome
		p, d := ordering(t, rdb, func(*cluster.Order) cluster.Outcome { return outcome })
		defer p.Close()
		body := `{"to":"room:` + d.room.ID + `","input":{"Score":3}}`
		outcome = cluster.Outcome{State: cluster.OrderRefused, Why: `field Score: expected 0 to 2`}
		if e := wantProblem(t, p.publish(body, ""), 422, ""); e.Detail != outcome.Why {
			t.Errorf("refused as %+v", e)
		}
		outcome = cluster.Outcome{State: cluster.OrderAbsent, Why: "the player is not in the room"}
		wantProblem(t, p.publish(body, ""), 404, "")
		d.answer = nil // it has no time
		began := time.Now()
		got := want[lobby.Published](t, p.publish(body, "k"), 202)
		if took := time.Since(began); got.State != "waiting" || took < 2*time.Second || took > 4*time.Second {
			t.Errorf("of a room that does not answer: %+v after %s", got, took)
		}
		must(t, d.dir.EndRoom(t.Context(), d.room.ID, d.room.Epoch))
		wantProblem(t, p.publish(body, "k"), 409, "") // it never was done
		wantProblem(t, p.publish(body, ""), 404, "")
		wantProblem(t, p.publish(strings.Replace(body, d.room.ID, "none", 1), ""), 404, "")
		fresh, err := d.dir.Create(t.Context(), cluster.NewRoom{Game: "arena", Rules: "7", Node: "n1", Seats: 4, On: map[string]string{"disk": "fast"}})
		must(t, err)
		wantProblem(t, p.publish(strings.Replace(body, d.room.ID, fresh.ID, 1), ""), 409, "") // nobody came yet
	})
}

func isPublished(n client.LiveNews) bool { return n.Published != nil }

func TestBackendPublishesToPlayersWhoAreThere(t *testing.T) {
	base := &place{rdb: testredis.Embedded(t)}
	here, there := openServed(t, base, nil), openServed(t, base, nil)
	party := here.gather("alice", "bob")
	sockets := map[string]*client.Live{"alice": there.listen("alice", ""), "bob": here.listen("bob", ""), "carol": there.listen("carol", "")}
	for i, c := range []struct {
		to   string
		whom []string
	}{
		{"player:alice", []string{"alice"}}, {"party:" + party.ID, []string{"alice", "bob"}}, {"all", []string{"alice", "bob", "carol"}},
	} {
		body := fmt.Sprintf(`{"to":%q,"event":{"kind":"x.score","body":{"n":%d}}}`, c.to, i)
		var got lobby.Published
		for range 2 { // asked twice, it is told once
			got = want[lobby.Published](t, here.publish(body, c.to), 200)
		}
		for _, player := range c.whom {
			n := news(t, sockets[player], isPublished).Published
			if n.ID != got.ID || n.Kind != "x.score" || string(n.Body) != fmt.Sprintf(`{"n":%d}`, i) || time.Since(n.At) > time.Minute {
				t.Errorf("%s hears %+v of what went to %s", player, n, c.to)
			}
		}
		if c.to != "all" && got.To != len(c.whom) {
			t.Errorf("%s: %+v", c.to, got)
		}
	}
	if e := here.heard("alice", "x.score"); len(e) != 0 {
		t.Errorf("it is kept: %v", e)
	}
	wantProblem(t, here.publish(`{"to":"group:none","event":{"kind":"x.score"}}`, ""), 404, "")
	want[lobby.Published](t, here.publish(`{"to":"player:nobody","event":{"kind":"x.score"}}`, ""), 200) // who is away does not hear it
}

func TestBackendPublishesToPlayersWhoComeLater(t *testing.T) {
	p := open(t, testredis.Embedded(t), nil)
	defer p.Close()
	for range 2 {
		want[lobby.Published](t, p.publish(`{"to":"player:alice","keep":true,"event":{"kind":"x.gift","body":{"coins":5}}}`, "g"), 200)
		want[lobby.Published](t, p.publish(`{"to":"all","keep":true,"event":{"kind":"x.gift"}}`, "h"), 200)
	}
	if diff := cmp.Diff([]string{`{"coins":5}`, "null"}, p.heard("alice", "x.gift")); diff != "" {
		t.Errorf("her inbox (-want +got):\n%s", diff)
	}
}

func TestOnlyBackendsMayPublish(t *testing.T) {
	rdb := testredis.Embedded(t)
	p, d := ordering(t, rdb, isDone)
	defer p.Close()
	body := `{"to":"room:` + d.room.ID + `","input":{}}`
	wantProblem(t, p.send(request{method: "POST", path: "/v1/publish", body: body}), 401, "")
	wantProblem(t, p.post("alice", "/v1/publish", body), 403, "")
	wantProblem(t, p.backend("alice", "POST", "/v1/publish", body, "", "player", "Service", "metrics"), 403, "")
	want[lobby.Published](t, p.backend("root", "POST", "/v1/publish", body, "", "admin"), 200)
	if len(d.orders()) != 1 {
		t.Errorf("the room got %d", len(d.orders()))
	}
}

func TestPublishRefusesWhatIsMalformed(t *testing.T) {
	p := open(t, testredis.Embedded(t), nil)
	defer p.Close()
	for body, location := range map[string]string{
		`{"to":"room:X Y","input":{}}`:                                                         "body.to",
		`{"to":"room:","input":{}}`:                                                            "body.to",
		`{"to":"everybody","input":{}}`:                                                        "body.to",
		`{"to":"player:a\u0000b","event":{"kind":"x.a"}}`:                                      "body.to",
		`{"to":"room:r"}`:                                                                      "body.event",
		`{"to":"room:r","input":{},"event":{"type":"Hit"}}`:                                    "body.event",
		`{"to":"player:a","input":{}}`:                                                         "body.input",
		`{"to":"room:r","keep":true,"input":{}}`:                                               "body.keep",
		`{"to":"room:r","event":{"fields":{}}}`:                                                "body.event.type",
		`{"to":"room:r","event":{"type":"Hit","kind":"x.a"}}`:                                  "body.event.kind",
		`{"to":"room:r","event":{"type":"Hit","player":"a","team":1}}`:                         "body.event.team",
		`{"to":"player:a","event":{}}`:                                                         "body.event.kind",
		`{"to":"player:a","event":{"kind":"ticket"}}`:                                          "body.event.kind",
		`{"to":"player:a","event":{"kind":"x.a","type":"Hit"}}`:                                "body.event.type",
		`{"to":"player:a","event":{"kind":"x.a","body":"` + strings.Repeat("x", 3<<10) + `"}}`: "body.event.body",
		`{"to":"room:r","input":{"x":"` + strings.Repeat("x", 8<<10) + `"}}`:                   "body.input",
		`{"to":"room:r","input":{"a":1,"a":2}}`:                                                "",
		`{"to":"room:r","input":{},"more":1}`:                                                  "body.more",
	} {
		a := p.publish(body, "")
		if a.status == http.StatusBadRequest {
			continue // doubled keys
		}
		wantProblem(t, a, 422, location)
	}
	wantProblem(t, p.publish(`{"to":"room:r","input":{"x":"`+strings.Repeat("x", 13<<10)+`"}}`, ""), 413, "")
	wantProblem(t, p.publish(`{"to":"room:r",`, ""), 400, "")
}

func TestFloodOfABackendIsRefusedAndAnothersIsNot(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		p, d := ordering(t, rdb, isDone)
		defer p.Close()
		body := `{"to":"player:alice","event":{"kind":"x.a"}}`
		refused := 0
		for range 300 {
			if a := p.publish(body, ""); a.status == http.StatusTooManyRequests {
				wantProblem(t, a, 429, "")
				refused++
			}
		}
		if refused < 200 || refused > 201 { // the limiter counts in floating point
			t.Errorf("of 300 at once %d are refused, want 200", refused)
		}
		want[lobby.Published](t, p.backend("other", "POST", "/v1/publish", `{"to":"room:`+d.room.ID+`","input":{}}`, "", "service"), 200)
		refused = 0
		for range 20 {
			if a := p.backend("third", "POST", "/v1/publish", `{"to":"all","event":{"kind":"x.a"}}`, "", "service"); a.status == 429 {
				refused++
			}
		}
		if refused < 10 || refused > 11 {
			t.Errorf("of 20 to all at once %d are refused, want 10", refused)
		}
	})
}

func TestRoomWithManyOrdersTakesNoMore(t *testing.T) {
	rdb := testredis.Embedded(t)
	p, d := ordering(t, rdb, nil)
	defer p.Close()
	for i := range 256 {
		must(t, d.dir.Order(t.Context(), d.room.ID, cluster.Order{ID: fmt.Sprint("o", i), Kind: "input"}))
	}
	wantProblem(t, p.publish(`{"to":"room:`+d.room.ID+`","input":{}}`, ""), 429, "")
}

// breaksOff has a request end once it publishes, and nothing be done after that for a context that is over: so it is where
// all connections are taken.
type breaksOff struct{ leave context.CancelFunc }

func (breaksOff) DialHook(next redis.DialHook) redis.DialHook { return next }

func (breaksOff) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if err := ctx.Err(); err != nil {
			cmd.SetErr(err)
			return err
		}
		return next(ctx, cmd)
	}
}

func (b breaksOff) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if cmds[0].Name() == "publish" {
			b.leave()
		}
		if err := ctx.Err(); err != nil {
			cmds[0].SetErr(err)
			return err
		}
		return next(ctx, cmds)
	}
}

// Who breaks a request off asks again with the same key: what was told nobody is told then.
func TestWhatWasNotPublishedSinceNobodyListenedIsPublishedWhenAskedAgain(t *testing.T) {
	base := &place{rdb: testredis.Embedded(t)}
	there := openServed(t, base, nil)
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	rdb := testredis.Another(t, base.rdb, 0, nil)
	rdb.AddHook(breaksOff{leave})
	p := open(t, rdb, nil)
	defer p.Close()
	alice := there.listen("alice", "")
	s, err := p.keys.SignPlayer(token.Player{ID: "feed", Roles: []string{"service"}}, time.Hour)
	must(t, err)
	body := `{"to":"player:alice","event":{"kind":"x.score"}}`
	broken := p.send(request{
		context: ctx, method: "POST", path: "/v1/publish", token: s, body: body, header: http.Header{"Idempotency-Key": {"k"}},
	})
	if broken.status < 500 {
		t.Fatalf("broken off: %d %s", broken.status, broken.body)
	}
	got := want[lobby.Published](t, p.publish(body, "k"), 200)
	if n := news(t, alice, isPublished).Published; n.ID != got.ID {
		t.Errorf("she hears %+v, want %s", n, got.ID)
	}
}

func TestEventOfMarkupIsAsLongAsAnother(t *testing.T) {
	base := &place{rdb: testredis.Embedded(t)}
	p := openServed(t, base, nil)
	alice := p.listen("alice", "")
	text := `"` + strings.Repeat("<&>", 1000) + `"`
	want[lobby.Published](t, p.publish(`{"to":"player:alice","event":{"kind":"x.page","body":`+text+`}}`, ""), 200)
	if n := news(t, alice, isPublished).Published; string(n.Body) != text {
		t.Errorf("she hears %.80s", n.Body)
	}
	wantProblem(t, p.publish(`{"to":"player:alice","keep":true,"event":{"kind":"x.page","body":`+text+`}}`, ""), 422, "body.event.body")
	text = `"` + strings.Repeat("<&>", 200) + `"`
	want[lobby.Published](t, p.publish(`{"to":"player:alice","keep":true,"event":{"kind":"x.page","body":`+text+`}}`, ""), 200)
	if got := p.heard("alice", "x.page"); len(got) != 1 {
		t.Errorf("her inbox has %d", len(got))
	}
}
