package lobby

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"go.uber.org/zap"

	"muster/lobby/chat"
	"muster/match/cluster"
)

// rolesModerate are the roles of which one is needed to mute players in rooms that one has not made.
var rolesModerate = []string{"moderator", roleAdmin}

// RoomChannel is embedded in inputs; its name is exported because the library fills nothing else.
type RoomChannel struct {
	Channel string `path:"channel" maxLength:"80" pattern:"^(room|team):." example:"room:q2gc3zkqav6ohzd3uqp6tmy4ra" doc:"room:ID, or team:ID, which means the same: a mute is for all channels of the room."`
}

type muteInput struct {
	RoomChannel
	Body struct {
		Player  string `json:"player" minLength:"1" maxLength:"64" example:"bob" doc:"The player's id."`
		Minutes int    `json:"minutes" minimum:"1" maximum:"1440" example:"10" doc:"For how long, at most a day."`
		Reason  string `json:"reason,omitempty" maxLength:"200" example:"Let others talk, too." doc:"What the player is told: one line of plain text. The room's chat filter sees it, and may change or refuse it."`
	}
}

// Resolve implements huma.Resolver.
func (in *muteInput) Resolve(huma.Context) (errs []error) {
	if !plainText(in.Body.Player) {
		errs = append(errs, &huma.ErrorDetail{Message: "expected at most 64 bytes without control characters", Location: "body.player"})
	}
	if !chat.UsableReason(in.Body.Reason) {
		errs = append(errs, &huma.ErrorDetail{Message: "expected one line of plain text, or none", Location: "body.reason"})
	}
	return errs
}

type unmuteInput struct {
	RoomChannel
	ID string `path:"player" maxLength:"64" example:"bob" doc:"The player's id, percent-encoded."`
}

// Resolve implements huma.Resolver.
func (in *unmuteInput) Resolve(ctx huma.Context) []error {
	return (&playerPath{in.ID}).Resolve(ctx)
}

// Muted says until when a player is muted.
type Muted struct {
	Player string    `json:"player" example:"bob"`
	Until  time.Time `json:"until" example:"2026-01-02T03:14:05Z"`
}

type mutedOutput struct{ Body Muted }

func (l *Lobby) registerChatMutes(api huma.API) {
	huma.Register(api, operation(huma.Operation{
		OperationID: "mute-in-room", Method: http.MethodPost, Path: "/v1/chat/{channel}/mute",
		Summary: "Have a player not write in a room for a while", Tags: []string{"Chat"},
		Errors: append([]int{http.StatusForbidden, http.StatusNotFound}, withBody...),
		Description: "For who made the room, and for tokens with the role moderator or admin, which alone may say it of oneself. The player " +
			"must have a seat in it. He is told in his inbox, what he writes to the room and his team is refused with 403, and each " +
			"mute is in the server's audit log. Again, it counts from now. 60 mutes and unmutes a minute.",
	}), l.muteInRoom)
	huma.Register(api, noContent(huma.Operation{
		OperationID: "unmute-in-room", Method: http.MethodDelete, Path: "/v1/chat/{channel}/mute/{player}",
		Summary: "Let a player write in a room again", Tags: []string{"Chat"},
		Errors:      []int{http.StatusForbidden, http.StatusNotFound},
		Description: "Also one who is not muted. For whom muting is.",
	}), l.unmuteInRoom)
}

// moderated returns who is in a room in which the player may mute others, and the room's id. Its error is an answer: for
// who may not and is not there, there is no such room.
func (l *Lobby) moderated(ctx context.Context, channel string) (c cluster.Company, id string, err error) {
	_, id, _ = strings.Cut(channel, ":")
	none := huma.Error404NotFound("there is no such channel")
	if !roomID.MatchString(id) {
		return c, id, none
	}
	me := playerOf(ctx)
	switch c, err = l.rooms.Company(ctx, id); {
	case errors.Is(err, cluster.ErrNoRoom):
		return c, id, none
	case err != nil:
		return c, id, l.problem("reading who is in a room", err)
	case c.Owner == me.ID && me.ID != "":
	case moderates(me.Roles):
	case !sits(&c, me.ID):
		return c, id, none
	default:
		return c, id, huma.Error403Forbidden("only who made the room, or a token with the role " + strings.Join(rolesModerate, " or ") + ", may mute others")
	}
	return c, id, nil
}

