package lobby

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"muster/match/cluster"
)

type rejoinInput struct {
	ID   string `path:"id" pattern:"^[a-z0-9][a-z0-9._-]{0,63}$" example:"x5n2rm7ksm6vqzcgq3nyzj4k5e" doc:"The room, which is the match."`
	from asked
}

// Resolve implements huma.Resolver.
func (in *rejoinInput) Resolve(ctx huma.Context) []error {
	in.from = askedBy(ctx)
	return nil
}

type matchOutput struct{ Body Match }

func (l *Lobby) registerRooms(api huma.API) {
	huma.Register(api, operation(huma.Operation{
		OperationID: "rejoin-room", Method: http.MethodPost, Path: "/v1/rooms/{id}/rejoin",
		Summary: "Claim one's seat again", Tags: []string{"Rooms"}, Errors: []int{http.StatusNotFound},
		Description: "For a player who has a seat in a running match and lost its resume secret, say with the page.",
	}), l.rejoin)
}

func (l *Lobby) rejoin(ctx context.Context, in *rejoinInput) (*matchOutput, error) {
	p, id := playerOf(ctx), cluster.NewID()
	gone := huma.Error404NotFound("you have no seat in such a room")
	rec, err := l.rooms.Room(ctx, in.ID)
	if errors.Is(err, cluster.ErrNoRoom) {
		return nil, gone
	}
	if err != nil {
		return nil, l.problem("rejoining a room", err)
	}
	seat, err := l.rooms.Rejoin(ctx, in.ID, p.ID, id)
	if errors.Is(err, cluster.ErrNoRoom) {
		return nil, gone
	}
	if err != nil {
		return nil, l.problem("rejoining a room", err)
	}
	live, err := l.nodes.Live(ctx)
	if err != nil {
		return nil, l.problem("rejoining a room", err)
	}
	node, ok := live[rec.Node]
	if !ok {
		return nil, gone
	}
	secret, err := l.seatToken(in.ID, seat, id, p.ID, p.Name, p.Expires, seatTTL)
	if err != nil {
		return nil, l.problem("signing a seat token", err)
	}
	return &matchOutput{Match{Room: in.ID, URL: in.from.matchURL(l.reach(node), in.ID), Token: secret}}, nil
}
