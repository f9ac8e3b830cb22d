package queue

import (
	"cmp"
	"math"
	"slices"
)

// splitter makes teams of tickets: as even in size as parties allow, then as even in rating. Up to its bound of trials it
// looks at every way, and mends what it has by swaps beyond.
type splitter struct {
	p       *plan
	free    []int   // seats of each team
	roles   [][]int // free places of each role by team; nil where nobody asks
	same    bool    // the teams differ in nothing but who is in them
	lonely  bool    // all players may be in one team
	tickets []*entry
	over    []float64 // by how much a ticket's players are better than the match's mean, in sum

	team  []int
	sum   []float64
	used  []int
	masks [][]uint64
	takes []int8
	tries int
	best  []int
	cost  cost
	found bool
}

// cost is how uneven teams are.
type cost struct {
	size   int
	rating float64
}

func (c cost) less(d cost) bool { return c.size < d.size || c.size == d.size && c.rating < d.rating }

// newMatch asks for the teams of a new match.
func (s *splitter) newMatch(lonely bool) {
	s.free, s.roles = s.free[:0], s.roles[:0]
	for range s.p.Teams {
		s.free = append(s.free, s.p.TeamSize)
		if len(s.p.Roles) > 0 {
			s.roles = append(s.roles, s.p.perTeam())
		}
	}
	s.same, s.lonely = true, lonely
}

// perTeam is how many places of each role a team has.
func (p *plan) perTeam() []int {
	list := make([]int, 0, len(p.Roles))
	for _, r := range p.Roles {
		list = append(list, r.PerTeam)
	}
	return list
}

// run makes the teams: best has the team of each of tickets. False is that no way was found.
func (s *splitter) run(set []*entry) bool {
	s.tickets = append(s.tickets[:0], set...)
	total, n := 0.0, 0
	for _, e := range set {
		total, n = total+e.sum, n+e.n
	}
	mean := total / float64(max(n, 1))
	slices.SortFunc(s.tickets, func(a, b *entry) int {
		if a.n != b.n {
			return b.n - a.n
		}
		if a.sum != b.sum {
			return cmp.Compare(b.sum, a.sum)
		}
		return older(a, b)
	})
	s.over = s.over[:0]
	for _, e := range s.tickets {
		s.over = append(s.over, e.sum-mean*float64(e.n))
	}
	teams := len(s.free)
	s.team, s.best = append(s.team[:0], make([]int, len(set))...), s.best[:0]
	s.sum, s.used = append(s.sum[:0], make([]float64, teams)...), append(s.used[:0], make([]int, teams)...)
	for len(s.masks) < teams {
		s.masks = append(s.masks, nil)
	}
	for i := range s.masks {
		s.masks[i] = s.masks[i][:0]
	}
	s.tries, s.found = 0, false
	s.place(0)
	if s.found && s.tries > maxSplits {
		s.swap()
	}
	return s.found
}

// place gives the i-th ticket and all after it a team.
func (s *splitter) place(i int) {
	if i == len(s.tickets) {
		s.keep()
		return
	}
	var order [maxTeams]int
	for _, t := range s.order(order[:0], s.over[i]) {
		if s.tries++; s.tries > maxTrials || s.found && s.tries > maxSplits {
			return
		}
		if !s.enter(i, t) {
			continue
		}
		s.place(i + 1)
		s.leave(i, t)
	}
}

// order is the teams in the order in which they are tried: those with most free seats first, and of these the one that
// a ticket makes more even. Of teams that nobody is in yet one is enough.
func (s *splitter) order(list []int, over float64) []int {
	empty := false
	for t := range s.free {
		if s.same && s.used[t] == 0 {
			if empty {
				continue
			}
			empty = true
		}
		list = append(list, t)
	}
	slices.SortFunc(list, func(a, b int) int {
		x, y := s.sum[a], s.sum[b]
		if over < 0 {
			x, y = y, x
		}
		return cmp.Or(cmp.Compare(s.free[b], s.free[a]), cmp.Compare(x, y), cmp.Compare(a, b))
	})
	return list
}

func (s *splitter) enter(i, t int) bool {
	e := s.tickets[i]
	if s.free[t] < e.n {
		return false
	}
	if len(s.roles) > 0 {
		s.masks[t] = append(s.masks[t], e.roles...)
		if takes := fill(s.masks[t], s.roles[t], s.takes); takes == nil {
			s.masks[t] = s.masks[t][:len(s.masks[t])-len(e.roles)]
			return false
		}
	}
	s.team[i] = t
	s.free[t] -= e.n
	s.used[t] += e.n
	s.sum[t] += s.over[i]
	return true
}

