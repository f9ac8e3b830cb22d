package lobby

import (
	"context"
	"errors"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"muster/lobby/party"
	"muster/lobby/queue"
	"muster/lobby/ticket"
	"muster/proto/token"
)

type newTicketInput struct {
	Keyed

	Body newTicket
	from asked
}

// newTicket is a request for a ticket.
type newTicket struct {
	Queue      string                `json:"queue" maxLength:"31" pattern:"^[a-z][a-z0-9_-]*$" example:"arena" doc:"The queue to wait in."`
	Party      bool                  `json:"party,omitempty" example:"false" doc:"Wait with your party. Its leader alone may ask for that."`
	Attributes map[string]any        `json:"attributes,omitempty" maxProperties:"32" example:"{\"mode\":\"ranked\",\"maps\":[\"dust\",\"nuke\"]}" doc:"What the queue's rules ask of tickets: texts, numbers, or lists of texts."`
	Latency    map[string]float64    `json:"latency,omitempty" maxProperties:"64" example:"{\"eu\":32,\"us\":110}" doc:"Milliseconds that you measured to regions. A region that is not named is not good for you, unless none is."`
	Roles      []string              `json:"roles,omitempty" maxItems:"16" example:"[\"healer\"]" doc:"What you come for, in queues with roles; none is any."`
	MaxSpread  float64               `json:"max_spread,omitempty" minimum:"0" maximum:"1000000" example:"300" doc:"The widest distance of ratings that you want, however long you wait; 0 is the queue's own."`
	MaxLatency float64               `json:"max_latency,omitempty" minimum:"0" maximum:"100000" example:"80" doc:"The highest latency that you want, in milliseconds, however long you wait; 0 is the queue's own."`
	NewOnly    bool                  `json:"new_only,omitempty" example:"false" doc:"No match that runs already."`
	Members    map[string]memberWish `json:"members,omitempty" maxProperties:"64" example:"{\"bob\":{\"latency\":{\"eu\":40},\"roles\":[\"tank\"]}}" doc:"What is another's of the party, by player; who is not named has your latencies and comes for any role."`
}

// memberWish is what differs for a member of a party.
type memberWish struct {
	Latency map[string]float64 `json:"latency,omitempty" maxProperties:"64" example:"{\"eu\":40}"`
	Roles   []string           `json:"roles,omitempty" maxItems:"16" example:"[\"tank\"]"`
}

// Resolve implements huma.Resolver.
func (in *newTicketInput) Resolve(ctx huma.Context) []error {
	in.from = askedBy(ctx)
	var errs []error
	for name, v := range in.Body.Attributes {
		if !plainText(name) || !isAttribute(v) {
			errs = append(errs, &huma.ErrorDetail{
				Message: "expected a text, a number or a list of texts", Location: "body.attributes." + name,
			})
		}
	}
	lists := map[string]map[string]float64{"body.latency": in.Body.Latency}
	for id, m := range in.Body.Members {
		lists["body.members."+id] = m.Latency
	}
	for at, list := range lists {
		for region, ms := range list {
			if !plainText(region) || !(ms >= 0 && ms <= 100_000) {
				errs = append(errs, &huma.ErrorDetail{Message: "expected milliseconds from 0 to 100000", Location: at + "." + region})
			}
		}
	}
	return errs
}

// isAttribute says whether a value is what tickets may say of themselves.
func isAttribute(v any) bool {
	switch v := v.(type) {
	case string:
		return plainText(v)
	case float64:
		return true
	case []any:
		return len(v) <= 64 && !slices.ContainsFunc(v, func(e any) bool { s, ok := e.(string); return !ok || !plainText(s) })
	}
	return false
}

