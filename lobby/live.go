package lobby

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.uber.org/zap"

	"muster/lobby/inbox"
	"muster/lobby/live"
	"muster/lobby/party"
	"muster/lobby/players"
	"muster/lobby/presence"
	"muster/match/cluster"
)

// closeTimeout bounds what the end of the lobby waits for its sockets, and then for Redis.
const closeTimeout = 3 * time.Second

// socket is what the lobby's areas have on its socket. Each adds its own before addLive, as addTickets does.
type socket struct {
	requests live.Handlers
	// expand has by an event's kind what replaces its body when it is written to a socket, see live.Config.
	expand map[string]func(context.Context, live.Caller, inbox.Event) (json.RawMessage, error)
	// alive are told each ten seconds which players have sockets here.
	alive []func(ctx context.Context, players []string)
}

func newSocket() socket {
	return socket{
		requests: live.Handlers{}, expand: map[string]func(context.Context, live.Caller, inbox.Event) (json.RawMessage, error){},
	}
}

// addLive makes the lobby's socket, and who is there.
func (l *Lobby) addLive() {
	l.presence = presence.New(presence.Config{
		Redis: l.cfg.Redis, Namespace: l.cfg.Namespace, Allow: l.mayWatch, Log: l.log,
		Publish: func(ctx context.Context, n cluster.Notice) error { l.publish(ctx, n); return nil },
	})
	l.live = live.New(live.Config{
		Keys: l.cfg.Keys, Inbox: l.inbox, Presence: l.presence, Handlers: l.socket.requests, Log: l.log,
		Registerer: l.cfg.Registerer, Origins: l.cfg.Origins, SlowAfter: l.cfg.SlowAfter,
		Authenticate: l.authenticatePlayer,
		Knock:        l.knock, Admit: l.admit, Count: l.CountRequest,
		Expand: func(ctx context.Context, c live.Caller, e inbox.Event) (json.RawMessage, error) {
			if f := l.socket.expand[e.Kind]; f != nil {
				return f(ctx, c, e)
			}
			return nil, nil
		},
		Alive: func(ctx context.Context, players []string) {
			for _, f := range l.socket.alive {
				f(ctx, players)
			}
		},
	})
}

// closeLive ends the sockets and takes their players out of presence.
func (l *Lobby) closeLive() {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	if err := l.live.Close(ctx); err != nil {
		l.log.Warn("closing the lobby", zap.Error(err))
	}
	ctx, cancel = context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	l.presence.Close(ctx)
}

// Seated is told of each socket of a player to a match in this process, when it begins and when it ends.
func (l *Lobby) Seated(player string, begins bool) {
	if begins {
		l.presence.Seated(player)
	} else {
		l.presence.Unseated(player)
	}
}

// mayWatch says whom a player may see online, in a queue or in a match: it is their own choice.
func (l *Lobby) mayWatch(ctx context.Context, watcher string, watched []string) ([]bool, error) {
	choices, err := l.players.Watchers(ctx, watcher, watched)
	if err != nil {
		return nil, err //nolint:wrapcheck // says what it did
	}
	var with []party.Member
	if slices.Contains(choices, players.Party) {
		p, err := l.parties.Members(ctx, watcher)
		if err != nil && !errors.Is(err, party.ErrNone) {
			return nil, fmt.Errorf("reading a watcher's party: %w", err)
		}
		if err == nil {
			with = p.Members
		}
	}
	may := make([]bool, len(watched))
	for i, id := range watched {
		may[i] = choices[i] == players.Everyone ||
			choices[i] == players.Party && slices.ContainsFunc(with, func(m party.Member) bool { return m.ID == id })
	}
	return may, nil
}
