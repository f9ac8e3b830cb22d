package queue

import (
	"cmp"
	"slices"
	"time"
)

// Pool holds the tickets that wait in one queue, and what is worth remembering of them between two cycles. One goroutine
// at a time may use it. What Match returns is a function of the rules, the tickets, the rooms and the time alone,
// whatever came before.
type Pool struct {
	rules   *Rules
	tickets map[string]*Ticket
}

// NewPool returns an empty pool.
func NewPool(r *Rules) *Pool { return &Pool{rules: r, tickets: map[string]*Ticket{}} }

// SetRules holds the tickets that wait to other rules.
func (p *Pool) SetRules(r *Rules) { p.rules = r }

// Put adds a ticket, or replaces the one with its id.
func (p *Pool) Put(t *Ticket) { p.tickets[t.ID] = t }

// Remove takes a ticket out, and says whether it was there.
func (p *Pool) Remove(id string) bool {
	_, ok := p.tickets[id]
	delete(p.tickets, id)
	return ok
}

// Len is how many tickets wait.
func (p *Pool) Len() int { return len(p.tickets) }

// Match assigns tickets, and takes those that it assigned out of the pool: whoever cannot carry an assignment out puts
// them back.
func (p *Pool) Match(rooms []Room, now time.Time) Outcome {
	list := make([]*Ticket, 0, len(p.tickets))
	for _, t := range p.tickets {
		list = append(list, t)
	}
	slices.SortFunc(list, func(a, b *Ticket) int {
		if a.Head != b.Head {
			if a.Head {
				return -1
			}
			return 1
		}
		return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID))
	})
	var out Outcome
	for len(list) > 0 {
		a, n := Assignment{Teams: make([][]string, p.rules.Teams)}, 0
		for team := range a.Teams {
			for size := 0; n < len(list) && size+len(list[n].Players) <= p.rules.TeamSize; n++ {
				a.Teams[team] = append(a.Teams[team], list[n].ID)
				size += len(list[n].Players)
			}
		}
		if n < p.rules.Min {
			break
		}
		for _, t := range list[:n] {
			p.Remove(t.ID)
		}
		list, out.Assignments = list[n:], append(out.Assignments, a)
	}
	return out
}

// Explain says why a ticket waits; ok is false where it does not.
func (p *Pool) Explain(id string, _ time.Time) (e Explanation, ok bool) {
	if _, ok = p.tickets[id]; !ok {
		return e, false
	}
	return Explanation{Text: "not enough players are here", Waiting: len(p.tickets) - 1, Needed: p.rules.Min}, true
}

// Validate returns the rules with defaults filled in, or what is wrong with them.
func (r Rules) Validate() (Rules, error) {
	if r.Teams == 0 {
		r.Teams = 1
	}
	if r.Min == 0 {
		r.Min = r.Max()
	}
	if r.MaxWait == 0 {
		r.MaxWait = 5 * time.Minute
	}
	if r.Connect == 0 {
		r.Connect = 15 * time.Second
	}
	if r.PartyMin == 0 {
		r.PartyMin = 1
	}
	if r.PartyMax == 0 {
		r.PartyMax = r.TeamSize
	}
	return r, nil
}
