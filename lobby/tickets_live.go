package lobby

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"muster/lobby/inbox"
	"muster/lobby/live"
	"muster/lobby/ticket"
)

// addTickets lets tickets be confirmed, given up and read on the lobby's socket, and keeps those whose players have one.
func (l *Lobby) addTickets() {
	l.socket.requests["ticket.get"] = live.Typed(func(ctx context.Context, c live.Caller, b *ticketBody) (any, error) {
		out, err := l.getTicket(asCaller(ctx, c), &getTicketInput{ID: b.Ticket, from: askedOn(c)})
		return bodyOf(out, err)
	})
	l.socket.requests["ticket.explain"] = live.Typed(func(ctx context.Context, c live.Caller, b *ticketBody) (any, error) {
		out, err := l.explainTicket(asCaller(ctx, c), &ticketInput{ID: b.Ticket, from: askedOn(c)})
		if err != nil {
			return nil, err
		}
		return out.Body, nil
	})
	l.socket.requests["ticket.cancel"] = live.Typed(func(ctx context.Context, c live.Caller, b *ticketBody) (any, error) {
		out, err := l.cancelTicket(asCaller(ctx, c), &ticketInput{ID: b.Ticket, from: askedOn(c)})
		return bodyOf(out, err)
	})
	l.socket.requests["ticket.confirm"] = live.Typed(func(ctx context.Context, c live.Caller, b *confirmBody) (any, error) {
		in := &confirmTicketInput{ID: b.Ticket, from: askedOn(c)}
		in.Body.Accept = b.Accept
		out, err := l.confirmTicket(asCaller(ctx, c), in)
		return bodyOf(out, err)
	})
	l.socket.expand["ticket"] = l.freshTicket
	l.socket.alive = append(l.socket.alive, func(ctx context.Context, players []string) {
		if err := l.tickets.Heard(ctx, players); err != nil {
			l.log.Warn("tickets were not kept", zap.Error(err))
		}
	})
}

// ticketBody names a ticket.
type ticketBody struct {
	Ticket string `json:"ticket"`
}

// Check says what is wrong with the body.
func (b *ticketBody) Check() error {
	if b.Ticket == "" || len(b.Ticket) > maxTicketID {
		return fmt.Errorf("ticket has %d characters, want 1 to %d", len(b.Ticket), maxTicketID)
	}
	return nil
}

// maxTicketID bounds a ticket's id, in bytes, as in REST.
const maxTicketID = 64

// confirmBody is a player's word on a match.
type confirmBody struct {
	ticketBody

	Accept bool `json:"accept"`
}

func bodyOf(out *ticketOutput, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return out.Body, nil
}

// asCaller makes a request of the player whose socket it came on.
func asCaller(ctx context.Context, c live.Caller) context.Context {
	return context.WithValue(ctx, playerKey{}, c.Player)
}

func askedOn(c live.Caller) asked { return asked{host: c.Host, secure: c.Secure} }

// freshTicket gives an event about a ticket what the ticket is when it is told, with a seat that can be claimed then. One
// that is there no longer is told as it was.
func (l *Lobby) freshTicket(ctx context.Context, c live.Caller, e inbox.Event) (json.RawMessage, error) {
	var of struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(e.Body, &of); err != nil {
		return nil, fmt.Errorf("an event of a ticket: %w", err)
	}
	t, err := l.tickets.Get(ctx, of.ID, c.Player.ID)
	if errors.Is(err, ticket.ErrNoTicket) {
		return nil, nil
	}
	if err != nil {
		return nil, err //nolint:wrapcheck // says what it did
	}
	from := askedOn(c)
	out, err := l.ticketOutput(asCaller(ctx, c), t, &from)
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(out.Body)
	if err != nil {
		return nil, fmt.Errorf("telling of ticket %s: %w", of.ID, err)
	}
	return body, nil
}

// queued hears who waits in a queue, for those who watch them.
func (l *Lobby) queued(queue string, longest time.Duration, players []string) {
	for _, p := range players {
		l.presence.Queued(p, queue, longest)
	}
}

// partyChanged hears that a party has other members: a ticket with which it waits is for those of before.
func (l *Lobby) partyChanged(ctx context.Context, id string, players []string) error {
	members, err := l.parties.Players(ctx, id)
	if err != nil {
		return err //nolint:wrapcheck // says what it did
	}
	return l.tickets.PartyChanged(ctx, id, members, players) //nolint:wrapcheck // says what it did
}
