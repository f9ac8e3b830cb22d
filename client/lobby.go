package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"muster/proto"
)

// Lobby calls a lobby's REST interface as one player. The zero Token is nobody: call Guest, or set it. One goroutine
// at a time may use a Lobby while Guest runs; the other calls only read it.
type Lobby struct {
	URL   string       // the lobby's address, like "https://play.example.com"
	Token string       // the player token
	HTTP  *http.Client // nil means http.DefaultClient; redirects are refused either way
}

// Guest is a player that a development server made up.
type Guest struct {
	Token   string    `json:"token"`
	Player  string    `json:"player"`
	Expires time.Time `json:"expires_at"`
}

// Ticket is a player's wish for a match.
type Ticket struct {
	ID      string    `json:"id"`
	Queue   string    `json:"queue"`
	State   string    `json:"state"` // waiting, confirming, matched, cancelled or expired
	Created time.Time `json:"created_at"`
}

// Match is a seat in a match: what [Dial] needs. Its token is good for one handshake, within seconds.
type Match struct {
	Room  string `json:"room"`
	URL   string `json:"url"`
	Token string `json:"token"`
}

// Result is how a match ended.
type Result struct {
	Room       string            `json:"room"`
	Game       string            `json:"game"`
	Tick       uint32            `json:"tick"`
	Placements []proto.Placement `json:"placements"` // best first
	Ended      time.Time         `json:"ended_at"`
}

// TicketError means that a ticket ended without a match.
type TicketError struct{ ID, State string }

// Error implements error.
func (e *TicketError) Error() string { return fmt.Sprintf("ticket %s is %s", e.ID, e.State) }

const (
	maxReply = 256 << 10 // bytes of a reply that are read
	longPoll = 10 * time.Second
	// pollPause is the least time between two questions about a ticket.
	pollPause = 100 * time.Millisecond
)

// Guest asks a development server for a player of this name and takes its token.
func (l *Lobby) Guest(ctx context.Context, name string) (Guest, error) {
	var g Guest
	body := struct {
		Name string `json:"name"`
	}{name}
	if err := l.call(ctx, http.MethodPost, "/v1/guests", body, &g); err != nil {
		return Guest{}, fmt.Errorf("asking for a guest: %w", err)
	}
	l.Token = g.Token
	return g, nil
}

// CreateTicket queues for a match.
func (l *Lobby) CreateTicket(ctx context.Context, queue string) (Ticket, error) {
	var t Ticket
	body := struct {
		Queue string `json:"queue"`
	}{queue}
	if err := l.call(ctx, http.MethodPost, "/v1/tickets", body, &t); err != nil {
		return Ticket{}, fmt.Errorf("creating a ticket for %q: %w", queue, err)
	}
	return t, nil
}

// WaitTicket waits until a ticket is matched. A ticket that ended otherwise gives a [TicketError]. In queues that ask their
// players, another goroutine confirms the match meanwhile, or the ticket ends.
func (l *Lobby) WaitTicket(ctx context.Context, id string) (Match, error) {
	path := "/v1/tickets/" + url.PathEscape(id) + "?wait=" + longPoll.String()
	for known := ""; ; {
		began := time.Now()
		var t struct {
			State string `json:"state"`
			Match *Match `json:"match"`
		}
		if err := l.call(ctx, http.MethodGet, path+known, nil, &t); err != nil {
			return Match{}, fmt.Errorf("waiting for ticket %s: %w", id, err)
		}
		switch {
		case t.State == "matched" && t.Match != nil:
			return *t.Match, nil
		case t.State == "confirming":
			known = "&known=confirming"
		case t.State == "waiting":
			known = ""
		default:
			return Match{}, &TicketError{ID: id, State: t.State}
		}
		select { // a lobby that does not wait must not be asked without end
		case <-time.After(time.Until(began.Add(pollPause))):
		case <-ctx.Done():
			return Match{}, fmt.Errorf("waiting for ticket %s: %w", id, ctx.Err())
		}
	}
}

// ConfirmTicket takes part in the match that was found for a ticket, in queues that ask, or declines it: then the ticket
// ends. An [APIError] with status 409 says that there is no match to confirm now.
func (l *Lobby) ConfirmTicket(ctx context.Context, id string, accept bool) error {
	body := struct {
		Accept bool `json:"accept"`
	}{accept}
	if err := l.call(ctx, http.MethodPost, "/v1/tickets/"+url.PathEscape(id)+"/confirm", body, nil); err != nil {
		return fmt.Errorf("confirming ticket %s: %w", id, err)
	}
	return nil
}

// CancelTicket gives a ticket up. It does nothing to one that has ended.
func (l *Lobby) CancelTicket(ctx context.Context, id string) error {
	if err := l.call(ctx, http.MethodDelete, "/v1/tickets/"+url.PathEscape(id), nil, nil); err != nil {
		return fmt.Errorf("cancelling ticket %s: %w", id, err)
	}
	return nil
}

// Rejoin asks for a new seat token for a room in which the player has a seat.
func (l *Lobby) Rejoin(ctx context.Context, room string) (Match, error) {
	var m Match
	if err := l.call(ctx, http.MethodPost, "/v1/rooms/"+url.PathEscape(room)+"/rejoin", nil, &m); err != nil {
		return Match{}, fmt.Errorf("rejoining room %s: %w", room, err)
	}
	return m, nil
}

// Result returns how a match ended; an [APIError] with status 404 while it has not.
func (l *Lobby) Result(ctx context.Context, room string) (Result, error) {
	var r Result
	if err := l.call(ctx, http.MethodGet, "/v1/matches/"+url.PathEscape(room), nil, &r); err != nil {
		return Result{}, fmt.Errorf("asking for the result of match %s: %w", room, err)
	}
	return r, nil
}

// call makes one request and decodes the reply into out unless that is nil.
func (l *Lobby) call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("encoding the request: %w", err)
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(l.URL, "/")+path, body)
	if err != nil {
		return err //nolint:wrapcheck // each call says what for
	}
	req.Header.Set("Accept", "application/json")
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if l.Token != "" {
		req.Header.Set("Authorization", "Bearer "+l.Token)
	}
	res, err := straight(l.HTTP).Do(req)
	if err != nil {
		return err //nolint:wrapcheck // each call says what for
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(io.LimitReader(res.Body, maxReply+1))
	switch {
	case err != nil:
		return fmt.Errorf("reading the reply: %w", err)
	case len(b) > maxReply:
		return fmt.Errorf("the reply has more than %d bytes", maxReply)
	case res.StatusCode < 200 || res.StatusCode > 299:
		return apiError(res, b)
	case out == nil:
		return nil
	}
	if err := json.Unmarshal(b, out); err != nil {
		return fmt.Errorf("decoding the reply: %w", err)
	}
	return nil
}

var errRedirect = errors.New("the server redirects elsewhere, which is refused")

// straight returns a client like c that follows no redirect, so that a token goes to the address that the caller gave
// and to no other.
func straight(c *http.Client) *http.Client {
	if c == nil {
		c = http.DefaultClient
	}
	own := *c
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return errRedirect }
	return &own
}
