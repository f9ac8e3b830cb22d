package queue

import (
	"math"
	"slices"
)

// mends is how many exchanges one match gets at most.
const mends = 4

// mend exchanges tickets of the match that was found for others of their size who stand near, as long as that makes the
// teams more even: the nearest players alone seldom make a fair match. What is even enough is left as it is.
func (s *search) mend() {
	f := &s.found
	if s.p.Teams < 2 || f.region != s.region || f.n < 2 {
		return
	}
	s.sums()
	even := s.p.Beta * math.Sqrt(float64(f.n)) / 20 // about 2 % of the chance to win
	for range mends {
		gap := gapOf(s.sum)
		if gap <= even || !s.exchange(gap) {
			return
		}
	}
}

// sums works out by how much each team is better than the match's mean.
func (s *search) sums() {
	f := &s.found
	total := 0.0
	for _, e := range f.set {
		total += e.sum
	}
	mean := total / float64(f.n)
	s.sum = append(s.sum[:0], make([]float64, s.p.Teams)...)
	for i, e := range f.set {
		s.sum[f.teams[i]] += e.sum - mean*float64(e.n)
	}
}

func gapOf(sums []float64) float64 { return slices.Max(sums) - slices.Min(sums) }

// exchange makes the exchange that leaves the teams most even, and says whether there is one.
func (s *search) exchange(gap float64) bool {
	f, best, by := &s.found, -1, (*entry)(nil)
	for _, n := range s.near {
		if slices.Contains(f.set, n.e) {
			continue
		}
		for i, e := range f.set {
			if e == s.a || e.n != n.e.n {
				continue
			}
			if g := s.gapWith(i, n.e); g < gap-1e-9 && s.allows(i, n.e) {
				gap, best, by = g, i, n.e
			}
		}
	}
	if best < 0 {
		return false
	}
	s.sum[f.teams[best]] += by.sum - f.set[best].sum
	f.set[best] = by
	return true
}

// gapWith is how uneven the teams are with another in the place of the i-th ticket.
func (s *search) gapWith(i int, e *entry) float64 {
	t := s.found.teams[i]
	before := s.sum[t]
	s.sum[t] += e.sum - s.found.set[i].sum
	gap := gapOf(s.sum)
	s.sum[t] = before
	return gap
}

// allows says whether the rules allow another in the place of the i-th ticket.
func (s *search) allows(i int, e *entry) bool {
	f := &s.found
	s.begin()
	if s.p.recipes != nil {
		s.p.recipes.all(s.depth(0))
		s.p.recipes.least(s.depth(0), s.a.n, 1)
	}
	for j, member := range f.set {
		if j == i {
			member = e
		}
		if member != s.a && !s.push(member) {
			return false
		}
	}
	return s.high-s.low <= s.spread && s.teamPlays(i, e)
}

// teamPlays says whether the team of the i-th ticket has places for its roles with another instead.
func (s *search) teamPlays(i int, e *entry) bool {
	if len(s.p.Roles) == 0 {
		return true
	}
	f := &s.found
	masks := slices.Clone(e.roles)
	for j, member := range f.set {
		if j != i && f.teams[j] == f.teams[i] {
			masks = append(masks, member.roles...)
		}
	}
	return fill(masks, s.p.perTeam(), nil) != nil
}
