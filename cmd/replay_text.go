package cmd

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// write prints a summary for people.
func (s *summary) write(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "game         %s, rules %s\n", text(s.Game), text(s.Rules))
	fmt.Fprintf(&b, "room         %s, epoch %s, seed %s\n", text(s.Room), s.Epoch, s.Seed)
	fmt.Fprintf(&b, "class        %s, %d seats, %d ticks a second\n", text(s.Class), s.Seats, s.TickRate)
	fmt.Fprintf(&b, "created      %s by server %s, because of: %s\n", s.Created, text(s.Server), text(s.Reason))
	if len(s.Config) > 0 {
		fmt.Fprintf(&b, "config       %s\n", line(string(s.Config)))
	}
	fmt.Fprintf(&b, "ticks        %d to %d, %v; %d records, %d with a hash\n", s.First, s.Last,
		time.Duration(s.Seconds*float64(time.Second)).Round(time.Millisecond), s.Records, s.Hashes)
	fmt.Fprintf(&b, "checkpoints  %d, the largest has %d bytes\n", s.Checkpoints, s.CheckpointBytes)
	fmt.Fprintf(&b, "inputs       %d; results of work outside: %d\n", s.Inputs, s.Results)
	if s.Orders > 0 {
		fmt.Fprintf(&b, "orders       %d, of backends and operators\n", s.Orders)
	}
	if s.Started > 0 {
		fmt.Fprintf(&b, "started      at tick %d\n", s.Started)
	}
	if len(s.Skipped) > 0 {
		fmt.Fprintf(&b, "skipped      the inputs of ticks %s, since the rules had panicked\n", listed(s.Skipped, s.SkippedMore))
	}
	if s.Gaps > 0 {
		fmt.Fprintf(&b, "gaps         %d places where ticks are missing\n", s.Gaps)
	}
	if s.Truncated {
		said := "CUT SHORT"
		if s.Damaged {
			said = "DAMAGED"
		}
		fmt.Fprintf(&b, "%-12s %s\n", said, line(s.Damage))
	}
	if len(s.Players) > 0 {
		b.WriteString("\n")
		t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
		fmt.Fprintf(t, "seat\tplayer\tname\tteam\tinputs\tchanges\n")
		for _, p := range s.Players {
			fmt.Fprintf(t, "%d\t%s\t%s\t%d\t%d\t%s\n", p.Seat, or(p.Player), or(p.Name), p.Team, p.Inputs, p.changes())
		}
		_ = t.Flush() // into memory
		if s.PlayersMore > 0 {
			fmt.Fprintf(&b, "and %d more\n", s.PlayersMore)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err //nolint:wrapcheck // of standard output
}

// or is a text for people, a dash where the file does not say.
func or(s string) string {
	if s == "" {
		return "-"
	}
	return text(s)
}

func (p *stay) changes() string {
	if len(p.Moves) == 0 {
		return "there before"
	}
	var list []string
	if p.Moves[0].Change != "joined" {
		list = append(list, "there before")
	}
	for _, m := range p.Moves {
		list = append(list, fmt.Sprintf("%s at %d", m.Change, m.Tick))
	}
	if p.More > 0 {
		list = append(list, fmt.Sprintf("and %d more", p.More))
	}
	return strings.Join(list, ", ")
}

// listed is a list of ticks for people.
func listed(ticks []uint32, more int) string {
	s := strings.Trim(fmt.Sprint(ticks), "[]")
	if more > 0 {
		s += fmt.Sprintf(" and %d more", more)
	}
	return s
}
