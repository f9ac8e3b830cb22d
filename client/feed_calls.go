package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"muster/internal/pause"
)

// answerTimeout bounds a request that is made again when its socket is lost, over all sockets.
const answerTimeout = 30 * time.Second

// Do makes a request on the socket, as [Live.Do]; while there is none it waits for one. A socket that is lost before the
// answer is an error: whether the lobby has done it is not known. The calls below do not end there, but are made again on
// the next one, for 30 s in all.
func (f *Feed) Do(ctx context.Context, name string, body, out any) error {
	live, err := f.socket(ctx, name, nil)
	if err != nil {
		return err
	}
	return live.Do(ctx, name, body, out)
}

// socket is the present one, but none that is gone; while there is none it waits for one.
func (f *Feed) socket(ctx context.Context, name string, gone *Live) (*Live, error) {
	for {
		f.mu.Lock()
		live, changed, ended := f.live, f.changed, f.ended
		f.mu.Unlock()
		switch {
		case ended != nil:
			return nil, ended
		case live != nil && live != gone:
			return live, nil
		}
		select {
		case <-changed:
		case <-f.ctx.Done():
			return nil, ErrClosed
		case <-ctx.Done():
			return nil, fmt.Errorf("asking the lobby for %s: %w", name, ctx.Err())
		}
	}
}

// do makes a request until there is an answer: one that may be made twice.
func (f *Feed) do(ctx context.Context, name string, body, out any) error {
	_, err := f.repeat(ctx, name, body, out)
	return err
}

// repeat is do, and says whether the answer is to a request that was made before: the lobby may have done that one.
func (f *Feed) repeat(ctx context.Context, name string, body, out any) (again bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	var live *Live
	for ; ; again = true {
		if live, err = f.socket(ctx, name, live); err != nil {
			return again, err
		}
		q, err := live.begin(ctx, name, body)
		if err == nil {
			ok, refused := q.answer(ctx)
			if refused == nil {
				return again, q.decode(ok, out)
			}
			err = refused
		}
		if api := (*APIError)(nil); errors.As(err, &api) || errors.Is(err, errRequest) || ctx.Err() != nil {
			return again, err
		}
	}
}

// Ticket returns how a ticket is now.
func (f *Feed) Ticket(ctx context.Context, id string) (t Ticket, err error) {
	err = f.do(ctx, "ticket.get", ticketID{id}, &t)
	return t, err
}

// Explain says why a ticket waits.
func (f *Feed) Explain(ctx context.Context, id string) (e Explanation, err error) {
	err = f.do(ctx, "ticket.explain", ticketID{id}, &e)
	return e, err
}

// ConfirmTicket is [Lobby.ConfirmTicket], on the socket. Where the socket was lost before the answer, and the match is decided
// when it is back, it is no error that nobody is asked any more if the ticket shows that the answer counted.
func (f *Feed) ConfirmTicket(ctx context.Context, id string, accept bool) error {
	body := struct {
		Ticket string `json:"ticket"`
		Accept bool   `json:"accept"`
	}{id, accept}
	again, err := f.repeat(ctx, "ticket.confirm", body, nil)
	if api := (*APIError)(nil); !again || !errors.As(err, &api) || api.Status != http.StatusConflict {
		return err
	}
	if t, failed := f.Ticket(ctx, id); failed == nil && t.answered(accept) {
		return nil
	}
	return err
}

// answered says whether a ticket shows that its player's word on a match has counted. One that waits again does not say.
func (t *Ticket) answered(accept bool) bool {
	if !accept {
		return t.State == "cancelled"
	}
	return t.State == "matched" || t.Confirm != nil && t.Confirm.Mine
}

// CancelTicket gives a ticket up. It does nothing to one that has ended.
func (f *Feed) CancelTicket(ctx context.Context, id string) error {
	return f.do(ctx, "ticket.cancel", ticketID{id}, nil)
}

type ticketID struct {
	Ticket string `json:"ticket"`
}

// FeedChat are the calls about chat on a lobby's socket: see [Feed.Chat]. Channels are those of [Chat].
type FeedChat struct{ f *Feed }

// Chat returns the calls about chat.
func (f *Feed) Chat() FeedChat { return FeedChat{f} }

// Send writes a message of 1 to 500 characters: once, however often the socket is lost, and once for a key, which is for
// the same message sent again. "" makes one up.
func (c FeedChat) Send(ctx context.Context, channel, text, idempotencyKey string) (m ChatMessage, err error) {
	body := struct {
		Channel string `json:"channel"`
		Text    string `json:"text"`
		Key     string `json:"key"`
	}{channel, text, key(idempotencyKey)}
	err = c.f.do(ctx, "chat.send", body, &m)
	return m, err
}

// History reads a channel, as [Chat.History] does.
func (c FeedChat) History(ctx context.Context, channel, before string, limit int) (h ChatHistory, err error) {
	body := struct {
		Channel string `json:"channel"`
		Before  string `json:"before,omitempty"`
		Limit   int    `json:"limit,omitempty"`
	}{channel, before, limit}
	err = c.f.do(ctx, "chat.history", body, &h)
	return h, err
}

const watchPresence = "presence.watch"

type watching struct {
	Players []string `json:"players"`
}

// Watch has Next tell how these players are, at most 200, in the place of those before; also after the socket was lost.
func (f *Feed) Watch(ctx context.Context, players ...string) error {
	f.mu.Lock()
	f.watched = slices.Clone(players)
	f.mu.Unlock()
	return f.do(ctx, watchPresence, watching{append([]string{}, players...)}, nil)
}

// rewatch sees to it that those are watched on a new socket who were on the one before: a lobby that has too much to do is
// asked again when it says. It ends with the socket.
func (f *Feed) rewatch(q *request, players []string) {
	for {
		_, err := q.answer(f.ctx)
		api := (*APIError)(nil)
		if !errors.As(err, &api) || api.RetryAfter == 0 || pause.For(f.ctx, api.RetryAfter) != nil {
			return
		}
		f.mu.Lock()
		same := f.live == q.live && slices.Equal(f.watched, players)
		f.mu.Unlock()
		if !same {
			return
		}
		if q, players, err = f.watchAgain(q.live, players); err != nil {
			return
		}
	}
}

// watchAgain has players watched, and then those whom Watch has named meanwhile: what it has sent may have been overtaken.
func (f *Feed) watchAgain(live *Live, players []string) (*request, []string, error) {
	for {
		q, err := live.begin(f.ctx, watchPresence, watching{append([]string{}, players...)})
		if err != nil {
			return nil, nil, err
		}
		f.mu.Lock()
		newest := f.watched
		f.mu.Unlock()
		if slices.Equal(newest, players) {
			return q, players, nil
		}
		q.end()
		players = newest
	}
}
