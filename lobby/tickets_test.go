package lobby_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/internal/testredis"
	"muster/lobby"
	"muster/match/cluster"
	"muster/proto/token"
)

func TestPlayersComeToAMatchOverHTTP(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		p := open(t, rdb, nil)
		defer p.Close()
		p.serve()
		defer join(t, rdb, someNode)()

		first := p.enqueue("alice", "duel")
		if first.State != "waiting" || first.Queue != "duel" || first.Match != nil ||
			time.Since(first.Created).Abs() > time.Minute || !strings.HasPrefix(first.ID, "duel.") {
			t.Errorf("the new ticket is %+v", first)
		}
		until(t, "the reason why it waits", func() bool {
			return p.ticket("alice", first.ID, "100ms").Reason != "" // no more often than a player may ask
		})

		polled := make(chan lobby.Ticket)
		go func() { polled <- p.ticket("alice", first.ID, "20s") }()
		bob, bobSeat := p.play("bob", "duel")
		alice := <-polled
		if alice.State != "matched" || alice.Match == nil {
			t.Fatalf("alice's ticket is %+v, want it matched", alice)
		}
		aliceSeat := p.seat(alice.Match)
		if alice.Match.Room != bob.Room || aliceSeat.Seat == bobSeat.Seat {
			t.Errorf("alice got seat %d of %s, bob seat %d of %s", aliceSeat.Seat, alice.Match.Room, bobSeat.Seat, bob.Room)
		}
		if want := "ws://10.0.0.9:7000/v1/match/" + bob.Room; bob.URL != want {
			t.Errorf("the match's URL is %s, want %s", bob.URL, want)
		}
		if bobSeat.Player != "bob" || bobSeat.Name != "bob" || time.Until(bobSeat.Expires) > 15*time.Second ||
			time.Until(bobSeat.PlayerExpires) < 59*time.Minute {
			t.Errorf("bob's seat token says %+v", bobSeat)
		}
		dir := cluster.NewDirectory(rdb, ns)
		must(t, take(dir, t.Context(), bob.Room, bobSeat.Seat, "bob", bobSeat.ID))
		must(t, take(dir, t.Context(), bob.Room, aliceSeat.Seat, "alice", aliceSeat.ID))
		rec, err := dir.Room(t.Context(), bob.Room)
		must(t, err)
		if rec.Game != "arena" || rec.Rules != "7" || rec.Node != "n1" || rec.Seats != 2 {
			t.Errorf("the room's record is %+v", rec)
		}
	})
}

func TestWaitingRequestIsAnsweredAtOnceWhenTheMatchIsMade(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		p := open(t, rdb, nil)
		defer p.Close()
		defer join(t, rdb, someNode)()
		id := p.enqueue("alice", "duel").ID
		polled := make(chan time.Time, 1)
		go func() {
			if got := p.ticket("alice", id, "30s"); got.State != "matched" {
				t.Errorf("the answer is %+v", got)
			}
			polled <- time.Now()
		}()
		time.Sleep(3300 * time.Millisecond) // no look and no reading is due now
		began := time.Now()
		p.enqueue("bob", "duel")
		if took := (<-polled).Sub(began); took != 0 {
			t.Errorf("the answer came after %v", took)
		}
	})
}

func TestWaitingRequestIsAnsweredWhenItsTimeIsOver(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		p := open(t, rdb, nil)
		defer p.Close()
		id := p.enqueue("alice", "duel").ID
		for wait, most := range map[string]time.Duration{"": 0, "0s": 0, "1ms": time.Millisecond, "30s": 30 * time.Second} {
			began := time.Now()
			if got := p.ticket("alice", id, wait); got.State != "waiting" || time.Since(began) != most {
				t.Errorf("wait=%s: %s after %v", wait, got.State, time.Since(began))
			}
		}
	})
}

func TestDrainAnswersWaitingRequestsAndStopsMatching(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		p := open(t, rdb, nil)
		defer p.Close()
		defer join(t, rdb, someNode)()
		id := p.enqueue("alice", "duel").ID
		polled := make(chan lobby.Ticket, 1)
		go func() { polled <- p.ticket("alice", id, "30s") }()
		synctest.Wait()
		began := time.Now()
		p.Drain()
		if got := <-polled; got.State != "waiting" || time.Since(began) != 0 {
			t.Errorf("%+v after %v", got, time.Since(began))
		}
		if got := p.ticket("alice", id, "30s"); got.State != "waiting" || time.Since(began) != 0 {
			t.Errorf("a new request: %+v after %v", got, time.Since(began))
		}
		p.enqueue("bob", "duel")
		time.Sleep(5 * time.Second)
		if got := p.ticket("alice", id, ""); got.State != "waiting" {
			t.Errorf("a lobby that drains made a match: %+v", got)
		}
		if got := p.Ready(t.Context()); got != "the server is shutting down" {
			t.Errorf("it says of itself %q", got)
		}
	})
}

