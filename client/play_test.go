package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// queueing is a lobby with one ticket, whose answers a test gives in order; the last one is given again and again.
type queueing struct {
	mu        sync.Mutex
	created   []string // the Idempotency-Keys
	refused   int      // how many creations are answered 503 before one is not
	answers   []string
	confirmed []bool
	cancelled bool
}

func (q *queueing) start(t *testing.T) *Lobby {
	mux := http.NewServeMux()
	locked := func(f http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			q.mu.Lock()
			defer q.mu.Unlock()
			f(w, r)
		}
	}
	mux.HandleFunc("POST /v1/tickets", locked(func(w http.ResponseWriter, r *http.Request) {
		if q.created = append(q.created, r.Header.Get("Idempotency-Key")); len(q.created) <= q.refused {
			reply(w, 503, `{}`)
			return
		}
		reply(w, 201, `{"id":"t1","queue":"arena","state":"waiting"}`)
	}))
	mux.HandleFunc("GET /v1/tickets/t1", locked(func(w http.ResponseWriter, _ *http.Request) {
		a := q.answers[0]
		if len(q.answers) > 1 {
			q.answers = q.answers[1:]
		}
		if a == "503" {
			reply(w, 503, `{}`)
			return
		}
		reply(w, 200, a)
	}))
	mux.HandleFunc("POST /v1/tickets/t1/confirm", locked(func(w http.ResponseWriter, r *http.Request) {
		var in struct{ Accept bool }
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			t.Error(err)
		}
		q.confirmed = append(q.confirmed, in.Accept)
		if len(q.confirmed) > 1 {
			reply(w, 409, `{}`) // too late
			return
		}
		reply(w, 200, `{"id":"t1"}`)
	}))
	mux.HandleFunc("DELETE /v1/tickets/t1", locked(func(w http.ResponseWriter, _ *http.Request) {
		q.cancelled = true
		reply(w, 200, `{"id":"t1"}`)
	}))
	return startLobby(t, mux)
}

const seated = `{"id":"t1","state":"matched","match":{"room":"r1","url":"ws://x","token":"seat"}}`

func TestPlayQueuesConfirmsAndReturnsTheSeat(t *testing.T) {
	q := &queueing{refused: 1, answers: []string{
		`{"id":"t1","state":"waiting","reason":"2 of 4"}`, `503`,
		`{"id":"t1","state":"confirming","confirm":{"players":4,"until":"2030-01-01T00:00:00Z"}}`,
		`{"id":"t1","state":"confirming","confirm":{"players":4,"accepted":3,"until":"2030-01-01T00:00:00Z"}}`, // the same
		`{"id":"t1","state":"confirming","confirm":{"players":4,"until":"2031-01-01T00:00:00Z"}}`,              // another match
		seated,
	}}
	l := q.start(t)
	var states []string
	m, err := l.Play(t.Context(), NewTicket{Queue: "arena"}, Queueing{Progress: func(t Ticket) { states = append(states, t.State) }})
	if err != nil || m.Token != "seat" {
		t.Fatalf("%+v, %v", m, err)
	}
	if want := []string{"waiting", "waiting", "confirming", "confirming", "confirming"}; !slices.Equal(states, want) {
		t.Errorf("told %q, want %q", states, want)
	}
	if !slices.Equal(q.confirmed, []bool{true, true}) || q.cancelled {
		t.Errorf("confirmed %v, cancelled %v", q.confirmed, q.cancelled)
	}
	if len(q.created) != 2 || q.created[0] == "" || q.created[0] != q.created[1] {
		t.Errorf("created with the keys %q: a repeat could queue twice", q.created)
	}
}

func TestPlayCancelsItsTicketWhenItsContextEnds(t *testing.T) {
	q := &queueing{answers: []string{`{"id":"t1","state":"waiting"}`}}
	l := q.start(t)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := l.Play(ctx, NewTicket{Queue: "arena"}, Queueing{Progress: func(Ticket) { cancel() }})
	if !errors.Is(err, context.Canceled) || !q.cancelled {
		t.Errorf("error %v, cancelled %v", err, q.cancelled)
	}
}

func TestPlayEndsWithTheTicket(t *testing.T) {
	q := &queueing{answers: []string{
		`{"id":"t1","state":"confirming","confirm":{"players":4,"until":"2030-01-01T00:00:00Z"}}`, `{"id":"t1","state":"cancelled","reason":"declined"}`,
	}}
	l := q.start(t)
	_, err := l.Play(t.Context(), NewTicket{Queue: "arena"}, Queueing{Accept: func(t Ticket) bool { return t.Confirm.Players > 10 }})
	var ended *TicketError
	if !errors.As(err, &ended) || ended.State != "cancelled" || ended.Reason != "declined" || q.cancelled || !slices.Equal(q.confirmed, []bool{false}) {
		t.Errorf("error %v, cancelled %v, confirmed %v", err, q.cancelled, q.confirmed)
	}
}

func TestPlayDoesNotRepeatWhatIsRefusedForGood(t *testing.T) {
	asked := 0
	l := startLobby(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { asked++; reply(w, 422, `{"detail":"no such queue"}`) }))
	_, err := l.Play(t.Context(), NewTicket{Queue: "nowhere"}, Queueing{})
	var api *APIError
	if !errors.As(err, &api) || api.Status != 422 || asked != 1 {
		t.Errorf("error %v after %d requests", err, asked)
	}
}

