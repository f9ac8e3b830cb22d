package queue

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// How many tickets an explanation looks at. Of more it takes every second, third and so on, and its numbers are
// estimates.
const (
	maxLook          = 15_000
	maxLookCondition = 2_000 // where conditions are asked for each
)

// From how many tickets besides its own an explanation looks for a match, and what that may cost, in scans.
const maxElders, maxFinds = 8, 20_000

// view is one ticket's look at all others.
type view struct {
	p     *Pool
	now   time.Time
	e     *entry
	st    *stage
	scale int // each ticket that is looked at stands for so many

	rules   []ruleView
	waiting int
	fitting int
	sizes   []int    // fitting tickets by party size
	supply  []int    // fitting players by role
	regions [][]int  // fitting tickets by region and party size
	elders  []*entry // the oldest of them, all older than the ticket
}

// ruleView is a rule as it stands between two tickets.
type ruleView struct {
	name    string
	index   int // of an attribute or a condition
	removes int
	alone   int
	own     int // what only the ticket's own limit keeps away
}

// Explain says why a ticket waits; ok is false where it does not. Each two tickets are held to the rules by the wait of
// the older one. It takes the pool's time, so no other call may run.
func (p *Pool) Explain(id string, now time.Time) (Explanation, bool) {
	e, ok := p.entries[id]
	if !ok {
		return Explanation{}, false
	}
	p.settle()
	v := &view{p: p, now: now, e: e, scale: 1}
	v.st = v.stageOf(e)
	if e.bucket == nil {
		return v.refused(), true
	}
	v.listRules()
	v.look()
	return v.explanation(), true
}

func (v *view) stageOf(e *entry) *stage {
	return &v.p.plan.stages[v.p.plan.at(e.waited(v.now.UnixNano()))]
}

func (v *view) listRules() {
	r := v.p.plan.Rules
	add := func(there bool, name string, index int) {
		if there {
			v.rules = append(v.rules, ruleView{name: name, index: index})
		}
	}
	add(true, "rating", 0)
	add(len(r.Regions) > 0, "region", 0)
	add(len(r.Regions) > 0, "latency", 0)
	add(len(r.Roles) > 0, "roles", 0)
	add(true, "party", 0)
	add(true, "avoid", 0)
	for i, a := range r.Attributes {
		add(true, attributePrefix+a.Name, i)
	}
	for i, c := range r.Conditions {
		add(true, conditionPrefix+c.Name, i)
	}
}

const attributePrefix, conditionPrefix = "attribute:", "condition:"

// look counts what each rule does to every other ticket, or to a sample.
func (v *view) look() {
	plan := v.p.plan
	most := maxLook
	if len(plan.Conditions) > 0 {
		most = maxLookCondition
	}
	v.scale = max(1, (len(v.p.order)+most-1)/most)
	v.sizes, v.supply = make([]int, plan.PartyMax+1), make([]int, len(plan.Roles))
	for range plan.lists() {
		v.regions = append(v.regions, make([]int, plan.PartyMax+1))
	}
	v.waiting = v.p.players - v.e.n
	for i := 0; i < len(v.p.order); i += v.scale {
		if x := v.p.order[i]; x != v.e && !x.gone && x.bucket != nil {
			v.weigh(x)
		}
	}
}

// weigh counts which rules keep a ticket away.
func (v *view) weigh(x *entry) {
	st := v.stageOf(x)
	if x.created > v.e.created {
		st = v.st
	}
	last, n := -1, 0
	players := x.n * v.scale
	for i := range v.rules {
		if v.accepts(&v.rules[i], st, x) {
			continue
		}
		v.rules[i].removes += players
		last, n = i, n+1
	}
	switch n {
	case 0:
		v.fits(st, x)
	case 1:
		v.rules[last].alone += players
	}
}

// fits counts a ticket that no rule keeps away.
func (v *view) fits(st *stage, x *entry) {
	v.fitting += x.n * v.scale
	v.sizes[x.n] += v.scale
	if len(v.elders) < maxElders && older(x, v.e) < 0 { // the oldest come first
		v.elders = append(v.elders, x)
	}
	for _, mask := range x.roles {
		for r := range v.supply {
			if mask&(1<<r) != 0 {
				v.supply[r] += v.scale
			}
		}
	}
	for r := range v.p.plan.Regions {
		if worse(v.e, x, r) <= min(st.latency, math.MaxFloat32) {
			v.regions[r][x.n] += v.scale
		}
	}
}

// worse is the higher latency of two tickets to a region.
func worse(a, b *entry, region int) float64 {
	return float64(max(a.latency[region], b.latency[region]))
}

