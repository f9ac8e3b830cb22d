package lobby_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/internal/testredis"
	"muster/lobby"
	"muster/lobby/queue"
	"muster/match/cluster"
)

// rich is a queue with many rules; sure one that asks its players.
var (
	rich = queue.Rules{
		Name: "rich", Game: "arena", Teams: 2, TeamSize: 2, Regions: []string{"eu", "us"}, Latency: []queue.Step{{Within: 80}},
		Attributes: []queue.Attribute{{Name: "mode", Kind: queue.Equal, Required: true}},
	}
	sure = queue.Rules{Name: "sure", Game: "arena", TeamSize: 2, Confirm: 10 * time.Second}
)

func withQueues(list ...queue.Rules) func(*lobby.Config) {
	return func(c *lobby.Config) { c.Queues = list }
}

func TestPlayersConfirmAMatchOverHTTP(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		p := open(t, rdb, withQueues(sure))
		defer p.Close()
		defer join(t, rdb, someNode)()
		a, b := p.enqueue("alice", "sure").ID, p.enqueue("bob", "sure").ID
		asked := p.ticket("alice", a, "20s")
		if c := asked.Confirm; asked.State != "confirming" || c == nil || c.Players != 2 || c.Accepted != 0 || c.Mine {
			t.Fatalf("alice's ticket is %+v", asked)
		}
		yes := want[lobby.Ticket](t, p.post("alice", "/v1/tickets/"+a+"/confirm", `{"accept":true}`), 200)
		if yes.Confirm == nil || yes.Confirm.Accepted != 1 || !yes.Confirm.Mine {
			t.Errorf("she said yes: %+v", yes)
		}
		wantProblem(t, p.post("mallory", "/v1/tickets/"+a+"/confirm", `{"accept":false}`), http.StatusNotFound, "")
		want[lobby.Ticket](t, p.post("bob", "/v1/tickets/"+b+"/confirm", `{"accept":true}`), 200)
		got := want[lobby.Ticket](t, p.send(request{method: "GET", path: "/v1/tickets/" + a + "?wait=20s&known=confirming", token: p.player("alice")}), 200)
		if got.State != "matched" || got.Match == nil {
			t.Errorf("alice's ticket is %+v", got)
		}
		wantProblem(t, p.post("bob", "/v1/tickets/"+b+"/confirm", `{"accept":true}`), http.StatusConflict, "")
	})
}

func TestWhoDeclinedHearsWhenHeMayQueueAgain(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		p := open(t, rdb, withQueues(sure))
		defer p.Close()
		defer join(t, rdb, someNode)()
		a := p.enqueue("alice", "sure").ID
		p.enqueue("bob", "sure")
		time.Sleep(time.Second)
		no := want[lobby.Ticket](t, p.post("alice", "/v1/tickets/"+a+"/confirm", `{"accept":false}`), 200)
		if no.State != "cancelled" {
			t.Errorf("her ticket is %+v", no)
		}
		time.Sleep(time.Second)
		refused := p.post("alice", "/v1/tickets", `{"queue":"sure"}`)
		if got := wantProblem(t, refused, http.StatusTooManyRequests, ""); !strings.Contains(got.Detail, "declined") {
			t.Errorf("she is told %q", got.Detail)
		}
		after, err := strconv.Atoi(refused.header.Get("Retry-After"))
		must(t, err)
		if after < 25 || after > 30 {
			t.Errorf("she may come again after %d s", after)
		}
		time.Sleep(time.Duration(after) * time.Second)
		p.enqueue("alice", "sure")
	})
}

