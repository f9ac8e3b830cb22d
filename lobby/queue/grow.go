package queue

import (
	"math"
	"slices"
)

// begin makes a match of a alone.
func (s *search) begin() {
	s.set, s.n = append(s.set[:0], s.a), s.a.n
	clear(s.by)
	s.by[s.a.n] = 1
	s.low, s.high, s.most = s.a.rating, s.a.rating, s.a.most
	s.masks = append(s.masks[:0], s.a.roles...)
	for len(s.states) < 1 {
		s.states = append(s.states, make([]agreed, len(s.p.Attributes)))
	}
	for i := range s.states[0] {
		s.states[0][i] = agreed{}
	}
	s.agrees(s.states[0], s.a, s.states[0])
}

// windows tries all ranges of ratings around a that are as wide as the spread, the one with a in its middle first. It
// says whether a full match was found.
func (s *search) windows() bool {
	low, high := s.a.rating, s.a.rating
	for _, n := range s.near {
		low, high = min(low, n.e.rating), max(high, n.e.rating)
	}
	if high-low <= s.spread {
		return s.window(low, high)
	}
	if s.window(s.a.rating-s.spread/2, s.a.rating+s.spread/2) || s.window(s.a.rating, s.a.rating+s.spread) {
		return true
	}
	for _, n := range s.near {
		if n.e.rating < s.a.rating && s.window(n.e.rating, n.e.rating+s.spread) {
			return true
		}
	}
	return false
}

// window looks for a match of tickets in a range of ratings that has a in it.
func (s *search) window(low, high float64) bool {
	s.some = s.some[:0]
	clear(s.count)
	for _, n := range s.near {
		if n.e.rating >= low && n.e.rating <= high {
			s.some = append(s.some, n.e)
			s.count[n.e.n]++
		}
	}
	full := s.floor == s.p.Max()
	if s.p.recipes != nil {
		s.p.recipes.all(s.depth(0))
		if full && !s.recipes(s.depth(0)) || !s.p.recipes.least(s.depth(0), s.a.n, 1) {
			return false
		}
	}
	s.left = append(s.left[:0], make([]int, len(s.some)+1)...)
	for i := len(s.some) - 1; i >= 0; i-- {
		s.left[i] = s.left[i+1] + s.some[i].n
	}
	s.begin()
	return s.grow(0)
}

// grow adds tickets from a place in some on, and says whether a full match was found.
func (s *search) grow(from int) bool {
	if s.n == s.p.Max() {
		return s.close()
	}
	for i := from; i < len(s.some) && s.n+s.left[i] >= max(s.floor, s.found.n+1); i++ {
		if s.nodes--; s.nodes < 0 {
			s.bounded = true
			break
		}
		if !s.push(s.some[i]) {
			continue
		}
		if s.grow(i + 1) {
			return true
		}
		s.pop()
	}
	return s.n >= s.floor && s.n > s.found.n && s.close()
}

// push adds a ticket, if it fits to all that are there.
func (s *search) push(e *entry) bool {
	depth := len(s.set)
	if s.n+e.n > s.p.Max() || !s.packs(e, depth) {
		return false
	}
	if max(s.high, e.rating)-min(s.low, e.rating) > min(s.most, e.most) {
		return false
	}
	for len(s.states) <= depth {
		s.states = append(s.states, make([]agreed, len(s.p.Attributes)))
	}
	if !s.agrees(s.states[depth-1], e, s.states[depth]) {
		return false
	}
	for _, other := range s.set[1:] {
		if !s.together(other, e) {
			return false
		}
	}
	if len(s.p.Roles) > 0 {
		s.masks = append(s.masks, e.roles...)
		if s.takes = fill(s.masks, s.slots, s.takes); s.takes == nil {
			s.masks = s.masks[:len(s.masks)-len(e.roles)]
			return false
		}
	}
	if s.p.recipes != nil {
		copy(s.depth(depth), s.depth(depth-1))
		s.p.recipes.least(s.depth(depth), e.n, s.by[e.n]+1)
	}
	s.set = append(s.set, e)
	s.n += e.n
	s.by[e.n]++
	s.low, s.high, s.most = min(s.low, e.rating), max(s.high, e.rating), min(s.most, e.most)
	return true
}

