package rating

import "math"

// Win returns for each team the chance that it wins, before a match; they add up to 1. It is what the model itself
// expects, e^(μi/c) / Σ e^(μq/c), where a team has the sums of its players' means and variances and c is the spread of
// all performances: a prediction that used another curve would not fit the ratings that this one makes. Draws are not
// predicted: they count half for either side. A team without players counts as of strength 0.
func (m Model) Win(teams [][]Skill) []float64 {
	m = m.WithDefaults()
	sums := m.sums(teams)
	c := m.scale(sums)
	chances := make([]float64, len(sums))
	for i := range sums {
		var all float64
		for q := range sums {
			all += math.Exp((sums[q].Mu - sums[i].Mu) / c)
		}
		chances[i] = 1 / all
	}
	return chances
}

// Beats is the chance that one team comes before another, whoever else plays.
func (m Model) Beats(a, b []Skill) float64 {
	m = m.WithDefaults()
	sums := m.sums([][]Skill{a, b})
	return m.beats(sums[0], sums[1])
}

// beats is Beats of two teams' sums. The model has its defaults filled in.
func (m Model) beats(a, b Skill) float64 {
	c := math.Sqrt(a.Sigma*a.Sigma + b.Sigma*b.Sigma + 2*m.Beta*m.Beta)
	return 1 / (1 + math.Exp((b.Mu-a.Mu)/c))
}

func (m Model) sums(teams [][]Skill) []Skill {
	m.Tau = 0 // a prediction is about today
	sums := make([]Skill, len(teams))
	for i, team := range teams {
		known := make([]Skill, len(team))
		for j, s := range team {
			known[j] = m.Sane(s)
		}
		sums[i] = m.drifted(known)
	}
	return sums
}
