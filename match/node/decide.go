package node

import (
	"context"
	"errors"
	"time"

	"muster/match"
	"muster/match/cluster"
)

// decide says whether this node takes a room over now, by its record or why that could not be read.
func (c *Claimer) decide(work context.Context, j job, rec *cluster.Room, err error, live map[string]cluster.Node) (take bool, _ error) {
	ctx, cancel := context.WithTimeout(work, claimTimeout)
	defer cancel()
	gone := errors.Is(err, cluster.ErrNoRoom)
	switch {
	case err != nil && !gone:
		return false, err
	case j.note != 0 && rec.Node == c.Opener.Self():
		return c.unfinished(ctx, j, rec)
	case gone, rec.Node != j.from && j.from != cluster.Released:
		return false, c.disown(ctx, j, false)
	case rec.Node != j.from: // it is about to be released, or was and is somebody's; the index ends by itself
		c.done(j)
		return false, nil
	}
	if idle, err := c.idle(ctx, rec); idle || err != nil {
		if err == nil {
			err = c.disown(ctx, j, false)
		}
		return false, err
	}
	survives, waited := c.survives(rec), time.Since(j.since)
	if waited < anyAfter || c.busy(live) && waited < 2*anyAfter {
		if c.falls(rec, live) != c.Opener.Self() {
			return false, nil
		}
	}
	if survives && !rec.Off && waited < farAfter && c.far(rec, live) {
		return false, nil
	}
	return survives || rec.Off || !c.elsewhere(rec, live, waited), nil
}

// unfinished says whether a room that was claimed here is to be taken once more: something has failed after the claim, or
// it did not come to run.
func (c *Claimer) unfinished(ctx context.Context, j job, rec *cluster.Room) (take bool, _ error) {
	rm := c.Opener.Host.Room(j.room)
	if rm == nil || rm.Epoch() < rec.Epoch {
		return true, nil
	}
	select {
	case <-rm.Ready():
	default:
		return false, nil // it is being restored
	}
	if !rm.Opened() {
		return false, nil // it is about to end
	}
	return false, c.disown(ctx, j, false)
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
	return ok && (rules.Version == rec.Rules || rules.Persist) && (!c.Opener.ran(rec) || rules.Durability != match.None && c.Journals != nil)
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
