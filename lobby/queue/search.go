package queue

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// How much one search looks at. What it could not look at it cannot rule out, so it is tried again in the next cycle.
const (
	spare     = 4     // tickets of each size beyond those that could be used, see beyond
	maxSplits = 1500  // ways to make teams of a set
	maxTrials = 20000 // the same where none was found yet
)

// effort bounds a search.
type effort struct {
	scans int // tickets that are looked at, whether they fit or not
	nodes int // sets of tickets
	times int // so many sets more for each player of a match: a search that meets no obstacle looks at one for each
}

// Searches that fail without a proof are made again in each cycle. All of them together have a bound too: once they have
// used it up, further searches are short.
var long, short = effort{scans: 4000, nodes: 1000, times: 2}, effort{scans: 100, nodes: 50}

const maxEffort = 1_000_000 // scans of a cycle in searches that failed without a proof

// search looks for one match. It is used again and again, so that a cycle does not allocate for each.
type search struct {
	p    *plan
	pool *Pool

	a       *entry // the oldest ticket of the match
	st      *stage
	wait    time.Duration
	spread  float64 // the widest distance of two ratings
	floor   int     // how few players are enough
	region  int
	regions []int

	near   []near   // who could play with a, the nearest rating first
	some   []*entry // those of them that are looked at now
	left   []int    // how many players stand from each place of some on
	count  []int    // tickets by size
	places []int    // of a's rating in the lists of each peer, by kind
	cut    bool     // near lacks somebody
	effort effort
	scans  int // of this search
	budget int // of nodes
	nodes  int // that are left

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
	free    []int // scratch of packed
	slots   []int // of each role in all teams
	supply  []int

	split splitter
	sum   []float64 // of the teams of found; see mend
	found found

	bounded bool   // not everything was looked at, so that a failure is no proof
	lack    uint64 // kinds of which more could help
}

type near struct {
	e        *entry
	distance float64
}

// found is the best match so far.
type found struct {
	set    []*entry
	teams  []int
	region int
	n      int
}

func newSearch(pool *Pool) *search {
	p := pool.plan
	s := &search{p: p, pool: pool, count: make([]int, p.PartyMax+1), by: make([]int, p.PartyMax+1), supply: make([]int, len(p.Roles))}
	for _, r := range p.Roles {
		s.slots = append(s.slots, r.PerTeam*p.Teams)
	}
	s.split.p = p
	return s
}

// find looks for a match whose oldest ticket is a. It takes full ones before others, and the region that is best for a
// before others.
func (s *search) find(a *entry, now int64, spread float64, floor int) bool {
	s.start(a, spread, floor)
	s.wait = a.waited(now)
	s.budget, s.scans = s.effort.nodes+s.effort.times*s.p.Max(), 0
	s.nodes = s.budget
	if len(s.regions) > 1 {
		slices.SortStableFunc(s.regions, func(x, y int) int { return cmp.Compare(a.latency[x], a.latency[y]) })
	}
	for _, s.region = range s.regions {
		if s.inRegion() {
			break
		}
	}
	if s.found.n == 0 {
		return false
	}
	s.mend()
	return true
}

// may says whether there are players enough around a for a match of which it is the oldest ticket, without a look at who
// they are.
func (s *search) may(a *entry, floor int) bool {
	s.start(a, math.Inf(1), floor)
	for _, s.region = range s.regions {
		if s.crowded() {
			return true
		}
	}
	return false
}

func (s *search) start(a *entry, spread float64, floor int) {
	s.a, s.st, s.floor = a, &s.p.stages[a.stage], floor
	s.spread = min(spread, s.st.spread, a.most)
	s.bounded, s.lack, s.found.n = false, 0, 0
	s.regions = s.regions[:0]
	for r := range s.p.lists() {
		if s.good(a, r) {
			s.regions = append(s.regions, r)
		}
	}
}

// good says whether a ticket may play in a region now.
func (s *search) good(e *entry, region int) bool {
	return len(s.p.Regions) == 0 || float64(e.latency[region]) <= min(s.st.latency, math.MaxFloat32)
}

// inRegion says whether a full match was found.
func (s *search) inRegion() bool {
	if !s.crowded() {
		return false
	}
	s.gather()
	s.lack = math.MaxUint64
	if !s.enough() {
		return false
	}
	done := s.windows()
	s.bounded = s.bounded || s.cut
	return done
}

// crowded counts who stands around a, and says whether they can be enough.
func (s *search) crowded() bool {
	a, p := s.a, s.p
	low, high := a.rating-s.spread, a.rating+s.spread
	clear(s.count)
	clear(s.supply)
	s.places = s.places[:0]
	around := func(l *list, most int) int {
		place := l.from(a.rating)
		s.places = append(s.places, place)
		return l.count(place, low, high, most)
	}
	for _, b := range s.pool.peers(a.bucket) {
		for size := 1; size <= p.PartyMax; size++ {
			s.count[size] += around(b.list(p, s.region, size-1), (p.Max()-a.n)/size+1)
		}
		for r := range p.Roles {
			s.supply[r] += p.PartyMax * around(b.list(p, s.region, p.roleKind(r)), s.slots[r])
		}
	}
	return s.enough()
}