func TestCancelledTicketIsOutOfTheQueue(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		p := open(t, rdb, nil)
		defer p.Close()
		defer join(t, rdb, someNode)()
		id := p.enqueue("alice", "duel").ID
		for range 2 { // once more says nothing new
			a := p.send(request{method: "DELETE", path: "/v1/tickets/" + id, token: p.player("alice")})
			if a.status != http.StatusOK {
				t.Fatalf("cancelling: %d %s", a.status, a.body)
			}
			if got := p.ticket("alice", id, "20s"); got.State != "cancelled" || got.Match != nil {
				t.Errorf("the ticket is %+v", got)
			}
		}
		bob := p.enqueue("bob", "duel").ID
		p.enqueue("alice", "duel") // she may queue again
		if got := p.ticket("bob", bob, "20s"); got.State != "matched" {
			t.Errorf("bob's ticket is %+v", got)
		}
	})
}

func TestCancellingAMatchedTicketChangesNothing(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		p := open(t, rdb, nil)
		defer p.Close()
		defer join(t, rdb, someNode)()
		id := p.enqueue("alice", "arena").ID
		if got := p.ticket("alice", id, "20s"); got.State != "matched" {
			t.Fatalf("the ticket is %+v", got)
		}
		p.send(request{method: "DELETE", path: "/v1/tickets/" + id, token: p.player("alice")})
		if got := p.ticket("alice", id, ""); got.State != "matched" || got.Match == nil {
			t.Errorf("the ticket is %+v", got)
		}
	})
}

func TestTicketExpiresWhenItsPlayerStopsAsking(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		p := open(t, rdb, nil)
		defer p.Close()
		defer join(t, rdb, someNode)()
		gone, back := p.enqueue("gone", "duel").ID, ""
		time.Sleep(29 * time.Second)
		if got := p.ticket("gone", gone, ""); got.State != "waiting" {
			t.Errorf("after 29 s: %+v", got)
		}
		time.Sleep(32 * time.Second)
		back = p.enqueue("back", "duel").ID
		time.Sleep(2 * time.Second)
		if got := p.ticket("back", back, ""); got.State != "waiting" {
			t.Errorf("a match was made with a player who has gone: %+v", got)
		}
		if got := p.ticket("gone", gone, ""); got.State != "expired" {
			t.Errorf("after 30 s without a question: %+v", got)
		}
		p.enqueue("gone", "duel") // may queue again
	})
}

func TestTicketExpiresAfterItsLongestWait(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		p := open(t, rdb, nil)
		defer p.Close()
		began, id := time.Now(), p.enqueue("alice", "duel").ID
		var got lobby.Ticket
		for got.State = "waiting"; got.State == "waiting"; got = p.ticket("alice", id, "30s") {
			if time.Since(began) > 10*time.Minute {
				t.Fatal("it waits for ever")
			}
		}
		if took := time.Since(began); got.State != "expired" || took < 5*time.Minute || took > 5*time.Minute+2*time.Second {
			t.Errorf("the ticket is %s after %v, want it expired after 5 min", got.State, took)
		}
		time.Sleep(5*time.Minute + time.Second)
		wantProblem(t, p.send(request{method: "GET", path: "/v1/tickets/" + id, token: p.player("alice")}), 404, "")
		time.Sleep(10 * time.Second) // what counts requests ends too
		var left []string
		must(t, each(rdb, "*", func(key string) {
			if rdb.PTTL(t.Context(), key).Val() < 0 {
				left = append(left, key)
			}
		}))
		if !slices.Equal(left, []string{ns + ":{outbox}:results"}) {
			t.Errorf("keys that do not end: %q", left)
		}
	})
}

func TestPlayerHasOneTicketInAQueue(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		p := open(t, rdb, nil)
		defer p.Close()
		id := p.enqueue("alice", "duel").ID
		a := p.send(request{method: "POST", path: "/v1/tickets", token: p.player("alice"), body: `{"queue":"duel"}`})
		if got := wantProblem(t, a, http.StatusConflict, "body.queue"); got.Errors[0].Value != id {
			t.Errorf("the error names ticket %v, want %s", got.Errors[0].Value, id)
		}
		if got := p.ticket("alice", id, ""); got.State != "waiting" {
			t.Errorf("the first ticket is %+v", got)
		}
	})
}

