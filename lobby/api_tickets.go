package lobby

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"muster/internal/door"
	"muster/lobby/ticket"
	"muster/proto/token"
)

const (
	// maxPoll bounds how long a request about a ticket may wait.
	maxPoll = 30 * time.Second
	// lookAgain is after how long a waiting request reads its ticket again unasked, by which its player is known to be
	// there, too: two such times are less than after how long he is not. What changes a ticket is heard before, from the
	// queue's log.
	lookAgain = 12 * time.Second
)

// Ticket is a ticket as the API shows it.
type Ticket struct {
	ID      string    `json:"id" example:"arena.q2gc3zkqav6ohzd3uqp6tmy4ra"`
	Queue   string    `json:"queue" example:"arena"`
	State   string    `json:"state" enum:"waiting,confirming,matched,cancelled,expired" example:"waiting"`
	Created time.Time `json:"created_at" example:"2026-01-02T03:04:05.678Z" doc:"Since when it waits. A ticket that comes back to the queue keeps it."`
	Reason  string    `json:"reason,omitempty" doc:"Why it waits, or why it ended." example:"1 of at least 2 players are here"`
	Players []string  `json:"players" nullable:"false" doc:"Whom it is for: one player, or a party." example:"[\"alice\"]"`
	Confirm *Confirm  `json:"confirm,omitempty" doc:"The match that its players are asked to confirm."`
	Match   *Match    `json:"match,omitempty" doc:"Where to play, once it is matched."`
}

// Confirm is a match that players are asked to confirm.
type Confirm struct {
	Players  int       `json:"players" example:"10" doc:"How many players the match has."`
	Accepted int       `json:"accepted" example:"7" doc:"How many of them have confirmed it."`
	Mine     bool      `json:"mine" example:"true" doc:"You have."`
	Until    time.Time `json:"until" example:"2026-01-02T03:04:15.678Z" doc:"Who has not confirmed it by then is out."`
}

// Match is a seat in a match.
type Match struct {
	Room  string `json:"room" example:"x5n2rm7ksm6vqzcgq3nyzj4k5e"`
	URL   string `json:"url" doc:"The match's WebSocket." example:"ws://127.0.0.1:8080/v1/match/x5n2rm7ksm6vqzcgq3nyzj4k5e"`
	Token string `json:"token" example:"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJhdWQiOlsi…" doc:"Claims the seat once, within seconds: as Authorization: Bearer, or for browsers as the subprotocols muster.v1, bearer.TOKEN."`
}

type ticketOutput struct{ Body Ticket }

type ticketInput struct {
	ID   string `path:"id" maxLength:"64" example:"arena.q2gc3zkqav6ohzd3uqp6tmy4ra" doc:"The ticket."`
	from asked
}

// Resolve implements huma.Resolver.
func (in *ticketInput) Resolve(ctx huma.Context) []error {
	in.from = askedBy(ctx)
	return nil
}

type confirmTicketInput struct {
	ID   string `path:"id" maxLength:"64" example:"arena.q2gc3zkqav6ohzd3uqp6tmy4ra" doc:"The ticket."`
	Body struct {
		Accept bool `json:"accept" example:"true" doc:"Whether you play. Who does not is out, and may not queue again for a while."`
	}
	from asked
}

// Resolve implements huma.Resolver.
func (in *confirmTicketInput) Resolve(ctx huma.Context) []error {
	in.from = askedBy(ctx)
	return nil
}

type getTicketInput struct {
	ID    string `path:"id" maxLength:"64" example:"arena.q2gc3zkqav6ohzd3uqp6tmy4ra" doc:"The ticket."`
	Wait  string `query:"wait" maxLength:"16" example:"10s" doc:"Answer only when the ticket no longer waits, or after this time; at most 30s."`
	Known string `query:"known" enum:"waiting,confirming" default:"waiting" example:"confirming" doc:"The state that you know: with wait, the answer comes when the ticket is in another."`
	wait  time.Duration
	from  asked
}

// Resolve implements huma.Resolver.
func (in *getTicketInput) Resolve(ctx huma.Context) []error {
	in.from = askedBy(ctx)
	if in.Wait == "" {
		return nil
	}
	d, err := time.ParseDuration(in.Wait)
	if err != nil || d < 0 || d > maxPoll {
		return []error{&huma.ErrorDetail{
			Message: "expected a duration from 0s to 30s", Location: "query.wait", Value: in.Wait,
		}}
	}
	in.wait = d
	return nil
}

// asked is how the client reached this server.
type asked struct {
	host    string
	secure  bool
	address string // the client's
}

func askedBy(ctx huma.Context) asked {
	r, _ := humago.Unwrap(ctx)
	return asked{host: r.Host, secure: door.Secure(r), address: network(r.RemoteAddr)}
}

// matchURL is the address of a match's socket on a node with this URL; "" is the server that the client asked.
func (a *asked) matchURL(node, room string) string {
	u := url.URL{Scheme: "ws", Host: a.host, Path: "/v1/match/" + room}
	if a.secure {
		u.Scheme = "wss"
	}
	if n, err := url.Parse(node); node != "" && err == nil {
		u.Host = n.Host
		if u.Scheme = "ws"; n.Scheme == "https" {
			u.Scheme = "wss"
		}
	}
	return u.String()
}

// createTicket is the id of the operation that makes a ticket, which is limited more than others.
const createTicket = "create-ticket"

