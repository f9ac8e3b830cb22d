package lobby_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/client"
	"muster/internal/testredis"
	"muster/lobby"
	"muster/proto"
)

// listen opens a player's lobby socket.
func (p *place) listen(player, after string) *client.Live {
	p.t.Helper()
	v, err := p.lobby(player).Live(p.t.Context(), client.LiveOptions{After: after})
	must(p.t, err)
	p.t.Cleanup(func() { _ = v.Close() })
	return v
}

// lobby is a client of the lobby.
func (p *place) lobby(player string) *client.Lobby {
	return &client.Lobby{URL: p.url, Token: p.player(player), HTTP: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
}

// news returns the next of a kind that a test waits for.
func news(t *testing.T, v *client.Live, wanted func(client.LiveNews) bool) client.LiveNews {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		n, err := v.Next(ctx)
		must(t, err)
		if wanted(n) {
			return n
		}
	}
}

func isEvent(n client.LiveNews) bool { return n.Event != nil }

// openServed starts a lobby with a real server.
func openServed(t *testing.T, rdb *place, change func(*lobby.Config)) *place {
	t.Helper()
	p := open(t, rdb.rdb, change)
	t.Cleanup(p.Close)
	p.serve()
	return p
}

func TestPlayerHearsOnOneLobbysSocketWhatHappensOnAnother(t *testing.T) {
	base := &place{rdb: testredis.Embedded(t)}
	here, there := openServed(t, base, nil), openServed(t, base, nil)
	alice := here.listen("alice", "")
	if alice.Hello.Player != "alice" || alice.Hello.Expires == 0 {
		t.Errorf("hello %+v", alice.Hello)
	}
	party := want[lobby.Party](t, there.post("bob", "/v1/parties", `{}`), 201)
	wantNothing(t, there.post("bob", "/v1/parties/"+party.ID+"/invite", `{"player":"alice"}`))
	first := news(t, alice, isEvent).Event
	if first.Kind != "party" || !strings.Contains(string(first.Body), party.ID) || strings.Contains(string(first.Body), "eyJ") {
		t.Errorf("%+v: %s", first, first.Body)
	}
	_ = alice.Close()
	want[lobby.Party](t, there.post("alice", "/v1/parties/"+party.ID+"/join", ""), 200)
	again := there.listen("alice", alice.Last()) // what came in between is not lost, and the first is not repeated
	if next := news(t, again, isEvent).Event; next.ID == first.ID || next.Kind != "party" {
		t.Errorf("%+v: %s", next, next.Body)
	}
}

func TestWhoMayWatchAPlayerIsHisChoice(t *testing.T) {
	base := &place{rdb: testredis.Embedded(t)}
	here, there := openServed(t, base, nil), openServed(t, base, nil)
	there.listen("bob", "")
	alice := here.listen("alice", "")
	sees := func(state string) {
		t.Helper()
		news(t, alice, func(n client.LiveNews) bool {
			for _, s := range n.Presence {
				if s.Player == "bob" && s.State == state {
					return true
				}
			}
			return false
		})
	}
	watched := make(chan error, 1)
	go func() {
		watched <- alice.Do(t.Context(), "presence.watch", map[string]any{"players": []string{"bob", "nobody"}}, nil)
	}()
	sees("online")
	must(t, <-watched)
	choose := func(who string) {
		t.Helper()
		if a := there.send(request{method: "PUT", path: "/v1/me", token: there.player("bob"), body: `{"watch":"` + who + `"}`}); a.status != 200 {
			t.Fatalf("%d %s", a.status, a.body)
		}
	}
	choose("nobody")
	sees("offline")
	choose("everyone")
	sees("online")
	wantNothing(t, there.send(request{method: "PUT", path: "/v1/me/blocks/alice", token: there.player("bob")}))
	sees("offline")
	wantNothing(t, there.send(request{method: "DELETE", path: "/v1/me/blocks/alice", token: there.player("bob")}))
	sees("online")
	choose("party")
	sees("offline")
	party := want[lobby.Party](t, there.post("bob", "/v1/parties", `{}`), 201)
	want[lobby.Party](t, here.post("alice", "/v1/parties/join", `{"code":"`+party.Code+`"}`), 200)
	here.Lobby.Seated("bob", true)
	sees("in_match")
}

