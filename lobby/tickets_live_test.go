package lobby_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/client"
	"muster/internal/testredis"
	"muster/lobby"
	"muster/lobby/queue"
)

// ticketOf returns the ticket that the next event about one in a state has.
func ticketOf(t *testing.T, v *client.Live, state string) (tk lobby.Ticket) {
	t.Helper()
	news(t, v, func(n client.LiveNews) bool {
		if n.Event == nil || n.Event.Kind != "ticket" {
			return false
		}
		tk = lobby.Ticket{}
		must(t, json.Unmarshal(n.Event.Body, &tk))
		return tk.State == state
	})
	return tk
}

func TestMatchIsConfirmedAndFoundOnTheSocket(t *testing.T) {
	base := &place{rdb: testredis.Embedded(t)}
	here, there := openServed(t, base, withQueues(sure)), openServed(t, base, withQueues(sure))
	defer join(t, base.rdb, someNode)()
	alice, bob := here.listen("alice", ""), there.listen("bob", "")
	id := there.enqueue("alice", "sure").ID
	here.enqueue("bob", "sure")
	for who, v := range map[string]*client.Live{"alice": alice, "bob": bob} {
		asked := ticketOf(t, v, "confirming")
		if asked.Confirm == nil || asked.Confirm.Players != 2 {
			t.Fatalf("%s is asked with %+v", who, asked)
		}
		yes := lobby.Ticket{}
		must(t, v.Do(t.Context(), "ticket.confirm", map[string]any{"ticket": asked.ID, "accept": true}, &yes))
		if yes.ID != asked.ID || yes.State == "cancelled" {
			t.Errorf("%s said yes: %+v", who, yes)
		}
	}
	got := ticketOf(t, alice, "matched")
	if got.ID != id || got.Match == nil {
		t.Fatalf("alice's ticket is %+v", got)
	}
	seat := here.seat(got.Match) // a token that is good now
	if other := ticketOf(t, bob, "matched"); other.Match == nil || other.Match.Room != seat.Room || seat.Player != "alice" {
		t.Errorf("bob's ticket is %+v, alice's seat %+v", other, seat)
	}
	var problem *client.APIError
	if err := bob.Do(t.Context(), "ticket.get", map[string]any{"ticket": id}, nil); !errors.As(err, &problem) || problem.Status != http.StatusNotFound {
		t.Errorf("another's ticket: %v", err)
	}
}

func TestPartyThatChangesWaitsNoMore(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		p := open(t, rdb, withQueues(queue.Rules{Name: "team", Game: "arena", Teams: 2, TeamSize: 3}))
		defer p.Close()
		party := p.gather("alice", "bob")
		together := want[lobby.Ticket](t, p.post("alice", "/v1/tickets", `{"queue":"team","party":true}`), http.StatusCreated)
		want[lobby.Party](t, p.post("alice", "/v1/parties/"+party.ID+"/ready", `{"ready":true}`), 200)
		if got := p.ticket("alice", together.ID, ""); got.State != "waiting" {
			t.Errorf("being ready ended it: %+v", got)
		}
		alone := p.enqueue("carol", "team")
		want[lobby.Party](t, p.post("carol", "/v1/parties/join", `{"code":"`+party.Code+`"}`), 200)
		if got := p.ticket("bob", together.ID, ""); got.State != "cancelled" || got.Reason != "the party has other members now" {
			t.Errorf("the party of two waits as three: %+v", got)
		}
		if got := p.ticket("carol", alone.ID, ""); got.State != "waiting" {
			t.Errorf("a ticket of one's own ended with a party: %+v", got)
		}
	})
}

func TestSocketKeepsTicketsAndWatchersSeeThatTheirPlayerWaits(t *testing.T) {
	base := &place{rdb: testredis.Embedded(t)}
	p := openServed(t, base, nil)
	alice := p.listen("alice", "")
	must(t, alice.Do(t.Context(), "presence.watch", map[string]any{"players": []string{"bob"}}, nil))
	sees := func(state string) {
		t.Helper()
		news(t, alice, func(n client.LiveNews) bool { return len(n.Presence) == 1 && n.Presence[0].State == state })
	}
	id := p.enqueue("bob", "duel").ID
	sees("in_queue")
	if a := p.send(request{method: "DELETE", path: "/v1/tickets/" + id, token: p.player("bob")}); a.status != 200 {
		t.Errorf("%d %s", a.status, a.body)
	}
	sees("offline") // he has no socket
}

func TestWhoWaitsForMoreThanTenMinutesIsSeenInTheQueue(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		p := open(t, rdb, withQueues(queue.Rules{Name: "rare", Game: "arena", TeamSize: 2, MaxWait: time.Hour}))
		defer p.Close()
		id := p.enqueue("bob", "rare").ID
		sees := func(want string) {
			t.Helper()
			time.Sleep(3 * time.Second) // until it is written
			if got, err := p.Seen(t.Context(), "alice", "bob"); err != nil || got != want {
				t.Fatalf("after a while bob is %s, %v; want %s", got, err, want)
			}
		}
		for began := time.Now(); time.Since(began) < 15*time.Minute; time.Sleep(20 * time.Second) {
			p.ticket("bob", id, "")
			sees("in_queue")
		}
		if got := p.send(request{method: "DELETE", path: "/v1/tickets/" + id, token: p.player("bob")}); got.status != 200 {
			t.Fatalf("%d %s", got.status, got.body)
		}
		sees("offline") // he has no socket
	})
}
