package queue

import (
	"math"
	"slices"
	"sort"
)

// bucket holds the tickets that say the same; see peers.
type bucket struct {
	key   string
	says  []value
	open  bool
	live  int
	peers []*bucket
	turn  int    // of the pool, at which peers was made; 0 is never
	lists []list // by region and kind: whoever may play there
	fresh []list // by kind, and all of them last: who came since the last cycle
	added []*entry
}

// Tickets stand in lists by kind: those of each party size, and those with somebody for each role.

// kinds is how many kinds of ticket there are.
func (p *plan) kinds() int { return p.PartyMax + len(p.Roles) }

// roleKind is the kind of those with somebody for a role.
func (p *plan) roleKind(role int) int { return p.PartyMax + role }

// is says whether a ticket is of a kind.
func (e *entry) is(p *plan, kind int) bool {
	if kind < p.PartyMax {
		return e.n == kind+1
	}
	for _, mask := range e.roles {
		if mask&(1<<(kind-p.PartyMax)) != 0 {
			return true
		}
	}
	return false
}

// bit stands for a kind in a set. Large party sizes share one.
func (p *plan) bit(kind int) uint64 {
	if kind < p.PartyMax {
		return 1 << min(kind, 63-maxRoles)
	}
	return 1 << (64 - maxRoles + kind - p.PartyMax)
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
	if len(b.added) == 0 {
		return
	}
	slices.SortFunc(b.added, byRating)
	if b.lists == nil {
		b.lists = make([]list, p.lists()*p.kinds())
	}
	if b.fresh == nil {
		b.fresh = make([]list, p.kinds()+1)
	}
	all := make([]item, 0, len(b.added))
	for _, e := range b.added {
		if !e.gone {
			all = append(all, item{e.rating, e})
		}
	}
	b.added = b.added[:0]
	b.fresh[p.kinds()].merge(all)
	reach := float32(min(p.last().latency, math.MaxFloat32))
	var came, there []item
	for kind := range p.kinds() {
		came = only(all, came, func(e *entry) bool { return e.is(p, kind) })
		b.fresh[kind].merge(came)
		for region := range p.lists() {
			there = came
			if len(p.Regions) > 0 {
				there = only(came, nil, func(e *entry) bool { return e.latency[region] <= reach })
			}
			b.list(p, region, kind).merge(there)
		}
	}
}

// only is those of some items that are wanted, in a slice that is used again.
func only(of, into []item, want func(*entry) bool) []item {
	into = into[:0]
	for _, i := range of {
		if want(i.e) {
			into = append(into, i)
		}
	}
	return into
}

func (b *bucket) list(p *plan, region, kind int) *list { return &b.lists[region*p.kinds()+kind] }

// drop counts a ticket that is gone.
func (b *bucket) drop(p *plan, e *entry) {
	b.live--
	for kind := range p.kinds() {
		if b.lists == nil || !e.is(p, kind) {
			continue
		}
		for region := range p.lists() {
			b.list(p, region, kind).drop()
		}
		if b.fresh != nil {
			b.fresh[kind].drop()
		}
	}
	if b.fresh != nil {
		b.fresh[p.kinds()].drop()
	}
}

// drop keeps a list from being mostly of those that are gone. It may count more than there are.
func (l *list) drop() {
	l.gone++
	if len(l.items) > 0 && l.gone*3 > len(l.items)+8 {
		l.items = slices.DeleteFunc(l.items, func(i item) bool { return i.e.gone })
		l.gone = 0
	}
}

// merge adds sorted items.
func (l *list) merge(came []item) {
	l.items = merged(l.items, came, func(a, b item) bool {
		if a.rating != b.rating {
			return a.rating < b.rating
		}
		return byRating(a.e, b.e) < 0
	})
}

// merged adds a sorted list to another, usually longer one. It goes from the end, so that nothing is overwritten that is
// still to be moved.
func merged[T any](into, came []T, less func(a, b T) bool) []T {
	left := len(into)
	into = append(into, came...)
	for j := len(came) - 1; j >= 0; j-- {
		i := sort.Search(left, func(i int) bool { return less(came[j], into[i]) })
		copy(into[i+j+1:], into[i:left])
		into[i+j], left = came[j], i
	}
	return into
}

// from is where the first rating stands that is not lower.
func (l *list) from(rating float64) int {
	return sort.Search(len(l.items), func(i int) bool { return l.items[i].rating >= rating })
}

// count is how many stand from one rating to another, but no more than most. It goes both ways from a place between.
func (l *list) count(place int, low, high float64, most int) int {
	n := 0
	for i := place; n < most && i < len(l.items) && l.items[i].rating <= high; i++ {
		if !l.items[i].e.gone {
			n++
		}
	}
	for i := place - 1; n < most && i >= 0 && l.items[i].rating >= low; i-- {
		if !l.items[i].e.gone {
			n++
		}
	}
	return n
}

// any says whether somebody who is not gone stands from one rating to another.
func (l *list) any(low, high float64) bool {
	for i := l.from(low); i < len(l.items) && l.items[i].rating <= high; i++ {
		if !l.items[i].e.gone {
			return true
		}
	}
	return false
}
