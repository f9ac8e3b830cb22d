package rating_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"muster/internal/golden"
	"muster/lobby/rating"
)

// season plays matches of players whose true skills are known: duels, pairs against pairs, and four alone.
type season struct {
	csv     bytes.Buffer
	logLoss float64 // of one who knows the skills, over the last fifth
	matches int
}

func newSeason() *season {
	const players, matches, beta = 40, 800, 25 / 6.
	s := &season{matches: matches}
	rng := rand.New(rand.NewPCG(20260102, 1))
	skills := make([]float64, players)
	for i := range skills {
		skills[i] = 25 + 6*rng.NormFloat64()
	}
	s.csv.WriteString("ended_at,game_id,player,team,score\n")
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var rows []string
	for n := range matches {
		at = at.Add(time.Duration(1+rng.IntN(600)) * time.Second)
		teams, size := 2, 1+n%2
		if n%5 == 4 {
			teams, size = 4, 1
		}
		who := rng.Perm(players)
		strength, score := make([]float64, teams), make([]float64, teams)
		for t := range teams {
			for i := range size {
				strength[t] += skills[who[t*size+i]]
			}
			score[t] = math.Round(strength[t] + beta*rng.NormFloat64())
			for i := range size {
				team := ""
				if teams == 2 {
					team = []string{"blue", "red"}[t]
				}
				rows = append(rows, fmt.Sprintf("%s,m%d,player %d,%s,%.0f\n", at.Format(time.RFC3339), n, who[t*size+i], team, score[t]))
			}
		}
		if n >= matches*4/5 {
			pairs := float64(teams*(teams-1)) / 2
			for a := range teams {
				for b := range a {
					p, came := math.Erfc((strength[b]-strength[a])/2/beta)/2, 0.5
					if score[a] != score[b] {
						came = 0
						if score[a] > score[b] {
							came = 1
						}
					}
					s.logLoss -= (came*math.Log(p) + (1-came)*math.Log(1-p)) / pairs
				}
			}
		}
	}
	s.logLoss /= float64(matches / 5)
	rng.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	for _, r := range rows {
		s.csv.WriteString(r)
	}
	return s
}

