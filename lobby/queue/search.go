package queue

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// How much one search looks at. What it could not look at it cannot rule out, so it is tried again in the next cycle.
const (
	spare     = 4     // tickets of each size beyond those that could be used
	maxScan   = 4096  // tickets of each size and region
	maxNodes  = 2000  // sets of tickets
	maxSplits = 1500  // ways to make teams of a set
	maxTrials = 20000 // the same where none was found yet
)

// search looks for one match. It is used again and again, so that a cycle does not allocate for each.
type search struct {
	p *plan

	a       *entry // the oldest ticket of the match
	st      *stage
	wait    time.Duration
	spread  float64 // the widest distance of two ratings
	floor   int     // how few players are enough
	region  int
	regions []int

	near  []near   // who could play with a, the nearest rating first
	pool  []*entry // those of them that are looked at now
	left  []int    // how many players stand from each place of pool on
	count []int    // tickets by size
	cut   bool     // near lacks somebody
	nodes int

	set     []*entry // the match as it grows, a first
	n       int      // players in it
	by      []int    // tickets by size
	low     float64
	high    float64
	most    float64
	states  [][]agreed // by depth
	fitting [][]uint64 // recipes that still can come of it, by depth
	masks   []uint64   // of its players' roles
	takes   []int8
	slots   []int // of each role in all teams
	supply  []int

	split splitter
	found found

	exact bool   // a failure so far is a proof
	lack  uint64 // sizes of which more could help
}

type near struct {
	e        *entry
	distance float64
}

// found is the best match so far.
type found struct {
	set    []*entry
	teams  []int8
	region int
	n      int
}

func newSearch(p *plan) *search {
	s := &search{p: p, count: make([]int, p.PartyMax+1), by: make([]int, p.PartyMax+1), supply: make([]int, len(p.Roles))}
	for _, r := range p.Roles {
		s.slots = append(s.slots, r.PerTeam*p.Teams)
	}
	s.split.p = p
	return s
}

// find looks for a match whose oldest ticket is a. It takes full ones before others, and the region that is best for a
// before others.
func (s *search) find(a *entry, now time.Time, spread float64, floor int) bool {
	s.wait = a.waited(now)
	s.a, s.st, s.floor = a, &s.p.stages[a.stage], floor
	s.spread = min(spread, s.st.spread, a.most)
	s.exact, s.lack, s.found.n = true, 0, 0
	s.nodes = maxNodes
	s.regions = s.regions[:0]
	for r := range s.p.lists() {
		if s.good(a, r) {
			s.regions = append(s.regions, r)
		}
	}
	if len(s.regions) > 1 {
		slices.SortStableFunc(s.regions, func(x, y int) int { return cmp.Compare(a.latency[x], a.latency[y]) })
	}
	for _, s.region = range s.regions {
		if s.inRegion() {
			return true
		}
	}
	return s.found.n > 0
}

// good says whether a ticket may play in a region now.
func (s *search) good(e *entry, region int) bool {
	return len(s.p.Regions) == 0 || float64(e.latency[region]) <= s.st.latency
}

// inRegion says whether a full match was found.
func (s *search) inRegion() bool {
	a := s.a
	for size := 1; size <= s.p.PartyMax; size++ {
		s.count[size] = a.bucket.list(s.p, s.region, size).between(a.rating-s.spread, a.rating+s.spread)
	}
	if !s.enough() {
		return false
	}
	s.gather()
	if !s.enough() {
		return false
	}
	s.lack = math.MaxUint64
	done := s.windows()
	if !done && s.cut {
		s.exact = false
	}
	return done
}

// enough says whether the tickets that were counted by size, and a, can be enough for a match; where not, it remembers
// which sizes are too few.
func (s *search) enough() bool {
	total, lack := s.a.n, uint64(0)
	for size := 1; size <= s.p.PartyMax; size++ {
		total += s.count[size] * size
		if s.count[size] < (s.p.Max()-s.a.n)/size {
			lack |= bit(size)
		}
	}
	ok := total >= s.floor
	if ok && s.floor == s.p.Max() && s.p.recipes != nil {
		ok = s.recipes(s.depth(0))
	}
	if !ok {
		s.lack |= lack
	}
	return ok
}

func bit(size int) uint64 { return 1 << min(size, 63) }

