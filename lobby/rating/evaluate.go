package rating

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// Evaluation is how well the model foretold matches that were played.
type Evaluation struct {
	Model struct {
		Mu    float64 `json:"mu"`
		Sigma float64 `json:"sigma"`
		Beta  float64 `json:"beta"`
		Tau   float64 `json:"tau"`
	} `json:"model"`
	Rows    int `json:"rows"`
	BadRows int `json:"bad_rows"`
	Players int `json:"players"`
	Matches int `json:"matches"` // of two teams or more
	LeftOut int `json:"left_out"`
	// Judged are the last matches: those that predictions are judged by.
	Judged     int       `json:"judged"`
	JudgedFrom time.Time `json:"judged_from"`
	JudgedTo   time.Time `json:"judged_to"`
	Draws      float64   `json:"draws"` // the share of the judged that were draws
	// Scores are the model's, and for comparison those of simpler ways to predict.
	Scores []Score `json:"scores"`
	// Calibration has what the model said beside what came, by the favourite's chance: from 50–55 % to 95–100 %.
	Calibration []Band `json:"calibration"`
}

// Score is how good predictions were. A match of more than two teams counts as one, split evenly among its pairs of
// teams; a draw is half a win for either side.
type Score struct {
	Name     string  `json:"name"`
	Accuracy float64 `json:"accuracy"` // how often the favourite came first; no favourite and a draw are half a hit
	LogLoss  float64 `json:"log_loss"` // the mean of −ln of the chance that was given to what came; 0.693 is a coin's
	Brier    float64 `json:"brier"`    // the mean square of chance minus outcome; 0.25 is a coin's
}

// Band are predictions of about the same chance.
type Band struct {
	From     float64 `json:"from"`
	To       float64 `json:"to"`
	Matches  float64 `json:"matches"`  // how many, where a pair of teams is its part of a match
	Expected float64 `json:"expected"` // the favourite's mean chance; 0 where there are none
	Won      float64 `json:"won"`      // what the favourites won
}

const bands = 10

// Evaluate runs the model over a history in the order of time and judges what it said of the last matches, each before
// it was rated. last is their share, above 0 and at most 1.
func Evaluate(h *History, m Model, last float64, progress Progress) (*Evaluation, error) {
	if err := m.Validate(); err != nil {
		return nil, err
	}
	if !(last > 0 && last <= 1) {
		return nil, fmt.Errorf("the share of matches to judge by is %v, want more than 0 and at most 1", last)
	}
	m = m.WithDefaults()
	e := &Evaluation{Rows: h.rows, BadRows: h.BadRows, Players: h.players}
	e.Model.Mu, e.Model.Sigma, e.Model.Beta, e.Model.Tau = m.Mu, m.Sigma, m.Beta, m.Tau
	for i := range h.matches {
		if split(h.matches[i].entries) != nil {
			e.Matches++
		}
	}
	if e.LeftOut = len(h.matches) - e.Matches; e.Matches == 0 {
		return nil, errors.New("there is no match of two teams")
	}
	e.Judged = int(math.Ceil(float64(e.Matches) * last))
	run := &judge{e: e, ways: []predictor{newModelled(m, h.players), coin{}, newSides(h.teams), newElo(h.players)}}
	seen := 0
	for i := range h.matches {
		teams := split(h.matches[i].entries)
		if teams == nil {
			continue
		}
		if seen++; seen > e.Matches-e.Judged {
			run.judge(&h.matches[i], teams)
		}
		for _, w := range run.ways {
			w.learn(teams)
		}
		if progress != nil && seen%256 == 0 {
			if err := progress("rating", int64(seen), int64(e.Matches)); err != nil {
				return nil, err
			}
		}
	}
	run.finish()
	return e, nil
}

// side is a team in a match.
type side struct {
	team    uint32
	score   float64
	rank    int
	players []entry
}

// split returns a match's teams, with their ranks; nil where there are fewer than two.
func split(entries []entry) []side {
	var sides []side
	for len(entries) > 0 {
		n := 1
		for entries[0].team != 0 && n < len(entries) && entries[n].team == entries[0].team {
			n++
		}
		s := side{team: entries[0].team, players: entries[:n]}
		same, sum := true, 0.
		for _, e := range s.players {
			same = same && e.score == entries[0].score
			sum += e.score / float64(n) // so that it does not overflow
		}
		if s.score = sum; same { // what stands in each row is the team's, to the last bit
			s.score = entries[0].score
		}
		sides, entries = append(sides, s), entries[n:]
	}
	if len(sides) < 2 {
		return nil
	}
	scores := make([]float64, len(sides))
	for i := range sides {
		scores[i] = sides[i].score
	}
	for i, r := range Ranks(scores) {
		sides[i].rank = r
	}
	return sides
}

// judge adds up how good predictions are.
type judge struct {
	e      *Evaluation
	ways   []predictor
	totals [4]Score
}

func (j *judge) judge(p *played, teams []side) {
	if j.e.Calibration == nil {
		j.e.Calibration = make([]Band, bands)
		j.e.JudgedFrom = time.UnixMicro(p.ended).UTC()
	}
	j.e.JudgedTo = time.UnixMicro(p.ended).UTC()
	weight := 2 / float64(len(teams)*(len(teams)-1))
	for n, w := range j.ways {
		chance, total := w.predict(teams), &j.totals[n]
		for a := range teams {
			for b := range a {
				p, came := chance(a, b), outcome(teams[a].rank, teams[b].rank)
				total.Accuracy += weight * hit(p, came)
				total.Brier += weight * (came*(1-p)*(1-p) + (1-came)*p*p)
				sure := min(max(p, 1e-15), 1-1e-15)
				total.LogLoss -= weight * (came*math.Log(sure) + (1-came)*math.Log(1-sure))
				if n == 0 {
					j.calibrate(p, came, weight)
				}
			}
		}
	}
}

func (j *judge) calibrate(p, came, weight float64) {
	if came == 0.5 {
		j.e.Draws += weight
	}
	switch {
	case even(p):
		came = 0.5 // neither is the favourite
	case p < 0.5:
		p, came = 1-p, 1-came
	}
	b := &j.e.Calibration[min(max(int((p-0.5)*2*bands), 0), bands-1)]
	b.Matches += weight
	b.Expected += weight * p
	b.Won += weight * came
}

func (j *judge) finish() {
	n := float64(j.e.Judged)
	for i, w := range j.ways {
		t := j.totals[i]
		j.e.Scores = append(j.e.Scores, Score{w.name(), t.Accuracy / n, t.LogLoss / n, t.Brier / n})
	}
	j.e.Draws /= n
	for i := range j.e.Calibration {
		b := &j.e.Calibration[i]
		b.From, b.To = 0.5+float64(i)/(2*bands), 0.5+float64(i+1)/(2*bands)
		if b.Matches > 0 {
			b.Expected, b.Won = b.Expected/b.Matches, b.Won/b.Matches
		}
	}
}

// even says whether a chance is nobody's: what sums of players in another order make of a half counts as one.
func even(p float64) bool { return math.Abs(p-0.5) < 1e-9 }

// hit says how right a chance was.
func hit(p, came float64) float64 {
	switch {
	case even(p) || came == 0.5:
		return 0.5
	case (p > 0.5) == (came > 0.5):
		return 1
	}
	return 0
}

// outcome is what the first of two ranks has won.
func outcome(a, b int) float64 {
	switch {
	case a < b:
		return 1
	case a > b:
		return 0
	}
	return 0.5
}
