package lobby

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"muster/lobby/chat"
	"muster/proto/token"
)

// newGroupLimit is how many groups a player may make; all lobbies count together.
var newGroupLimit = rate{Rate: 10, Burst: 10, Period: time.Hour}

// Group is a chat group as the API shows it to its members.
type Group struct {
	ID      string        `json:"id" example:"q2gc3zkqav6ohzd3uqp6tmy4ra" doc:"Its channel is group:ID."`
	Title   string        `json:"title" example:"Friday's players"`
	Members []GroupMember `json:"members" nullable:"false" doc:"At most 64."`
}

// GroupMember is a player in a group.
type GroupMember struct {
	Player string `json:"player" example:"alice"`
	Name   string `json:"name" example:"Alice"`
}

type groupOutput struct{ Body Group }

func shownGroup(g *chat.Group) *groupOutput {
	out := &groupOutput{Group{ID: g.ID, Title: g.Title, Members: make([]GroupMember, len(g.Members))}}
	for i, m := range g.Members {
		out.Body.Members[i] = GroupMember{m.ID, m.Name}
	}
	return out
}

func asAuthor(p token.Player) chat.Author { return chat.Author{ID: p.ID, Name: p.Name} }

type newGroupInput struct {
	Keyed
	Body struct {
		Title string `json:"title" minLength:"1" maxLength:"64" example:"Friday's players" doc:"What the group is called."`
	}
}

// Resolve implements huma.Resolver.
func (in *newGroupInput) Resolve(huma.Context) []error {
	if plainText(in.Body.Title) {
		return nil
	}
	return []error{&huma.ErrorDetail{
		Message: "expected at most 64 bytes without control characters", Location: "body.title", Value: in.Body.Title,
	}}
}

// GroupID is embedded in inputs; its name is exported because the library fills nothing else.
type GroupID struct {
	ID string `path:"id" pattern:"^[a-z0-9]{26}$" example:"q2gc3zkqav6ohzd3uqp6tmy4ra" doc:"The group."`
}

type groupInput struct{ GroupID }

type groupPlayerInput struct {
	GroupID
	Body otherPlayer
}

func (l *Lobby) registerGroups(api huma.API) {
	op := func(id, method, path, summary string, errs ...int) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, Tags: []string{"Chat"}, Errors: errs}
	}
	const none, cannot = http.StatusNotFound, http.StatusConflict
	create := op("create-group", http.MethodPost, "/v1/groups", "Make a chat group", append([]int{cannot}, withBody...)...)
	create.DefaultStatus = http.StatusCreated
	create.Description = "It ends with its last member, or after 30 days in which nobody looked at it or wrote."
	huma.Register(api, operation(create), creating(l, l.createGroup))
	huma.Register(api, operation(op("get-group", http.MethodGet, "/v1/groups/{id}", "Read a group that one is in", none)), l.getGroup)
	invite := op("invite-to-group", http.MethodPost, "/v1/groups/{id}/invite", "Invite a player to a group", append([]int{none, cannot}, withBody...)...)
	invite.Description = "The player hears of it in his inbox and may join for a week. Whether there is such a player, and whether " +
		"he wants to hear of this one, is not told."
	huma.Register(api, noContent(invite), l.inviteToGroup)
	huma.Register(api, operation(op("join-group", http.MethodPost, "/v1/groups/{id}/join", "Join a group to which one is invited", none, cannot)), l.joinGroup)
	huma.Register(api, noContent(op("leave-group", http.MethodPost, "/v1/groups/{id}/leave", "Leave a group", none)), l.leaveGroup)
}

// group makes an answer of what the store returns.
func (l *Lobby) group(doing string) func(*chat.Group, error) (*groupOutput, error) {
	return func(g *chat.Group, err error) (*groupOutput, error) {
		if err != nil {
			return nil, l.chatProblem(doing, err)
		}
		return shownGroup(g), nil
	}
}

func (l *Lobby) createGroup(ctx context.Context, in *newGroupInput) (*groupOutput, error) {
	if err := l.count(ctx, limitKey(ctx)+":groups", newGroupLimit, "you make too many groups"); err != nil {
		return nil, l.problem("creating a group", err)
	}
	id, digest := l.idempotent(ctx, "groups", in.Key, in.Body)
	return l.group("creating a group")(l.chat.CreateGroup(ctx, id, digest, in.Body.Title, asAuthor(playerOf(ctx))))
}

func (l *Lobby) getGroup(ctx context.Context, in *groupInput) (*groupOutput, error) {
	return l.group("reading a group")(l.chat.Group(ctx, in.ID, playerOf(ctx).ID))
}

func (l *Lobby) inviteToGroup(ctx context.Context, in *groupPlayerInput) (*struct{}, error) {
	err := l.count(ctx, limitKey(ctx)+":invites", inviteLimit, "you invite too often")
	if err == nil {
		err = l.chat.InviteToGroup(ctx, in.ID, asAuthor(playerOf(ctx)), in.Body.Player)
	}
	if err != nil {
		return nil, l.chatProblem("inviting to a group", err)
	}
	return nil, nil //nolint:nilnil // no content
}

func (l *Lobby) joinGroup(ctx context.Context, in *groupInput) (*groupOutput, error) {
	return l.group("joining a group")(l.chat.JoinGroup(ctx, in.ID, asAuthor(playerOf(ctx))))
}

func (l *Lobby) leaveGroup(ctx context.Context, in *groupInput) (*struct{}, error) {
	if err := l.chat.LeaveGroup(ctx, in.ID, playerOf(ctx).ID); err != nil {
		return nil, l.chatProblem("leaving a group", err)
	}
	return nil, nil //nolint:nilnil // no content
}