func evaluate(t *testing.T, csv string, m rating.Model, last float64) *rating.Evaluation {
	t.Helper()
	h, err := rating.ReadHistory(strings.NewReader(csv), 0, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	e, err := rating.Evaluate(h, m, last, nil)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestModelFindsSkillsThatMadeTheMatches(t *testing.T) {
	s, file := newSeason(), filepath.Join("testdata", "matches.csv")
	golden.Check(t, file, s.csv.Bytes(), "run go test ./lobby/rating -update")
	e := evaluate(t, s.csv.String(), rating.Model{}, 0.2)
	if e.Matches != s.matches || e.Judged != s.matches/5 || e.LeftOut != 0 || e.Players != 40 {
		t.Fatalf("%+v", e)
	}
	model, flip, base := e.Scores[0], e.Scores[1], e.Scores[2]
	if !near(flip.Accuracy, 0.5) || !near(flip.LogLoss, math.Ln2) || !near(flip.Brier, 0.25) {
		t.Errorf("the coin has %+v", flip)
	}
	if base.LogLoss < 0.68 {
		t.Errorf("the sides say nothing here, and the base rate has %+v", base)
	}
	t.Logf("log loss %.4f, of one who knows the skills %.4f", model.LogLoss, s.logLoss)
	if model.LogLoss > flip.LogLoss-0.15 || model.LogLoss > s.logLoss+0.06 || model.Brier > 0.19 || model.Accuracy < 0.7 {
		t.Errorf("the model has %+v; one who knows the skills has a log loss of %.4f", model, s.logLoss)
	}
	for _, other := range e.Scores[1:] {
		if other.LogLoss < model.LogLoss || other.Brier < model.Brier {
			t.Errorf("%s is better: %+v against %+v", other.Name, other, model)
		}
	}
	var matches, off float64
	for _, b := range e.Calibration {
		matches += b.Matches
		off += b.Matches * math.Abs(b.Expected-b.Won)
		if b.Matches > 0 && (b.Expected < b.From-1e-9 || b.Expected > b.To+1e-9) {
			t.Errorf("%+v", b)
		}
	}
	if math.Abs(matches-float64(e.Judged)) > 1e-6 || off/matches > 0.12 {
		t.Errorf("%v matches, on average %v beside what was said", matches, off/matches)
	}
}

// rows are a small history in its usual form.
const rows = `ended_at,game_id,player,team,score
2026-01-02T03:04:05Z,g1,ann,a,3
2026-01-02T03:04:05Z,g1,ben,b,1
2026-01-02T03:05:05Z,g2,ann,,3
2026-01-02T03:05:05Z,g2,ben,,3
2026-01-02T03:05:05Z,g2,cid,,1
`

func TestFormsOfTheSameHistoryAreReadAlike(t *testing.T) {
	want := fmt.Sprintf("%+.6v", *evaluate(t, rows, rating.Model{}, 1))
	for name, other := range map[string]string{
		"no heading":              rows[strings.Index(rows, "\n")+1:],
		"a byte order mark":       "\ufeff" + rows,
		"carriage returns":        strings.ReplaceAll(rows, "\n", "\r\n"),
		"blanks and quotes":       strings.ReplaceAll(rows, ",ann,", `,  "ann",`),
		"Unix seconds":            strings.ReplaceAll(strings.ReplaceAll(rows, "2026-01-02T03:04:05Z", "1767323045"), "2026-01-02T03:05:05Z", "1767323105.0"),
		"Unix milliseconds":       strings.ReplaceAll(strings.ReplaceAll(rows, "2026-01-02T03:04:05Z", "1767323045000"), "2026-01-02T03:05:05Z", "1767323105000"),
		"another zone":            strings.ReplaceAll(rows, "2026-01-02T03:04:05Z", "2026-01-02T05:04:05+02:00"),
		"blanks in times":         strings.ReplaceAll(rows, "2026-01-02T03:04:05Z", "2026-01-02 03:04:05"),
		"the newest first":        reversed(rows),
		"a match before its last": strings.Replace(rows, "2026-01-02T03:05:05Z,g2,ann", "2026-01-02T03:04:59Z,g2,ann", 1),
		"other columns too": "score,Player,map,game_id,team,ended_at\n3,ann,x,g1,a,1767323045\n1,ben,x,g1,b,1767323045\n" +
			"3,ann,x,g2,,1767323105\n3,ben,x,g2,,1767323105\n1,cid,x,g2,,1767323105\n",
	} {
		if got := fmt.Sprintf("%+.6v", *evaluate(t, other, rating.Model{}, 1)); got != want {
			t.Errorf("%s:\n%s, want\n%s", name, got, want)
		}
	}
}

func reversed(rows string) string {
	lines := strings.SplitAfter(rows, "\n")
	out := lines[0]
	for i := len(lines) - 1; i > 0; i-- {
		out += lines[i]
	}
	return out
}

func TestTeamHasTheMeanOfItsPlayersScores(t *testing.T) {
	each := evaluate(t, "1,g,ann,a,5\n1,g,ben,a,1\n1,g,cid,b,4\n", rating.Model{}, 1)
	if each.Draws != 0 || each.Matches != 1 {
		t.Errorf("3 against 4 is %+v", each)
	}
	if same := evaluate(t, "1,g,ann,a,0.1\n1,g,ben,a,0.1\n1,g,dan,a,0.1\n1,g,cid,b,0.1\n", rating.Model{}, 1); same.Draws != 1 {
		t.Errorf("equal scores are %+v", same)
	}
}

func TestMatchesOfOneTeamAreLeftOut(t *testing.T) {
	e := evaluate(t, rows+"2026-01-02T03:06:05Z,g3,ann,a,3\n2026-01-02T03:06:05Z,g3,ben,a,3\n", rating.Model{}, 1)
	if e.LeftOut != 1 || e.Matches != 2 {
		t.Errorf("%+v", e)
	}
	h, err := rating.ReadHistory(strings.NewReader("1,g,ann,a,1\n"), 0, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := rating.Evaluate(h, rating.Model{}, 0.2, nil); err == nil {
		t.Error("an evaluation of nothing")
	}
}

func TestBadRowsAreNamedByTheirLine(t *testing.T) {
	long := strings.Repeat("x", 300)
	for _, c := range []struct{ name, row, want string }{
		{"no time", "soon,g1,ann,a,1", `line 7: ended_at is "soon"`},
		{"a time that is none", "2026-13-02T03:04:05Z,g1,ann,a,1", "line 7: ended_at"},
		{"a time beyond all bounds", "1e300,g1,ann,a,1", "line 7: ended_at"},
		{"NaN for a time", "NaN,g1,ann,a,1", "line 7: ended_at"},
		{"no game", "1,,ann,a,1", "line 7: game_id or player is empty"},
		{"no player", "1,g1, ,a,1", "line 7: game_id or player is empty"},
		{"no score", "1,g1,ann,a,", `line 7: score is ""`},
		{"NaN", "1,g1,ann,a,NaN", `line 7: score is "NaN"`},
		{"infinity", "1,g1,ann,a,-Inf", "line 7: score"},
		{"too few columns", "1,g1,ann", "line 7: there is no team"},
		{"a long name", "1,g1," + long + ",a,1", "line 7: player has 300 bytes"},
		{"a player twice", "2026-01-02T03:04:05Z,g1,ann,b,3", "line 7: the player is in this match already, by line 2"},
		{"a quote in a field", `1,g1,a"nn,a,1`, "line 7: bare"},
		{"an open quote", `1,g1,"ann,a,1`, "line 7"},
	} {
		_, err := rating.ReadHistory(strings.NewReader(rows+c.row+"\n"), 0, false, nil)
		var bad *rating.BadRowsError
		if !errors.As(err, &bad) || !strings.Contains(err.Error(), c.want) || bad.N != 1 {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
		h, err := rating.ReadHistory(strings.NewReader(rows+c.row+"\n"), 0, true, nil)
		if err != nil || h.BadRows != 1 || len(h.Bad) != 1 {
			t.Errorf("%s, left out: %v", c.name, err)
		} else if e, err := rating.Evaluate(h, rating.Model{}, 1, nil); err != nil || e.Matches != 2 {
			t.Errorf("%s, left out: %+v, %v", c.name, e, err)
		}
	}
	_, err := rating.ReadHistory(strings.NewReader(rows+strings.Repeat("x\n", 50)), 0, false, nil)
	if err == nil || !strings.HasSuffix(err.Error(), "; and 40 more") || len(err.Error()) > 2000 {
		t.Errorf("%v", err)
	}
	_, err = rating.ReadHistory(strings.NewReader("ended_at,game_id,player,score\n1,g,ann,1\n"), 0, false, nil)
	if err == nil || !strings.Contains(err.Error(), "line 2: there is no team") {
		t.Errorf("%v", err)
	}
}

// endless is a file without an end.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	e.read += len(p)
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

func TestEndlessRowIsNotReadIn(t *testing.T) {
	for _, start := range []string{"", rows + `1,g1,"`} {
		file := &endless{}
		_, err := rating.ReadHistory(io.MultiReader(strings.NewReader(start), file), 0, true, nil)
		if err == nil || !strings.Contains(err.Error(), "a row is longer than") || file.read > 1<<20 {
			t.Errorf("%v after %d bytes", err, file.read)
		}
	}
}

func TestHugeMatchIsRefused(t *testing.T) {
	var b strings.Builder
	for i := range rating.MaxPlayers + 1 {
		fmt.Fprintf(&b, "1,g,p%d,,1\n", i)
	}
	if _, err := rating.ReadHistory(strings.NewReader(b.String()), 0, true, nil); err == nil || !strings.Contains(err.Error(), "1000 players") {
		t.Errorf("%v", err)
	}
}

func TestProgressIsToldAndMayEndTheWork(t *testing.T) {
	csv, enough, told := newSeason().csv.String(), errors.New("enough"), map[string]bool{}
	csv = strings.Repeat(csv[strings.Index(csv, "\n")+1:], 3) // the same players again and again: bad rows, which count
	var h *rating.History
	for _, stage := range []string{"reading", "rating"} {
		progress := func(at string, done, _ int64) error {
			told[at] = true
			if done <= 0 {
				t.Errorf("%s: %d", at, done)
			}
			if at == stage {
				return enough
			}
			return nil
		}
		read, err := rating.ReadHistory(strings.NewReader(csv), 0, true, progress)
		if stage == "reading" {
			if !errors.Is(err, enough) {
				t.Errorf("%v", err)
			}
			continue
		}
		if h = read; err != nil {
			t.Fatal(err)
		}
		if _, err := rating.Evaluate(h, rating.Model{}, 0.2, progress); !errors.Is(err, enough) {
			t.Errorf("%v", err)
		}
	}
	if !told["reading"] || !told["rating"] {
		t.Errorf("%v", told)
	}
}

func TestHistoryTakesLittleMemory(t *testing.T) {
	const n = 100_000
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%d,g%d,player-%d,%s,%d\n", 1767323045+i/10, i/10, i%1000, []string{"a", "b"}[i%2], i%7)
	}
	text := b.String()
	before := heap()
	h, err := rating.ReadHistory(strings.NewReader(text), 0, true, nil)
	if err != nil {
		t.Fatal(err)
	}
	if each := float64(heap()-before) / n; each > 60 {
		t.Errorf("%.0f bytes a row", each)
	}
	runtime.KeepAlive(text)
	if _, err := rating.Evaluate(h, rating.Model{}, 0.2, nil); err != nil {
		t.Fatal(err)
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func FuzzReadHistory(f *testing.F) {
	f.Add([]byte(rows))
	f.Add([]byte("1767323045,g,ann,,1\n1767323045,g,ben,,1e308\n\"x"))
	f.Add([]byte("score,team,player,game_id,ended_at\n-1.7e308,a,x,g,2026-01-02\n1.7e308,b,y,g,2026-01-02\n"))
	f.Fuzz(func(t *testing.T, csv []byte) {
		h, err := rating.ReadHistory(bytes.NewReader(csv), 0, true, nil)
		if err != nil {
			return
		}
		e, err := rating.Evaluate(h, rating.Model{}, 0.5, nil)
		if err != nil {
			return
		}
		for _, s := range e.Scores {
			if !(s.Accuracy >= 0 && s.Accuracy <= 1.000001 && s.LogLoss >= 0 && s.LogLoss < 50 && s.Brier >= 0 && s.Brier <= 1.000001) {
				t.Fatalf("%+v", s)
			}
		}
	})
}
