package client

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func startLobby(t *testing.T, h http.Handler) *Lobby {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return &Lobby{URL: srv.URL + "/", HTTP: srv.Client()}
}

func reply(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

func TestLobbyGoesFromGuestToMatch(t *testing.T) {
	polls := 0
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/guests", func(w http.ResponseWriter, r *http.Request) {
		var in struct{ Name string }
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil || in.Name != "alice" {
			t.Errorf("name %q, error %v", in.Name, err)
		}
		reply(w, 201, `{"token":"tok","player":"p1","expires_at":"2030-01-02T03:04:05Z"}`)
	})
	mux.HandleFunc("POST /v1/tickets", func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Authorization"); got != "Bearer tok" {
			t.Errorf("authorization %q", got)
		}
		reply(w, 201, `{"id":"arena-1","queue":"arena","state":"waiting"}`)
	})
	mux.HandleFunc("GET /v1/tickets/arena-1", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("wait") != "10s" {
			t.Errorf("query %q", r.URL.RawQuery)
		}
		if polls++; polls < 3 {
			reply(w, 200, `{"state":"`+[]string{"", "waiting", "confirming"}[polls]+`"}`)
			return
		}
		if got := r.URL.Query().Get("known"); got != "confirming" {
			t.Errorf("the client of a ticket that is confirming says that it knows it as %q", got)
		}
		reply(w, 200, `{"state":"matched","match":{"room":"r1","url":"ws://x/v1/match/r1","token":"seat"}}`)
	})
	mux.HandleFunc("POST /v1/tickets/arena-1/confirm", func(w http.ResponseWriter, r *http.Request) {
		var in struct{ Accept bool }
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil || !in.Accept {
			t.Errorf("accept %v, error %v", in.Accept, err)
		}
		reply(w, 200, `{"id":"arena-1","state":"confirming"}`)
	})
	mux.HandleFunc("DELETE /v1/tickets/arena-1", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) })
	mux.HandleFunc("GET /v1/matches/r1", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, 200, `{"room":"r1","game":"arena","tick":9,"placements":[{"Seat":1,"Rank":1,"Score":5}]}`)
	})
	lobby := startLobby(t, mux)
	ctx := t.Context()

	g, err := lobby.Guest(ctx, "alice")
	if err != nil || g.Player != "p1" || g.Expires.Year() != 2030 || lobby.Token != "tok" {
		t.Fatalf("guest %+v, error %v", g, err)
	}
	ticket, err := lobby.CreateTicket(ctx, "arena")
	if err != nil || ticket.ID != "arena-1" || ticket.State != "waiting" {
		t.Fatalf("ticket %+v, error %v", ticket, err)
	}
	m, err := lobby.WaitTicket(ctx, ticket.ID)
	if want := (Match{Room: "r1", URL: "ws://x/v1/match/r1", Token: "seat"}); err != nil || m != want {
		t.Fatalf("match %+v, error %v", m, err)
	}
	if err := lobby.ConfirmTicket(ctx, ticket.ID, true); err != nil {
		t.Errorf("confirming: %v", err)
	}
	if err := lobby.CancelTicket(ctx, ticket.ID); err != nil {
		t.Errorf("cancelling: %v", err)
	}
	res, err := lobby.Result(ctx, "r1")
	if err != nil || res.Tick != 9 || len(res.Placements) != 1 || res.Placements[0].Score != 5 {
		t.Errorf("result %+v, error %v", res, err)
	}
}

func TestLobbyErrorsSpeakTheProblemDocument(t *testing.T) {
	lobby := startLobby(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "7")
		reply(w, 422, `{"title":"Unprocessable Entity","status":422,"detail":"validation failed",
			"errors":[{"message":"no such queue","location":"body.queue"}]}`)
	}))
	_, err := lobby.CreateTicket(t.Context(), "nope")
	var api *APIError
	if !errors.As(err, &api) {
		t.Fatalf("error %v", err)
	}
	if api.Status != 422 || api.RetryAfter != 7*time.Second || api.Temporary() {
		t.Errorf("%+v", api)
	}
	want := `creating a ticket for "nope": the lobby answered 422: validation failed; body.queue: no such queue`
	if err.Error() != want {
		t.Errorf("error %q, want %q", err, want)
	}
}

func TestARefusedTicketNamesTheOneWithWhichThePlayerWaits(t *testing.T) {
	lobby := startLobby(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		reply(w, 409, `{"title":"Conflict","status":409,"detail":"you wait in this queue already","errors":[
			{"message":"the value is the ticket with which you wait","location":"body.queue","value":"arena-7"}, {"message":"m"}]}`)
	}))
	_, err := lobby.CreateTicket(t.Context(), "arena")
	var api *APIError
	if !errors.As(err, &api) || len(api.Errors) != 2 || api.Errors[1].Value != nil {
		t.Fatalf("error %v", err)
	}
	var id string
	if err := json.Unmarshal(api.Errors[0].Value, &id); err != nil || id != "arena-7" {
		t.Errorf("the ticket is %q, %v", id, err)
	}
}

