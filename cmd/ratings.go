package cmd

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"golang.org/x/term"

	"muster/lobby/rating"
)

// ratingsCmd are the commands about ratings.
type ratingsCmd struct {
	Eval ratingsEvalCmd `cmd:"" help:"Judge the rating model by matches that were played."`
}

// Help implements kong's HelpProvider.
func (ratingsCmd) Help() string {
	return `What the model is, and how to tune it, is in docs/RATINGS.md.

Example:

  muster ratings eval matches.csv`
}

// ratingsEvalCmd runs the rating model over past matches.
type ratingsEvalCmd struct {
	File    string  `arg:"" help:"CSV of ended_at,game_id,player,team,score; - is standard input." placeholder:"FILE"`
	Sigma   float64 `help:"How unsure a new player's rating is; the mean of a new one is 25." default:"8.333333333333334"`
	Beta    float64 `help:"How much a player's performance varies between matches." default:"4.166666666666667"`
	Tau     float64 `help:"How much skills drift from match to match." default:"0.08333333333333333"`
	Last    float64 `help:"The share of matches, the last ones, by which predictions are judged." default:"0.2"`
	SkipBad bool    `name:"skip-bad" help:"Leave bad rows out and count them."`
	JSON    bool    `name:"json" help:"Print one JSON object instead of text."`
}

// Help implements kong's HelpProvider.
func (ratingsEvalCmd) Help() string {
	return `The file has one row for each player of each match, in any order. Times are RFC 3339 or Unix time; a higher score is
better, equal ones are a draw; a team has the mean of its players' scores; without a team a player plays alone. Matches are
rated in the order of time, and each of the last ones is foretold before it is rated. What is printed is how good that was:
accuracy (how often the favourite came first), log loss and Brier score (the lower the better), beside a coin flip, the base
rate of the teams' names and Elo; and what favourites won beside what they were expected to win.

The file is held in memory: about 150 bytes a row, at most 20 million rows.

Examples:

  muster ratings eval matches.csv
  muster ratings eval matches.csv --beta 3 --tau 0.02 --json | jq '.scores[0].log_loss'`
}

// Run implements the command.
func (c *ratingsEvalCmd) Run(p *program) error {
	m, err := ratingModel("--", c.Sigma, c.Beta, c.Tau)
	if err != nil {
		return err
	}
	in, name, size := io.Reader(os.Stdin), "standard input", int64(0)
	if c.File != "-" {
		f, err := os.Open(c.File)
		if err != nil {
			return fmt.Errorf("opening the matches: %w", err)
		}
		defer func() { _ = f.Close() }() // it was only read
		if info, err := f.Stat(); err == nil {
			size = info.Size()
		}
		in, name = f, c.File
	}
	shown := newMeter(p)
	e, err := c.evaluate(in, size, m, shown.show)
	shown.clear()
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if c.JSON {
		out := json.NewEncoder(p.stdout)
		return out.Encode(e) //nolint:wrapcheck // of standard output
	}
	return writeEvaluation(p.stdout, e)
}

func (c *ratingsEvalCmd) evaluate(in io.Reader, size int64, m rating.Model, progress rating.Progress) (*rating.Evaluation, error) {
	h, err := rating.ReadHistory(in, size, c.SkipBad, progress)
	if err != nil {
		return nil, err //nolint:wrapcheck // names the line
	}
	return rating.Evaluate(h, m, c.Last, progress) //nolint:wrapcheck // says what is wrong
}

// ratingModel makes a model of flags, where 0 is no default but a value.
func ratingModel(prefix string, sigma, beta, tau float64) (rating.Model, error) {
	m := rating.Model{Sigma: sigma, Beta: beta, Tau: tau}
	switch {
	case sigma == 0, beta == 0, tau < 0:
		return m, fmt.Errorf("%[1]ssigma is %[2]v, %[1]sbeta %[3]v and %[1]stau %[4]v: want positive numbers, or 0 for tau", prefix, sigma, beta, tau)
	case tau == 0:
		m.Tau = -1 // none
	}
	if err := m.Validate(); err != nil {
		return m, fmt.Errorf("%s%w", prefix, err)
	}
	return m, nil
}

// writeEvaluation prints an evaluation for people.
func writeEvaluation(w io.Writer, e *rating.Evaluation) error {
	var b strings.Builder
	fmt.Fprintf(&b, "rated    %d matches of %d players, %d rows", e.Matches, e.Players, e.Rows)
	if e.LeftOut > 0 {
		fmt.Fprintf(&b, "; left out: %d matches of one team", e.LeftOut)
	}
	if e.BadRows > 0 {
		fmt.Fprintf(&b, "; left out: %d bad rows", e.BadRows)
	}
	fmt.Fprintf(&b, "\njudged   the last %d, from %s to %s; %.1f%% draws\n", e.Judged,
		e.JudgedFrom.Format(time.RFC3339), e.JudgedTo.Format(time.RFC3339), 100*e.Draws)
	fmt.Fprintf(&b, "model    sigma %.4g, beta %.4g, tau %.4g\n\n", e.Model.Sigma, e.Model.Beta, e.Model.Tau)
	t := tabwriter.NewWriter(&b, 0, 0, 3, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "\taccuracy\tlog loss\tBrier\t\n")
	for _, s := range e.Scores {
		fmt.Fprintf(t, "%s\t%.1f%%\t%.4f\t%.4f\t\n", s.Name, 100*s.Accuracy, s.LogLoss, s.Brier)
	}
	_ = t.Flush() // into memory
	fmt.Fprintf(&b, "\n")
	fmt.Fprintf(t, "favourite's chance\tmatches\texpected\twon\t\n")
	for _, d := range e.Calibration {
		if d.Matches == 0 {
			fmt.Fprintf(t, "%.0f–%.0f%%\t0\t-\t-\t\n", 100*d.From, 100*d.To)
			continue
		}
		fmt.Fprintf(t, "%.0f–%.0f%%\t%.1f\t%.1f%%\t%.1f%%\t\n", 100*d.From, 100*d.To, d.Matches, 100*d.Expected, 100*d.Won)
	}
	_ = t.Flush() // as above
	_, err := io.WriteString(w, b.String())
	return err //nolint:wrapcheck // of standard output
}

// meter shows how far a long piece of work is, once a second from the second one on, on a terminal in one line.
type meter struct {
	p        *program
	terminal bool
	next     time.Time
	shown    bool
}

var errInterrupted = errors.New("interrupted")

func newMeter(p *program) *meter {
	f, ok := p.stderr.(*os.File)
	return &meter{p: p, terminal: ok && term.IsTerminal(int(f.Fd())), next: time.Now().Add(time.Second)}
}

// show implements rating.Progress.
func (m *meter) show(stage string, done, total int64) error {
	if m.p.ctx.Err() != nil {
		return errInterrupted
	}
	now := time.Now()
	if now.Before(m.next) {
		return nil
	}
	m.next = now.Add(time.Second)
	text := fmt.Sprintf("%s: %d", stage, done)
	if total > 0 {
		text = fmt.Sprintf("%s: %d%%", stage, 100*done/total)
	}
	if m.terminal {
		m.clear()
		m.shown = true
		fmt.Fprint(m.p.stderr, text)
		return nil
	}
	fmt.Fprintln(m.p.stderr, text)
	return nil
}

// clear takes the line away.
func (m *meter) clear() {
	if m.shown {
		fmt.Fprint(m.p.stderr, "\r\x1b[K")
		m.shown = false
	}
}