func TestTicketIsExplained(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		p := open(t, rdb, withQueues(rich, duel))
		defer p.Close()
		defer join(t, rdb, someNode)()
		id := want[lobby.Ticket](t, p.post("alice", "/v1/tickets", `{"queue":"rich","attributes":{"mode":"ranked"},"latency":{"eu":30}}`), 201).ID
		want[lobby.Ticket](t, p.post("bob", "/v1/tickets", `{"queue":"rich","attributes":{"mode":"casual"},"latency":{"eu":30}}`), 201)
		d := p.enqueue("carol", "duel").ID
		p.enqueue("dave", "duel")
		time.Sleep(2 * time.Second)
		x := want[lobby.Explanation](t, p.send(request{method: "GET", path: "/v1/tickets/" + id + "/explain", token: p.player("alice")}), 200)
		if x.State != "waiting" || x.Text == "" || x.Waiting != 1 || x.Fitting != 0 || x.Needed != 4 {
			t.Errorf("it says %+v", x)
		}
		if got := p.ticket("alice", id, ""); got.Reason == "" {
			t.Errorf("the ticket says %+v", got)
		}
		wantProblem(t, p.send(request{method: "GET", path: "/v1/tickets/" + id + "/explain", token: p.player("mallory")}), 404, "")
		if x := want[lobby.Explanation](t, p.send(request{method: "GET", path: "/v1/tickets/" + d + "/explain", token: p.player("carol")}), 200); x.State != "matched" {
			t.Errorf("of a matched one it says %+v", x)
		}
		type queues struct{ Queues []lobby.Queue }
		list := want[queues](t, p.send(request{method: "GET", path: "/v1/queues", token: p.player("alice")}), 200).Queues
		if len(list) != 2 || list[0].Name != "duel" || list[1].Players != 2 || list[0].PerMinute != 1 || len(list[0].Waits) != 1 || list[1].Waits == nil {
			t.Errorf("the queues say %+v", list)
		}
	})
}

func TestPartyWaitsTogetherAndItsLeaderAloneMayAskForThat(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		p := open(t, rdb, withQueues(queue.Rules{Name: "team", Game: "arena", Teams: 2, TeamSize: 2}))
		defer p.Close()
		defer join(t, rdb, someNode)()
		wantProblem(t, p.post("alice", "/v1/tickets", `{"queue":"team","party":true}`), http.StatusConflict, "")
		p.gather("alice", "bob")
		wantProblem(t, p.post("bob", "/v1/tickets", `{"queue":"team","party":true}`), http.StatusConflict, "")
		wantProblem(t, p.post("alice", "/v1/tickets", `{"queue":"team","party":true,"members":{"mallory":{}}}`), 422, "body.members.mallory")
		tk := want[lobby.Ticket](t, p.post("alice", "/v1/tickets", `{"queue":"team","party":true}`), http.StatusCreated)
		if len(tk.Players) != 2 || p.ticket("bob", tk.ID, "").ID != tk.ID {
			t.Errorf("the party's ticket is %+v", tk)
		}
		refused := wantProblem(t, p.post("bob", "/v1/tickets", `{"queue":"team"}`), http.StatusConflict, "body.queue")
		if refused.Errors[0].Value != tk.ID {
			t.Errorf("bob is told of %v, want his party's ticket", refused.Errors[0].Value)
		}
		if a := p.send(request{method: "DELETE", path: "/v1/tickets/" + tk.ID, token: p.player("bob")}); a.status != 200 {
			t.Errorf("bob gives it up: %d %s", a.status, a.body)
		}
		if got := p.ticket("alice", tk.ID, ""); got.State != "cancelled" {
			t.Errorf("alice's ticket is %+v", got)
		}
	})
}

func TestRequestForATicketThatComesTwiceMakesOne(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		p := open(t, rdb, nil)
		defer p.Close()
		ask := func(key, body string) answer {
			return p.send(request{
				method: "POST", path: "/v1/tickets", token: p.player("alice"), body: body, header: http.Header{"Idempotency-Key": {key}},
			})
		}
		first := want[lobby.Ticket](t, ask("one", `{"queue":"duel"}`), http.StatusCreated)
		if again := want[lobby.Ticket](t, ask("one", `{"queue":"duel"}`), http.StatusCreated); again.ID != first.ID {
			t.Errorf("the same request made %s and %s", first.ID, again.ID)
		}
		wantProblem(t, ask("one", `{"queue":"arena"}`), http.StatusUnprocessableEntity, "header.Idempotency-Key")
		wantProblem(t, ask("two", `{"queue":"duel"}`), http.StatusConflict, "body.queue")
	})
}

