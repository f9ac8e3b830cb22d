package lobby

import (
	"context"
	"errors"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"muster/lobby/joincode"
	"muster/match/cluster"
	"muster/proto/token"
)

// codeTries is how many codes are tried for a room until one is free: of 481 million a few thousand are taken.
const codeTries = 5

// codeOf is the i-th code of a room, which nobody can work out from its id. A repeated request tries the same ones.
func codeOf(keys *token.Keys, room string, i int) string {
	return joincode.Of(keys.Derive("room-code", room, strconv.Itoa(i)))
}

type roomCodeInput struct {
	Code string `path:"code" pattern:"^[A-Za-z0-9]{6}$" example:"KFR7WQ" doc:"The room's code, in capitals or not."`
	from asked
}

// Resolve implements huma.Resolver.
func (in *roomCodeInput) Resolve(ctx huma.Context) []error {
	in.from = askedBy(ctx)
	return nil
}

func (l *Lobby) joinByCode(ctx context.Context, in *roomCodeInput) (*matchOutput, error) {
	if err := l.countCode(ctx, in.from.address); err != nil {
		return nil, l.problem("joining a room by its code", err)
	}
	wrong := huma.Error404NotFound("no room has this code")
	code, ok := joincode.Plain(in.Code)
	if !ok {
		l.metrics.wrongCodes.Inc()
		return nil, wrong
	}
	rec, err := l.rooms.ByCode(ctx, code)
	if errors.Is(err, cluster.ErrNoRoom) {
		l.metrics.wrongCodes.Inc()
		return nil, wrong
	}
	if err != nil {
		return nil, l.problem("joining a room by its code", err)
	}
	if err := l.admitted(ctx, rec.Game); err != nil {
		return nil, err
	}
	live, err := l.nodes.Live(ctx)
	if err != nil {
		return nil, l.problem("joining a room by its code", err)
	}
	m, err := l.sit(ctx, rec, live, &in.from, byCode, wrong)
	if err != nil {
		return nil, err
	}
	return &matchOutput{*m}, nil
}
