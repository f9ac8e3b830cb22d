package lobby

import (
	"context"
	"hash/fnv"
	"maps"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"go.uber.org/zap"

	"muster/lobby/chat"
	"muster/lobby/inbox"
	"muster/lobby/party"
	"muster/match/cluster"
)

// addSocial makes what players do together before and besides matches.
func (l *Lobby) addSocial() {
	l.inbox = inbox.New(l.cfg.Redis, l.cfg.Namespace, func(ctx context.Context, notices ...cluster.Notice) error {
		l.publish(ctx, notices...) // one that is lost costs a wait until the next look
		return nil
	})
	l.parties = party.New(party.Config{
		Redis: l.cfg.Redis, Namespace: l.cfg.Namespace, Post: l.inbox.Post, Blocked: l.players.Blocked, Members: l.partyChanged,
		Log: l.log,
	})
	l.chat = chat.New(chat.Config{
		Redis: l.cfg.Redis, Namespace: l.cfg.Namespace, Post: l.inbox.Post, Party: l.partyCircle, Room: l.roomCircle,
		Team: l.teamCircle, Blocked: l.players.Blocked, Muters: l.players.Muters, Mutes: l.players.Mutes, Filter: l.cfg.Filter,
		Begins: l.beginsToTalk, Pace: l.paceChat,
	})
	maps.Copy(l.socket.requests, l.chatRequests())
	l.socket.alive = append(l.socket.alive, l.stillThere)
}

// otherPlayer names a player to whom something is done.
type otherPlayer struct {
	Player string `json:"player" minLength:"1" maxLength:"64" example:"bob" doc:"The player's id."`
}

// Resolve implements huma.ResolverWithPath.
func (o *otherPlayer) Resolve(_ huma.Context, prefix *huma.PathBuffer) []error {
	if plainText(o.Player) {
		return nil
	}
	return []error{&huma.ErrorDetail{
		Message: "expected at most 64 bytes without control characters", Location: prefix.With("player"), Value: o.Player,
	}}
}

// noContent is an operation that answers with nothing but that it is done.
func noContent(op huma.Operation) huma.Operation {
	op.DefaultStatus = http.StatusNoContent
	return operation(op)
}

// touchTurns is over how many calls of stillThere its work is spread: at one in ten seconds each player has his turn once
// in five minutes, which is often enough for parties that last an hour.
const touchTurns = 30

// stillThere hears every ten seconds which players have sockets here: their parties last as long.
func (l *Lobby) stillThere(ctx context.Context, players []string) {
	turn := uint64(time.Now().Unix()) / 10 % touchTurns //nolint:gosec // after 1970
	var now []string
	for _, p := range players {
		if turnOf(p) == turn {
			now = append(now, p)
		}
	}
	if err := l.parties.Touch(ctx, now...); err != nil {
		l.log.Warn("parties were not kept", zap.Error(err))
	}
}

// turnOf is when a player's turn is.
func turnOf(player string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(player))
	return h.Sum64() % touchTurns
}
