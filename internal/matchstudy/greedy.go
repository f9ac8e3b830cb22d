package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"muster/lobby/queue"
	"muster/lobby/simulate"
)

// greedy is what one writes first: the tickets in the order in which they came; the first is the anchor, and whoever
// comes next, lies within a window about the anchor's rating, fits into a team and has a good region in common with all
// is in, until the match is full. Then the teams are made even. The window is the rules' steps times a factor, by the
// anchor's wait; an infinite one is plain first-come. Regions and latencies are held to as the core does.
type greedy struct {
	rules  *queue.Rules
	factor float64
	list   []*queue.Ticket // in the order of coming
	gone   map[string]bool // of these
}

func newGreedy(r *queue.Rules, factor float64) *greedy {
	return &greedy{rules: r, factor: factor, gone: map[string]bool{}}
}

// Put implements simulate.Matcher.
func (g *greedy) Put(t *queue.Ticket) { g.list = append(g.list, t) }

// Remove implements simulate.Matcher.
func (g *greedy) Remove(id string) bool {
	g.gone[id] = true
	g.sweep()
	return true
}

// Len implements simulate.Matcher.
func (g *greedy) Len() int { return len(g.list) }

func (g *greedy) sweep() {
	g.list = slices.DeleteFunc(g.list, func(t *queue.Ticket) bool { return g.gone[t.ID] })
	clear(g.gone)
}

// Match implements simulate.Matcher.
func (g *greedy) Match(_ []queue.Room, now time.Time) (out queue.Outcome) {
	for i, anchor := range g.list {
		if g.gone[anchor.ID] {
			continue
		}
		if a, ok := g.about(anchor, g.list[i:], now); ok {
			out.Assignments = append(out.Assignments, a)
		}
	}
	g.sweep()
	return out
}

// about makes the anchor's match.
func (g *greedy) about(anchor *queue.Ticket, rest []*queue.Ticket, now time.Time) (a queue.Assignment, ok bool) {
	waited := now.Sub(anchor.Created)
	window, latency := bound(g.rules.Rating, waited)*g.factor, bound(g.rules.Latency, waited)
	regions := slices.Clone(g.rules.Regions)
	teams := make([][]*queue.Ticket, g.rules.Teams)
	free := make([]int, g.rules.Teams)
	for i := range free {
		free[i] = g.rules.TeamSize
	}
	left := g.rules.Max()
	for _, t := range rest {
		if g.gone[t.ID] || math.Abs(simulate.Rating(t)-simulate.Rating(anchor)) > window {
			continue
		}
		team := slices.IndexFunc(free, func(n int) bool { return n >= len(t.Players) })
		common := slices.DeleteFunc(slices.Clone(regions), func(r string) bool { return !good(t, r, latency) })
		if team < 0 || len(g.rules.Regions) > 0 && len(common) == 0 {
			if t == anchor {
				return a, false // no region is good for it yet
			}
			continue
		}
		regions = common
		teams[team] = append(teams[team], t)
		free[team] -= len(t.Players)
		if left -= len(t.Players); left == 0 {
			break
		}
	}
	if left > 0 {
		return a, false
	}
	all := slices.Concat(teams...)
	for _, t := range all {
		g.gone[t.ID] = true
	}
	if even, ok := g.even(all); ok {
		teams = even
	}
	for _, team := range teams {
		ids := make([]string, len(team))
		for i, t := range team {
			ids[i] = t.ID
		}
		a.Teams = append(a.Teams, ids)
	}
	if len(regions) > 0 {
		a.Region = slices.MinFunc(regions, func(x, y string) int { return cmp.Compare(sum(all, x), sum(all, y)) })
	}
	return a, true
}

// even puts the largest parties and the best players first into the team that is weakest so far; ok is false where they
// do not fit so.
func (g *greedy) even(all []*queue.Ticket) (teams [][]*queue.Ticket, ok bool) {
	strength, size := make([]float64, g.rules.Teams), make([]int, g.rules.Teams)
	teams = make([][]*queue.Ticket, g.rules.Teams)
	total := func(t *queue.Ticket) (s float64) {
		for _, p := range t.Players {
			s += p.Rating
		}
		return s
	}
	slices.SortStableFunc(all, func(a, b *queue.Ticket) int {
		return cmp.Or(cmp.Compare(len(b.Players), len(a.Players)), cmp.Compare(total(b), total(a)))
	})
	for _, t := range all {
		best := -1
		for i := range teams {
			if size[i]+len(t.Players) <= g.rules.TeamSize && (best < 0 || strength[i] < strength[best]) {
				best = i
			}
		}
		if best < 0 {
			return nil, false
		}
		teams[best] = append(teams[best], t)
		strength[best], size[best] = strength[best]+total(t), size[best]+len(t.Players)
	}
	return teams, true
}

// bound is what steps allow after a wait.
func bound(steps []queue.Step, waited time.Duration) float64 {
	b := math.Inf(1)
	for _, s := range steps {
		if waited >= s.After {
			if b = s.Within; s.Any {
				b = math.Inf(1)
			}
		}
	}
	return b
}

// good says whether a region is good for all players of a ticket.
func good(t *queue.Ticket, region string, most float64) bool {
	return !slices.ContainsFunc(t.Players, func(p queue.Player) bool {
		ms, ok := p.Latency[region]
		return !ok || ms > most
	})
}

// sum adds up all players' latencies to a region.
func sum(all []*queue.Ticket, region string) (ms float64) {
	for _, t := range all {
		for _, p := range t.Players {
			ms += p.Latency[region]
		}
	}
	return ms
}

// tune returns the factor at which the greedy matcher's mean wait is the wanted one, in seconds, within a two-hundredth
// part, and its report; the nearest that was tried between low and high where there is none.
func tune(rules *queue.Rules, arrivals []simulate.Arrival, o simulate.Options, want, low, high float64) (factor float64, best *simulate.Report, err error) {
	nearest := math.Inf(1)
	for range 16 { // a wider window, a shorter wait
		f := math.Sqrt(low * high)
		rep, err := simulated(rules, arrivals, newGreedy(rules, f), o)
		if err != nil {
			return 0, nil, fmt.Errorf("with a window of %g: %w", f, err)
		}
		off := rep.All.Wait.Mean/want - 1
		if math.Abs(off) < nearest {
			nearest, factor, best = math.Abs(off), f, rep
		}
		switch {
		case nearest < 0.005:
			return factor, best, nil
		case off > 0:
			low = f
		default:
			high = f
		}
	}
	return factor, best, nil
}
