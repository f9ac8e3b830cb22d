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
	list   []waiting // in the order of coming
}

// waiting is a ticket that waits.
type waiting struct {
	*queue.Ticket
	rating, sum float64   // by which it is matched; of all its players
	latency     []float64 // its worst player's, by region
	sums        []float64 // of all its players', by region
	gone        bool
}

func newGreedy(r *queue.Rules, factor float64) *greedy { return &greedy{rules: r, factor: factor} }

// Put implements simulate.Matcher.
func (g *greedy) Put(t *queue.Ticket) {
	w := waiting{Ticket: t, rating: t.Rating()}
	for _, region := range g.rules.Regions {
		worst, sum := 0., 0.
		for _, p := range t.Players {
			ms, ok := p.Latency[region]
			if !ok {
				ms = math.Inf(1)
			}
			worst, sum = max(worst, ms), sum+ms
		}
		w.latency, w.sums = append(w.latency, worst), append(w.sums, sum)
	}
	for _, p := range t.Players {
		w.sum += p.Rating
	}
	g.list = append(g.list, w)
}

// Remove implements simulate.Matcher.
func (g *greedy) Remove(id string) bool {
	n := len(g.list)
	g.list = slices.DeleteFunc(g.list, func(w waiting) bool { return w.ID == id })
	return len(g.list) < n
}

// Len implements simulate.Matcher.
func (g *greedy) Len() int { return len(g.list) }

// Match implements simulate.Matcher.
func (g *greedy) Match(_ []queue.Room, now time.Time) (out queue.Outcome) {
	for i := range g.list {
		if g.list[i].gone {
			continue
		}
		if a, ok := g.about(g.list[i:], now); ok {
			out.Assignments = append(out.Assignments, a)
		}
	}
	g.list = slices.DeleteFunc(g.list, func(w waiting) bool { return w.gone })
	return out
}

// about makes the match of the first of a list.
func (g *greedy) about(list []waiting, now time.Time) (a queue.Assignment, ok bool) {
	anchor := &list[0]
	waited := now.Sub(anchor.Created)
	window, latency := bound(g.rules.Rating, waited)*g.factor, bound(g.rules.Latency, waited)
	regions := uint64(1)<<len(g.rules.Regions) - 1 // those that are good for all so far
	teams := make([][]*waiting, g.rules.Teams)
	free := make([]int, g.rules.Teams)
	for i := range free {
		free[i] = g.rules.TeamSize
	}
	left := g.rules.Max()
	for i := range list {
		t := &list[i]
		if t.gone || math.Abs(t.rating-anchor.rating) > window {
			continue
		}
		team := slices.IndexFunc(free, func(n int) bool { return n >= len(t.Players) })
		common := regions & t.good(latency)
		if team < 0 || len(g.rules.Regions) > 0 && common == 0 {
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
		t.gone = true
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
	least := math.Inf(1)
	for i, region := range g.rules.Regions {
		sum := 0.
		for _, t := range all {
			sum += t.sums[i]
		}
		if regions&(1<<i) != 0 && sum < least {
			least, a.Region = sum, region
		}
	}
	return a, true
}

// good are the regions, as bits, that are good for all of a ticket's players.
func (w *waiting) good(most float64) (regions uint64) {
	for i, ms := range w.latency {
		if ms <= most {
			regions |= 1 << i
		}
	}
	return regions
}

// even puts the largest parties and the best players first into the team that is weakest so far; ok is false where they
// do not fit so.
func (g *greedy) even(all []*waiting) (teams [][]*waiting, ok bool) {
	strength, size := make([]float64, g.rules.Teams), make([]int, g.rules.Teams)
	teams = make([][]*waiting, g.rules.Teams)
	slices.SortStableFunc(all, func(a, b *waiting) int {
		return cmp.Or(cmp.Compare(len(b.Players), len(a.Players)), cmp.Compare(b.sum, a.sum))
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
		strength[best], size[best] = strength[best]+t.sum, size[best]+len(t.Players)
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
