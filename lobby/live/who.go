package live

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"go.uber.org/zap"

	"muster/lobby/presence"
	"muster/proto"
)

const (
	// maxWatched is how many players a socket may watch.
	maxWatched = 200
	// statesAtOnce is how many states one message has, and about how many players' watching counts as one request.
	statesAtOnce = 50
)

type watchBody struct {
	Players []string `json:"players"`
}

// Check bounds what is watched.
func (b *watchBody) Check() error {
	if len(b.Players) > maxWatched {
		return errors.New("players: at most 200 may be watched")
	}
	for i, p := range b.Players {
		if p == "" || len(p) > proto.MaxID {
			return errors.New("players: an id has 1 to 64 bytes")
		}
		if slices.Contains(b.Players[:i], p) {
			return errors.New("players: one stands there twice")
		}
	}
	return nil
}

// watch replaces what the socket watches. How all of them are now is told before the answer, so that no change overtakes
// it.
func (c *conn) watch(ctx context.Context, caller Caller, body *watchBody) (any, error) {
	for n := statesAtOnce; n < len(body.Players) && c.server.cfg.Count != nil; n += statesAtOnce { // the first was counted
		if err := c.server.cfg.Count(ctx, caller.Player.ID); err != nil {
			return nil, err
		}
	}
	c.watching.Lock()
	defer c.watching.Unlock()
	// From here on a notice marks the socket, so no change is lost.
	c.server.setWatched(c, body.Players)
	c.watched = make(map[string]string, len(body.Players))
	for _, p := range body.Players {
		c.watched[p] = ""
	}
	list, err := c.server.cfg.Presence.States(ctx, c.player, body.Players)
	if err != nil {
		c.server.setWatched(c, nil)
		c.watched = nil
		return nil, err //nolint:wrapcheck // says what it did
	}
	c.show(list)
	return map[string]int{"watched": len(list)}, nil
}

// show writes states; what does not fit behind what the client has not read is told later. c.watching is held.
func (c *conn) show(list []presence.State) {
	for some := range slices.Chunk(list, statesAtOnce) {
		text, err := json.Marshal(presenceMessage{some})
		if err != nil || !c.tell(text) {
			for _, st := range some {
				c.later(st.Player)
			}
			continue
		}
		for _, st := range some {
			c.watched[st.Player] = st.State
		}
	}
}

// setWatched changes the index by which notices find their watchers.
func (s *Server) setWatched(c *conn, players []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unwatch(c)
	if _, there := s.conns[c]; !there {
		return
	}
	for _, p := range players {
		d := digestOf(p)
		if s.watchers[d] == nil {
			s.watchers[d] = map[*conn]string{}
		}
		s.watchers[d][c] = p
	}
	c.indexed = players
	c.lookWho = s.now() + lookWhoEvery
}

// unwatch takes a socket out of the index. s.mu is held.
func (s *Server) unwatch(c *conn) {
	for _, p := range c.indexed {
		d := digestOf(p)
		if delete(s.watchers[d], c); len(s.watchers[d]) == 0 {
			delete(s.watchers, d)
		}
	}
	c.indexed = nil
	clear(c.changed)
}

// change notes that a player is to be looked at. The server's lock is held.
func (c *conn) change(player string) {
	if c.changed == nil {
		c.changed = map[string]struct{}{}
	}
	c.changed[player] = struct{}{}
}

// lookWhoIsThere reads how players are and writes those that are otherwise than was written before. What fails, or does
// not fit, is looked at again. Only the worker that serves the socket calls it.
func (c *conn) lookWhoIsThere(players []string) {
	if len(players) == 0 {
		return
	}
	c.watching.Lock()
	defer c.watching.Unlock()
	players = slices.DeleteFunc(players, func(p string) bool { _, watched := c.watched[p]; return !watched })
	if c.Pipe.Congested() {
		c.later(players...) // until drained marks it
		return
	}
	ctx, cancel := context.WithTimeout(c.ctx, readTimeout)
	defer cancel()
	list, err := c.server.cfg.Presence.States(ctx, c.player, players)
	if err != nil {
		if c.ctx.Err() == nil {
			c.server.metrics.failures.Inc()
			c.server.log.Debug("presence was not read and is tried again", zap.Error(err))
		}
		c.later(players...)
		return
	}
	list = slices.DeleteFunc(list, func(st presence.State) bool { return c.watched[st.Player] == st.State })
	c.show(list)
}

// later keeps players to be looked at: at the next sweep, or when the socket is marked before.
func (c *conn) later(players ...string) {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	for _, p := range players {
		c.change(p)
	}
	c.lookWho = c.server.now() + againAfter
}