func TestTicketOfAnotherPlayerIsNoTicket(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		p := open(t, rdb, nil)
		defer p.Close()
		id := p.enqueue("alice", "duel").ID
		for _, method := range []string{"GET", "DELETE"} {
			var texts []string
			for _, other := range []string{
				id, "duel." + strings.Repeat("a", 26), "nowhere." + strings.Repeat("a", 26), "x", "duel.*", "..%2f..", "%00",
				strings.ToUpper(id), id[:len(id)-1],
			} {
				a := p.send(request{method: method, path: "/v1/tickets/" + other, token: p.player("mallory")})
				wantProblem(t, a, http.StatusNotFound, "")
				texts = append(texts, string(a.body))
			}
			for _, text := range texts {
				if text != texts[0] {
					t.Errorf("%s: %s differs from %s", method, text, texts[0])
				}
			}
		}
		if got := p.ticket("alice", id, ""); got.State != "waiting" {
			t.Errorf("the ticket is %+v", got)
		}
	})
}

func TestUnknownQueueIsNamed(t *testing.T) {
	p := open(t, testredis.Embedded(t), nil)
	defer p.Close()
	a := p.send(request{method: "POST", path: "/v1/tickets", token: p.player("alice"), body: `{"queue":"chess"}`})
	if got := wantProblem(t, a, http.StatusNotFound, "body.queue"); got.Errors[0].Value != "chess" {
		t.Errorf("the error names %v", got.Errors[0].Value)
	}
}

func TestGuestMayPlay(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		p := open(t, rdb, nil)
		defer p.Close()
		p.serve()
		defer join(t, rdb, someNode)()
		type guest struct {
			Token, Player string
			Expires       time.Time `json:"expires_at"`
		}
		g := want[guest](t, p.send(request{method: "POST", path: "/v1/guests", body: `{"name":"Zoë 🎲"}`}), http.StatusCreated)
		if other := want[guest](t, p.send(request{method: "POST", path: "/v1/guests", body: `{"name":"Zoë 🎲"}`}), 201); other.Player == g.Player {
			t.Error("two guests of one name are one player")
		}
		who, err := p.keys.VerifyPlayer(g.Token)
		must(t, err)
		if who.ID != g.Player || who.Name != "Zoë 🎲" || len(who.Roles) != 0 || !who.Expires.Equal(g.Expires) {
			t.Errorf("the token speaks for %+v, the answer says %+v", who, g)
		}
		a := p.send(request{method: "POST", path: "/v1/tickets", token: g.Token, body: `{"queue":"arena"}`})
		id := want[lobby.Ticket](t, a, http.StatusCreated).ID
		got := want[lobby.Ticket](t, p.send(request{method: "GET", path: "/v1/tickets/" + id + "?wait=20s", token: g.Token}), 200)
		if got.State != "matched" || p.seat(got.Match).Name != "Zoë 🎲" {
			t.Errorf("the ticket is %+v", got)
		}
	})
}

func TestGuestsAreForDevelopmentOnly(t *testing.T) {
	p := open(t, testredis.Embedded(t), func(c *lobby.Config) { c.Guests = false })
	defer p.Close()
	for path, body := range map[string]string{"/v1/guests": `{"name":"x"}`, "/v1/guests/renew": `{"token":"t"}`} {
		if a := p.send(request{method: "POST", path: path, body: body}); a.status != http.StatusNotFound {
			t.Errorf("%s: status %d: %s", path, a.status, a.body)
		}
	}
}

func TestPlayerRejoinsAMatchAndNobodyElseDoes(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		p := open(t, rdb, nil)
		defer p.Close()
		leave := join(t, rdb, someNode)
		id := p.enqueue("alice", "arena").ID
		m := p.ticket("alice", id, "20s").Match
		seat := p.seat(m)
		dir := cluster.NewDirectory(rdb, ns)
		again := func(player, room string) answer {
			return p.send(request{method: "POST", path: "/v1/rooms/" + room + "/rejoin", token: p.player(player)})
		}
		early := wantProblem(t, again("alice", m.Room), http.StatusNotFound, "") // she has not come yet
		must(t, take(dir, t.Context(), m.Room, seat.Seat, "alice", seat.ID))
		got := want[lobby.Match](t, again("alice", m.Room), http.StatusOK)
		s := p.seat(&got)
		if s.Seat != seat.Seat || s.Player != "alice" || got.URL != m.URL {
			t.Errorf("rejoining gave %+v and %+v", got, s)
		}
		must(t, take(dir, t.Context(), m.Room, s.Seat, "alice", s.ID))
		for name, a := range map[string]answer{
			"another player": again("mallory", m.Room), "another room": again("alice", cluster.NewID()),
		} {
			if other := wantProblem(t, a, http.StatusNotFound, ""); other.Detail != early.Detail {
				t.Errorf("%s: %q differs from %q", name, other.Detail, early.Detail)
			}
		}
		leave()
		late := want[lobby.Match](t, again("alice", m.Room), http.StatusOK) // another one goes on with it, perhaps in a moment
		if url := "ws://lobby.example/v1/match/" + m.Room; late.URL != url || p.ticket("alice", id, "").Match.URL != url {
			t.Errorf("without its node the match is at %s, and at %s by its ticket", late.URL, p.ticket("alice", id, "").Match.URL)
		}
	})
}

