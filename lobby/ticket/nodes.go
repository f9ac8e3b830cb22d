package ticket

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.uber.org/zap"

	"muster/match/cluster"
)

// Why no room can be had.
var (
	// ErrNoNode means that no live node runs the game.
	ErrNoNode = cluster.ErrNoNode
	// ErrCrowded means that those which run it take no new rooms.
	ErrCrowded = cluster.ErrCrowded
)

// Game is what matchmaking must know of a game.
type Game struct {
	Name  string
	Rules string // the version of its rules
	Seats int
}

// Want is what a new room of the game needs of its node; region is "" for anywhere, and on are tags that the node must
// have, nil for none.
func (g *Game) Want(region string, on map[string]string) cluster.Want {
	return cluster.Want{Game: g.Name, Rules: g.Rules, Region: region, Tags: on}
}

// crowdedFor is how long an answer of Crowded serves all who ask.
const crowdedFor = time.Second

// crowd remembers whether a queue's servers are crowded.
type crowd struct {
	asking sync.Mutex // held by the one request that asks

	mu      sync.Mutex
	crowded error // why no match can be made now, as of askedAt
	askedAt time.Time
}

// Crowded says whether a new ticket would wait for a server that has room again: then its player had better come later.
// Free seats in running rooms are taken all the same. One request at a time asks; the others take the last answer at
// once. What cannot be found out counts as not crowded: creating the ticket will fail by itself. The error wraps
// ErrCrowded, wraps ErrNoNode where no server at all runs rooms, for Config.Hostless, or is ErrNoQueue.
func (s *Service) Crowded(ctx context.Context, name string) error {
	e := s.engine(name)
	if e == nil {
		return ErrNoQueue
	}
	c := &e.crowd
	old, last := c.last()
	if !old || !c.asking.TryLock() {
		return last
	}
	defer c.asking.Unlock()
	if old, last = c.last(); !old { // another has asked meanwhile
		return last
	}
	crowded, err := e.askCrowded(ctx)
	if err != nil && ctx.Err() != nil {
		return last // the client has gone away, which says nothing of the servers
	}
	if err != nil {
		s.cfg.Log.Warn("whether the servers are crowded is not known", zap.String("queue", name), zap.Error(err))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.crowded, c.askedAt = crowded, time.Now()
	return crowded
}

// last returns the last answer, and whether it is so old that a request may ask anew.
func (c *crowd) last() (old bool, crowded error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.askedAt.IsZero() || time.Since(c.askedAt) > crowdedFor, c.crowded
}

// askCrowded asks Redis. crowded is nil where err is not.
func (e *engine) askCrowded(ctx context.Context) (crowded, err error) {
	live, err := e.s.cfg.Nodes.Live(ctx)
	if err != nil {
		return nil, err //nolint:wrapcheck // says what it did
	}
	there := serversOf(live, e.game, e.current())
	crowded = there.none
	switch {
	case crowded == nil:
		return nil, nil
	case !errors.Is(crowded, ErrCrowded) && e.s.cfg.Hostless && !cluster.Hosted(live):
		return crowded, nil
	case !errors.Is(crowded, ErrCrowded):
		return nil, nil // it may wait: there are servers, and one with the game may be on its way
	}
	rooms, err := e.openRooms(ctx, e.current(), live)
	if err != nil || len(rooms) > 0 {
		return nil, err
	}
	return crowded, nil
}
