package queue

import (
	"math"
	"slices"
	"time"
)

// again is when a condition is asked again that looks at the wait.
const again = time.Second

// cycle is one call of Match.
type cycle struct {
	*Pool
	now  time.Time
	out  Outcome
	todo []*entry // who may find a match, by age
}

// age works out by which stage of the rules each ticket searches.
func (c *cycle) age() {
	for _, e := range c.order {
		if !e.gone {
			e.stage = c.plan.at(e.waited(c.now))
			e.done = false
		}
	}
}

// choose lists the tickets that are worth a search: not those of which one has proved already that there is none.
func (c *cycle) choose() {
	for _, e := range c.order {
		if e.gone || e.bucket == nil || c.known(e) {
			continue
		}
		c.todo = append(c.todo, e)
	}
}

// known says that a search for a match of which e is the oldest ticket has failed already, and that nothing came since
// which could change that.
func (c *cycle) known(e *entry) bool {
	if !e.failed || e.at != e.stage {
		return false
	}
	spread := min(c.plan.stages[e.stage].spread, e.most)
	for size := 1; size <= c.plan.PartyMax; size++ {
		if e.lack&bit(size) != 0 && e.bucket.fresh[size-1].any(e.rating-spread, e.rating+spread) {
			return false
		}
	}
	return true
}

// first lets those pick who stand at the head, then those who have waited long, by age.
func (c *cycle) first() {
	for _, e := range c.todo {
		if e.t.Head {
			c.try(e, math.Inf(1), true)
		}
	}
	for _, e := range c.todo {
		if e.waited(c.now) < c.plan.due {
			break // those after it are younger
		}
		c.try(e, math.Inf(1), true)
	}
}

// pass makes the full matches of which the ratings lie at most so far apart.
func (c *cycle) pass(spread float64) {
	for _, e := range c.todo {
		if spread < min(c.plan.stages[e.stage].spread, e.most) {
			c.try(e, spread, false)
		}
	}
}

// last makes what matches the tickets' own windows allow.
func (c *cycle) last() {
	for _, e := range c.todo {
		c.try(e, math.Inf(1), true)
	}
}

// try makes a match of which e is the oldest ticket, if there is one. It is final where nothing wider is allowed to e.
func (c *cycle) try(e *entry, spread float64, final bool) {
	if e.gone || e.done {
		return
	}
	if c.known(e) {
		e.done = true
		return
	}
	floor := c.plan.Max()
	if final {
		floor = c.plan.stages[e.stage].floor
		e.done = true
	}
	s := c.search
	if s.find(e, c.now, spread, floor) {
		c.assign()
		return
	}
	if final {
		e.failed, e.at, e.lack = s.exact, e.stage, s.lack
	}
}

// assign makes an assignment of what the search found.
func (c *cycle) assign() {
	s := c.search
	f := &s.found
	a := c.plan.assignment(f.set, f.teams, c.plan.Teams, c.now)
	if len(c.plan.Regions) > 0 {
		a.Region = c.plan.Regions[f.region]
	}
	if c.plan.Teams == 2 {
		a.Win = c.plan.win(f.set, f.teams)
	}
	a.Bots = max(0, c.plan.Min-f.n)
	a.Roles = c.plan.rolesOf(f.set, f.teams, nil)
	a.Attributes = c.plan.attributesOf(f.set, nil)
	c.emit(a, f.set)
}

func (c *cycle) emit(a Assignment, set []*entry) {
	c.out.Assignments = append(c.out.Assignments, a)
	for _, e := range set {
		c.drop(e)
	}
}

// assignment is what all kinds of assignment have.
func (p *plan) assignment(set []*entry, teams []int8, of int, now time.Time) Assignment {
	a := Assignment{Teams: make([][]string, of), Win: 0.5}
	low, high := math.Inf(1), math.Inf(-1)
	for i, e := range set {
		a.Teams[teams[i]] = append(a.Teams[teams[i]], e.t.ID)
		low, high = min(low, e.rating), max(high, e.rating)
		a.Waited = max(a.Waited, e.waited(now))
	}
	a.Spread = high - low
	return a
}

func (p *plan) win(set []*entry, teams []int8) float64 {
	var sum [2]float64
	variance, n := 0.0, 0
	for i, e := range set {
		sum[teams[i]] += e.sum
		variance += e.variance
		n += e.n
	}
	return chance(sum[0], sum[1], variance, n, p.Beta)
}

// rolesOf is each player's role. places are what is free in each team of a running match; nil is a new one.
func (p *plan) rolesOf(set []*entry, teams []int8, places [][]int) map[string]string {
	if len(p.Roles) == 0 {
		return nil
	}
	roles := map[string]string{}
	for team := range int8(maxTeams) {
		var masks []uint64
		var ids []string
		for i, e := range set {
			if teams[i] != team {
				continue
			}
			masks = append(masks, e.roles...)
			for _, player := range e.t.Players {
				ids = append(ids, player.ID)
			}
		}
		if masks == nil {
			continue
		}
		free := p.perTeam()
		if places != nil {
			free = places[team]
		}
		for i, r := range fill(masks, free, nil) {
			roles[ids[i]] = p.Roles[r].Name
		}
	}
	return roles
}

// attributesOf is what tickets agree on, and a running match's players with them.
func (p *plan) attributesOf(set []*entry, room []value) map[string]any {
	said := map[string]any{}
	for i := range p.Attributes {
		rule := &p.Attributes[i]
		var a agreed
		ok := room == nil || !room[i].set() || a.add(rule, &room[i], math.Inf(1))
		for _, e := range set {
			if v := &e.values[i]; v.set() {
				ok = a.add(rule, v, math.Inf(1)) && ok
			}
		}
		switch {
		case !ok || !a.set || rule.Kind == Within:
		case rule.Kind == AnyOf:
			said[rule.Name] = slices.Clone(a.list)
		default:
			said[rule.Name] = a.one
		}
	}
	if len(said) == 0 {
		return nil
	}
	return said
}

// close tidies up, and works out when time alone changes something next.
func (c *cycle) close() Outcome {
	keep := c.order[:0]
	for _, e := range c.order {
		if e.gone {
			continue
		}
		keep = append(keep, e)
		if marks := c.plan.marks; e.stage < len(marks) {
			c.next(e.t.Created.Add(marks[e.stage]))
		}
		if c.plan.stages[e.stage].timed {
			c.next(c.now.Add(again))
		}
	}
	clear(c.order[len(keep):])
	c.order = keep
	for _, b := range c.touched {
		clear(b.fresh)
	}
	c.touched = c.touched[:0]
	return c.out
}

func (c *cycle) next(at time.Time) {
	if at.After(c.now) && (c.out.Next.IsZero() || at.Before(c.out.Next)) {
		c.out.Next = at
	}
}
