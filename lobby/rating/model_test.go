package rating_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"muster/lobby/rating"
)

// vector is a match as another implementation of the model rated it: testdata/vectors.mjs made them.
type vector struct {
	Model struct {
		Mu, Sigma, Beta, Kappa float64
		Tau                    *float64
	}
	Rank          []int
	Before, After [][][2]float64
}

func (v *vector) model() rating.Model {
	m := rating.Model{Mu: v.Model.Mu, Sigma: v.Model.Sigma, Beta: v.Model.Beta, Kappa: v.Model.Kappa}
	if v.Model.Tau != nil {
		if m.Tau = *v.Model.Tau; m.Tau == 0 {
			m.Tau = -1 // none
		}
	}
	return m
}

func skills(teams [][][2]float64) [][]rating.Skill {
	out := make([][]rating.Skill, len(teams))
	for i, team := range teams {
		for _, p := range team {
			out[i] = append(out[i], rating.Skill{Mu: p[0], Sigma: p[1]})
		}
	}
	return out
}

func near(got, want float64) bool { return math.Abs(got-want) <= 1e-9*max(1, math.Abs(want)) }

func TestRatesAsAnotherImplementationDoes(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "vectors.json"))
	if err != nil {
		t.Fatal(err)
	}
	var vectors []vector
	if err := json.Unmarshal(text, &vectors); err != nil || len(vectors) < 100 {
		t.Fatalf("%d vectors, %v", len(vectors), err)
	}
	draws, models := 0, 0
	for n, v := range vectors {
		m, before := v.model(), skills(v.Before)
		if m != (rating.Model{}) {
			models++
		}
		if len(slices.Compact(slices.Sorted(slices.Values(v.Rank)))) < len(v.Rank) {
			draws++
		}
		for i, team := range m.Rate(before, v.Rank) {
			for j, got := range team {
				// The other one lets a player who learnt nothing become less known than a new one.
				mu, sigma := v.After[i][j][0], min(v.After[i][j][1], max(m.New().Sigma, before[i][j].Sigma))
				if !near(got.Mu, mu) || !near(got.Sigma, sigma) {
					t.Errorf("vector %d: player %d of team %d is %v after the match, want %v ± %v", n, j, i, got, mu, sigma)
				}
			}
		}
	}
	if draws < 20 || models < 10 {
		t.Errorf("%d vectors have draws and %d other parameters", draws, models)
	}
}

// matches draws a match: teams of skills, from usual ones to the extreme, and ranks.
func matches(t *rapid.T, extreme bool) (teams [][]rating.Skill, ranks []int) {
	mu, sigma := rapid.Float64Range(-20, 70), rapid.Float64Range(0.1, 12)
	if extreme {
		mu, sigma = rapid.Float64(), rapid.Float64()
	}
	for range rapid.IntRange(2, 8).Draw(t, "teams") {
		var team []rating.Skill
		for range rapid.IntRange(1, 4).Draw(t, "size") {
			team = append(team, rating.Skill{Mu: mu.Draw(t, "mu"), Sigma: sigma.Draw(t, "sigma")})
		}
		teams, ranks = append(teams, team), append(ranks, rapid.IntRange(-3, 3).Draw(t, "rank"))
	}
	return teams, ranks
}

func TestSoleWinnersNeverFallAndSoleLosersNeverRise(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		teams, ranks := matches(t, false)
		after := rating.Model{}.Rate(teams, ranks)
		for edge, sign := range map[int]float64{slices.Min(ranks): 1, slices.Max(ranks): -1} {
			i := slices.Index(ranks, edge)
			if slices.Contains(ranks[i+1:], edge) {
				continue // not alone
			}
			for j := range teams[i] {
				if sign*(after[i][j].Mu-teams[i][j].Mu) < 0 {
					t.Fatalf("ranks %v: team %d went from %v to %v", ranks, i, teams[i], after[i])
				}
			}
		}
	})
}

func TestOrderOfTeamsAndPlayersDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		teams, ranks := matches(t, false)
		place := rapid.Permutation(indices(len(teams))).Draw(t, "teams' places")
		moved, movedRanks, players := make([][]rating.Skill, len(teams)), make([]int, len(teams)), make([][]int, len(teams))
		for i, p := range place {
			players[i] = rapid.Permutation(indices(len(teams[i]))).Draw(t, "players' places")
			moved[p], movedRanks[p] = make([]rating.Skill, len(teams[i])), ranks[i]
			for j, q := range players[i] {
				moved[p][q] = teams[i][j]
			}
		}
		m := rating.Model{}
		after, other := m.Rate(teams, ranks), m.Rate(moved, movedRanks)
		win, otherWin := m.Win(teams), m.Win(moved)
		for i, p := range place {
			if !near(win[i], otherWin[p]) {
				t.Fatalf("team %d wins with %v or %v", i, win[i], otherWin[p])
			}
			for j, q := range players[i] {
				if a, b := after[i][j], other[p][q]; !near(a.Mu, b.Mu) || !near(a.Sigma, b.Sigma) {
					t.Fatalf("player %d of team %d is %v or %v", j, i, a, b)
				}
			}
		}
	})
}

