package ticket

import (
	"context"
	"errors"
	"slices"
	"strings"

	"muster/lobby/queue"
	"muster/match/cluster"
)

// servers says for which of a queue's regions new rooms can be had.
type servers struct {
	none    error             // why there are none at all
	regions []string          // that have servers, of a queue with regions
	away    []string          // those that have none at all, be it crowded
	lacks   map[string]string // of away those whose servers lack a tag of the queue's, in words
}

// serversOf is what the live nodes are to a queue.
func serversOf(live map[string]cluster.Node, g Game, r *queue.Rules) servers {
	s := servers{lacks: map[string]string{}}
	if len(r.Regions) == 0 {
		s.none = cluster.Check(live, g.Want("", r.Tags))
		return s
	}
	for _, region := range r.Regions {
		err := cluster.Check(live, g.Want(region, r.Tags))
		if err == nil {
			s.regions = append(s.regions, region)
			continue
		}
		s.away = append(s.away, region)
		var lacks *cluster.LacksError
		if errors.As(err, &lacks) {
			s.lacks[region] = lacks.Error()
		}
		if s.none == nil || hope(err) > hope(s.none) {
			s.none = err
		}
	}
	if len(s.regions) > 0 {
		s.none = nil
	}
	return s
}

// hope says how near a region is to having a server: one that has room again, one with other tags, any at all.
func hope(err error) int {
	var lacks *cluster.LacksError
	switch {
	case errors.Is(err, ErrCrowded):
		return 2
	case errors.As(err, &lacks):
		return 1
	}
	return 0
}

// has says whether a new room can be had in a region; "" is anywhere.
func (s *servers) has(region string) bool {
	return s.none == nil && (region == "" || slices.Contains(s.regions, region))
}

// setServers notes which servers there are, and holds the pool to the regions in which a match can be had: a new one, or
// one in one of these rooms. A ticket that may play in two regions is not kept for the one that has no servers.
func (e *engine) setServers(there servers, rooms []queue.Room) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.servers = there
	all := e.current()
	good := func(region string) bool {
		return there.has(region) || slices.ContainsFunc(rooms, func(r queue.Room) bool { return r.Region == region })
	}
	var keep []string
	for _, r := range all.Regions {
		if good(r) {
			keep = append(keep, r)
		}
	}
	if len(keep) == 0 { // no region would be no rule
		keep = all.Regions
	}
	if slices.Equal(keep, e.held.Regions) {
		return
	}
	r := *all
	r.Regions = keep
	e.hold(&r)
}

// lookAtServers finds out which servers there are, for those who ask.
func (e *engine) lookAtServers(ctx context.Context) error {
	live, err := e.s.cfg.Nodes.Live(ctx)
	if err != nil {
		return err //nolint:wrapcheck // says what it did
	}
	e.setServers(serversOf(live, e.game, e.current()), nil)
	return nil
}

// unserved says in words that a ticket waits in vain, or may wait for longer, since regions have no servers; "" where that
// is not so. only says that no other region is good for it. e.mu is held.
func (e *engine) unserved(id string) (text string, only bool) {
	t := e.tickets[id]
	if t == nil || len(e.servers.away) == 0 {
		return "", false
	}
	good := func(region string) bool {
		return !slices.ContainsFunc(t.Players, func(p queue.Player) bool {
			_, ok := p.Latency[region]
			return len(p.Latency) > 0 && !ok
		})
	}
	away := slices.DeleteFunc(slices.Clone(e.servers.away), func(r string) bool { return !good(r) })
	if len(away) == 0 {
		return "", false
	}
	what := "region "
	if len(away) > 1 {
		what = "regions "
	}
	text = "No server takes new matches in " + what + strings.Join(away, ", ") + " now."
	for _, r := range away {
		if why := e.servers.lacks[r]; why != "" {
			text += " In " + r + " " + why + "."
		}
	}
	return text, !slices.ContainsFunc(e.servers.regions, good)
}
