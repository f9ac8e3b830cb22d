package rating

import "math"

// predictor foretells matches and learns from how they end.
type predictor interface {
	name() string
	// predict returns the chance that one of a match's teams comes before another.
	predict(teams []side) func(a, b int) float64
	learn(teams []side)
}

// modelled is the model.
type modelled struct {
	model  Model
	skills []Skill // by player
}

func newModelled(m Model, players int) *modelled {
	w := &modelled{m, make([]Skill, players)}
	for i := range w.skills {
		w.skills[i] = m.New()
	}
	return w
}

func (w *modelled) name() string { return "model" }

func (w *modelled) teams(sides []side) [][]Skill {
	teams := make([][]Skill, len(sides))
	for i, s := range sides {
		for _, e := range s.players {
			teams[i] = append(teams[i], w.skills[e.player])
		}
	}
	return teams
}

func (w *modelled) predict(sides []side) func(a, b int) float64 {
	sums := w.model.sums(w.teams(sides))
	return func(a, b int) float64 { return w.model.beats(sums[a], sums[b]) }
}

func (w *modelled) learn(sides []side) {
	ranks := make([]int, len(sides))
	for i, s := range sides {
		ranks[i] = s.rank
	}
	for i, team := range w.model.Rate(w.teams(sides), ranks) {
		for j, s := range team {
			w.skills[sides[i].players[j].player] = s
		}
	}
}

// coin knows nothing.
type coin struct{}

func (coin) name() string                          { return "coin flip" }
func (coin) predict([]side) func(a, b int) float64 { return func(int, int) float64 { return 0.5 } }
func (coin) learn([]side)                          {}

// maxSides is how many names of teams may come in a history for sides to look at them: home and away, red and blue, but
// not a name for each team that ever played.
const maxSides = 64

// sides knows how often each team's name came before each other's, and nothing of players: the base rate.
type sides struct {
	few  bool
	wins map[[2]uint32][2]float64 // by the two names, the smaller number first: won by it, matches
}

func newSides(teams int) *sides { return &sides{teams <= maxSides, map[[2]uint32][2]float64{}} }

func (w *sides) name() string { return "base rate" }

func (w *sides) predict(teams []side) func(a, b int) float64 {
	return func(a, b int) float64 {
		x, y := teams[a].team, teams[b].team
		if !w.few || x == y {
			return 0.5
		}
		c := w.wins[[2]uint32{min(x, y), max(x, y)}]
		p := (c[0] + 1) / (c[1] + 2) // as if each had won once before
		if x > y {
			p = 1 - p
		}
		return p
	}
}

func (w *sides) learn(teams []side) {
	if !w.few {
		return
	}
	for a := range teams {
		for b := range teams {
			x, y := teams[a].team, teams[b].team
			if x >= y {
				continue
			}
			c := w.wins[[2]uint32{x, y}]
			c[0] += outcome(teams[a].rank, teams[b].rank)
			c[1]++
			w.wins[[2]uint32{x, y}] = c
		}
	}
}

// elo is Elo's rating with a fixed step, a team having the mean of its players'.
type elo struct{ points []float64 }

// eloStep is how far one match moves a rating at most.
const eloStep = 24

func newElo(players int) *elo { return &elo{make([]float64, players)} }

func (w *elo) name() string { return "Elo" }

func (w *elo) mean(s side) (mean float64) {
	for _, e := range s.players {
		mean += w.points[e.player] / float64(len(s.players))
	}
	return mean
}

func (w *elo) predict(teams []side) func(a, b int) float64 {
	means := make([]float64, len(teams))
	for i, s := range teams {
		means[i] = w.mean(s)
	}
	return func(a, b int) float64 { return 1 / (1 + math.Pow(10, (means[b]-means[a])/400)) }
}

func (w *elo) learn(teams []side) {
	chance, moves := w.predict(teams), make([]float64, len(teams))
	for a := range teams {
		for b := range teams {
			if a != b {
				moves[a] += eloStep / float64(len(teams)-1) * (outcome(teams[a].rank, teams[b].rank) - chance(a, b))
			}
		}
	}
	for i, s := range teams {
		for _, e := range s.players {
			w.points[e.player] += moves[i]
		}
	}
}