func (s *search) pop() {
	last := len(s.set) - 1
	e := s.set[last]
	s.set = s.set[:last]
	s.n -= e.n
	s.by[e.n]--
	s.masks = s.masks[:len(s.masks)-len(e.roles)]
	s.low, s.high, s.most = math.Inf(1), math.Inf(-1), math.Inf(1)
	for _, e := range s.set {
		s.low, s.high, s.most = min(s.low, e.rating), max(s.high, e.rating), min(s.most, e.most)
	}
}

// packs says whether a ticket fits into the teams beside those that are there.
func (s *search) packs(e *entry, depth int) bool {
	if s.p.recipes != nil {
		return s.p.recipes.meets(s.depth(depth-1), e.n, s.by[e.n]+1)
	}
	if s.by[1] == len(s.set) && e.n == 1 {
		return true
	}
	s.by[e.n]++
	ok := s.packed()
	s.by[e.n]--
	if !ok {
		s.bounded = true // the packing is not the best
	}
	return ok
}

// packed packs the largest parties first, each into the fullest team that has room.
func (s *search) packed() bool {
	s.free = s.free[:0]
	for range s.p.Teams {
		s.free = append(s.free, s.p.TeamSize)
	}
	for size := len(s.by) - 1; size > 0; size-- {
		for range s.by[size] {
			best := -1
			for i, free := range s.free {
				if free >= size && (best < 0 || free < s.free[best]) {
					best = i
				}
			}
			if best < 0 {
				return false
			}
			s.free[best] -= size
		}
	}
	return true
}

// close makes teams of the match and keeps it as the best so far. It says whether it is full.
func (s *search) close() bool {
	sp := &s.split
	sp.newMatch(s.st.bots)
	if !sp.run(s.set) {
		s.bounded = true
		return false
	}
	s.found.set = append(s.found.set[:0], sp.tickets...)
	s.found.teams = append(s.found.teams[:0], sp.best...)
	s.found.n, s.found.region = s.n, s.region
	return s.n == s.p.Max()
}

// agreed is what tickets have said of an attribute so far.
type agreed struct {
	set   bool
	mixed bool // not all said one
	one   any
	list  []string
	low   float64
	high  float64
}

// agrees says whether a ticket agrees with what others said, and writes what they all say then, unless into is nil.
func (s *search) agrees(have []agreed, e *entry, into []agreed) bool {
	return s.p.agrees(s.st, have, e.values, into)
}

func (p *plan) agrees(st *stage, have []agreed, values []value, into []agreed) bool {
	for i := range values {
		next := have[i]
		if v := &values[i]; v.set() && !next.add(&p.Attributes[i], v, st.within[i]) && st.attributes[i] {
			return false
		}
		if into != nil {
			into[i] = next
		}
	}
	return true
}

// add writes what a match's ticket says beside what others said, whether they agree or not.
func (p *plan) add(have []agreed, values []value) {
	for i := range values {
		if v := &values[i]; v.set() {
			have[i].add(&p.Attributes[i], v, math.Inf(1))
		}
	}
}

// add says whether a value agrees with those so far.
func (a *agreed) add(rule *Attribute, v *value, within float64) bool {
	first := !a.set
	a.set = true
	switch rule.Kind {
	case Equal:
		if first {
			a.one = v.one
		}
		a.mixed = a.mixed || a.one != v.one
		return !a.mixed
	case AnyOf:
		if first {
			a.list = v.list
		} else {
			a.list = common(a.list, v.list)
		}
		return len(a.list) > 0
	default:
		n, _ := v.one.(float64)
		if first {
			a.low, a.high = n, n
		}
		a.low, a.high = min(a.low, n), max(a.high, n)
		return a.high-a.low <= within
	}
}

// common is what two sorted lists both have.
func common(a, b []string) []string {
	if slices.Equal(a, b) {
		return a
	}
	var both []string
	for _, s := range a {
		if _, ok := slices.BinarySearch(b, s); ok {
			both = append(both, s)
		}
	}
	return both
}
