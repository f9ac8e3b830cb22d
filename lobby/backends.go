package lobby

import (
	"context"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"muster/proto/token"
)

// roleService is the role of a studio's own servers. A token that has it, whatever else it has, speaks for no player: one
// that leaks publishes what it can, which is bounded and in the log, and is no way into matches, parties and inboxes.
const roleService = token.RoleService

// tagReplays is of the operations that show recordings.
const tagReplays = "Replays"

// forBackends are the operations for tokens with the role service: what backends do, and what shows them nothing as a
// player's own. Those for operators ask for a role of their own.
var forBackends = []string{publishOp, notifyOp, "list-queues", "list-rooms", "get-room", "get-match", "get-player"}

// noPlayer is the answer to a backend's token where a player's is needed.
const noPlayer = "a token with the role " + roleService + " is a backend's, and speaks for no player"

func isBackend(p token.Player) bool { return slices.Contains(p.Roles, roleService) }

// isForBackends says whether an operation is, or asks for a role of its own.
func isForBackends(op *huma.Operation) bool {
	return slices.Contains(forBackends, op.OperationID) || slices.Contains(op.Tags, tagAdmin)
}

// mayAsk says whether a token may be asked with for an operation, as far as it is a backend's. Recordings are for players,
// and for a backend that is an operator as well: it is shown them as one.
func mayAsk(p token.Player, op *huma.Operation) bool {
	return !isBackend(p) || isForBackends(op) || slices.Contains(op.Tags, tagReplays) && slices.Contains(p.Roles, roleAdmin)
}

// asker is the player who makes a request, "" where a backend does: nothing is its own, whatever its subject is.
func asker(ctx context.Context) string {
	p := playerOf(ctx)
	if isBackend(p) {
		return ""
	}
	return p.ID
}

// authenticatePlayer returns the player of a token that opens a lobby socket.
func (l *Lobby) authenticatePlayer(bearer string) (token.Player, error) {
	p, err := authenticate(l.cfg.Keys, bearer)
	if err == nil && isBackend(p) {
		return token.Player{}, huma.NewError(http.StatusForbidden, noPlayer)
	}
	return p, err
}