// enough says whether the tickets that were counted by kind, and a, can be enough for a match; where not, it remembers
// of which kinds there are too few.
func (s *search) enough() bool {
	total, lack := s.a.n, uint64(0)
	for size := 1; size <= s.p.PartyMax; size++ {
		total += s.count[size] * size
		if s.count[size] < (s.p.Max()-s.a.n)/size {
			lack |= s.p.bit(size - 1)
		}
	}
	full := s.floor == s.p.Max()
	if total < s.floor || full && s.p.recipes != nil && !s.recipes(s.depth(0)) {
		s.lack |= lack
		return false
	}
	if !full {
		return true
	}
	lack = s.lackingRoles()
	s.lack |= lack
	return lack == 0
}

// lackingRoles are the kinds of the roles for which too few players are there.
func (s *search) lackingRoles() uint64 {
	lack := uint64(0)
	for r, need := range s.slots {
		have := s.supply[r]
		for _, mask := range s.a.roles {
			if mask&(1<<r) != 0 {
				have++
			}
		}
		if have < need {
			lack |= s.p.bit(s.p.roleKind(r))
		}
	}
	return lack
}

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

// gather collects who could play with a in the region: the nearest ratings of each size, and of those who come for each
// role.
func (s *search) gather() {
	s.near, s.cut = s.near[:0], false
	s.begin()
	clear(s.supply)
	for size := 1; size <= s.p.PartyMax; size++ {
		if want := (s.p.Max() - s.a.n) / size; want > 0 {
			s.walk(size-1, beyond(want))
		}
	}
	for r, need := range s.slots {
		s.walk(s.p.roleKind(r), beyond(need))
	}
	slices.SortFunc(s.near, func(x, y near) int {
		if x.distance != y.distance {
			return cmp.Compare(x.distance, y.distance)
		}
		return older(x.e, y.e)
	})
	if len(s.p.Roles) > 0 {
		s.near = slices.CompactFunc(s.near, func(x, y near) bool { return x.e == y.e })
	}
	clear(s.count)
	for _, n := range s.near {
		s.take(n.e)
	}
}

// beyond is how many tickets are collected where so many could be used: in a large match somebody nearly always keeps
// somebody else away.
func beyond(want int) int { return want + max(spare, want/4) }

// spent is what the search has cost, in scans. A set of many tickets takes longer to look at.
func (s *search) spent() int { return s.scans + max(4, s.p.Max()/32)*(s.budget-s.nodes) }

// walk collects the nearest of a kind from each bucket.
func (s *search) walk(kind, want int) {
	for i, b := range s.pool.peers(s.a.bucket) {
		s.walkList(b.list(s.p, s.region, kind).items, s.places[i*s.p.kinds()+kind], want)
	}
}

// walkList collects the nearest of a list, in which a's rating has a place.
func (s *search) walkList(items []item, place, want int) {
	low, high := s.a.rating-s.spread, s.a.rating+s.spread
	up, down := place, place-1
	most := max(2*want, s.effort.scans/(s.p.lists()*s.p.kinds()))
	for scanned := 0; ; {
		canUp := up < len(items) && items[up].rating <= high
		canDown := down >= 0 && items[down].rating >= low
		if !canUp && !canDown {
			return
		}
		var e *entry
		if canUp && (!canDown || items[up].rating-s.a.rating < s.a.rating-items[down].rating) {
			e = items[up].e
			up++
		} else {
			e = items[down].e
			down--
		}
		if e.gone {
			continue
		}
		if want == 0 || scanned > most {
			s.cut = true
			s.bounded = s.bounded || want > 0
			return
		}
		scanned++
		s.scans++
		if s.fits(e) {
			want--
			s.near = append(s.near, near{e, math.Abs(e.rating - s.a.rating)})
		}
	}
}

// take counts one who could play with a.
func (s *search) take(e *entry) {
	s.count[e.n]++
	for _, mask := range e.roles {
		for r := range s.supply {
			if mask&(1<<r) != 0 {
				s.supply[r]++
			}
		}
	}
}

// fits says whether a ticket could play with a. Who is older than a looks for a by himself, unless a stands at the head.
func (s *search) fits(e *entry) bool {
	if e == s.a || !s.a.head && older(e, s.a) < 0 {
		return false
	}
	return s.good(e, s.region) && math.Abs(e.rating-s.a.rating) <= e.most &&
		s.agrees(s.states[0], e, nil) && s.together(s.a, e)
}

// together says whether two tickets accept each other.
func (s *search) together(a, b *entry) bool {
	if s.st.avoid && (a.avoids(b) || b.avoids(a)) {
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
	return c.Holds(a.t, b.t, s.wait) && c.Holds(b.t, a.t, s.wait)
}
