package node

import (
	"context"
	"errors"
	"time"

	"muster/match"
	"muster/match/cluster"
)

// what to do with a room.
type what int

const (
	leave what = iota // to another node, or for later
	open              // go on with it
	lose              // nobody can
)

// decide says what this node does with a room, by its record or why that could not be read.
func (c *Claimer) decide(ctx context.Context, j job, rec *cluster.Room, err error, live map[string]cluster.Node) (to what, _ error) {
	gone := errors.Is(err, cluster.ErrNoRoom)
	switch {
	case err != nil && !gone:
		return leave, err
	case j.from == "" && (gone || rec.Node != c.Opener.Self() || rec.Off):
		c.opened(j.room)
		return leave, nil
	case j.from == "":
		return open, nil
	case gone, rec.Node != j.from && j.from != cluster.Released:
		return leave, c.Opener.Dir.Disown(ctx, j.from, j.room) //nolint:wrapcheck // says what it did
	case rec.Node != j.from: // it is about to be released, or was and is somebody's; the index ends by itself
		return leave, nil
	}
	if idle, err := c.idle(ctx, rec); idle || err != nil {
		if err == nil {
			err = c.Opener.Dir.Disown(ctx, j.from, j.room)
		}
		return leave, err //nolint:wrapcheck // says what it did
	}
	to = lose
	if !rec.Off && c.survives(rec) {
		to = open
	}
	waited := time.Since(j.since)
	if waited < anyAfter || c.busy(live) && waited < 2*anyAfter {
		if c.falls(rec, live) != c.Opener.Self() {
			return leave, nil
		}
	}
	if to == open && waited < farAfter && c.far(rec, live) {
		return leave, nil
	}
	if to == lose && !rec.Off && c.elsewhere(rec, live, waited) {
		return leave, nil
	}
	return to, nil
}

// busy says whether this node should take nothing that another can take.
func (c *Claimer) busy(live map[string]cluster.Node) bool {
	self, ok := live[c.Opener.Self()]
	return c.Opener.Host.Full() != "" || ok && self.Closed() != ""
}

// idle says whether it is a room that persists and nobody is in: it opens where it is next wanted.
func (c *Claimer) idle(ctx context.Context, rec *cluster.Room) (bool, error) {
	if !c.Opener.Games[rec.Game].Persist || rec.Off || rec.Result != "" {
		return false, nil
	}
	players, err := c.Opener.Dir.Seated(ctx, rec.ID)
	return len(players) == 0, err //nolint:wrapcheck // says what it did
}

// survives says whether this node can go on with a room.
func (c *Claimer) survives(rec *cluster.Room) bool {
	rules, ok := c.Opener.Games[rec.Game]
	return ok && (rules.Version == rec.Rules || rules.Persist) && (!rec.Ran || rules.Durability != match.None && c.Journals != nil)
}

// elsewhere says whether another node may be able to go on with a room with which this one cannot.
func (c *Claimer) elsewhere(rec *cluster.Room, live map[string]cluster.Node, waited time.Duration) bool {
	if rules, ok := c.Opener.Games[rec.Game]; ok && (rules.Version == rec.Rules || rules.Persist) {
		return false // of a class that does not survive
	}
	for _, n := range live {
		if n.Games[rec.Game] == rec.Rules {
			return true
		}
	}
	return waited < versionWait
}

// suits says how well a node is what a room is to have: 3 is in its region and with its tags, 2 in its region alone, 1 with
// its tags alone. A node that does not say where it is serves all regions.
func suits(rec *cluster.Room, n *cluster.Node) (how int) {
	if rec.Region == "" || n.Region == "" || n.Region == rec.Region {
		how += 2
	}
	if len(n.Lacks(rec.On)) == 0 {
		how++
	}
	return how
}

// far says whether a node is there that could have a room and suits it better than this one.
func (c *Claimer) far(rec *cluster.Room, live map[string]cluster.Node) bool {
	self, ok := live[c.Opener.Self()]
	if !ok {
		return false
	}
	mine := suits(rec, &self)
	for _, n := range live {
		if suits(rec, &n) > mine && c.could(rec, &n) {
			return true
		}
	}
	return false
}

// could says whether a node may be able to go on with a room, and takes rooms.
func (c *Claimer) could(rec *cluster.Room, n *cluster.Node) bool {
	v := n.Games[rec.Game]
	return v != "" && (v == rec.Rules || c.Opener.Games[rec.Game].Persist) && n.Closed() == ""
}

// falls says to which node a room falls: to one of those that suit it best. All nodes say the same as long as they see the
// same.
func (c *Claimer) falls(rec *cluster.Room, live map[string]cluster.Node) string {
	var best string
	most, suit := -1.0, -1
	for id, n := range live {
		if !c.could(rec, &n) {
			continue
		}
		s, how := score(rec.ID, id, c.Weight(n)), suits(rec, &n)
		if how > suit || how == suit && (s > most || s == most && id < best) {
			best, most, suit = id, s, how
		}
	}
	if best == "" {
		return c.Opener.Self() // none can: whoever is first
	}
	return best
}
