package client

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"

	"muster/internal/pause"
)

// Ticket is a player's wish for a match.
type Ticket struct {
	ID      string    `json:"id"`
	Queue   string    `json:"queue"`
	State   string    `json:"state"` // waiting, confirming, matched, cancelled or expired
	Players []string  `json:"players"`
	Created time.Time `json:"created_at"`
	Reason  string    `json:"reason,omitempty"`  // why it waits, or why it ended, for people
	Confirm *Confirm  `json:"confirm,omitempty"` // of a confirming one
	Match   *Match    `json:"match,omitempty"`   // of a matched one
}

// Confirm is a match that its players are asked to confirm.
type Confirm struct {
	Players  int       `json:"players"`  // how many are asked
	Accepted int       `json:"accepted"` // how many have accepted
	Mine     bool      `json:"mine"`     // whether the player himself has
	Until    time.Time `json:"until"`
}

// NewTicket says what a player wants. Only Queue must be set; what the others mean is the queue's rules.
type NewTicket struct {
	Queue      string                `json:"queue"`
	Attributes map[string]any        `json:"attributes,omitempty"`  // texts, numbers, or lists of texts
	Latency    map[string]float64    `json:"latency,omitempty"`     // to regions, in milliseconds
	MaxLatency float64               `json:"max_latency,omitempty"` // in milliseconds; 0 is the queue's own
	MaxSpread  float64               `json:"max_spread,omitempty"`  // the widest distance of ratings; 0 is the queue's own
	Roles      []string              `json:"roles,omitempty"`       // what the player comes for; none is any
	NewOnly    bool                  `json:"new_only,omitempty"`    // no match that runs already
	Party      bool                  `json:"party,omitempty"`       // wait with the own party, as its leader
	Members    map[string]MemberWish `json:"members,omitempty"`     // what is another's of the party, by player

	Key string `json:"-"` // the Idempotency-Key, for a program that repeats the call itself; "" makes one up
}

// MemberWish is what a member of a party wants otherwise than its leader.
type MemberWish struct {
	Latency map[string]float64 `json:"latency,omitempty"`
	Roles   []string           `json:"roles,omitempty"`
}

// Explanation says why a ticket waits.
type Explanation struct {
	State    string       `json:"state"`
	Text     string       `json:"text"`    // for people
	Needed   int          `json:"needed"`  // players, for a match
	Fitting  int          `json:"fitting"` // who wait and fit
	Waiting  int          `json:"waiting"` // who wait at all
	Rules    []RuleEffect `json:"rules"`
	Expected *Waits       `json:"expected_wait,omitempty"`
}

// RuleEffect is what one rule of a queue does to a ticket.
type RuleEffect struct {
	Rule    string    `json:"rule"`
	Text    string    `json:"text"`
	Removes int       `json:"removes"` // players whom it leaves out
	Alone   int       `json:"alone"`   // players whom it alone leaves out
	Widens  time.Time `json:"widens_at,omitzero"`
}

// Waits are how long tickets of these ratings have waited.
type Waits struct {
	From    float64 `json:"rating_from"`
	To      float64 `json:"rating_to"`
	Tickets int     `json:"tickets"`
	P50     float64 `json:"p50_seconds"`
	P90     float64 `json:"p90_seconds"`
}

// TicketError means that a ticket ended without a match.
type TicketError struct {
	ID, State string
	Reason    string // for people; "" when the lobby did not say
}

// Error implements error.
func (e *TicketError) Error() string {
	if e.Reason != "" {
		return fmt.Sprintf("ticket %s is %s: %s", e.ID, e.State, e.Reason)
	}
	return fmt.Sprintf("ticket %s is %s", e.ID, e.State)
}

const (
	longPoll = 10 * time.Second
	// pollPause is the least time between two questions about a ticket.
	pollPause = 100 * time.Millisecond
	// patienceFirst and patienceMost bound the window within which a call is repeated that the lobby could not answer.
	patienceFirst = 500 * time.Millisecond
	patienceMost  = 5 * time.Second
	// cancelTimeout bounds how long a ticket is tried to be cancelled for a Play whose context has ended.
	cancelTimeout = 3 * time.Second
)

// CreateTicket queues for a match.
func (l *Lobby) CreateTicket(ctx context.Context, queue string) (Ticket, error) {
	return l.Queue(ctx, NewTicket{Queue: queue})
}

