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
	time time.Time
	now  int64 // the same in nanoseconds
	out  Outcome
	todo []*entry // who may find a match, by age
	// spent is the effort of searches that failed without a proof. It does not count the others, which a pool that
	// remembers their proof does not make.
	spent int
}

// age works out by which stage of the rules each ticket searches.
func (c *cycle) age() {
	for _, e := range c.order {
		e.stage, e.done = c.plan.at(e.waited(c.now)), false
	}
}

// choose lists the tickets that are worth a search: not those
// of which one has proved already that there is no match, and of the others that failed before not those around whom
// there are too few players still.
func (c *cycle) choose() {
	for _, e := range c.order {
		if e.gone || e.bucket == nil || c.known(e) {
			continue
		}
		if e.failed && !c.search.may(e, c.plan.stages[e.stage].floor) {
			e.at, e.lack = e.stage, c.search.lack
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
	for _, b := range c.peers(e.bucket) {
		if b.fresh != nil && c.news(b, e.lack, e.rating-spread, e.rating+spread) {
			return false
		}
	}
	return true
}

// news says whether somebody of certain kinds came into a bucket, with a rating from low to high.
func (c *cycle) news(b *bucket, kinds uint64, low, high float64) bool {
	if !b.fresh[c.plan.kinds()].any(low, high) {
		return false
	}
	for kind := range c.plan.kinds() {
		if kinds&c.plan.bit(kind) != 0 && b.fresh[kind].any(low, high) {
			return true
		}
	}
	return false
}

// first lets those pick who stand at the head, then those who have waited long, by age.
func (c *cycle) first() {
	for _, e := range c.todo {
		if e.head {
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
		if c.spent > c.effort {
			return
		}
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
	s.effort = long
	if c.spent > c.effort {
		s.effort = short
	}
	if s.find(e, c.now, spread, floor) {
		c.assign()
		return
	}
	if s.bounded {
		c.spent += s.spent()
	}
	if final {
		proof := !s.bounded && !s.st.timed // a condition may change its mind by time alone
		e.failed, e.at, e.lack = proof, e.stage, s.lack
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
	a.Attributes = c.plan.attributesOf(f.set)
	c.emit(a, f.set)
}

func (c *cycle) emit(a Assignment, set []*entry) {
	c.out.Assignments = append(c.out.Assignments, a)
	for _, e := range set {
		c.drop(e)
	}
}

// assignment is what all kinds of assignment have.
func (p *plan) assignment(set []*entry, teams []int, of int, now int64) Assignment {
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

func (p *plan) win(set []*entry, teams []int) float64 {
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
func (p *plan) rolesOf(set []*entry, teams []int, places [][]int) map[string]string {
	if len(p.Roles) == 0 {
		return nil
	}
	roles := map[string]string{}
	for team := range maxTeams {
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

// attributesOf is what tickets agree on.
func (p *plan) attributesOf(set []*entry) map[string]any {
	said := map[string]any{}
	for i := range p.Attributes {
		rule := &p.Attributes[i]
		var a agreed
		ok := true
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
	keep, next, timed := c.order[:0], int64(math.MaxInt64), false
	for _, e := range c.order {
		if e.gone {
			continue
		}
		keep = append(keep, e)
		if e.stage < len(c.plan.marks) {
			next = min(next, e.created+int64(c.plan.marks[e.stage]))
		}
		timed = timed || c.plan.stages[e.stage].timed
	}
	if timed {
		next = min(next, c.now+int64(again))
	}
	if next < math.MaxInt64 {
		c.out.Next = c.time.Add(time.Duration(next - c.now))
	}
	clear(c.order[len(keep):])
	c.order = keep
	for _, b := range c.touched {
		b.fresh = nil
	}
	c.touched = c.touched[:0]
	return c.out
}