// tokens is a lobby that takes one token alone.
func tokens(t *testing.T, good *atomic.Value, renewed *atomic.Int32) *Lobby {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/guests", func(w http.ResponseWriter, _ *http.Request) { reply(w, 201, `{"token":"one","player":"p"}`) })
	mux.HandleFunc("POST /v1/guests/renew", func(w http.ResponseWriter, r *http.Request) {
		var in struct{ Token string }
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil || in.Token != "one" || r.Header.Get("Authorization") != "" {
			t.Errorf("renewing %q: %v", in.Token, err)
		}
		renewed.Add(1)
		reply(w, 200, `{"token":"two","player":"p"}`)
	})
	mux.HandleFunc("GET /v1/me", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != fmt.Sprint("Bearer ", good.Load()) {
			reply(w, 401, `{}`)
			return
		}
		reply(w, 200, `{"player":"p","watch":"everyone","ratings":[]}`)
	})
	return startLobby(t, mux)
}

func TestPlayDoesNotAskAnAddressThatIsNone(t *testing.T) {
	for _, url := range []string{"", "play.example.com", "ws://play.example.com", "http:", "http://[::1"} {
		ctx, cancel := context.WithTimeout(t.Context(), waitLong)
		l := &Lobby{URL: url}
		if _, err := l.Play(ctx, NewTicket{Queue: "arena"}, Queueing{}); !errors.Is(err, errAddress) || ctx.Err() != nil {
			t.Errorf("%q: %v", url, err)
		}
		cancel()
	}
}

func TestATokenThatIsNoLongerTakenIsRefreshedOnceForAllCalls(t *testing.T) {
	var good atomic.Value
	var renewed, asked atomic.Int32
	good.Store("two")
	l := tokens(t, &good, &renewed)
	l.Token, l.Refresh = "one", func(context.Context) (string, error) { asked.Add(1); return "two", nil }
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if me, err := l.Me(context.Background()); err != nil || me.ID != "p" {
				t.Errorf("%+v, %v", me, err)
			}
		})
	}
	wg.Wait()
	if asked.Load() != 1 {
		t.Errorf("asked for a token %d times", asked.Load())
	}
	good.Store("three") // what Refresh gives is no good: the call fails, and is not made without end
	var api *APIError
	if _, err := l.Me(t.Context()); !errors.As(err, &api) || api.Status != 401 {
		t.Errorf("error %v", err)
	}
	l.Refresh = func(context.Context) (string, error) { return "", errors.New("no network") }
	if _, err := l.Me(t.Context()); !errors.As(err, &api) || api.Status != 401 {
		t.Errorf("error %v", err)
	}
}

func TestWhatRefreshAnswersIsTheAnswerToAllWhoWait(t *testing.T) {
	for about, answer := range map[string]error{"a failure": errors.New("no network"), "the same token": nil} {
		t.Run(about, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var asked atomic.Int32
				answered := make(chan struct{})
				l := &Lobby{Token: "one", Refresh: func(context.Context) (string, error) {
					asked.Add(1)
					<-answered
					return "one", answer
				}}
				var wg sync.WaitGroup
				for range 8 {
					wg.Go(func() {
						if _, err := l.FreshToken(t.Context()); !errors.Is(err, answer) {
							t.Errorf("error %v", err)
						}
					})
				}
				synctest.Wait()
				close(answered)
				wg.Wait()
				if asked.Load() != 1 {
					t.Errorf("asked %d times", asked.Load())
				}
			})
		})
	}
}

func TestWhoGivesUpAskingDoesNotAnswerForOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &Lobby{Token: "one"}
		first, cancel := context.WithCancel(t.Context())
		l.Refresh = func(ctx context.Context) (string, error) {
			if ctx == first {
				<-ctx.Done()
				return "", ctx.Err()
			}
			return "two", nil
		}
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := l.FreshToken(first); !errors.Is(err, context.Canceled) {
				t.Errorf("who gave up: %v", err)
			}
		})
		synctest.Wait()
		wg.Go(func() {
			if token, err := l.FreshToken(t.Context()); token != "two" || err != nil {
				t.Errorf("who waited: %q, %v", token, err)
			}
		})
		synctest.Wait()
		cancel()
		wg.Wait()
	})
}

func TestAGuestIsRenewedByTheLobby(t *testing.T) {
	var good atomic.Value
	var renewed atomic.Int32
	good.Store("one")
	l := tokens(t, &good, &renewed)
	if _, err := l.Guest(t.Context(), "alice"); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Me(t.Context()); err != nil || renewed.Load() != 0 {
		t.Errorf("%v, renewed %d times", err, renewed.Load())
	}
	good.Store("two")
	if _, err := l.Me(t.Context()); err != nil || renewed.Load() != 1 {
		t.Errorf("%v, renewed %d times", err, renewed.Load())
	}
	other := &Lobby{URL: l.URL, HTTP: l.HTTP, Token: "another's"}
	var api *APIError
	if _, err := other.Me(t.Context()); !errors.As(err, &api) || api.Status != 401 || renewed.Load() != 1 {
		t.Errorf("who is no guest: %v, renewed %d times", err, renewed.Load())
	}
}

func TestFreshTokenEndsWithItsContext(t *testing.T) {
	began := make(chan struct{})
	l := &Lobby{Token: "one", Refresh: func(ctx context.Context) (string, error) {
		close(began)
		<-ctx.Done()
		return "", ctx.Err()
	}}
	first, cancelFirst := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := l.FreshToken(first)
		done <- err
	}()
	<-began
	second, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := l.FreshToken(second); !errors.Is(err, context.DeadlineExceeded) { // it waits for the first
		t.Errorf("the second: %v", err)
	}
	cancelFirst()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("the first: %v", err)
	}
}
