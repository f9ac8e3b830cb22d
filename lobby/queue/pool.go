package queue

import (
	"slices"
	"time"
)

// Pool holds the tickets that wait in one queue, and what is worth remembering of them between two cycles. One goroutine
// at a time may use it. What Match returns is a function of the rules, the tickets, the rooms and the time alone,
// whatever came before.
type Pool struct {
	plan    *plan
	entries map[string]*entry
	order   []*entry // by age; some of them may be gone
	added   []*entry // not yet in order
	buckets map[string]*bucket
	touched []*bucket // that have tickets which came since the last cycle
	search  *search
}

// NewPool returns an empty pool.
func NewPool(r *Rules) *Pool {
	p := &Pool{entries: map[string]*entry{}, buckets: map[string]*bucket{}}
	p.use(r)
	return p
}

func (p *Pool) use(r *Rules) {
	p.plan = newPlan(*r)
	p.search = newSearch(p.plan)
}

// SetRules holds the tickets that wait to other rules.
func (p *Pool) SetRules(r *Rules) {
	old := p.entries
	*p = *NewPool(r)
	for _, e := range old {
		p.Put(e.t)
	}
}

// Put adds a ticket, or replaces the one with its id. A ticket that the rules refuse (see Rules.Check) waits in vain.
func (p *Pool) Put(t *Ticket) {
	p.Remove(t.ID)
	e := p.plan.entry(t)
	p.entries[t.ID] = e
	p.added = append(p.added, e)
	key, ok := p.plan.key(e.values)
	if !ok || e.n < 1 || e.n > p.plan.PartyMax {
		return
	}
	b := p.buckets[key]
	if b == nil {
		b = &bucket{}
		p.buckets[key] = b
	}
	b.key, e.bucket = key, b
	if len(b.added) == 0 {
		p.touched = append(p.touched, b)
	}
	b.added = append(b.added, e)
	b.live++
}

// Remove takes a ticket out, and says whether it was there.
func (p *Pool) Remove(id string) bool {
	e, ok := p.entries[id]
	if ok {
		p.drop(e)
	}
	return ok
}

func (p *Pool) drop(e *entry) {
	delete(p.entries, e.t.ID)
	e.gone = true
	if b := e.bucket; b != nil {
		if b.drop(p.plan, e); b.live == 0 {
			delete(p.buckets, b.key)
		}
	}
}

// Len is how many tickets wait.
func (p *Pool) Len() int { return len(p.entries) }

// Match assigns tickets, and takes those that it assigned out of the pool: whoever cannot carry an assignment out puts
// them back.
func (p *Pool) Match(rooms []Room, now time.Time) Outcome {
	p.settle()
	c := &cycle{Pool: p, now: now}
	c.age()
	if p.plan.Backfill {
		c.backfill(rooms)
	}
	c.choose()
	c.first()
	for _, spread := range p.plan.bands {
		c.pass(spread)
	}
	c.last()
	return c.close()
}

// settle puts the tickets that came since the last time where they belong.
func (p *Pool) settle() {
	if len(p.added) == 0 {
		return
	}
	slices.SortFunc(p.added, older)
	merged := make([]*entry, 0, len(p.entries))
	i := 0
	take := func(e *entry) {
		if !e.gone {
			merged = append(merged, e)
		}
	}
	for _, e := range p.added {
		for ; i < len(p.order) && older(p.order[i], e) < 0; i++ {
			take(p.order[i])
		}
		take(e)
	}
	for ; i < len(p.order); i++ {
		take(p.order[i])
	}
	p.order, p.added = merged, p.added[:0]
	for _, b := range p.touched {
		b.settle(p.plan)
	}
}

// Explain says why a ticket waits; ok is false where it does not.
func (p *Pool) Explain(id string, _ time.Time) (e Explanation, ok bool) {
	if _, ok = p.entries[id]; !ok {
		return e, false
	}
	return Explanation{Text: "not enough players are here", Waiting: len(p.entries) - 1, Needed: p.plan.Min}, true
}
