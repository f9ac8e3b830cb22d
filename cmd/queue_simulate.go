package cmd

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"muster/lobby/queue"
	"muster/lobby/queuefile"
	"muster/lobby/simulate"
)

// queueSimulateCmd runs a queue's rules over players who come in virtual time.
type queueSimulateCmd struct {
	Rules string `help:"YAML file of queues. Their games need not be of this program." required:"" placeholder:"FILE"`
	Queue string `help:"The queue. Default: the only one of the file." placeholder:"NAME"`

	Tickets string  `help:"CSV of tickets: at,ticket,player,rating and perhaps more columns. - is standard input." placeholder:"FILE" xor:"load" required:""`
	Poisson float64 `help:"Tickets a minute, at random." placeholder:"RATE" xor:"load" required:""`

	Hours    float64 `help:"How long players come at random." default:"24"`
	DayShape bool    `name:"day-shape" help:"More come in the evening of their region, fewer in its morning."`
	Regions  int     `help:"Regions where players live. Default: those of the rules." placeholder:"N"`
	Skill    string  `help:"Distribution of ratings: normal, or heavy with long tails." enum:"normal,heavy" default:"normal"`
	Parties  float64 `help:"Part of the tickets that are parties, 0 to 1." default:"0.3"`
	Players  int     `help:"How many players there are. Default: nobody comes twice." placeholder:"N"`
	Seed     uint64  `help:"The same seed gives the same players." default:"1"`

	Every time.Duration `help:"Time between two cycles of the matchmaker." default:"1s"`
	Lasts time.Duration `help:"How long a match goes on, for queues with backfill." default:"10m"`
	Plot  string        `help:"Draw the report into this SVG file." placeholder:"FILE"`
	JSON  bool          `name:"json" help:"Print the report as JSON."`
}

// Help implements kong's HelpProvider.
func (queueSimulateCmd) Help() string {
	return `It says who would wait how long, and how good matches would be, by skill and by party size, before players meet the
rules. The same seed gives the same report.

Columns of --tickets, one line for each player: at (seconds, or a time as 2026-01-02T15:04:05Z), ticket, player, rating;
if known deviation, roles (tank|damage), latency.REGION in ms, attr.NAME, max_spread, max_latency.

Examples:

  muster queue simulate --rules queues.yaml --queue ranked --poisson 20 --day-shape --skill heavy --plot ranked.svg
  muster queue simulate --rules queues.yaml --queue ranked --tickets last-week.csv --json`
}

// check refuses what cannot be simulated.
func (c *queueSimulateCmd) check() error {
	const mostHours = 24 * 31
	within := func(v, low, high float64) bool { return v >= low && v <= high } // what is no number is not
	switch {
	case c.Tickets == "" && !(within(c.Poisson, 0, 1e5) && c.Poisson > 0):
		return fmt.Errorf("--poisson %g: want more than 0 tickets a minute, up to 100000", c.Poisson)
	case !(within(c.Hours, 0, mostHours) && c.Hours > 0):
		return fmt.Errorf("--hours %g: want more than 0, up to %d", c.Hours, mostHours)
	case c.Tickets == "" && c.Poisson*60*c.Hours > simulate.MaxArrivals:
		return fmt.Errorf("--poisson %g for --hours %g is more than %d tickets", c.Poisson, c.Hours, simulate.MaxArrivals)
	case !within(c.Parties, 0, 1):
		return fmt.Errorf("--parties %g: want 0 to 1", c.Parties)
	case c.Regions < 0 || c.Regions > 100:
		return fmt.Errorf("--regions %d: want 1 to 100", c.Regions)
	case c.Players < 0 || c.Players > simulate.MaxArrivals:
		return fmt.Errorf("--players %d: want 1 to %d", c.Players, simulate.MaxArrivals)
	case c.Plot != "" && !isDir(filepath.Dir(c.Plot)): // a wrong name should not cost a run
		return fmt.Errorf("--plot %s: there is no directory %s", c.Plot, filepath.Dir(c.Plot))
	case c.Every < 10*time.Millisecond || c.Every > time.Hour:
		return fmt.Errorf("--every %v: want 10ms to 1h", c.Every)
	case c.Lasts < time.Second || c.Lasts > 24*time.Hour:
		return fmt.Errorf("--lasts %v: want 1s to 24h", c.Lasts)
	}
	return nil
}

// Run implements the command.
func (c *queueSimulateCmd) Run(p *program) error {
	if err := c.check(); err != nil {
		return err
	}
	rules, err := c.rules(p.stderr)
	if err != nil {
		return err
	}
	options := simulate.Options{Every: c.Every, Lasts: c.Lasts}
	var arrivals []simulate.Arrival
	if c.Tickets != "" {
		if arrivals, err = readTickets(c.Tickets, rules); err != nil {
			return err
		}
	} else {
		options.Until = time.Duration(c.Hours * float64(time.Hour))
		arrivals = simulate.Load{
			Seed: c.Seed, PerMinute: c.Poisson, For: options.Until, DayShape: c.DayShape, Regions: c.Regions,
			Heavy: c.Skill == "heavy", Parties: c.Parties, Players: c.Players,
		}.Arrivals(rules)
	}
	result, err := simulate.Run(p.ctx, rules, arrivals, queue.NewPool(rules), options)
	if p.ctx.Err() != nil {
		return errors.New("interrupted")
	}
	if err != nil {
		return fmt.Errorf("the matchmaker made a mistake: %w", err)
	}
	report := simulate.NewReport(rules, result)
	if c.Plot != "" {
		if err := writePlot(c.Plot, report); err != nil {
			return err
		}
	}
	if c.JSON {
		enc := json.NewEncoder(p.stdout)
		enc.SetIndent("", "  ")
		return enc.Encode(report) //nolint:wrapcheck // of standard output
	}
	return report.WriteText(p.stdout) //nolint:wrapcheck // of standard output
}

func isDir(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

// rules reads the queue's rules.
func (c *queueSimulateCmd) rules(stderr io.Writer) (*queue.Rules, error) {
	list, err := queuefile.Open(c.Rules, queuefile.Options{})
	var mistakes queuefile.Mistakes
	if errors.As(err, &mistakes) {
		fmt.Fprintln(stderr, mistakes)
		return nil, &statusError{status: 1}
	}
	if err != nil {
		return nil, err //nolint:wrapcheck // says what it did
	}
	if c.Queue == "" && len(list) == 1 {
		return &list[0], nil
	}
	names := make([]string, len(list))
	for i := range list {
		if names[i] = list[i].Name; names[i] == c.Queue {
			return &list[i], nil
		}
	}
	return nil, fmt.Errorf("--queue %q: want one of %s", c.Queue, strings.Join(names, ", "))
}

// readTickets reads a file of tickets.
func readTickets(name string, rules *queue.Rules) ([]simulate.Arrival, error) {
	in := os.Stdin
	if name != "-" {
		f, err := os.Open(name) //nolint:gosec // the operator names it
		if err != nil {
			return nil, fmt.Errorf("opening the tickets: %w", err)
		}
		defer func() { _ = f.Close() }() // it was only read
		in = f
	}
	list, err := simulate.Read(in, rules)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return list, nil
}

// writePlot draws a report. A plot that could not be written whole leaves the file as it was.
func writePlot(name string, report *simulate.Report) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), ".plot-*")
	if err != nil {
		return fmt.Errorf("writing the plot: %w", err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	err = errors.Join(simulate.WriteSVG(f, report.Panels()), f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return fmt.Errorf("writing the plot: %w", err)
	}
	return nil
}