// Each server is an edge for every room. A client that came through a balancer, and knows no server's own address, keeps
// coming through it; one is told another address only where a node says that it has one of its own.
func TestClientsKeepComingAsTheyDidUnlessTheMatchsNodeIsAddressedItself(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		for _, c := range []struct {
			node cluster.Node
			url  string
		}{
			{cluster.Node{ID: "n1", URL: "http://10.0.0.1:7000", Asked: true}, "ws://lobby.example/v1/match/"},
			{cluster.Node{ID: "n2", URL: "http://127.0.0.1:7000"}, "ws://127.0.0.1:7000/v1/match/"},
			{cluster.Node{ID: "n3", URL: "https://play.example"}, "wss://play.example/v1/match/"},
		} {
			here, there := open(t, rdb, nil), open(t, rdb, nil)
			leave := join(t, rdb, c.node)
			id := here.enqueue("alice", "arena").ID
			m := here.ticket("alice", id, "20s").Match
			elsewhere := there.ticket("alice", id, "20s").Match
			seat := here.seat(m)
			must(t, take(cluster.NewDirectory(rdb, ns), t.Context(), m.Room, seat.Seat, "alice", seat.ID))
			rejoin := request{method: "POST", path: "/v1/rooms/" + m.Room + "/rejoin", token: here.player("alice")}
			again := want[lobby.Match](t, there.send(rejoin), http.StatusOK)
			for how, got := range map[string]string{"its lobby": m.URL, "another lobby": elsewhere.URL, "rejoining": again.URL} {
				if got != c.url+m.Room {
					t.Errorf("node %s: %s says %s, want %s", c.node.ID, how, got, c.url+m.Room)
				}
			}
			leave()
			here.Close()
			there.Close()
			must(t, rdb.FlushAll(t.Context()).Err())
		}
	})
}

func TestMatchURLIsSecureWhereTheNodeIs(t *testing.T) {
	rdb := testredis.Embedded(t)
	p := open(t, rdb, nil)
	defer p.Close()
	defer join(t, rdb, cluster.Node{ID: "n1", URL: "https://play.example"})()
	if m, _ := p.play("alice", "arena"); m.URL != "wss://play.example/v1/match/"+m.Room {
		t.Errorf("the match's URL is %s", m.URL)
	}
}

// A ticket is read again and again; the seat token that comes with it must not live on for that.
func TestSeatTokenLivesFromTheMatchOn(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		p := open(t, rdb, nil)
		defer p.Close()
		defer join(t, rdb, someNode)()
		m, first := p.play("alice", "arena")
		time.Sleep(10 * time.Second)
		id := ""
		must(t, each(rdb, ns+":{queue:arena}:ticket:*", func(key string) { id = key[strings.LastIndex(key, ":")+1:] }))
		again := p.ticket("alice", id, "").Match
		second := p.seat(again)
		if again.Room != m.Room || second.ID != first.ID || !second.Expires.Equal(first.Expires) {
			t.Errorf("read again the seat is %+v, it was %+v", second, first)
		}
		dir := cluster.NewDirectory(rdb, ns)
		time.Sleep(time.Until(first.Expires.Add(5*time.Second - time.Millisecond))) // the token is good until now, with its leeway
		if _, err := p.keys.VerifySeat(again.Token); err != nil {
			t.Fatal(err)
		}
		if err := take(dir, t.Context(), m.Room, second.Seat, "alice", second.ID); err != nil {
			t.Errorf("a token that is good claims a seat that is not reserved any more: %v", err)
		}
	})
}

// each calls do for each key of a pattern.
func each(rdb redis.UniversalClient, pattern string, do func(key string)) error {
	keys, err := rdb.Keys(context.Background(), pattern).Result()
	for _, k := range keys {
		do(k)
	}
	return err
}

func TestPlayersTokenLimitsTheSeat(t *testing.T) {
	rdb := testredis.Embedded(t)
	p := open(t, rdb, nil)
	defer p.Close()
	defer join(t, rdb, someNode)()
	tok, err := p.keys.SignPlayer(token.Player{ID: "alice"}, time.Minute)
	must(t, err)
	a := p.send(request{method: "POST", path: "/v1/tickets", token: tok, body: `{"queue":"arena"}`})
	id := want[lobby.Ticket](t, a, http.StatusCreated).ID
	got := want[lobby.Ticket](t, p.send(request{method: "GET", path: "/v1/tickets/" + id + "?wait=20s", token: tok}), 200)
	seat := p.seat(got.Match)
	if left := time.Until(seat.PlayerExpires); left > time.Minute || left < 50*time.Second || seat.Name != "alice" {
		t.Errorf("the seat token says %+v", seat)
	}
}
