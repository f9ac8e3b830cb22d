package cmd

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"time"

	"muster/match"
	"muster/match/journal"
)

// replayVerifyCmd runs replays again.
type replayVerifyCmd struct {
	Files []string `arg:"" name:"file" help:"Replays; - is standard input." placeholder:"FILE"`
}

// Help implements kong's HelpProvider.
func (replayVerifyCmd) Help() string {
	return `Each file is run with the rules of its game that this program has, and every hash and checkpoint in it is compared. A line
says what came of it. Exit status: 0, all are the same; 1, one differs or its rules panic; 2, one cannot be read, is damaged,
is of another game, or has nothing to compare with, as matches of the class checkpoint. One that was only cut short, since its
server was killed, is compared as far as it goes.

Example, to guard a game's rules with a recorded match:

  muster replay verify testdata/*.muster`
}

// Run implements the command.
func (c *replayVerifyCmd) Run(p *program) error {
	worst := 0
	for _, name := range c.Files {
		r, err := p.replay(name)
		if err != nil {
			worst = statusUnreadable
			fmt.Fprintln(p.stderr, "muster:", line(err.Error()))
			continue
		}
		worst = max(worst, r.status())
		name = shownName(name)
		r.notes(p.stderr, name)
		if _, err := fmt.Fprintf(p.stdout, "%s: %s\n", name, r.verdict()); err != nil {
			return err //nolint:wrapcheck // of standard output
		}
	}
	if worst > 0 {
		return &statusError{status: worst}
	}
	return nil
}

// gameOf finds the game of a replay among those that this program has.
func (p *program) gameOf(src io.ReadSeeker) (*match.Game, error) {
	rd, err := journal.NewReader(src)
	if err != nil {
		return nil, err //nolint:wrapcheck // says what it did
	}
	name := rd.Header().Game
	var names []string
	games := withDashboard(p.games, nil)
	for i := range games {
		if g := &games[i].Game; g.Name() == name {
			return g, g.Err()
		}
		names = append(names, games[i].Name())
	}
	return nil, fmt.Errorf("it is of the game %s, and this program has only %s", text(name), strings.Join(names, ", "))
}

// verdict is the line about a replay.
func (r *replayed) verdict() string {
	rep := r.rep
	var b strings.Builder
	switch {
	case rep.Panic != nil:
		fmt.Fprintf(&b, "PANIC at tick %d: %s", rep.Panic.Tick, line(fmt.Sprint(rep.Panic.Value)))
	case rep.Differs != nil:
		fmt.Fprintf(&b, "DIFFERS %s", r.where())
		if rows := rep.Differs.Rows; len(rows) > 0 {
			fmt.Fprintf(&b, ": %s", line(strings.Join(rows[:min(3, len(rows))], "; ")))
		}
	case rep.Damage != nil:
		b.WriteString("DAMAGED, the same as far as it can be read")
	case r.status() != 0:
		b.WriteString("NOTHING TO COMPARE WITH")
	default:
		b.WriteString("same")
	}
	fmt.Fprintf(&b, "; ticks %d to %d (%v), %d hashes and %d checkpoints compared", rep.First, rep.Last,
		duration(rep.Ticks, rep.Header.TickRate), rep.Checked, r.compared())
	switch {
	case rep.Ended:
		b.WriteString(", the match ended")
	case rep.Truncated && rep.Damage == nil:
		b.WriteString(", cut short there")
	}
	if rep.Gaps > 0 {
		fmt.Fprintf(&b, ", ticks missing in %d places", rep.Gaps)
	}
	if n := len(rep.Skipped); n > 0 {
		fmt.Fprintf(&b, ", %d ticks skipped", n)
	}
	real := float64(rep.Ticks) / float64(max(1, rep.Header.TickRate))
	fmt.Fprintf(&b, "; took %v, %.0f times real time", r.took.Round(time.Millisecond), real/max(r.took.Seconds(), 1e-6))
	return b.String()
}

// where says from where on a replay differs, and in what.
func (r *replayed) where() string {
	d := r.rep.Differs
	field := ""
	if d.Field != "" {
		field = " in " + line(d.Field)
	}
	switch {
	case d.After+1 == d.Tick || d.After == d.Tick:
		return fmt.Sprintf("at tick %d%s", d.Tick, field)
	case d.Record != nil:
		return fmt.Sprintf("from one of the ticks %d to %d on%s", d.After+1, d.Tick, field)
	}
	return fmt.Sprintf("from one of the ticks %d to %d on, as the checkpoint shows%s", d.After+1, d.Tick, field)
}

// notes tells what else there is to know of a replay.
func (r *replayed) notes(w io.Writer, name string) {
	h, rules := &r.rep.Header, r.game.Rules()
	if h.Rules != rules.Version {
		fmt.Fprintf(w, "%s: note: recorded under rules %s, these are %s\n", name, text(h.Rules), text(rules.Version))
	}
	if !bytes.Equal(h.Layout, r.game.Schema().Binary()) {
		fmt.Fprintf(w, "%s: note: the game's state, input or events had other columns\n", name)
	}
	if int(h.TickRate) != rules.TickRate {
		fmt.Fprintf(w, "%s: note: recorded at %d ticks a second, these rules have %d\n", name, h.TickRate, rules.TickRate)
	}
	if int(h.Seats) != rules.Seats {
		fmt.Fprintf(w, "%s: note: recorded with %d seats, these rules have %d\n", name, h.Seats, rules.Seats)
	}
	if err := r.rep.Damage; err != nil {
		fmt.Fprintf(w, "%s: note: %s\n", name, line(err.Error()))
	}
	if p := r.rep.Panic; p != nil {
		stack := p.Stack[:min(len(p.Stack), maxStack)]
		for l := range bytes.Lines(stack) {
			fmt.Fprintf(w, "\t%s\n", line(strings.TrimRight(string(l), "\n")))
		}
	}
}

// maxStack bounds what is shown of a panic's stack, in bytes.
const maxStack = 8 << 10

// duration is how long ticks take.
func duration(ticks int, rate uint16) time.Duration {
	return time.Duration(ticks) * time.Second / time.Duration(max(1, rate))
}
