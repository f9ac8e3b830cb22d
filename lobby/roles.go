package lobby

import (
	"context"
	"slices"

	"github.com/danielgtaylor/huma/v2"
)

// admitted is nil where who makes the request may be in rooms of a game: his token has the role that the game asks for.
// In development everybody may. Otherwise it is the answer.
func (l *Lobby) admitted(ctx context.Context, game string) error {
	role := l.games[game].Role
	if role == "" || l.cfg.OpenAdmin || slices.Contains(playerOf(ctx).Roles, role) {
		return nil
	}
	return huma.Error403Forbidden("a token with the role " + role + " is needed for this game")
}

// admittedTogether is admitted for all of a party: of its members nobody knows the roles but of who makes the request.
func (l *Lobby) admittedTogether(ctx context.Context, game string, party bool) error {
	if err := l.admitted(ctx, game); err != nil {
		return err
	}
	if party && l.games[game].Role != "" && !l.cfg.OpenAdmin {
		return huma.Error403Forbidden("parties cannot queue for a game that asks for a role: everybody comes by a token of his own")
	}
	return nil
}
