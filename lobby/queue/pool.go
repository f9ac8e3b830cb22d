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
	open    map[string]*bucket // those of them that are open
	turns   int                // counts the changes of buckets
	effort  int                // see maxEffort
	players int
	removed int       // since those that are gone were forgotten
	touched []*bucket // that have tickets which came since the last cycle, each once
	search  *search
}

// NewPool returns an empty pool.
func NewPool(r *Rules) *Pool {
	p := &Pool{entries: map[string]*entry{}, buckets: map[string]*bucket{}, open: map[string]*bucket{}, turns: 1, effort: maxEffort}
	p.use(r)
	return p
}

func (p *Pool) use(r *Rules) {
	p.plan = newPlan(*r)
	p.search = newSearch(p)
}

// SetRules holds the tickets that wait to other rules.
func (p *Pool) SetRules(r *Rules) {
	old := p.entries
	*p = *NewPool(r)
	for _, e := range old {
		p.Put(e.ticket())
	}
}

// Put adds a ticket, or replaces the one with its id. A ticket that the rules refuse (see Rules.Check) waits in vain.
func (p *Pool) Put(t *Ticket) {
	p.Remove(t.ID)
	e := p.plan.entry(t)
	p.entries[t.ID] = e
	p.players += e.n
	p.added = append(p.added, e)
	b := p.bucketOf(e)
	if e.bucket = b; b == nil {
		return
	}
	if len(b.added) == 0 && b.fresh == nil {
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
		p.removed++
		p.forget()
	}
	return ok
}

// forget lets go of tickets that are gone, once they are as many as those that wait: where no cycle is made, since another
// process leads the queue, nothing else does.
func (p *Pool) forget() {
	if p.removed < len(p.entries)+leastForgotten {
		return
	}
	p.removed = 0
	gone := func(e *entry) bool { return e.gone }
	p.order, p.added = slices.DeleteFunc(p.order, gone), slices.DeleteFunc(p.added, gone)
	for _, b := range p.touched {
		b.added = slices.DeleteFunc(b.added, gone)
	}
	p.touched = slices.DeleteFunc(p.touched, func(b *bucket) bool {
		return b.live == 0 || len(b.added) == 0 && b.fresh == nil
	})
}

// leastForgotten keeps small pools from being looked through at every change.
const leastForgotten = 256

func (p *Pool) drop(e *entry) {
	delete(p.entries, e.t.ID)
	p.players -= e.n
	e.gone = true
	if b := e.bucket; b != nil {
		b.drop(p.plan, e)
		p.leave(b)
	}
}

// Len is how many tickets wait.
func (p *Pool) Len() int { return len(p.entries) }

// Players is how many players wait.
func (p *Pool) Players() int { return p.players }

// Match assigns tickets, and takes those that it assigned out of the pool: whoever cannot carry an assignment out puts
// them back.
func (p *Pool) Match(rooms []Room, now time.Time) Outcome {
	p.settle()
	c := &cycle{Pool: p, now: now.UnixNano(), time: now}
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
	p.order = merged(p.order, p.added, func(a, b *entry) bool { return older(a, b) < 0 })
	p.added = p.added[:0]
	for _, b := range p.touched {
		b.settle(p.plan)
	}
}
