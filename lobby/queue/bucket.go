package queue

import (
	"math"
	"slices"
	"sort"
)

// bucket holds the tickets that share the attributes without which they never meet.
type bucket struct {
	key   string
	live  int
	lists []list // by region and party size: whoever may play there
	fresh []list // by party size: who came since the last cycle
	added []*entry
}

// list is tickets by rating. Some of them may be gone.
type list struct {
	items []item
	gone  int
}

type item struct {
	rating float64
	e      *entry
}

// settle puts the tickets that came into the lists.
func (b *bucket) settle(p *plan) {
	slices.SortFunc(b.added, byRating)
	if b.lists == nil {
		b.lists, b.fresh = make([]list, p.lists()*p.PartyMax), make([]list, p.PartyMax)
	}
	reach := float32(min(p.last().latency, math.MaxFloat32))
	for size := 1; size <= p.PartyMax; size++ {
		var came []item
		for _, e := range b.added {
			if e.n == size && !e.gone {
				came = append(came, item{e.rating, e})
			}
		}
		b.fresh[size-1].merge(came)
		for region := range p.lists() {
			there := came
			if len(p.Regions) > 0 {
				there = nil
				for _, i := range came {
					if i.e.latency[region] <= reach {
						there = append(there, i)
					}
				}
			}
			b.list(p, region, size).merge(there)
		}
	}
	b.added = b.added[:0]
}

func (b *bucket) list(p *plan, region, size int) *list { return &b.lists[region*p.PartyMax+size-1] }

// drop counts a ticket that is gone.
func (b *bucket) drop(p *plan, e *entry) {
	b.live--
	if b.lists == nil || e.n > p.PartyMax {
		return
	}
	for region := range p.lists() {
		b.list(p, region, e.n).drop()
	}
	b.fresh[e.n-1].drop()
}

// drop keeps a list from being mostly of those that are gone. It may count more than there are.
func (l *list) drop() {
	l.gone++
	if l.gone*3 > len(l.items)+8 {
		l.items = slices.DeleteFunc(l.items, func(i item) bool { return i.e.gone })
		l.gone = 0
	}
}

// merge adds sorted items.
func (l *list) merge(came []item) {
	if len(came) == 0 {
		return
	}
	old := len(l.items)
	l.items = append(l.items, came...)
	if old == 0 {
		return
	}
	// From the end, so that nothing is overwritten that is still to be moved.
	i, j := old-1, len(came)-1
	for k := len(l.items) - 1; j >= 0; k-- {
		if i >= 0 && byRating(l.items[i].e, came[j].e) > 0 {
			l.items[k] = l.items[i]
			i--
		} else {
			l.items[k] = came[j]
			j--
		}
	}
}

// from is where the first rating stands that is not lower.
func (l *list) from(rating float64) int {
	return sort.Search(len(l.items), func(i int) bool { return l.items[i].rating >= rating })
}

// above is where the first rating stands that is higher.
func (l *list) above(rating float64) int {
	return sort.Search(len(l.items), func(i int) bool { return l.items[i].rating > rating })
}

// between is how many stand from one rating to another, those included that are gone.
func (l *list) between(low, high float64) int { return l.above(high) - l.from(low) }

// any says whether somebody who is not gone stands from one rating to another.
func (l *list) any(low, high float64) bool {
	for i := l.from(low); i < len(l.items) && l.items[i].rating <= high; i++ {
		if !l.items[i].e.gone {
			return true
		}
	}
	return false
}
