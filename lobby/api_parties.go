package lobby

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"muster/lobby/party"
	"muster/proto/token"
)

// What a player may do with parties; all lobbies count together.
var (
	newPartyLimit = rate{Rate: 10, Burst: 10, Period: time.Minute}
	inviteLimit   = rate{Rate: 30, Burst: 30, Period: time.Minute}
	// changeLimit is for what else changes a party: all members hear of it, and an inbox keeps about 256 events.
	changeLimit = rate{Rate: 30, Burst: 30, Period: time.Minute}
)

// Party is a party as the API shows it to its members.
type Party struct {
	ID      string        `json:"id" example:"q2gc3zkqav6ohzd3uqp6tmy4ra"`
	Version uint64        `json:"version" example:"7" doc:"Grows with each change."`
	Leader  string        `json:"leader" example:"alice" doc:"The player who may kick, promote and make codes, and queues for all."`
	Max     int           `json:"max" example:"8" doc:"How many members it can have."`
	Code    string        `json:"code" example:"K7PX2M" doc:"Whoever knows it may join."`
	Members []PartyMember `json:"members" nullable:"false" doc:"The longest first: in this order they would lead."`
}

// PartyMember is a player in a party.
type PartyMember struct {
	Player string `json:"player" example:"alice"`
	Name   string `json:"name" example:"Alice"`
	Ready  bool   `json:"ready" example:"true"`
}

func shownParty(p *party.Party) *partyOutput {
	out := &partyOutput{Party{
		ID: p.ID, Version: p.Version, Leader: p.Leader, Max: p.Max, Code: p.Code, Members: make([]PartyMember, len(p.Members)),
	}}
	for i, m := range p.Members {
		out.Body.Members[i] = PartyMember{m.ID, m.Name, m.Ready}
	}
	return out
}

// asMember is who makes a request, as parties know him.
func asMember(p token.Player) party.Member { return party.Member{ID: p.ID, Name: p.Name} }

type partyOutput struct{ Body Party }

type newPartyInput struct {
	Keyed
	Body struct {
		Max int `json:"max,omitempty" minimum:"1" maximum:"32" default:"8" example:"5" doc:"How many members it can have."`
	}
}

// PartyID is embedded in inputs; its name is exported because the library fills nothing else.
type PartyID struct {
	ID string `path:"id" pattern:"^[a-z0-9]{26}$" example:"q2gc3zkqav6ohzd3uqp6tmy4ra" doc:"The party."`
}

type partyInput struct{ PartyID }

type partyPlayerInput struct {
	PartyID
	Body otherPlayer
}

type readyInput struct {
	PartyID
	Body struct {
		Ready bool `json:"ready" example:"true" doc:"Whether one is ready."`
	}
}

type codeInput struct {
	Body struct {
		Code string `json:"code" pattern:"^[2-9B-DF-HJ-NP-TV-XZb-df-hj-np-tv-xz]{6}$" example:"K7PX2M" doc:"The party's code, in capitals or small letters."`
	}
	from asked
}

// Resolve implements huma.Resolver.
func (in *codeInput) Resolve(ctx huma.Context) []error {
	in.from = askedBy(ctx)
	return nil
}

func (l *Lobby) registerParties(api huma.API) {
	op := func(id, method, path, summary string, errs ...int) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, Tags: []string{"Parties"}, Errors: errs}
	}
	asks := func(o huma.Operation) huma.Operation { // it has a body
		o.Errors = append(o.Errors, withBody...)
		return o
	}
	const none, may, cannot = http.StatusNotFound, http.StatusForbidden, http.StatusConflict
	create := op("create-party", http.MethodPost, "/v1/parties", "Form a party", cannot)
	create.DefaultStatus = http.StatusCreated
	create.Description = "A player is in one party at most. It ends with its last member, or after an hour without a sign of any."
	huma.Register(api, operation(asks(create)), creating(l, l.createParty))
	huma.Register(api, operation(op("get-party", http.MethodGet, "/v1/parties/{id}", "Read a party that one is in", none)), l.getParty)
	huma.Register(api, operation(op("get-my-party", http.MethodGet, "/v1/me/party", "Read the party that one is in", none)), l.getMyParty)
	invite := op("invite-to-party", http.MethodPost, "/v1/parties/{id}/invite", "Invite a player", none, cannot)
	invite.Description = "The player hears of it in his inbox and may join for ten minutes. Whether there is such a player, and " +
		"whether he wants to hear of this one, is not told."
	huma.Register(api, noContent(asks(invite)), l.inviteToParty)
	join := op("join-party", http.MethodPost, "/v1/parties/{id}/join", "Join a party to which one is invited", none, cannot)
	huma.Register(api, operation(join), l.joinParty)
	huma.Register(api, operation(asks(op("join-party-by-code", http.MethodPost, "/v1/parties/join", "Join a party by its code", none, cannot))), l.joinPartyByCode)
	code := op("renew-party-code", http.MethodPost, "/v1/parties/{id}/code", "Give a party another code", none, may)
	huma.Register(api, operation(code), l.renewPartyCode)
	huma.Register(api, noContent(asks(op("kick-from-party", http.MethodPost, "/v1/parties/{id}/kick", "Remove a member", none, may))), l.kickFromParty)
	huma.Register(api, operation(asks(op("promote-in-party", http.MethodPost, "/v1/parties/{id}/promote", "Make another member the leader", none, may))), l.promoteInParty)
	huma.Register(api, operation(asks(op("ready-in-party", http.MethodPost, "/v1/parties/{id}/ready", "Say whether one is ready", none))), l.readyInParty)
	leave := op("leave-party", http.MethodPost, "/v1/parties/{id}/leave", "Leave a party", none)
	huma.Register(api, noContent(leave), l.leaveParty)
}

