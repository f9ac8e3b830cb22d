package cmd

import (
	"fmt"
	"strings"

	"muster/match"
	"muster/match/journal"
)

// replayBisectCmd names where a replay and the rules part.
type replayBisectCmd struct {
	File string `arg:"" help:"The replay; - is standard input." placeholder:"FILE"`
}

// Help implements kong's HelpProvider.
func (replayBisectCmd) Help() string {
	return `It prints the first tick that differs and the first field in it, what was recorded of that tick, the short sums of each
column that differs, and the rows that the rules have now. Where ticks have no hashes it
says between which ticks it must be, as the next checkpoint shows. Exit status as of verify.

Example:

  muster replay bisect testdata/arena.muster`
}

// Run implements the command.
func (c *replayBisectCmd) Run(p *program) error {
	r, err := p.replay(c.File)
	if err != nil {
		return &statusError{statusUnreadable, err}
	}
	name := shownName(c.File)
	r.notes(p.stderr, name)
	out := r.parting(name)
	if _, err := fmt.Fprint(p.stdout, out); err != nil {
		return err //nolint:wrapcheck // of standard output
	}
	if s := r.status(); s != 0 {
		return &statusError{status: s}
	}
	return nil
}

// parting is all that is known of where they part.
func (r *replayed) parting(name string) string {
	d := r.rep.Differs
	if d == nil {
		return fmt.Sprintf("%s: %s\n", name, r.verdict())
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s: the first difference is %s; tick %d is the same.\n", name, r.where(), d.After)
	if d.Record != nil {
		fmt.Fprintf(&b, "\nrecorded of tick %d:\n", d.Tick)
		r.record(&b, d.Record)
	}
	if len(d.Columns) > 0 {
		fmt.Fprintf(&b, "\nshort sums of the columns that differ:\n")
		for _, c := range d.Columns {
			fmt.Fprintf(&b, "  %-20s recorded %04x, here %04x\n", c.Name, c.Recorded, c.Here)
		}
	} else if d.Record != nil && d.Field == "" {
		fmt.Fprintf(&b, "\nthe file does not say which column it is: only the whole state's hash differs\n")
	}
	lines(&b, "recorded against here:", d.Rows)
	lines(&b, "rows here:", d.Here)
	return b.String()
}

func lines(b *strings.Builder, title string, list []string) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s\n", title)
	for _, l := range list {
		fmt.Fprintf(b, "  %s\n", line(l))
	}
}

// maxShown bounds how many things of one kind are shown of a tick.
const maxShown = 50

// record is what happened at a tick.
func (r *replayed) record(b *strings.Builder, rec *match.TickRecord) {
	none := true
	shown := func(i, n int) bool {
		none = false
		if i == maxShown {
			fmt.Fprintf(b, "  and %d more\n", n-maxShown)
		}
		return i < maxShown
	}
	for i := range rec.Seats {
		if c := &rec.Seats[i]; shown(i, len(rec.Seats)) {
			fmt.Fprintf(b, "  seat %d %s: %s, named %s\n", c.Player.Seat, changeName(c.Kind), text(c.Player.ID), text(c.Player.Name))
		}
	}
	for i := range rec.Results {
		if w := &rec.Results[i]; shown(i, len(rec.Results)) {
			fmt.Fprintf(b, "  work %d came back with %d bytes, error %q\n", w.ID, len(w.Body), w.Err)
		}
	}
	for i := range rec.Orders {
		if o := &rec.Orders[i]; shown(i, len(rec.Orders)) {
			fmt.Fprintf(b, "  order %s: %s\n", text(o.ID), line(r.order(o)))
		}
	}
	for i := range rec.Inputs {
		if in := &rec.Inputs[i]; shown(i, len(rec.Inputs)) {
			fmt.Fprintf(b, "  input %d of seat %d, who looked at tick %d and %d/256: %s\n", in.Seq, in.Seat, in.View, in.Frac,
				line(r.game.ShowInput(in.Body)))
		}
	}
	if rec.Skipped {
		none = false
		fmt.Fprintf(b, "  its inputs were left out, since the rules had panicked with them\n")
	}
	if none {
		fmt.Fprintf(b, "  nothing: no input, nobody came or went\n")
	}
}

// order is what somebody who does not play had the room do.
func (r *replayed) order(o *match.OrderRecord) string {
	switch o.Kind {
	case journal.OrderInput:
		return "an input of a backend: " + r.game.ShowInput(o.Body)
	case journal.OrderKick:
		return fmt.Sprintf("%s is kicked: %s", o.Player, o.Text)
	case journal.OrderEnd:
		return "the match ends: " + o.Text
	default:
		return fmt.Sprintf("an event of %d bytes", len(o.Body))
	}
}

// changeName is what happened to a seat.
func changeName(k match.SeatChangeKind) string {
	switch k {
	case match.SeatJoined:
		return "joined"
	case match.SeatDropped:
		return "dropped"
	case match.SeatResumed:
		return "resumed"
	case match.SeatLeft:
		return "left"
	}
	return "changed"
}
