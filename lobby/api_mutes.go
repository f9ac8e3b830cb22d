package lobby

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

type mutesOutput struct {
	Body struct {
		Players []string `json:"players" nullable:"false" example:"[\"mallory\"]" doc:"The ids of the players whom one mutes, at most 500, in their order."`
	}
}

func (l *Lobby) registerMutes(api huma.API) {
	huma.Register(api, operation(huma.Operation{
		OperationID: "list-mutes", Method: http.MethodGet, Path: "/v1/me/mutes",
		Summary: "List the players whom one mutes", Tags: []string{"Players"},
	}), l.listMutes)
	huma.Register(api, noContent(huma.Operation{
		OperationID: "mute-player", Method: http.MethodPut, Path: "/v1/me/mutes/{player}",
		Summary: "Mute a player", Tags: []string{"Players"}, Errors: []int{http.StatusConflict},
		Description: "What a muted player writes, in whatever channel, does not reach one and is not in the histories that one " +
			"reads, until he is unmuted. He does not hear of it. Invitations, presence and matches are as before: see blocks. " +
			"Doing it again changes nothing; whether there is such a player is not looked at.",
	}), l.mutePlayer)
	huma.Register(api, noContent(huma.Operation{
		OperationID: "unmute-player", Method: http.MethodDelete, Path: "/v1/me/mutes/{player}",
		Summary: "Unmute a player", Tags: []string{"Players"},
		Description: "Also of one who is not muted. Histories have his messages again.",
	}), l.unmutePlayer)
}

func (l *Lobby) listMutes(ctx context.Context, _ *struct{}) (*mutesOutput, error) {
	list, err := l.players.Mutes(ctx, playerOf(ctx).ID)
	if err != nil {
		return nil, l.problem("listing mutes", err)
	}
	out := &mutesOutput{}
	out.Body.Players = append([]string{}, list...) // never null
	return out, nil
}

func (l *Lobby) mutePlayer(ctx context.Context, in *playerPath) (*struct{}, error) {
	me := playerOf(ctx).ID
	if in.ID == me {
		return nil, huma.Error422UnprocessableEntity("one cannot mute oneself", &huma.ErrorDetail{
			Message: "expected another player's id", Location: "path.player", Value: in.ID,
		})
	}
	if err := l.players.Mute(ctx, me, in.ID); err != nil {
		return nil, l.problem("muting a player", err)
	}
	return nil, nil //nolint:nilnil // no content
}

func (l *Lobby) unmutePlayer(ctx context.Context, in *playerPath) (*struct{}, error) {
	if err := l.players.Unmute(ctx, playerOf(ctx).ID, in.ID); err != nil {
		return nil, l.problem("unmuting a player", err)
	}
	return nil, nil //nolint:nilnil // no content
}