// Queue queues for a match with wishes.
func (l *Lobby) Queue(ctx context.Context, want NewTicket) (Ticket, error) {
	var t Ticket
	if err := l.create(ctx, http.MethodPost, "/v1/tickets", key(want.Key), want, &t); err != nil {
		return Ticket{}, fmt.Errorf("creating a ticket for %q: %w", want.Queue, err)
	}
	return t, nil
}

// Ticket returns how a ticket is now.
func (l *Lobby) Ticket(ctx context.Context, id string) (Ticket, error) {
	var t Ticket
	if err := l.call(ctx, http.MethodGet, "/v1/tickets/"+url.PathEscape(id), nil, &t); err != nil {
		return Ticket{}, fmt.Errorf("asking for ticket %s: %w", id, err)
	}
	return t, nil
}

// Explain says why a ticket waits, and how long tickets like it have waited.
func (l *Lobby) Explain(ctx context.Context, id string) (Explanation, error) {
	var e Explanation
	if err := l.call(ctx, http.MethodGet, "/v1/tickets/"+url.PathEscape(id)+"/explain", nil, &e); err != nil {
		return Explanation{}, fmt.Errorf("asking why ticket %s waits: %w", id, err)
	}
	return e, nil
}

// WaitTicket waits until a ticket is matched. A ticket that ended otherwise gives a [TicketError]. In queues that ask their
// players, another goroutine confirms the match meanwhile, or the ticket ends. See [Lobby.Await], which does all of it.
func (l *Lobby) WaitTicket(ctx context.Context, id string) (Match, error) {
	return l.wait(ctx, id, func(Ticket) error { return nil }, func(err error) error { return err })
}

// wait calls progress with each answer that is no match yet, and failed when there was none; their errors end it.
func (l *Lobby) wait(ctx context.Context, id string, progress func(Ticket) error, failed func(error) error) (Match, error) {
	path := "/v1/tickets/" + url.PathEscape(id) + "?wait=" + longPoll.String()
	for known := ""; ; {
		began := time.Now()
		var t Ticket
		err := l.call(ctx, http.MethodGet, path+known, nil, &t)
		switch {
		case err != nil:
			err = failed(fmt.Errorf("waiting for ticket %s: %w", id, err))
		case t.State == "matched" && t.Match != nil:
			return *t.Match, nil
		case t.State == "confirming":
			known, err = "&known=confirming", progress(t)
		case t.State == "waiting":
			known, err = "", progress(t)
		default:
			return Match{}, &TicketError{ID: id, State: t.State, Reason: t.Reason}
		}
		if err == nil { // a lobby that does not wait must not be asked without end
			if ended := pause.For(ctx, time.Until(began.Add(pollPause))); ended != nil {
				err = fmt.Errorf("waiting for ticket %s: %w", id, ended)
			}
		}
		if err != nil {
			return Match{}, err
		}
	}
}

// Queueing says what [Lobby.Play] tells and asks on the way.
type Queueing struct {
	// Progress is called with the ticket as it is each time the lobby says that there is no match yet: when it was
	// created, every ten seconds, and when a match was found that is to be confirmed.
	Progress func(Ticket)
	// Accept says whether to take part in a match that was found, in queues that ask. Nil accepts. Who declines is out
	// of the queue and may be kept out for a while.
	Accept func(Ticket) bool
}

// Play queues and waits until there is a seat, which is to be taken within seconds ([Dial]). When ctx ends, or anything
// else ends the wait, the ticket is cancelled before it returns; only where ctx ends while the ticket is being created it
// returns at once, and the ticket is cancelled once it is known: see [Lobby.Settle]. A ticket that ended without a match gives a
// [TicketError]. What the lobby cannot do for now (429, 5xx, no answer) is asked for again, at random within a window
// that grows to five seconds, until ctx ends.
func (l *Lobby) Play(ctx context.Context, want NewTicket, q Queueing) (Match, error) {
	want.Key = key(want.Key) // of all attempts
	var ticket Ticket
	err := l.patiently(ctx, func() (err error) {
		ticket, err = l.queue(ctx, want)
		return err
	})
	if err != nil {
		return Match{}, err
	}
	m, err := l.Await(ctx, ticket, q)
	if ended := (*TicketError)(nil); err != nil && !errors.As(err, &ended) {
		l.giveUp(ctx, ticket.ID)
	}
	return m, err
}

