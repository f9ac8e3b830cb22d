package lobby

import (
	"context"
	"encoding/json"
	"errors"

	"muster/lobby/inbox"
	"muster/lobby/live"
	"muster/lobby/ticket"
)

// addTickets puts tickets on the lobby's socket.
func (l *Lobby) addTickets() {
	l.socket.requests["ticket.confirm"] = live.Typed(l.confirmOnSocket)
	l.socket.expand["ticket"] = l.freshTicket
	l.socket.alive = append(l.socket.alive, l.keepTickets)
}

// confirmation is what a player says on the socket to a match that was found.
type confirmation struct {
	Ticket string `json:"ticket"`
	Accept bool   `json:"accept"`
}

func (l *Lobby) confirmOnSocket(ctx context.Context, c live.Caller, in *confirmation) (any, error) {
	t, err := l.tickets.Confirm(ctx, in.Ticket, c.Player.ID, in.Accept)
	if err != nil {
		return nil, l.problem("confirming a ticket", err)
	}
	return l.socketTicket(ctx, c, t)
}

// freshTicket is what a ticket is when its event is written to a socket, with a seat token where it is matched. A ticket
// that is there no longer stays what the event says.
func (l *Lobby) freshTicket(ctx context.Context, c live.Caller, e inbox.Event) (json.RawMessage, error) {
	var body struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(e.Body, &body); err != nil {
		return nil, nil //nolint:nilerr // of another release: it is written as it is
	}
	t, err := l.tickets.Get(ctx, body.ID, c.Player.ID)
	if errors.Is(err, ticket.ErrNoTicket) {
		return nil, nil
	}
	if err != nil {
		return nil, err //nolint:wrapcheck // says what it did
	}
	out, err := l.socketTicket(ctx, c, t)
	if err != nil {
		return nil, err
	}
	return json.Marshal(out) //nolint:wrapcheck // it always can
}

func (l *Lobby) socketTicket(ctx context.Context, c live.Caller, t *ticket.Ticket) (Ticket, error) {
	out, err := l.ticketOutput(context.WithValue(ctx, playerKey{}, c.Player), t, &asked{host: c.Host, secure: c.Secure})
	if err != nil {
		return Ticket{}, err
	}
	return out.Body, nil
}

// keepTickets counts whoever has a socket as having asked for his tickets.
func (l *Lobby) keepTickets(ctx context.Context, players []string) {
	if err := l.tickets.Heard(ctx, players); err != nil {
		l.log.Warn("who has a socket was not noted at his tickets: those who do not ask may expire")
	}
}