func sits(c *cluster.Company, player string) bool {
	return slices.ContainsFunc(c.Seats, func(s cluster.Seated) bool { return s.Player == player })
}

// silences looks whether the player may say who writes in a room, and counts that he does: each time the other one is told.
// Nobody says it of himself without a role for it, or a moderator's mute would hold whoever made the room for as long as he
// likes.
func (l *Lobby) silences(ctx context.Context, channel, who string) (c cluster.Company, id string, err error) {
	if c, id, err = l.moderated(ctx, channel); err != nil {
		return c, id, err
	}
	if me := playerOf(ctx); who == me.ID && !moderates(me.Roles) {
		return c, id, huma.Error403Forbidden("whether one is muted oneself, others say")
	}
	if err := l.count(ctx, limitKey(ctx)+":silences", silenceLimit, "you mute and unmute players too often"); err != nil {
		return c, id, l.problem("counting a mute", err)
	}
	return c, id, nil
}

func moderates(roles []string) bool {
	return slices.ContainsFunc(roles, func(r string) bool { return slices.Contains(rolesModerate, r) })
}

func (l *Lobby) muteInRoom(ctx context.Context, in *muteInput) (*mutedOutput, error) {
	who := in.Body.Player
	c, id, err := l.silences(ctx, in.Channel, who)
	if err != nil {
		return nil, err
	}
	if !sits(&c, who) { // else anybody could be sent reasons
		return nil, huma.Error404NotFound("there is no such player in the room")
	}
	me := playerOf(ctx)
	reason, err := l.chat.Reason(ctx, chat.Author{ID: me.ID, Name: me.Name}, id, c.Game, in.Body.Reason)
	if err != nil { // of what was checked the filter refuses
		return nil, huma.Error422UnprocessableEntity("validation failed", &huma.ErrorDetail{Message: notSaid, Location: "body.reason"})
	}
	until, err := l.chat.Mute(ctx, id, bornAs(&c), who, reason, time.Duration(in.Body.Minutes)*time.Minute)
	l.auditRoom(ctx, "a player is muted in a room", id, err, zap.String("player", who),
		zap.Int("minutes", in.Body.Minutes), zap.String("reason", reason))
	if err != nil {
		return nil, l.problem("muting a player", err)
	}
	return &mutedOutput{Muted{who, until}}, nil
}

func (l *Lobby) unmuteInRoom(ctx context.Context, in *unmuteInput) (*struct{}, error) {
	c, id, err := l.silences(ctx, in.Channel, in.ID)
	if err != nil {
		return nil, err
	}
	err = l.chat.Unmute(ctx, id, bornAs(&c), in.ID)
	l.auditRoom(ctx, "a player is muted in a room no longer", id, err, zap.String("player", in.ID))
	if err != nil {
		return nil, l.problem("unmuting a player", err)
	}
	return nil, nil //nolint:nilnil // no content
}

// mutedProblem is the answer to a message of who is muted in the room. Clients find the time in its details.
func mutedProblem(m *chat.MutedError) error {
	until := time.Now().UTC().Add(m.For).Truncate(time.Second).Format(time.RFC3339)
	text := "you are muted here until " + until
	if m.Reason != "" {
		text += ": " + m.Reason
	}
	return huma.ErrorWithHeaders(
		huma.Error403Forbidden(text, &huma.ErrorDetail{Message: "the value is until when you are muted", Location: "path.channel", Value: until}),
		http.Header{"Retry-After": {strconv.Itoa(seconds(m.For))}})
}

// bornAs tells a room from those of the same id before it.
func bornAs(c *cluster.Company) string { return strconv.FormatUint(c.Seed, 36) }
