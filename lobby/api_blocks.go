package lobby

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

type blocksOutput struct {
	Body struct {
		Players []string `json:"players" nullable:"false" example:"[\"mallory\"]" doc:"The ids of the players whom one blocks, at most 500, in their order."`
	}
}

func (l *Lobby) registerBlocks(api huma.API) {
	huma.Register(api, operation(huma.Operation{
		OperationID: "list-blocks", Method: http.MethodGet, Path: "/v1/me/blocks",
		Summary: "List the players whom one blocks", Tags: []string{"Players"},
	}), l.listBlocks)
	huma.Register(api, operation(huma.Operation{
		OperationID: "block-player", Method: http.MethodPut, Path: "/v1/me/blocks/{player}", DefaultStatus: http.StatusNoContent,
		Summary: "Block a player", Tags: []string{"Players"}, Errors: []int{http.StatusConflict},
		Description: "A blocked player cannot write to one, invite one or see where one is, does not hear of it, and is kept out of " +
			"one's matches where the queue can. Doing it again changes nothing; whether there is such a player is not looked at.",
	}), l.block)
	huma.Register(api, operation(huma.Operation{
		OperationID: "unblock-player", Method: http.MethodDelete, Path: "/v1/me/blocks/{player}", DefaultStatus: http.StatusNoContent,
		Summary: "Unblock a player", Tags: []string{"Players"},
		Description: "Also of one who is not blocked.",
	}), l.unblock)
}

func (l *Lobby) listBlocks(ctx context.Context, _ *struct{}) (*blocksOutput, error) {
	list, err := l.players.Blocks(ctx, playerOf(ctx).ID)
	if err != nil {
		return nil, l.problem("listing blocks", err)
	}
	out := &blocksOutput{}
	out.Body.Players = append([]string{}, list...) // never null
	return out, nil
}

func (l *Lobby) block(ctx context.Context, in *playerPath) (*struct{}, error) {
	me := playerOf(ctx).ID
	if in.ID == me {
		return nil, huma.Error422UnprocessableEntity("one cannot block oneself", &huma.ErrorDetail{
			Message: "expected another player's id", Location: "path.player", Value: in.ID,
		})
	}
	if err := l.players.Block(ctx, me, in.ID); err != nil {
		return nil, l.problem("blocking a player", err)
	}
	l.presence.Changed(ctx, me) // to the other he is offline from now on
	return nil, nil             //nolint:nilnil // no content
}

func (l *Lobby) unblock(ctx context.Context, in *playerPath) (*struct{}, error) {
	if err := l.players.Unblock(ctx, playerOf(ctx).ID, in.ID); err != nil {
		return nil, l.problem("unblocking a player", err)
	}
	l.presence.Changed(ctx, playerOf(ctx).ID)
	return nil, nil //nolint:nilnil // no content
}