// recipes puts into a set what can come of a and of the tickets that were counted.
func (s *search) recipes(set []uint64) bool {
	s.p.recipes.all(set)
	if !s.p.recipes.least(set, s.a.n, 1) {
		return false
	}
	for size := 1; size <= s.p.PartyMax; size++ {
		n := s.count[size]
		if size == s.a.n {
			n++
		}
		if !s.p.recipes.most(set, size, n) {
			return false
		}
	}
	return true
}

// depth is the set of recipes for so many tickets.
func (s *search) depth(n int) []uint64 {
	for len(s.fitting) <= n {
		s.fitting = append(s.fitting, make([]uint64, s.p.recipes.words))
	}
	return s.fitting[n]
}

// gather collects who could play with a in the region, the nearest ratings of each size first.
func (s *search) gather() {
	s.near, s.cut = s.near[:0], false
	s.begin()
	clear(s.supply)
	for size := 1; size <= s.p.PartyMax; size++ {
		s.count[size] = 0
		if want := (s.p.Max() - s.a.n) / size; want > 0 {
			s.walk(s.a.bucket.list(s.p, s.region, size), want+spare)
		}
	}
	slices.SortFunc(s.near, func(x, y near) int { return cmp.Or(cmp.Compare(x.distance, y.distance), older(x.e, y.e)) })
}

// walk goes through a list from a's rating in both directions.
func (s *search) walk(l *list, want int) {
	low, high := s.a.rating-s.spread, s.a.rating+s.spread
	up := l.from(s.a.rating)
	down := up - 1
	for scanned := 0; ; {
		canUp := up < len(l.items) && l.items[up].rating <= high
		canDown := down >= 0 && l.items[down].rating >= low
		if !canUp && !canDown {
			return
		}
		if scanned > maxScan || want <= 0 && s.supplied() {
			s.cut = true
			return
		}
		var e *entry
		if canUp && (!canDown || l.items[up].rating-s.a.rating < s.a.rating-l.items[down].rating) {
			e = l.items[up].e
			up++
		} else {
			e = l.items[down].e
			down--
		}
		if e.gone {
			continue
		}
		scanned++
		if !s.fits(e) {
			continue
		}
		if want <= 0 && !s.rare(e) {
			s.cut = true
			continue
		}
		want--
		s.take(e)
	}
}

func (s *search) take(e *entry) {
	s.near = append(s.near, near{e, math.Abs(e.rating - s.a.rating)})
	s.count[e.n]++
	for _, mask := range e.roles {
		for r := range s.supply {
			if mask&(1<<r) != 0 {
				s.supply[r]++
			}
		}
	}
}

// supplied says whether there are players enough for every role.
func (s *search) supplied() bool {
	for r := range s.supply {
		if s.supply[r] < 2*s.slots[r]+2 {
			return false
		}
	}
	return true
}

// rare says whether a ticket has a player for a role that lacks them.
func (s *search) rare(e *entry) bool {
	for _, mask := range e.roles {
		for r := range s.supply {
			if mask&(1<<r) != 0 && s.supply[r] < 2*s.slots[r]+2 {
				return true
			}
		}
	}
	return false
}

// fits says whether a ticket could play with a. Who is older than a looks for a by himself, unless a stands at the head.
func (s *search) fits(e *entry) bool {
	if e == s.a || !s.a.t.Head && older(e, s.a) < 0 {
		return false
	}
	return s.good(e, s.region) && math.Abs(e.rating-s.a.rating) <= e.most &&
		s.agrees(s.states[0], e, nil) && s.together(s.a, e)
}

// together says whether two tickets accept each other.
func (s *search) together(a, b *entry) bool {
	if s.st.avoid && (a.avoids || b.avoids) && (avoids(a.t.Players, b.t.Players) || avoids(b.t.Players, a.t.Players)) {
		return false
	}
	for i := range s.p.Conditions {
		if s.st.conditions[i] && !s.holds(&s.p.Conditions[i], a, b) {
			return false
		}
	}
	return true
}

func (s *search) holds(c *Condition, a, b *entry) bool {
	if c.Holds(a.t, b.t, s.wait) && c.Holds(b.t, a.t, s.wait) {
		return true
	}
	if !c.Timeless {
		s.exact = false
	}
	return false
}

func avoids(a, b []Player) bool {
	for i := range a {
		for j := range b {
			if slices.Contains(a[i].Avoid, b[j].ID) {
				return true
			}
		}
	}
	return false
}
