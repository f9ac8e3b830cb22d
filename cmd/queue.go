package cmd

import (
	"errors"
	"fmt"

	"muster/games/dashboard"
	"muster/lobby/queue"
	"muster/lobby/queuefile"
)

// queueCmd holds what can be done with files of queues.
type queueCmd struct {
	Check    queueCheckCmd    `cmd:"" help:"Say what is wrong with a file of queues, with lines."`
	Simulate queueSimulateCmd `cmd:"" help:"Say who would wait how long, and how good matches would be."`
}

// queueCheckCmd reads a file of queues as serve does.
type queueCheckCmd struct {
	File string `arg:"" help:"YAML file of queues." placeholder:"FILE"`
}

// Help implements kong's HelpProvider.
func (queueCheckCmd) Help() string {
	return `It reads the file as serve --queues does: its queues must be of games that this program has. It prints the queues, or
each mistake as FILE:LINE: TEXT with exit status 1.

Example:

  muster queue check queues.yaml && kill -HUP "$(pidof muster)"`
}

// Run implements the command.
func (c *queueCheckCmd) Run(p *program) error {
	rules, err := queuefile.Open(c.File, queuefile.Options{Seats: seatsOf(p.games), Watched: watchedOf(p.games)})
	var list queuefile.Mistakes
	if errors.As(err, &list) {
		fmt.Fprintln(p.stderr, list) // as editors read them
		return &statusError{status: 1}
	}
	if err != nil {
		return err //nolint:wrapcheck // says what it did
	}
	for i := range rules {
		fmt.Fprintln(p.stdout, described(&rules[i]))
	}
	return nil
}

// described is a queue in a line.
func described(r *queue.Rules) string {
	size := fmt.Sprintf("teams of %d", r.TeamSize)
	if r.Teams == 1 {
		size = "one team"
	}
	start := "starts full"
	switch {
	case r.Min < r.Max() && r.Gather == 0:
		start = fmt.Sprintf("starts with %d at once", r.Min)
	case r.Min < r.Max():
		start = fmt.Sprintf("starts with %d after %v", r.Min, r.Gather)
	}
	return fmt.Sprintf("%s: %s, %d players (%s), %s", r.Name, r.Game, r.Max(), size, start)
}

// watchedOf says of each game whether its rooms may be watched.
func watchedOf(games []Game) map[string]bool {
	watched := map[string]bool{}
	for _, g := range games {
		watched[g.Name()] = g.Rules().Spectators > 0
	}
	return watched
}

// seatsOf are the seats of each game's rooms, but for the dashboard's, to which no queue leads.
func seatsOf(games []Game) map[string]int {
	seats := make(map[string]int, len(games))
	for _, g := range games {
		if g.Name() != dashboard.Name {
			seats[g.Name()] = g.Rules().Seats
		}
	}
	return seats
}