// queue is Queue for Play. When ctx ends it returns at once, but the request goes on: the lobby may have made the ticket
// by then, and only the answer says which one it is.
func (l *Lobby) queue(ctx context.Context, want NewTicket) (Ticket, error) {
	if err := ctx.Err(); err != nil {
		return Ticket{}, fmt.Errorf("creating a ticket for %q: %w", want.Queue, err)
	}
	type outcome struct {
		ticket Ticket
		err    error
	}
	made := make(chan outcome) // holds none: either Play takes the outcome or it has gone
	l.left.Go(func() {
		apart, cancel := context.WithTimeout(context.WithoutCancel(ctx), replyTimeout)
		defer cancel()
		t, err := l.Queue(apart, want)
		select {
		case made <- outcome{t, err}:
		case <-ctx.Done():
			if err == nil {
				l.giveUp(ctx, t.ID)
			}
		}
	})
	select {
	case o := <-made:
		return o.ticket, o.err
	case <-ctx.Done():
		return Ticket{}, fmt.Errorf("creating a ticket for %q: %w", want.Queue, ctx.Err())
	}
}

// giveUp cancels a ticket for whom ctx has ended, for some seconds; it expires by itself otherwise.
func (l *Lobby) giveUp(ctx context.Context, id string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cancelTimeout)
	defer cancel()
	_ = l.CancelTicket(ctx, id)
}

// Settle waits until what was left of calls of Play whose contexts ended is done: up to 33 s where the lobby does not
// answer, mostly not at all. A program calls it when it ends; no call of Play may begin meanwhile.
func (l *Lobby) Settle() { l.left.Wait() }

// Await is the second half of Play: it waits for a ticket's match, and confirms it once for each time that it is asked to.
// The ticket is not cancelled when ctx ends.
func (l *Lobby) Await(ctx context.Context, ticket Ticket, q Queueing) (Match, error) {
	var asked time.Time // the deadline of the match that was confirmed
	progress := func(t Ticket) error {
		if q.Progress != nil {
			q.Progress(t)
		}
		if t.State != "confirming" || t.Confirm == nil || t.Confirm.Mine || t.Confirm.Until.Equal(asked) {
			return nil
		}
		accept := q.Accept == nil || q.Accept(t)
		asked = t.Confirm.Until
		err := l.ConfirmTicket(ctx, t.ID, accept)
		if api := (*APIError)(nil); errors.As(err, &api) && api.Status == http.StatusConflict {
			return nil // too late: the next answer says how the ticket is
		}
		return err
	}
	if err := progress(ticket); err != nil {
		return Match{}, err
	}
	var p patience
	return l.wait(ctx, ticket.ID, func(t Ticket) error { p = patience{}; return progress(t) }, func(err error) error { return p.after(ctx, err) })
}

// patiently repeats a call that the lobby cannot answer for now, as long as ctx lasts.
func (l *Lobby) patiently(ctx context.Context, call func() error) error {
	for p := (patience{}); ; {
		err := call()
		if err == nil {
			return nil
		}
		if err := p.after(ctx, err); err != nil {
			return err
		}
	}
}

// patience waits longer with each failure.
type patience struct{ n int }

// after waits when the same call may succeed later; else, or when ctx ends, it returns the error.
func (p *patience) after(ctx context.Context, err error) error {
	api := (*APIError)(nil)
	if ctx.Err() != nil || errors.As(err, &api) && !api.Temporary() || errors.Is(err, errRedirect) || errors.Is(err, errAddress) {
		return err
	}
	wait := rand.N(min(patienceMost, patienceFirst<<min(p.n, 10))) //nolint:gosec // only to spread attempts
	if api != nil {
		wait += api.RetryAfter
	}
	p.n++
	if pause.For(ctx, wait) != nil {
		return err
	}
	return nil
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

// Queue is a queue as its players see it.
type Queue struct {
	Name             string  `json:"name"`
	Game             string  `json:"game"`
	PlayersWaiting   int     `json:"players_waiting"`
	MatchesPerMinute float64 `json:"matches_per_minute"`
	Watch            bool    `json:"watch"`         // whether anybody may watch its matches
	Expected         []Waits `json:"expected_wait"` // by rating
}

// Queues lists the queues.
func (l *Lobby) Queues(ctx context.Context) ([]Queue, error) {
	var out struct {
		Queues []Queue `json:"queues"`
	}
	if err := l.call(ctx, http.MethodGet, "/v1/queues", nil, &out); err != nil {
		return nil, fmt.Errorf("listing the queues: %w", err)
	}
	return out.Queues, nil
}
