package lobby_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"muster/client"
	"muster/internal/testredis"
)

// follow opens a player's socket that comes back, and calls told with the value of each event until the test's end.
func (p *place) follow(player string, told func(v any)) *client.Feed {
	p.t.Helper()
	f, err := p.lobby(player).Follow(p.t.Context(), client.LiveOptions{})
	must(p.t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			news, err := f.Next(context.Background())
			switch {
			case err != nil:
				return
			case news.Event == nil:
				continue
			}
			v, err := news.Event.Value()
			if err != nil {
				p.t.Errorf("%+v: %v", news.Event, err)
			}
			told(v)
		}
	}()
	p.t.Cleanup(func() { _ = f.Close(); <-done })
	return f
}

// within returns the next value of a type.
func within[T any](t *testing.T, from <-chan any) T {
	t.Helper()
	end := time.After(15 * time.Second)
	for {
		select {
		case v := <-from:
			if v, ok := v.(T); ok {
				return v
			}
		case <-end:
			t.Fatalf("no %T is told", *new(T))
		}
	}
}

func TestChatAndTicketsByALobbysSocketAreThoseOfItsInterface(t *testing.T) {
	base := &place{rdb: testredis.Embedded(t)}
	here, there := openServed(t, base, nil), openServed(t, base, nil)
	ctx := t.Context()
	bobs, alices := make(chan any, 64), make(chan any, 64)
	bob := there.follow("bob", func(v any) { bobs <- v })
	alice := here.follow("alice", func(v any) { alices <- v })

	sent, err := alice.Chat().Send(ctx, "direct:bob", "hello", "k1")
	must(t, err)
	again, err := alice.Chat().Send(ctx, "direct:bob", "hello", "k1")
	must(t, err)
	if again.ID != sent.ID || sent.From != "alice" || sent.Text != "hello" || sent.At.IsZero() {
		t.Errorf("sent %+v, and again %+v", sent, again)
	}
	heard := within[*client.ChatMessage](t, bobs)
	if heard.Channel != "direct:alice" || heard.ID != sent.ID || heard.Text != "hello" {
		t.Errorf("heard %+v, sent %+v", heard, sent)
	}
	page, err := bob.Chat().History(ctx, "direct:alice", "", 10)
	must(t, err)
	if len(page.Messages) != 1 || page.Messages[0].Text != "hello" {
		t.Errorf("the history is %+v", page)
	}
	var api *client.APIError
	if _, err := alice.Chat().Send(ctx, "direct:bob", "", ""); !errors.As(err, &api) || api.Status != 422 || len(api.Errors) == 0 && api.Detail == "" {
		t.Errorf("a message without a word: %v", err)
	}

	ticket, err := here.lobby("alice").CreateTicket(ctx, "duel")
	must(t, err)
	got, err := alice.Ticket(ctx, ticket.ID)
	must(t, err)
	why, err := alice.Explain(ctx, ticket.ID)
	must(t, err)
	if got.State != "waiting" || !slices.Equal(got.Players, []string{"alice"}) || why.State != "waiting" {
		t.Errorf("%+v, %+v", got, why)
	}
	if err := alice.ConfirmTicket(ctx, ticket.ID, true); !errors.As(err, &api) || api.Status != 409 {
		t.Errorf("confirming what nobody asks: %v", err)
	}
	must(t, alice.CancelTicket(ctx, ticket.ID))
	if told := within[*client.Ticket](t, alices); told.ID != ticket.ID || told.State != "cancelled" {
		t.Errorf("told %+v", told)
	}
}