func indices(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}

func TestSkillsStayWithinBoundsWhateverComesIn(t *testing.T) {
	odd := []float64{math.NaN(), math.Inf(1), math.Inf(-1), 0, -1, math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64, 1e-300}
	rapid.Check(t, func(t *rapid.T) {
		teams, ranks := matches(t, true)
		for range rapid.IntRange(0, 3).Draw(t, "odd values") {
			i := rapid.IntRange(0, len(teams)-1).Draw(t, "team")
			teams[i][0] = rating.Skill{Mu: rapid.SampledFrom(odd).Draw(t, "odd mu"), Sigma: rapid.SampledFrom(odd).Draw(t, "odd sigma")}
		}
		m := rating.Model{}
		for range 3 {
			teams = m.Rate(teams, ranks)
			for _, team := range teams {
				for _, s := range team {
					if !(s.Sigma > 0 && s.Sigma <= 1e6 && math.Abs(s.Mu) <= 1e6) {
						t.Fatalf("%v in %v", s, teams)
					}
				}
			}
		}
		var sum float64
		for _, p := range m.Win(teams) {
			if sum += p; !(p >= 0 && p <= 1) {
				t.Fatalf("a chance of %v", p)
			}
		}
		if !near(sum, 1) {
			t.Fatalf("chances add up to %v", sum)
		}
	})
}

func TestPlayersBecomeKnownAndNeverLessThanNewOnes(t *testing.T) {
	m := rating.Model{}
	a, b := m.New(), m.New()
	for n := range 400 {
		ranks := []int{1, 2}
		if n%4 == 3 {
			ranks = []int{2, 1}
		}
		after := m.Rate([][]rating.Skill{{a}, {b}}, ranks)
		a, b = after[0][0], after[1][0]
		if a.Sigma > m.New().Sigma || b.Sigma > m.New().Sigma {
			t.Fatalf("after %d matches: %v and %v", n+1, a, b)
		}
	}
	if a.Sigma > 2 || a.Mu < b.Mu+3 {
		t.Errorf("after 300 wins and 100 losses: %v against %v", a, b)
	}
	if p := m.Beats([]rating.Skill{a}, []rating.Skill{b}); p < 0.70 || p > 0.80 {
		t.Errorf("who won three of four is expected to win %v", p)
	}
}

// What a match is expected to end with is what its rating measures it by: the winner of two rises by σ²/c of what the
// prediction lacked.
func TestPredictionIsWhatTheRatingExpects(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		teams, _ := matches(t, false)
		m := rating.Model{Tau: -1}
		teams = teams[:2]
		var variance, own float64
		for i, team := range teams {
			variance += 25 * 25 / 36.
			for _, s := range team {
				variance += s.Sigma * s.Sigma
				if i == 0 {
					own += s.Sigma * s.Sigma
				}
			}
		}
		after := m.Rate(teams, []int{1, 2})
		var rise float64
		for j := range teams[0] {
			rise += after[0][j].Mu - teams[0][j].Mu
		}
		p := 1 - rise*math.Sqrt(variance)/own
		if got := m.Beats(teams[0], teams[1]); math.Abs(got-p) > 1e-9 || math.Abs(m.Win(teams)[0]-p) > 1e-9 {
			t.Fatalf("predicted %v and %v, the rating expected %v", got, m.Win(teams), p)
		}
	})
}

func TestMatchOfLessThanTwoTeamsChangesNothing(t *testing.T) {
	a := rating.Skill{Mu: 30, Sigma: 2}
	for _, teams := range [][][]rating.Skill{{}, {{a, a}}, {{a}, {}, {}}} {
		after := rating.Model{}.Rate(teams, make([]int, len(teams)))
		for i := range teams {
			if !slices.Equal(after[i], teams[i]) {
				t.Errorf("%v became %v", teams, after)
			}
		}
	}
	if w := (rating.Model{}).Win([][]rating.Skill{{a}}); w[0] != 1 {
		t.Errorf("a team that is alone wins with %v", w)
	}
}

func TestParametersOutOfBoundsAreNamed(t *testing.T) {
	for name, m := range map[string]rating.Model{
		"sigma": {Sigma: -1}, "beta": {Beta: math.NaN()}, "tau": {Tau: math.Inf(1)}, "kappa": {Kappa: 2}, "mu": {Mu: 1e9},
	} {
		if err := m.Validate(); err == nil || err.Error()[:len(name)] != name {
			t.Errorf("%+v: %v", m, err)
		}
	}
	if err := (rating.Model{}).Validate(); err != nil {
		t.Error(err)
	}
}

func TestNewPlayersHaveAThousandPoints(t *testing.T) {
	if r := (rating.Model{}).New().Rating().Rounded(); r != (rating.Rating{Mean: 1000, Deviation: 333}) {
		t.Errorf("%v", r)
	}
	known := func(points float64) []rating.Skill { return []rating.Skill{{Mu: points / rating.Scale, Sigma: 0.5}} }
	if p := (rating.Model{}).Beats(known(1200), known(1000)); math.Abs(p-0.7) > 0.01 {
		t.Errorf("200 points win with %v", p)
	}
}
