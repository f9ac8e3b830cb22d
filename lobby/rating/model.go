package rating

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Skill is what is believed of a player's strength: a normal distribution, in the model's own unit.
type Skill struct {
	Mu    float64 // the mean
	Sigma float64 // the standard deviation
}

// Model are the parameters of the Plackett–Luce model of R. C. Weng and C.-J. Lin, "A Bayesian Approximation Method for
// Online Ranking", Journal of Machine Learning Research 12 (2011), algorithm 4. Zero means the default.
type Model struct {
	// Mu and Sigma are what is believed of a player of whom nothing is known. Defaults 25 and Mu/3.
	Mu, Sigma float64
	// Beta is how much a player's performance varies from one match to the next, as a standard deviation. A higher one
	// makes results say less. Default Mu/6.
	Beta float64
	// Tau is how much skills drift: each match adds Tau² to a player's variance before it is rated, so that a rating
	// never stands still. Default Mu/300; negative is none.
	Tau float64
	// Kappa is the smallest part of a player's variance that one match leaves. Default 0.0001.
	Kappa float64
}

const (
	// farthest bounds means, in the model's unit: beyond it nothing can be told apart any more.
	farthest = 1e6
	// surest bounds standard deviations from below.
	surest = 1e-6
)

// WithDefaults returns the model with its defaults filled in.
func (m Model) WithDefaults() Model {
	or := func(p *float64, value float64) {
		if *p == 0 {
			*p = value
		}
	}
	or(&m.Mu, 25)
	or(&m.Sigma, m.Mu/3)
	or(&m.Beta, m.Mu/6)
	or(&m.Tau, m.Mu/300)
	or(&m.Kappa, 1e-4)
	m.Tau = max(m.Tau, 0)
	return m
}

// Validate says what is wrong with the parameters.
func (m Model) Validate() error {
	d := m.WithDefaults()
	for _, p := range []struct {
		name             string
		value, low, high float64
	}{
		{"mu", d.Mu, 1e-3, 1e4}, {"sigma", d.Sigma, 1e-3, 1e4}, {"beta", d.Beta, 1e-3, 1e4}, {"tau", d.Tau, 0, 1e4}, {"kappa", d.Kappa, 1e-12, 1},
	} {
		if !(p.value >= p.low && p.value <= p.high) { // NaN is neither
			return fmt.Errorf("%s is %v, want %v to %v", p.name, p.value, p.low, p.high)
		}
	}
	return nil
}

// New returns the skill of a player of whom nothing is known.
func (m Model) New() Skill {
	m = m.WithDefaults()
	return Skill{m.Mu, m.Sigma}
}

// Rate returns the skills after a match, in the shape of teams. ranks has one entry for each team: lower is better,
// equal ones are a draw. A team without players takes no part; a match of fewer than two teams changes nothing. Skills
// that are no numbers count as unknown players', and those out of bounds as the nearest within.
func (m Model) Rate(teams [][]Skill, ranks []int) [][]Skill {
	m = m.WithDefaults()
	out, sums, rank, at := make([][]Skill, len(teams)), make([]Skill, 0, len(teams)), make([]int, 0, len(teams)), make([]int, 0, len(teams))
	for i, team := range teams {
		out[i] = make([]Skill, len(team))
		for j, s := range team {
			out[i][j] = m.Sane(s)
		}
		if len(team) > 0 {
			sums, rank, at = append(sums, m.drifted(out[i])), append(rank, ranks[i]), append(at, i)
		}
	}
	if len(sums) < 2 {
		return out
	}
	c := m.scale(sums)
	from, tied := field(sums, rank, c)
	for i, sum := range sums {
		var omega, delta float64 // the paper's Ω and Δ, without their factors
		for q := range sums {
			if rank[q] > rank[i] {
				continue
			}
			p := min(math.Exp(sum.Mu/c-from[q]), 1) // how likely this team is the best of q and those after it
			if omega -= p / tied[q]; q == i {
				omega += 1 / tied[q]
			}
			delta += p * (1 - p) / tied[q]
		}
		variance := sum.Sigma * sum.Sigma
		omega *= variance / c
		delta *= variance / (c * c) * (sum.Sigma / c) // the last factor is the paper's γ
		for j, before := range out[at[i]] {
			own := before.Sigma*before.Sigma + m.Tau*m.Tau
			share := own / variance
			out[at[i]][j] = m.Sane(Skill{
				Mu: before.Mu + share*omega,
				// A match says something, however little: nobody is less known than one who never played.
				Sigma: min(math.Sqrt(own*max(1-share*delta, m.Kappa)), max(m.Sigma, before.Sigma)),
			})
		}
	}
	return out
}

// field returns for each team q the logarithm of the sum of e^(μ/c) over the teams that came no earlier than it, and how
// many have its rank. The sum is kept relative to its largest part, so that it overflows for nobody.
func field(sums []Skill, rank []int, c float64) (from, tied []float64) {
	order := make([]int, len(sums))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(rank[b], rank[a]) }) // the last come first
	from, tied = make([]float64, len(sums)), make([]float64, len(sums))
	largest, sum := math.Inf(-1), 0.
	for len(order) > 0 {
		n := 0
		for ; n < len(order) && rank[order[n]] == rank[order[0]]; n++ {
			x := sums[order[n]].Mu / c
			if x > largest {
				largest, sum = x, sum*math.Exp(largest-x)
			}
			sum += math.Exp(x - largest)
		}
		for _, q := range order[:n] {
			from[q], tied[q] = largest+math.Log(sum), float64(n)
		}
		order = order[n:]
	}
	return from, tied
}

// Sane returns a skill within bounds: a new player's for what is no number.
func (m Model) Sane(s Skill) Skill {
	m = m.WithDefaults()
	if math.IsNaN(s.Mu) || math.IsNaN(s.Sigma) {
		return Skill{m.Mu, m.Sigma}
	}
	return Skill{min(max(s.Mu, -farthest), farthest), min(max(s.Sigma, surest), farthest)}
}

// drifted is a team's strength as its players come to a match: the sum of their means and of their variances.
func (m Model) drifted(team []Skill) (sum Skill) {
	for _, s := range team {
		sum.Mu += s.Mu
		sum.Sigma += s.Sigma*s.Sigma + m.Tau*m.Tau
	}
	sum.Sigma = math.Sqrt(sum.Sigma)
	return sum
}

// scale is the paper's c: the spread of all performances in a match.
func (m Model) scale(sums []Skill) float64 {
	var variance float64
	for _, s := range sums {
		variance += s.Sigma*s.Sigma + m.Beta*m.Beta
	}
	return math.Sqrt(variance)
}

// Ranks returns the ranks that scores give: the highest score has rank 1, equal scores the same.
func Ranks(scores []float64) []int {
	order := make([]int, len(scores))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(scores[b], scores[a]) })
	ranks := make([]int, len(scores))
	for n, i := range order {
		ranks[i] = n + 1
		if n > 0 && scores[order[n-1]] == scores[i] {
			ranks[i] = ranks[order[n-1]]
		}
	}
	return ranks
}
