package client

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"muster/internal/pause"
)

// roundTrip answers requests without a network.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func (f roundTrip) lobby() *Lobby {
	return &Lobby{URL: "http://lobby", Token: "t", HTTP: &http.Client{Transport: f}}
}

// silence is what a connection answers that is dead at the other end.
func silence(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func answer(r *http.Request, status int, body io.Reader) (*http.Response, error) {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(body), Request: r}, nil
}

func TestPlayAsksAgainWhereAPollIsNotAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		polls := 0
		l := roundTrip(func(r *http.Request) (*http.Response, error) {
			if r.Method == http.MethodPost {
				return answer(r, 201, strings.NewReader(`{"id":"t1","state":"waiting"}`))
			}
			if polls++; polls == 1 {
				return silence(r)
			}
			return answer(r, 200, strings.NewReader(seated))
		}).lobby()
		began := time.Now()
		m, err := l.Play(t.Context(), NewTicket{Queue: "arena"}, Queueing{})
		if err != nil || m.Token != "seat" || polls != 2 {
			t.Errorf("%+v, %v, after %d polls", m, err, polls)
		}
		// A ticket that nobody asks for ends after 30 s.
		if took := time.Since(began); took < longPoll || took > 20*time.Second {
			t.Errorf("asked again after %v", took)
		}
	})
}

// Who gives up while the ticket is being created must not find it in the queue when he comes again.
func TestATicketThatComesAfterItsPlayHasEndedIsCancelled(t *testing.T) {
	for about, late := range map[string]time.Duration{"soon": time.Second, "late": 20 * time.Second, "never": time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			var made, cancelled []string
			l := roundTrip(func(r *http.Request) (*http.Response, error) {
				if r.Method == http.MethodDelete {
					cancelled = append(cancelled, r.URL.Path)
					return answer(r, 200, strings.NewReader(`{}`))
				}
				if made = append(made, r.Header.Get("Idempotency-Key")); pause.For(r.Context(), late) != nil {
					return nil, r.Context().Err()
				}
				return answer(r, 201, strings.NewReader(`{"id":"t1","state":"waiting"}`))
			}).lobby()
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			began := time.Now()
			_, err := l.Play(ctx, NewTicket{Queue: "arena"}, Queueing{})
			if took := time.Since(began); !errors.Is(err, context.DeadlineExceeded) || took != 100*time.Millisecond {
				t.Errorf("%s: Play: %v after %v", about, err, took)
			}
			if _, err := l.Play(ctx, NewTicket{Queue: "arena"}, Queueing{}); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: Play with a context that has ended: %v", about, err)
			}
			l.Settle()
			want := []string{"/v1/tickets/t1"}
			if late > replyTimeout {
				want = nil
			}
			if !slices.Equal(cancelled, want) || len(made) != 1 || made[0] == "" || time.Since(began) > replyTimeout {
				t.Errorf("%s: cancelled %q, want %q; created with the keys %q; after %v", about, cancelled, want, made, time.Since(began))
			}
		})
	}
}

// endless is a body that does not end before its request.
type endless struct{ ctx context.Context } //nolint:containedctx // a test's

func (e endless) Read([]byte) (int, error) { <-e.ctx.Done(); return 0, e.ctx.Err() }

func TestNoRequestWaitsForEver(t *testing.T) {
	inbox := func(wait time.Duration) func(context.Context, *Lobby) error {
		return func(ctx context.Context, l *Lobby) error { _, err := l.Inbox(ctx, "", 0, wait); return err }
	}
	for about, test := range map[string]struct {
		call   func(context.Context, *Lobby) error
		within time.Duration
	}{
		"a request":   {func(ctx context.Context, l *Lobby) error { _, err := l.Me(ctx); return err }, 30 * time.Second},
		"no wait":     {inbox(0), 30 * time.Second},
		"a long poll": {inbox(20 * time.Second), 25 * time.Second},
	} {
		for what, f := range map[string]roundTrip{
			"silence": silence,
			"half a reply": func(r *http.Request) (*http.Response, error) {
				return answer(r, 200, io.MultiReader(strings.NewReader(`{`), endless{r.Context()}))
			},
		} {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				if err := test.call(t.Context(), f.lobby()); !errors.Is(err, errSilent) || time.Since(began) != test.within {
					t.Errorf("%s, %s: %v after %v, want %v", about, what, err, time.Since(began), test.within)
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				began = time.Now()
				if err := test.call(ctx, f.lobby()); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
					t.Errorf("%s, %s: %v after %v, and the caller waits for a second", about, what, err, time.Since(began))
				}
			})
		}
	}
}
