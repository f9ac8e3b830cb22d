package lobby

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"muster/proto/token"
)

const (
	// maxPoll bounds how long a request about a ticket may wait.
	maxPoll = 30 * time.Second
	// lookAgain is after how long a waiting request reads its ticket again unasked: notices can be lost.
	lookAgain = 5 * time.Second
)

// Ticket is a ticket as the API shows it.
type Ticket struct {
	ID      string    `json:"id" example:"arena.q2gc3zkqav6ohzd3uqp6tmy4ra"`
	Queue   string    `json:"queue" example:"arena"`
	State   string    `json:"state" enum:"waiting,matched,cancelled,expired" example:"waiting"`
	Created time.Time `json:"created_at" example:"2026-01-02T03:04:05.678Z"`
	Reason  string    `json:"reason,omitempty" doc:"Why it waits." example:"1 of at least 2 players are here"`
	Match   *Match    `json:"match,omitempty" doc:"Where to play, once it is matched."`
}

// Match is a seat in a match.
type Match struct {
	Room  string `json:"room" example:"x5n2rm7ksm6vqzcgq3nyzj4k5e"`
	URL   string `json:"url" doc:"The match's WebSocket." example:"ws://127.0.0.1:8080/v1/match/x5n2rm7ksm6vqzcgq3nyzj4k5e"`
	Token string `json:"token" example:"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJhdWQiOlsi…" doc:"Claims the seat once, within seconds: as Authorization: Bearer, or for browsers as the subprotocols muster.v1, bearer.TOKEN."`
}

type newTicketInput struct {
	Body struct {
		Queue string `json:"queue" maxLength:"31" pattern:"^[a-z][a-z0-9_-]*$" example:"arena" doc:"The queue to wait in."`
	}
}

type ticketOutput struct{ Body Ticket }

type cancelTicketInput struct {
	ID string `path:"id" maxLength:"64" example:"arena.q2gc3zkqav6ohzd3uqp6tmy4ra" doc:"The ticket."`
}

type getTicketInput struct {
	ID   string `path:"id" maxLength:"64" example:"arena.q2gc3zkqav6ohzd3uqp6tmy4ra" doc:"The ticket."`
	Wait string `query:"wait" maxLength:"16" example:"10s" doc:"Answer only when the ticket no longer waits, or after this time; at most 30s."`
	wait time.Duration
	from asked
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
	return asked{host: ctx.Host(), secure: ctx.TLS() != nil, address: network(ctx.RemoteAddr())}
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

func (l *Lobby) registerTickets(api huma.API) {
	huma.Register(api, operation(huma.Operation{
		OperationID: "create-ticket", Method: http.MethodPost, Path: "/v1/tickets", DefaultStatus: http.StatusCreated,
		Summary: "Wait for a match", Tags: []string{"Tickets"},
		Errors: append([]int{http.StatusNotFound, http.StatusConflict}, withBody...),
	}), l.createTicket)
	huma.Register(api, operation(huma.Operation{
		OperationID: "get-ticket", Method: http.MethodGet, Path: "/v1/tickets/{id}",
		Summary: "Read a ticket, or wait until it is matched", Tags: []string{"Tickets"}, Errors: []int{http.StatusNotFound},
	}), l.getTicket)
	huma.Register(api, operation(huma.Operation{
		OperationID: "cancel-ticket", Method: http.MethodDelete, Path: "/v1/tickets/{id}", DefaultStatus: http.StatusNoContent,
		Summary: "Give a ticket up", Tags: []string{"Tickets"}, Errors: []int{http.StatusNotFound},
	}), l.cancelTicket)
}

func (l *Lobby) createTicket(ctx context.Context, in *newTicketInput) (*ticketOutput, error) {
	m := l.queues[in.Body.Queue]
	if m == nil {
		return nil, huma.Error404NotFound("there is no such queue", &huma.ErrorDetail{
			Message: "expected the name of a queue", Location: "body.queue", Value: in.Body.Queue,
		})
	}
	if err := l.countTicket(ctx); err != nil {
		return nil, l.problem("creating a ticket", err)
	}
	if err := m.isCrowded(ctx); err != nil {
		return nil, l.problem("creating a ticket", err)
	}
	p := playerOf(ctx)
	t := &ticket{queue: in.Body.Queue, player: p.ID, name: p.Name, expires: p.Expires}
	if err := l.tickets.create(ctx, t, m.rules.MaxWait); err != nil {
		return nil, l.problem("creating a ticket", err)
	}
	l.metrics.tickets.WithLabelValues(t.queue, stateWaiting).Inc()
	l.publish(ctx, noticeQueue, t.queue)
	return &ticketOutput{Ticket{ID: t.id, Queue: t.queue, State: t.state, Created: t.created.UTC()}}, nil
}

// getTicket reads a ticket; while it waits, and as long as the client wants, again at every notice.
func (l *Lobby) getTicket(ctx context.Context, in *getTicketInput) (*ticketOutput, error) {
	p := playerOf(ctx)
	woken, done := l.waiters.wait(in.ID)
	defer done()
	timer := time.NewTimer(in.wait)
	defer timer.Stop()
	again := time.NewTicker(lookAgain)
	defer again.Stop()
	for last := in.wait == 0; ; {
		t, err := l.tickets.get(ctx, in.ID, p.ID)
		if err != nil {
			return nil, l.problem("reading a ticket", err)
		}
		if t.state != stateWaiting || last {
			return l.ticketOutput(t, &in.from)
		}
		select {
		case <-woken:
		case <-again.C:
		case <-timer.C:
			last = true
		case <-l.closing.Done():
			last = true
		case <-ctx.Done():
			return nil, l.problem("waiting for a ticket", ctx.Err()) // nobody reads it
		}
	}
}

func (l *Lobby) ticketOutput(t *ticket, a *asked) (*ticketOutput, error) {
	out := Ticket{ID: t.id, Queue: t.queue, State: t.state, Created: t.created.UTC()}
	switch t.state {
	case stateWaiting:
		if m := l.queues[t.queue]; m != nil {
			out.Reason = m.reason(t.id)
		}
	case stateMatched:
		secret, err := l.seatToken(t.match.room, t.match.seat, t.match.token, t.player, t.name, t.expires, time.Until(t.match.till))
		if err != nil {
			return nil, l.problem("signing a seat token", err)
		}
		out.Match = &Match{Room: t.match.room, URL: a.matchURL(l.reach(t.match.node), t.match.room), Token: secret}
	}
	return &ticketOutput{out}, nil
}

// seatToken signs the token that claims a seat.
func (l *Lobby) seatToken(room string, seat uint16, id, player, name string, expires time.Time, ttl time.Duration) (string, error) {
	return l.cfg.Keys.SignSeat(token.Seat{ //nolint:wrapcheck // says what it did
		Room: room, Seat: seat, Player: player, Name: name, ID: id, PlayerExpires: expires,
	}, ttl)
}

func (l *Lobby) cancelTicket(ctx context.Context, in *cancelTicketInput) (*struct{}, error) {
	if err := l.tickets.cancel(ctx, in.ID, playerOf(ctx).ID); err != nil {
		return nil, l.problem("cancelling a ticket", err)
	}
	l.publish(ctx, noticeTicket, in.ID)
	return nil, nil //nolint:nilnil // no content
}