func TestLobbyErrorsSurviveBodiesThatAreNoProblemDocument(t *testing.T) {
	for _, body := range []string{"", "<html>", `{"status":"x"}`, strings.Repeat("[", 10000)} {
		lobby := startLobby(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { reply(w, 503, body) }))
		err := lobby.CancelTicket(t.Context(), "a")
		var api *APIError
		if !errors.As(err, &api) || api.Status != 503 || !api.Temporary() || api.text() != "Service Unavailable" {
			t.Errorf("body %.20q: error %v", body, err)
		}
	}
}

func TestLobbyRefusesAReplyAboveItsBound(t *testing.T) {
	lobby := startLobby(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		reply(w, 200, `{"room":"`+strings.Repeat("x", maxReply)+`"}`)
	}))
	if _, err := lobby.Result(t.Context(), "r"); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("error %v", err)
	}
}

func TestLobbyFollowsNoRedirect(t *testing.T) {
	asked := false
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	t.Cleanup(other.Close)
	lobby := startLobby(t, http.RedirectHandler(other.URL, http.StatusTemporaryRedirect))
	lobby.Token = "secret-token"
	_, err := lobby.CreateTicket(t.Context(), "arena")
	if err == nil || asked {
		t.Errorf("error %v, the other server was asked: %v", err, asked)
	}
	if err != nil && strings.Contains(err.Error(), "secret-token") {
		t.Errorf("the error names the token: %v", err)
	}
}

func TestLobbyWaitEndsWithTheTicketOrTheContext(t *testing.T) {
	state := "expired"
	lobby := startLobby(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		reply(w, 200, `{"state":"`+state+`"}`)
	}))
	_, err := lobby.WaitTicket(t.Context(), "a-1")
	var ticket *TicketError
	if !errors.As(err, &ticket) || ticket.State != "expired" {
		t.Errorf("error %v", err)
	}
	state = "waiting"
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := lobby.WaitTicket(ctx, "a-1"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
}

func TestAnEarlierGuestGoesOnWhereTheServerLetsHim(t *testing.T) {
	for about, test := range map[string]struct {
		token  string
		renew  int // the answer's status
		want   string
		failed bool
	}{
		"he may":             {"kept", 200, "again", false},
		"nothing was kept":   {"", 200, "new", false},
		"it was too long":    {"kept", 401, "new", false},
		"the server is busy": {"kept", 503, "", true},
	} {
		mux := http.NewServeMux()
		mux.HandleFunc("POST /v1/guests", func(w http.ResponseWriter, _ *http.Request) { reply(w, 201, `{"token":"new","player":"p2"}`) })
		mux.HandleFunc("POST /v1/guests/renew", func(w http.ResponseWriter, r *http.Request) {
			if b, _ := io.ReadAll(r.Body); string(b) != `{"token":"kept"}` {
				t.Errorf("%s: renews with %s", about, b)
			}
			reply(w, test.renew, `{"token":"again","player":"p1"}`)
		})
		l := startLobby(t, mux)
		g, err := l.GuestAgain(t.Context(), test.token, "alice")
		if g.Token != test.want || l.Token != test.want || (err != nil) != test.failed {
			t.Errorf("%s: %+v, %v", about, g, err)
		}
		if (l.refreshes() != nil) == test.failed {
			t.Errorf("%s: how newer tokens are had is wrong", about)
		}
	}
}

func TestAnyRequestOfTheInterfaceCanBeMade(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/replays", func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		if string(b) != `{"match":"m1"}` || r.Header.Get("Authorization") != "Bearer t" || r.Header.Get("Idempotency-Key") != "k" {
			t.Errorf("%s, %v", b, r.Header)
		}
		reply(w, 201, `{"id":"s1"}`)
	})
	l := startLobby(t, mux)
	l.Token = "t"
	var session struct{ ID string }
	if err := l.Request(t.Context(), "POST", "/v1/replays", "k", map[string]string{"match": "m1"}, &session); err != nil || session.ID != "s1" {
		t.Errorf("%+v, %v", session, err)
	}
	var api *APIError
	if err := l.Request(t.Context(), "GET", "/v1/nothing", "", nil, nil); !errors.As(err, &api) || api.Status != 404 {
		t.Errorf("a route that there is not: %v", err)
	}
}