// accepts says whether a rule by itself lets two tickets play together.
func (v *view) accepts(rule *ruleView, st *stage, x *entry) bool {
	e, plan := v.e, v.p.plan
	switch rule.name {
	case "rating":
		return v.near(rule, st, x)
	case "region":
		return v.anyRegion(x, math.MaxFloat32)
	case "latency":
		return !v.anyRegion(x, math.MaxFloat32) || v.anyRegion(x, st.latency)
	case "roles":
		return fill(slices.Concat(e.roles, x.roles), v.p.search.slots, nil) != nil
	case "party":
		return plan.seatsBoth(e.n, x.n)
	case "avoid":
		return !st.avoid || !e.avoids(x) && !x.avoids(e)
	}
	if i := rule.index; rule.is(attributePrefix) {
		var a agreed
		return !st.attributes[i] || !e.values[i].set() || !x.values[i].set() ||
			a.add(&plan.Attributes[i], &e.values[i], st.within[i]) && a.add(&plan.Attributes[i], &x.values[i], st.within[i])
	}
	c, waited := &plan.Conditions[rule.index], max(e.waited(v.now.UnixNano()), x.waited(v.now.UnixNano()))
	return !st.conditions[rule.index] || c.Holds(e.t, x.t, waited) && c.Holds(x.t, e.t, waited)
}

// near says whether two ratings lie near enough, and counts whom only the ticket's own limit keeps away.
func (v *view) near(rule *ruleView, st *stage, x *entry) bool {
	d := math.Abs(v.e.rating - x.rating)
	if d > min(st.spread, x.most) {
		return false
	}
	if d > v.e.most {
		rule.own += x.n * v.scale
		return false
	}
	return true
}

// anyRegion says whether a region is good for two tickets within a latency.
func (v *view) anyRegion(x *entry, within float64) bool {
	for r := range v.p.plan.Regions {
		if worse(v.e, x, r) <= within {
			return true
		}
	}
	return false
}

// seatsBoth says whether parties of two sizes have seats in one match.
func (p *plan) seatsBoth(a, b int) bool {
	if a+b > p.Max() {
		return false
	}
	return p.Teams > 1 || a+b <= p.TeamSize
}

// explanation puts what was counted into words.
func (v *view) explanation() Explanation {
	plan := v.p.plan
	x := Explanation{Waiting: v.waiting, Fitting: min(v.fitting, v.waiting), Needed: v.st.floor}
	if v.st.bots {
		x.Needed = plan.Min
	}
	for i := range v.rules {
		if rule := &v.rules[i]; rule.removes > 0 {
			x.Rules = append(x.Rules, RuleEffect{
				Rule: rule.name, Text: v.ruleText(rule), Removes: min(rule.removes, v.waiting),
				Alone: min(rule.alone, v.waiting), Widens: v.widens(rule),
			})
		}
	}
	slices.SortStableFunc(x.Rules, func(a, b RuleEffect) int {
		return cmp.Or(cmp.Compare(b.Removes, a.Removes), cmp.Compare(b.Alone, a.Alone))
	})
	x.Text = v.summary(&x)
	return x
}

// widens is when a rule's bound moves next for the ticket; nil where it does not.
func (v *view) widens(rule *ruleView) *time.Time {
	plan := v.p.plan
	wider := func(of func(*stage) bool) *time.Time {
		for i := plan.at(v.e.waited(v.now.UnixNano())) + 1; i < len(plan.stages); i++ {
			if of(&plan.stages[i]) {
				at := v.e.t.Created.Add(plan.marks[i-1])
				return &at
			}
		}
		return nil
	}
	i := rule.index
	switch {
	case rule.name == "rating":
		return wider(func(st *stage) bool { return st.spread > v.st.spread && v.e.most > v.st.spread })
	case rule.name == "latency":
		return wider(func(st *stage) bool { return st.latency > v.st.latency && !v.latencyCapped() })
	case rule.name == "avoid":
		return wider(func(st *stage) bool { return !st.avoid })
	case rule.is(attributePrefix):
		return wider(func(st *stage) bool {
			return v.st.attributes[i] && (!st.attributes[i] || st.within[i] > v.st.within[i])
		})
	case rule.is(conditionPrefix):
		return wider(func(st *stage) bool { return v.st.conditions[i] && !st.conditions[i] })
	}
	return nil
}

func (r *ruleView) is(prefix string) bool {
	return len(r.name) > len(prefix) && r.name[:len(prefix)] == prefix
}

// latencyCapped says whether the ticket's own limit is as narrow as the queue's bound.
func (v *view) latencyCapped() bool { return v.e.t.MaxLatency > 0 && v.e.t.MaxLatency <= v.st.latency }