func (s *splitter) leave(i, t int) {
	e := s.tickets[i]
	s.free[t] += e.n
	s.used[t] -= e.n
	s.sum[t] -= s.over[i]
	if len(s.roles) > 0 {
		s.masks[t] = s.masks[t][:len(s.masks[t])-len(e.roles)]
	}
}

// keep remembers the teams if they are the best so far.
func (s *splitter) keep() {
	inUse := 0
	for _, n := range s.used {
		if n > 0 {
			inUse++
		}
	}
	if !s.lonely && len(s.free) > 1 && inUse < 2 {
		return
	}
	if c := s.uneven(); !s.found || c.less(s.cost) {
		s.found, s.cost = true, c
		s.best = append(s.best[:0], s.team...)
	}
}

func (s *splitter) uneven() cost {
	return cost{slices.Max(s.free) - slices.Min(s.free), slices.Max(s.sum) - slices.Min(s.sum)}
}

// swap exchanges tickets of one size between teams as long as that makes them more even.
func (s *splitter) swap() {
	copy(s.team, s.best)
	clear(s.sum)
	for i, t := range s.team {
		s.sum[t] += s.over[i]
	}
	spread := func() float64 { return slices.Max(s.sum) - slices.Min(s.sum) }
	for better, rounds := true, 0; better && rounds < 8; rounds++ {
		better = false
		for i := range s.tickets {
			for j := i + 1; j < len(s.tickets) && s.tickets[j].n == s.tickets[i].n; j++ {
				before := spread()
				if s.team[i] == s.team[j] {
					continue
				}
				s.exchange(i, j)
				if spread() < before-1e-9 && s.rolesHold() {
					better = true
				} else {
					s.exchange(i, j)
				}
			}
		}
	}
	copy(s.best, s.team)
}

func (s *splitter) exchange(i, j int) {
	d := s.over[j] - s.over[i]
	s.sum[s.team[i]] += d
	s.sum[s.team[j]] -= d
	s.team[i], s.team[j] = s.team[j], s.team[i]
}

// rolesHold says whether every team's roles can be filled as the tickets stand.
func (s *splitter) rolesHold() bool {
	for t := range s.roles {
		s.masks[t] = s.masks[t][:0]
		for i, e := range s.tickets {
			if s.team[i] == t {
				s.masks[t] = append(s.masks[t], e.roles...)
			}
		}
		if fill(s.masks[t], s.roles[t], s.takes) == nil {
			return false
		}
	}
	return true
}

// fill gives each player a role of those that he comes for, where each has so many places; nil where that cannot be. It
// is the usual search for augmenting paths.
func fill(masks []uint64, places []int, into []int8) []int8 {
	into = into[:0]
	var used [maxRoles]int
	for range masks {
		into = append(into, -1)
	}
	for player := range masks {
		var seen uint64
		if !give(player, masks, places, into, &used, &seen) {
			return nil
		}
	}
	if into == nil {
		into = []int8{}
	}
	return into
}

func give(player int, masks []uint64, places []int, into []int8, used *[maxRoles]int, seen *uint64) bool {
	for r := range places {
		if masks[player]&^*seen&(1<<r) == 0 {
			continue
		}
		*seen |= 1 << r
		if used[r] < places[r] {
			used[r]++
			into[player] = int8(r)
			return true
		}
		for other, has := range into {
			if int(has) == r && give(other, masks, places, into, used, seen) {
				into[player] = int8(r)
				return true
			}
		}
	}
	return false
}

// chance is the first of two teams' chance to win, from the sums of their players' ratings, the sum of all variances and
// the number of players: with performances that are normal about a rating, the difference of the sums is normal too. It
// is TrueSkill's prediction (Herbrich, Minka, Graepel 2006), which is Weng and Lin's for the Thurstone–Mosteller model
// (2011) with teams.
func chance(first, second, variance float64, players int, beta float64) float64 {
	d := math.Sqrt(variance + float64(players)*beta*beta)
	if d == 0 {
		return 0.5
	}
	return 0.5 * math.Erfc(-(first-second)/d/math.Sqrt2)
}