func (l *Lobby) createParty(ctx context.Context, in *newPartyInput) (*partyOutput, error) {
	if err := l.count(ctx, limitKey(ctx)+":parties", newPartyLimit, "you form too many parties"); err != nil {
		return nil, l.problem("creating a party", err)
	}
	id, digest := l.idempotent(ctx, "parties", in.Key, in.Body)
	return l.party("creating a party")(l.parties.Create(ctx, id, digest, asMember(playerOf(ctx)), in.Body.Max))
}

// party makes an answer of what the store returns.
func (l *Lobby) party(doing string) func(*party.Party, error) (*partyOutput, error) {
	return func(p *party.Party, err error) (*partyOutput, error) {
		if err != nil {
			return nil, l.partyProblem(doing, err)
		}
		return shownParty(p), nil
	}
}

// partyProblem is the answer of an error of parties.
func (l *Lobby) partyProblem(doing string, err error) error {
	var elsewhere *party.ElsewhereError
	switch {
	case errors.Is(err, party.ErrNone):
		return huma.Error404NotFound("there is no such party")
	case errors.Is(err, party.ErrNoMember):
		return huma.Error404NotFound("the party has no such member")
	case errors.Is(err, party.ErrNotLeader):
		return huma.Error403Forbidden("only the party's leader may do this")
	case errors.Is(err, party.ErrFull):
		return huma.Error409Conflict("the party is full")
	case errors.Is(err, party.ErrInvites):
		return huma.Error409Conflict("the party has too many open invitations")
	case errors.Is(err, party.ErrEnded):
		return huma.Error409Conflict("the party that this request made has ended, or you have left it")
	case errors.Is(err, party.ErrOtherRequest):
		return otherRequest()
	case errors.As(err, &elsewhere):
		return huma.Error409Conflict("you are in another party", &huma.ErrorDetail{
			Message: "the value is the party that you are in", Value: elsewhere.Party,
		})
	}
	return l.problem(doing, err)
}

func (l *Lobby) getParty(ctx context.Context, in *partyInput) (*partyOutput, error) {
	return l.party("reading a party")(l.parties.Get(ctx, in.ID, playerOf(ctx).ID))
}

func (l *Lobby) getMyParty(ctx context.Context, _ *struct{}) (*partyOutput, error) {
	return l.party("reading a party")(l.parties.Members(ctx, playerOf(ctx).ID))
}

func (l *Lobby) inviteToParty(ctx context.Context, in *partyPlayerInput) (*struct{}, error) {
	err := l.count(ctx, limitKey(ctx)+":invites", inviteLimit, "you invite too often")
	if err == nil {
		err = l.parties.Invite(ctx, in.ID, asMember(playerOf(ctx)), in.Body.Player)
	}
	if err != nil {
		return nil, l.partyProblem("inviting to a party", err)
	}
	return nil, nil //nolint:nilnil // no content
}

func (l *Lobby) joinParty(ctx context.Context, in *partyInput) (*partyOutput, error) {
	return l.party("joining a party")(l.parties.Join(ctx, in.ID, asMember(playerOf(ctx))))
}

func (l *Lobby) joinPartyByCode(ctx context.Context, in *codeInput) (*partyOutput, error) {
	if err := l.countCode(ctx, in.from.address); err != nil {
		return nil, l.problem("joining a party", err)
	}
	return l.party("joining a party")(l.parties.JoinByCode(ctx, in.Body.Code, asMember(playerOf(ctx))))
}

func (l *Lobby) renewPartyCode(ctx context.Context, in *partyInput) (*partyOutput, error) {
	if err := l.count(ctx, limitKey(ctx)+":invites", inviteLimit, "you invite too often"); err != nil {
		return nil, l.problem("making a code", err)
	}
	return l.party("making a code")(l.parties.NewCode(ctx, in.ID, playerOf(ctx).ID))
}

// countChange counts a change of a party.
func (l *Lobby) countChange(ctx context.Context) error {
	return l.count(ctx, limitKey(ctx)+":changes", changeLimit, "you change your party too often")
}

func (l *Lobby) kickFromParty(ctx context.Context, in *partyPlayerInput) (*struct{}, error) {
	err := l.countChange(ctx)
	if err == nil {
		err = l.parties.Kick(ctx, in.ID, playerOf(ctx).ID, in.Body.Player)
	}
	if err != nil {
		return nil, l.partyProblem("kicking from a party", err)
	}
	return nil, nil //nolint:nilnil // no content
}

func (l *Lobby) promoteInParty(ctx context.Context, in *partyPlayerInput) (*partyOutput, error) {
	if err := l.countChange(ctx); err != nil {
		return nil, l.problem("promoting in a party", err)
	}
	return l.party("promoting in a party")(l.parties.Promote(ctx, in.ID, playerOf(ctx).ID, in.Body.Player))
}

func (l *Lobby) readyInParty(ctx context.Context, in *readyInput) (*partyOutput, error) {
	if err := l.countChange(ctx); err != nil {
		return nil, l.problem("getting ready in a party", err)
	}
	return l.party("getting ready in a party")(l.parties.Ready(ctx, in.ID, playerOf(ctx).ID, in.Body.Ready))
}

func (l *Lobby) leaveParty(ctx context.Context, in *partyInput) (*struct{}, error) {
	if err := l.parties.Leave(ctx, in.ID, playerOf(ctx).ID); err != nil {
		return nil, l.partyProblem("leaving a party", err)
	}
	return nil, nil //nolint:nilnil // no content
}