func (l *Lobby) createTicket(ctx context.Context, in *newTicketInput) (*ticketOutput, error) {
	rules, ok := l.tickets.Rules(in.Body.Queue)
	if !ok {
		return nil, huma.Error404NotFound("there is no such queue", &huma.ErrorDetail{
			Message: "expected the name of a queue", Location: "body.queue", Value: in.Body.Queue,
		})
	}
	if err := l.admittedTogether(ctx, rules.Game, in.Body.Party); err != nil {
		return nil, err
	}
	if err := l.tickets.Crowded(ctx, in.Body.Queue); err != nil {
		return nil, l.problem("creating a ticket", err)
	}
	p := playerOf(ctx)
	together, members, err := l.members(ctx, p, in.Body.Party)
	if err != nil {
		return nil, err
	}
	wish, err := l.wish(ctx, &in.Body, rules.Game, p, members)
	if err != nil {
		return nil, err
	}
	wish.Party = together
	if err := checkTicket(&rules, wish); err != nil {
		return nil, err
	}
	id, digest := l.idempotent(ctx, "POST /v1/tickets", in.Key, in.Body)
	n := ticket.New{Queue: in.Body.Queue, Ticket: *wish, By: p.ID, ID: id}
	if in.Key != "" {
		n.Digest = digest
	}
	t, err := l.tickets.Create(ctx, n)
	if err != nil {
		return nil, l.problem("creating a ticket", foreign(err, p.ID))
	}
	if together != "" { // who has left meanwhile must not wait with it, and nobody else would know of this ticket
		err := l.partyChanged(ctx, together, []string{p.ID})
		if err == nil {
			t, err = l.tickets.Get(ctx, t.ID, p.ID)
		}
		if err != nil {
			return nil, l.problem("reading a party", err)
		}
	}
	return l.ticketOutput(ctx, t, &in.from)
}

// members returns who waits together, and as which party.
func (l *Lobby) members(ctx context.Context, p token.Player, together bool) (id string, list []party.Member, err error) {
	if !together {
		return "", []party.Member{{ID: p.ID, Name: p.Name}}, nil
	}
	group, err := l.parties.Members(ctx, p.ID)
	switch {
	case errors.Is(err, party.ErrNone):
		return "", nil, huma.Error409Conflict("you are in no party")
	case err != nil:
		return "", nil, l.problem("reading a party", err)
	case group.Leader != p.ID:
		return "", nil, huma.Error409Conflict("the party's leader alone may queue with it")
	}
	return group.ID, group.Members, nil
}

// wish makes the ticket of a request.
func (l *Lobby) wish(ctx context.Context, b *newTicket, game string, p token.Player, members []party.Member) (*queue.Ticket, error) {
	t := &queue.Ticket{Attributes: b.Attributes, MaxSpread: b.MaxSpread, MaxLatency: b.MaxLatency, NewOnly: b.NewOnly}
	ids := make([]string, len(members))
	for i, m := range members {
		ids[i] = m.ID
		player := queue.Player{ID: m.ID, Name: m.Name, Latency: b.Latency}
		if m.ID == p.ID {
			player.Roles = b.Roles
		} else if own, ok := b.Members[m.ID]; ok {
			player.Roles = own.Roles
			if len(own.Latency) > 0 {
				player.Latency = own.Latency
			}
		}
		t.Players = append(t.Players, player)
	}
	for id := range b.Members {
		if !slices.Contains(ids, id) {
			return nil, huma.Error422UnprocessableEntity("validation failed", &huma.ErrorDetail{
				Message: "expected a member of your party", Location: "body.members." + id,
			})
		}
	}
	ratings, err := l.players.Ratings(ctx, game, ids...)
	if err != nil {
		return nil, l.problem("reading the players' ratings", err)
	}
	avoid, err := l.players.Avoid(ctx, ids...)
	if err != nil {
		return nil, l.problem("reading whom players block", err)
	}
	for i, id := range ids {
		t.Players[i].Rating, t.Players[i].Deviation = ratings[i].Mean, ratings[i].Deviation
		t.Players[i].Avoid = avoid[id][:min(len(avoid[id]), maxAvoid)]
	}
	return t, nil
}

// maxAvoid bounds how many of the players whom one avoids count.
const maxAvoid = 256

// checkTicket says what keeps a ticket out of a queue.
func checkTicket(r *queue.Rules, t *queue.Ticket) error {
	err := r.Check(t)
	if err == nil {
		return nil
	}
	var details []error
	for _, f := range queue.FieldErrors(err) {
		details = append(details, &huma.ErrorDetail{Message: f.Reason, Location: "body." + f.Field})
	}
	return huma.Error422UnprocessableEntity("the queue refuses such a ticket", details...)
}

// foreign keeps from a player what another member of his party has.
func foreign(err error, player string) error {
	var have *ticket.HaveError
	var penalty *ticket.PenaltyError
	switch {
	case errors.As(err, &have) && have.Player != player:
		return errMemberWaits
	case errors.As(err, &penalty) && penalty.Player != player:
		return &tooOftenError{"a member of your party may not queue yet", int(penalty.For.Seconds()) + 1}
	}
	return err
}

var errMemberWaits = errors.New("a member of your party waits in this queue already")