func TestTicketThatSaysTooMuchOrWhatTheQueueRefusesIsRefused(t *testing.T) {
	p := open(t, testredis.Embedded(t), withQueues(rich))
	defer p.Close()
	var list []string
	for i := range 60 {
		list = append(list, strconv.Quote(fmt.Sprint("map", i)))
	}
	for i, c := range []struct {
		name, body string
		status     int
		field      string
	}{
		{"25 KB of attributes", `{"queue":"rich","attributes":{"mode":"` + strings.Repeat("x", 25<<10) + `"}}`, 413, ""},
		{"a long text", `{"queue":"rich","attributes":{"mode":"` + strings.Repeat("x", 100) + `"}}`, 422, "body.attributes.mode"},
		{"an object", `{"queue":"rich","attributes":{"mode":{"a":1}}}`, 422, "body.attributes.mode"},
		{"a list of numbers", `{"queue":"rich","attributes":{"mode":[1,2]}}`, 422, "body.attributes.mode"},
		{"a text that turns around", `{"queue":"rich","attributes":{"mode":"a\u202eb"}}`, 422, "body.attributes.mode"},
		{"a long list", `{"queue":"rich","attributes":{"mode":[` + strings.Join(list, ",") + `]}}`, 422, "body.attributes.mode"},
		{"no attribute that is required", `{"queue":"rich","latency":{"eu":1}}`, 422, "body.attributes.mode"},
		{"a negative latency", `{"queue":"rich","attributes":{"mode":"x"},"latency":{"eu":-1}}`, 422, "body.latency.eu"},
		{"a latency of 1e300", `{"queue":"rich","attributes":{"mode":"x"},"latency":{"eu":1e300}}`, 422, "body.latency.eu"},
		{"a member of no party", `{"queue":"rich","attributes":{"mode":"x"},"latency":{"eu":1},"members":{"bob":{}}}`, 422, "body.members.bob"},
		{"a rating of one's own", `{"queue":"rich","rating":3000}`, 422, "body.rating"},
	} {
		t.Run(c.name, func(t *testing.T) {
			wantProblem(t, p.post(fmt.Sprint("p", i), "/v1/tickets", c.body), c.status, c.field)
		})
	}
}

func TestPlayerHearsOfHisTicketInHisInbox(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		p := open(t, rdb, nil)
		defer p.Close()
		defer join(t, rdb, cluster.Node{ID: "n1", URL: "http://10.0.0.9:7000"})()
		id := p.enqueue("alice", "duel").ID
		p.enqueue("bob", "duel")
		time.Sleep(time.Second)
		streams, err := rdb.Keys(t.Context(), "*:inbox").Result()
		must(t, err)
		heard := 0
		for _, stream := range streams {
			list, err := rdb.XRange(t.Context(), stream, "-", "+").Result()
			must(t, err)
			for _, m := range list {
				body := fmt.Sprint(m.Values["body"])
				if m.Values["kind"] == "ticket" && strings.Contains(body, `"state":"matched"`) && strings.Contains(body, id) {
					heard++
				}
				if strings.Contains(body, "token") {
					t.Errorf("an event has a token: %s", body)
				}
			}
		}
		if heard != 1 {
			t.Errorf("alice heard %d times of her match", heard)
		}
	})
}

// The party changes between the moment in which its members are read and the one in which there is a ticket to cancel.
func TestWhoLeavesAPartyWhileItsTicketIsMadeDoesNotWaitWithIt(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		queues := withQueues(queue.Rules{Name: "team", Game: "arena", Teams: 2, TeamSize: 2})
		there := open(t, rdb, queues)
		defer there.Close()
		party := there.gather("alice", "bob")
		var once sync.Once
		here := open(t, hurt(t, rdb, func(cmd redis.Cmder, next func() error) error {
			if strings.HasPrefix(cmd.Name(), "eval") && strings.Contains(fmt.Sprint(cmd.Args()...), "{queue:team}:seen") && strings.Contains(fmt.Sprint(cmd.Args()...), "{queue:team}:player:") {
				once.Do(func() { wantNothing(t, there.post("bob", "/v1/parties/"+party.ID+"/leave", "")) })
			}
			return next()
		}), queues)
		defer here.Close()
		tk := want[lobby.Ticket](t, here.post("alice", "/v1/tickets", `{"queue":"team","party":true}`), http.StatusCreated)
		if tk.State != "cancelled" || tk.Reason != "the party has other members now" {
			t.Errorf("the ticket is %+v", tk)
		}
		want[lobby.Ticket](t, there.post("bob", "/v1/tickets", `{"queue":"team"}`), http.StatusCreated)
	})
}
