// Command matchstudy measures the matchmaker's core against plain first-come and against a greedy window that has the
// same mean wait, over a day of seeded players, and writes docs/MATCHMAKING.md with its plot:
//
//	go run ./internal/matchstudy            (make matchmaking)
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"time"

	"muster/lobby/queue"
	"muster/lobby/queuefile"
	"muster/lobby/simulate"
)

// rulesText is the queue that is studied.
const rulesText = `queues:
  ranked:
    game: arena
    teams: 2
    team_size: 5
    rating: [{within: 100}, {after: 10s, within: 200}, {after: 30s, within: 400}, {after: 60s, any: true}]
    regions: [eu, us, asia, sa, oc]
    latency: [{within: 80}, {after: 30s, within: 120}, {after: 90s, within: 200}]
`

// small is a game with few players: tickets a minute.
const small = 20

func main() {
	if err := run(os.Args[1:], os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "matchstudy:", err)
		os.Exit(1)
	}
}

func run(args []string, stderr io.Writer) error {
	flags := flag.NewFlagSet("matchstudy", flag.ContinueOnError)
	flags.SetOutput(stderr)
	dir := flags.String("dir", "docs", "where MATCHMAKING.md and matchmaking.svg are written")
	hours := flags.Float64("hours", 24, "how long players come")
	rate := flags.Float64("rate", 120, "tickets a minute, the mean")
	seeds := flags.Int("seeds", 3, "how many days; tables are of the first")
	own := flags.String("rules", "", "a YAML file with one queue instead of the study's")
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("reading the flags: %w", err)
	}
	text := []byte(rulesText)
	if *own != "" {
		var err error
		if text, err = os.ReadFile(*own); err != nil {
			return fmt.Errorf("reading the rules: %w", err)
		}
	}
	list, err := queuefile.Load(text, queuefile.Options{})
	if err != nil {
		return fmt.Errorf("the rules: %w", err)
	}
	s := study{text: string(text), rules: &list[0], length: time.Duration(*hours * float64(time.Hour))}
	for i := range *seeds + 1 {
		d := day{seed: uint64(i) + 1, rate: *rate}
		if i == *seeds {
			d = day{seed: 1, rate: small}
		}
		fmt.Fprintf(stderr, "seed %d, %g tickets a minute\n", d.seed, d.rate)
		if err := s.run(&d); err != nil {
			return fmt.Errorf("the day of seed %d: %w", d.seed, err)
		}
		s.days = append(s.days, d)
	}
	var plot bytes.Buffer
	if err := simulate.WriteSVG(&plot, s.panels()); err != nil {
		return err //nolint:wrapcheck // says what it did
	}
	err = errors.Join(
		os.WriteFile(filepath.Join(*dir, "matchmaking.svg"), plot.Bytes(), 0o644),        //nolint:gosec // everybody may read it
		os.WriteFile(filepath.Join(*dir, "MATCHMAKING.md"), []byte(s.markdown()), 0o644)) //nolint:gosec // everybody may read it
	if err != nil {
		return fmt.Errorf("writing the study: %w", err)
	}
	return nil
}

// study is the matchmakers' days.
type study struct {
	text   string // of the rules
	rules  *queue.Rules
	length time.Duration
	days   []day
}

// day is what became of one seed's players with each matchmaker.
type day struct {
	seed    uint64
	rate    float64
	factor  float64 // of the widening window
	fixed   float64 // the other window, in points
	reports [matchmakers]*simulate.Report
}

// Those that are compared, in the order of tables.
const (
	core = iota
	widening
	first
	standing
	matchmakers
)

func (s *study) run(d *day) (err error) {
	arrivals := simulate.Load{
		Seed: d.seed, PerMinute: d.rate, For: s.length, DayShape: true, Regions: len(s.rules.Regions), Heavy: true, Parties: 0.3,
	}.Arrivals(s.rules)
	o := simulate.Options{Until: s.length}
	if d.reports[core], err = simulated(s.rules, arrivals, queue.NewPool(s.rules), o); err != nil {
		return fmt.Errorf("the core: %w", err)
	}
	one := *s.rules
	one.Rating = []queue.Step{{Within: 1}}
	want := d.reports[core].All.Wait.Mean
	if d.factor, d.reports[widening], err = tune(s.rules, arrivals, o, want, 0.2, 5); err != nil {
		return err
	}
	if d.fixed, d.reports[standing], err = tune(&one, arrivals, o, want, 50, 4000); err != nil {
		return err
	}
	if d.reports[first], err = simulated(s.rules, arrivals, newGreedy(s.rules, math.Inf(1)), o); err != nil {
		return fmt.Errorf("first-come: %w", err)
	}
	return nil
}

func simulated(r *queue.Rules, arrivals []simulate.Arrival, m simulate.Matcher, o simulate.Options) (*simulate.Report, error) {
	result, err := simulate.Run(context.Background(), r, arrivals, m, o)
	if err != nil {
		return nil, err //nolint:wrapcheck // the caller names the matchmaker
	}
	return simulate.NewReport(r, result), nil
}
