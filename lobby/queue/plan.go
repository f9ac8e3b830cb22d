package queue

import (
	"math"
	"slices"
	"time"
)

// plan is the rules made ready for searching. It does not change.
type plan struct {
	Rules
	marks   []time.Duration // the waits at which something changes, ascending, without 0
	stages  []stage         // what holds before the first mark, then from each mark on
	regions map[string]int
	roles   map[string]int
	keyed   []int // attributes by which tickets stand in buckets
	recipes *recipes
	bands   []float64     // spreads that are tried before a ticket's own window, ascending
	due     time.Duration // from this wait on a ticket picks before all younger ones
}

// stage is what the rules say from one mark to the next.
type stage struct {
	spread, latency float64
	attributes      []bool    // which of them count
	within          []float64 // the bounds of those of kind Within
	conditions      []bool    // which of them count
	timed           bool      // one that counts looks at the wait
	avoid           bool
	floor           int // how few players start a match
	bots            bool
}

// patience is how long quality goes before age at least; see the package's comment.
const patience = 10 * time.Second

func newPlan(r Rules) *plan {
	r.fill()
	p := &plan{Rules: r, regions: map[string]int{}, roles: map[string]int{}}
	for i, name := range r.Regions {
		p.regions[name] = i
	}
	for i, role := range r.Roles {
		p.roles[role.Name] = i
	}
	for i, a := range r.Attributes {
		if a.Kind == Equal && a.Until == 0 {
			p.keyed = append(p.keyed, i)
		}
	}
	p.marks = r.marks()
	p.stages = append(p.stages, r.stage(0))
	for _, m := range p.marks {
		p.stages = append(p.stages, r.stage(m))
	}
	p.recipes = newRecipes(r.Teams, r.TeamSize, r.PartyMax)
	p.due = patience
	if n := len(r.Rating); n > 0 {
		p.due = max(p.due, r.Rating[n-1].After)
		if first := r.Rating[0]; !first.Any && first.Within > 0 {
			p.bands = []float64{first.Within / 4, first.Within}
		}
	}
	p.due = min(p.due, r.MaxWait/2)
	return p
}

// marks are the waits at which a rule's bound moves.
func (r *Rules) marks() []time.Duration {
	list := []time.Duration{r.AvoidFor, r.BotsAfter}
	if r.Min < r.Max() {
		list = append(list, r.Gather)
	}
	steps := func(s []Step) {
		for _, step := range s {
			list = append(list, step.After)
		}
	}
	steps(r.Rating)
	steps(r.Latency)
	for _, a := range r.Attributes {
		list = append(list, a.Until)
		steps(a.Within)
	}
	for _, c := range r.Conditions {
		list = append(list, c.Until)
	}
	slices.Sort(list)
	list = slices.Compact(list)
	return slices.DeleteFunc(list, func(d time.Duration) bool { return d <= 0 })
}

// stage is what holds after a wait.
func (r *Rules) stage(waited time.Duration) stage {
	s := stage{
		spread: bound(r.Rating, waited), latency: bound(r.Latency, waited),
		avoid: counts(r.AvoidFor, waited), floor: r.Max(),
	}
	for _, a := range r.Attributes {
		s.attributes = append(s.attributes, counts(a.Until, waited))
		s.within = append(s.within, bound(a.Within, waited))
	}
	for _, c := range r.Conditions {
		s.conditions = append(s.conditions, counts(c.Until, waited))
		s.timed = s.timed || counts(c.Until, waited) && !c.Timeless
	}
	if waited >= r.Gather {
		s.floor = r.Min
	}
	if r.BotsAfter > 0 && waited >= r.BotsAfter {
		s.floor, s.bots = 1, true
	}
	return s
}

// counts says whether a rule that ends after a wait counts still.
func counts(until, waited time.Duration) bool { return until == 0 || waited < until }

// bound is the bound that steps give after a wait, infinite where there is none.
func bound(steps []Step, waited time.Duration) float64 {
	b := math.Inf(1)
	for _, s := range steps {
		if s.After > waited {
			break
		}
		b = s.Within
		if s.Any {
			b = math.Inf(1)
		}
	}
	return b
}

// at is the number of the stage after a wait.
func (p *plan) at(waited time.Duration) int {
	n := 0
	for n < len(p.marks) && p.marks[n] <= waited {
		n++
	}
	return n
}

// last is the stage in which every bound is as wide as it gets.
func (p *plan) last() *stage { return &p.stages[len(p.stages)-1] }

// lists is how many lists a bucket has for each party size: one for each region, one where there are no regions.
func (p *plan) lists() int { return max(1, len(p.Regions)) }