func TestSocketsOfAPlayerAreLimitedByAllLobbiesTogether(t *testing.T) {
	base := &place{rdb: testredis.Embedded(t)}
	places := []*place{openServed(t, base, nil), openServed(t, base, nil)}
	var refused *client.HandshakeError
	until(t, "one is refused", func() bool {
		errs := make(chan error, 8) // so many at once: five a second may come
		for n := range cap(errs) {
			go func() {
				v, err := places[n%2].lobby("alice").Live(t.Context(), client.LiveOptions{})
				if err == nil {
					_ = v.Close()
				}
				errs <- err
			}()
		}
		for range cap(errs) {
			if err := <-errs; !errors.As(err, &refused) {
				must(t, err)
			}
		}
		return refused != nil
	})
	if refused.Status != http.StatusTooManyRequests || refused.RetryAfter == 0 {
		t.Errorf("%+v", refused)
	}
	places[1].listen("bob", "")
}

func TestRequestsOnTheSocketCountWithThoseOfREST(t *testing.T) {
	p := openServed(t, &place{rdb: testredis.Embedded(t)}, nil)
	v := p.listen("alice", "")
	var refused *client.APIError
	asked := 0
	until(t, "one on the socket is refused", func() bool {
		var others sync.WaitGroup
		for range 8 { // so many at once: ten a second may come
			others.Go(func() { p.get("alice", "/v1/me") })
		}
		err := v.Do(t.Context(), "presence.watch", map[string]any{"players": []string{}}, nil)
		asked++
		others.Wait()
		if !errors.As(err, &refused) {
			must(t, err)
		}
		return refused != nil
	})
	if asked > 30 {
		t.Errorf("%d were asked on the socket, which is a player's whole burst", asked)
	}
	if refused.Status != http.StatusTooManyRequests || refused.RetryAfter == 0 {
		t.Errorf("%+v", refused)
	}
}

func TestLobbyThatEndsSendsItsSocketsElsewhere(t *testing.T) {
	p := openServed(t, &place{rdb: testredis.Embedded(t)}, nil)
	v := p.listen("alice", "")
	p.Drain()
	_, err := v.Next(t.Context())
	var closed *client.CloseError
	if !errors.As(err, &closed) || closed.Code != proto.CodeNodeLeaving || closed.After == 0 {
		t.Errorf("%v", err)
	}
	if err := v.Do(t.Context(), "presence.watch", nil, nil); err == nil {
		t.Error("a request on a socket that has ended")
	}
	_, err = p.lobby("alice").Live(t.Context(), client.LiveOptions{})
	var refused *client.HandshakeError
	if !errors.As(err, &refused) || refused.Status != http.StatusServiceUnavailable {
		t.Errorf("a new one: %v", err)
	}
}

// The client's own part: what it asks is answered by number, whatever comes in between.
func TestAnswersFindTheirQuestions(t *testing.T) {
	p := openServed(t, &place{rdb: testredis.Embedded(t)}, nil)
	v := p.listen("alice", "")
	results := make(chan error, 8)
	for n := range cap(results) {
		go func() {
			list := make([]string, n)
			for i := range list {
				list[i] = "p" + strconv.Itoa(i)
			}
			var out struct{ Watched int }
			err := v.Do(t.Context(), "presence.watch", map[string]any{"players": list}, &out)
			if err == nil && out.Watched != n {
				err = fmt.Errorf("%d watched, want %d", out.Watched, n)
			}
			results <- err
		}()
	}
	for range cap(results) {
		must(t, <-results)
	}
	var refused *client.APIError
	if err := v.Do(t.Context(), "no.such", nil, nil); !errors.As(err, &refused) || refused.Status != http.StatusNotFound {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.listen("bob", "").Next(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