func (l *Lobby) registerTickets(api huma.API) {
	huma.Register(api, operation(huma.Operation{
		OperationID: createTicket, Method: http.MethodPost, Path: "/v1/tickets", DefaultStatus: http.StatusCreated,
		Summary: "Wait for a match", Tags: []string{"Tickets"},
		Errors: append([]int{http.StatusForbidden, http.StatusNotFound, http.StatusConflict}, withBody...),
	}), creating(l, l.createTicket))
	huma.Register(api, operation(huma.Operation{
		OperationID: "get-ticket", Method: http.MethodGet, Path: "/v1/tickets/{id}",
		Summary: "Read a ticket, or wait until it is matched", Tags: []string{"Tickets"}, Errors: []int{http.StatusForbidden, http.StatusNotFound},
	}), l.getTicket)
	huma.Register(api, operation(huma.Operation{
		OperationID: "cancel-ticket", Method: http.MethodDelete, Path: "/v1/tickets/{id}",
		Summary: "Give a ticket up", Tags: []string{"Tickets"}, Errors: []int{http.StatusForbidden, http.StatusNotFound},
		Description: "The answer is the ticket as it is then: one that is matched, or has ended, stays as it is. " +
			"Any player of a party may give its ticket up. To give up a ticket that is asked to confirm a match is to decline.",
	}), l.cancelTicket)
	huma.Register(api, operation(huma.Operation{
		OperationID: "confirm-ticket", Method: http.MethodPost, Path: "/v1/tickets/{id}/confirm",
		Summary: "Confirm or decline a match that was found", Tags: []string{"Tickets"},
		Errors: append([]int{http.StatusForbidden, http.StatusNotFound, http.StatusConflict}, withBody...),
		Description: "In queues that ask. Who declines, or does not answer in time, is out with his ticket, and may not queue " +
			"again for a while; the others wait again, before all who came after them.",
	}), l.confirmTicket)
	huma.Register(api, operation(huma.Operation{
		OperationID: "explain-ticket", Method: http.MethodGet, Path: "/v1/tickets/{id}/explain",
		Summary: "Read why a ticket waits", Tags: []string{"Tickets"}, Errors: []int{http.StatusNotFound},
		Description: "Which rules hold it back, how many players each keeps away, when each widens, and how long players like " +
			"its own waited lately.",
	}), l.explainTicket)
}

// getTicket reads a ticket; while it is in the state that the client knows, and as long as the client wants, again at every
// change.
func (l *Lobby) getTicket(ctx context.Context, in *getTicketInput) (*ticketOutput, error) {
	p := playerOf(ctx)
	var t *ticket.Ticket
	err := l.poll(ctx, in.ID, in.wait, lookAgain, func() (done bool, err error) {
		t, err = l.tickets.Get(ctx, in.ID, p.ID)
		return err == nil && string(t.State) != in.Known, err //nolint:wrapcheck // says what it did
	})
	if err != nil {
		return nil, l.problem("reading a ticket", err)
	}
	return l.ticketOutput(ctx, t, &in.from)
}

// ticketOutput shows a ticket to the player who asks.
func (l *Lobby) ticketOutput(ctx context.Context, t *ticket.Ticket, a *asked) (*ticketOutput, error) {
	out := Ticket{ID: t.ID, Queue: t.Queue, State: string(t.State), Created: t.Created.UTC(), Reason: t.Reason}
	for i := range t.Players {
		out.Players = append(out.Players, t.Players[i].ID)
	}
	switch t.State {
	case ticket.Waiting:
		if why := l.tickets.Reason(t.ID); why != "" {
			out.Reason = why
		}
	case ticket.Confirming:
		out.Confirm = &Confirm{t.Confirm.Players, t.Confirm.Accepted, t.Confirm.Mine, t.Confirm.Until}
	case ticket.Cancelled, ticket.Expired:
	case ticket.Matched:
		if rules, ok := l.tickets.Rules(t.Queue); ok { // his roles may be others by now
			if err := l.admitted(ctx, rules.Game); err != nil {
				return nil, err
			}
		}
		p := playerOf(ctx)
		seat := t.Match.SeatOf(p.ID)
		left := t.Match.Till.Sub(time.Now().Add(l.tickets.Ahead()))
		secret, err := l.seatToken(t.Match.Room, seat.Seat, seat.Token, p.ID, p.Name, p.Expires, left)
		if err != nil {
			return nil, l.problem("signing a seat token", err)
		}
		out.Match = &Match{Room: t.Match.Room, URL: a.matchURL(l.way(ctx, t.Match.On()), t.Match.Room), Token: secret}
	}
	return &ticketOutput{out}, nil
}

// seatToken signs the token that claims a seat, for ttl by Redis's clock: the lobby's own may be another.
func (l *Lobby) seatToken(room string, seat uint16, id, player, name string, expires time.Time, ttl time.Duration) (string, error) {
	return l.cfg.Keys.SignSeat(token.Seat{ //nolint:wrapcheck // says what it did
		Room: room, Seat: seat, Player: player, Name: name, ID: id, PlayerExpires: expires,
	}, ttl+l.tickets.Ahead())
}

func (l *Lobby) cancelTicket(ctx context.Context, in *ticketInput) (*ticketOutput, error) {
	t, err := l.tickets.Cancel(ctx, in.ID, playerOf(ctx).ID)
	if err != nil {
		return nil, l.problem("cancelling a ticket", err)
	}
	return l.ticketOutput(ctx, t, &in.from)
}

func (l *Lobby) confirmTicket(ctx context.Context, in *confirmTicketInput) (*ticketOutput, error) {
	t, err := l.tickets.Confirm(ctx, in.ID, playerOf(ctx).ID, in.Body.Accept)
	if err != nil {
		return nil, l.problem("confirming a ticket", err)
	}
	return l.ticketOutput(ctx, t, &in.from)
}
