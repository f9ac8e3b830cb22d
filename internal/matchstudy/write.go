package main

import (
	"fmt"
	"math"
	"strings"

	"muster/lobby/simulate"
)

// names are those of the matchmakers.
var names = [matchmakers]string{"core", "widening window", "first-come", "fixed window"}

// figure is something that is compared; less of it is better.
type figure struct {
	title, unit, format string
	of                  func(*simulate.Row) float64
}

// main figures are drawn and shown by skill and party.
var mainFigures = []figure{
	{"wait that 1 % exceed", "seconds", "%.0f", func(r *simulate.Row) float64 { return r.Wait.P99 }},
	{"spread of ratings, mean", "points", "%.0f", func(r *simulate.Row) float64 { return r.Spread.Mean }},
	{"better team's chance less 0.5, mean", "", "%.3f", func(r *simulate.Row) float64 { return r.Uneven.Mean }},
}

// allFigures are those of everybody.
func allFigures() (list []figure) {
	for _, of := range []struct {
		title, format string
		of            func(*simulate.Row) simulate.Figures
	}{
		{"wait in seconds", "%.1f", func(r *simulate.Row) simulate.Figures { return r.Wait }},
		{"spread of ratings", "%.0f", func(r *simulate.Row) simulate.Figures { return r.Spread }},
		{"better team's chance less 0.5", "%.3f", func(r *simulate.Row) simulate.Figures { return r.Uneven }},
		{"latency in ms", "%.0f", func(r *simulate.Row) simulate.Figures { return r.Latency }},
	} {
		for _, q := range []struct {
			name string
			of   func(simulate.Figures) float64
		}{
			{"mean", func(f simulate.Figures) float64 { return f.Mean }},
			{"p50", func(f simulate.Figures) float64 { return f.P50 }},
			{"p90", func(f simulate.Figures) float64 { return f.P90 }},
			{"p99", func(f simulate.Figures) float64 { return f.P99 }},
		} {
			list = append(list, figure{of.title + ", " + q.name, "", of.format, func(r *simulate.Row) float64 { return q.of(of.of(r)) }})
		}
	}
	return append(list, figure{"expired tickets", "", "%.0f", func(r *simulate.Row) float64 { return float64(r.Expired) }})
}

// panels are the plot's: each figure by skill and by party. The fixed window's waits end at the expiry and would flatten
// the others'.
func (s *study) panels() (list []simulate.Panel) {
	for i, f := range mainFigures {
		for by, x := range []string{"tenth of the ratings", "players of the party"} {
			p := simulate.Panel{Title: f.title, X: x, Y: f.unit}
			for m, rep := range s.days[0].reports {
				if i == 0 && m == standing {
					continue
				}
				rows := [][]simulate.Row{rep.BySkill, rep.BySize}[by]
				line := simulate.Line{Name: names[m]}
				p.Names = nil
				for j := range rows {
					name, _, _ := strings.Cut(rows[j].Name, ":")
					p.Names, line.Values = append(p.Names, name), append(line.Values, f.of(&rows[j]))
				}
				p.Lines = append(p.Lines, line)
			}
			list = append(list, p)
		}
	}
	return list
}

// why says where the differences come from.
const why = `

A step of the rules bounds the whole spread of a match; a window reaches as far to either side of its anchor. So windows of the
same mean wait serve those far off a little sooner, and give everybody matches that are less even. The core goes as far in
latency as the rules allow where ratings are closer there.`

// page is a document that is being written.
type page struct{ strings.Builder }

func (p *page) say(format string, args ...any) { fmt.Fprintf(p, format, args...) }

// row is a line of a table: the matchmakers' values, the core's in bold.
func (p *page) cells(f figure, rows [matchmakers]*simulate.Row) {
	for m, r := range rows {
		format := " " + f.format + " |"
		if m == core {
			format = " **" + f.format + "** |"
		}
		p.say(format, f.of(r))
	}
}

// markdown is the document.
func (s *study) markdown() string {
	p := &page{}
	d := &s.days[0]
	p.say(`# Matchmaking

What the matchmaker's core makes of a day's players, beside three others that know the same. Written by

    make matchmaking        # go run ./internal/matchstudy, some minutes

which gives the same tables and plot again, as long as the core chooses the same. To see it with your own queue:
%s-rules FILE -dir DIR%s. To see a queue alone, %smuster queue simulate%s ([QUEUES.md](QUEUES.md)).

## What is measured

A queue of five against five:

%s
%s%s

%d tickets of %d players come in %v, %g a minute in the mean, from five regions, each with its evening
(1.85 times the mean at 20:00) and its morning (0.15 times at 8:00). Ratings have heavy tails: Student's t of 3 degrees of
freedom, scaled to a standard deviation of 333 about 1000 and cut 2000 points from it. 30 %% of the tickets are parties of
two to five friends. Latencies are 25 ms at home in the median, and about 75 ms more for each region further. Everybody
looks once a second.

- **core** is package lobby/queue with the rules above.
- **widening window** takes tickets in the order in which they came. The first is the anchor; whoever comes next, lies within a
  window about the anchor's rating, fits, and has a good region in common with all is in. The window widens at the same waits
  as the rules do. It is the rules' times %.3f, which was searched for so that its mean wait is the core's.
- **first-come** is the same without a window, and waits as long as it waits.
- **fixed window** is the same with one window for ever, ±%.0f points, searched for likewise.

All keep parties together and hold to the same latencies; all but the core take the region with the least sum of latencies and
give the next best ticket to the weaker team. A wait is a ticket's until it is matched, or 5 minutes where it expires. Spread
and chance are as players meet them; the chance is the better team's to win, by the model of package rating.

## Everybody

| | %s |
|---|%s
`, "`", "`", "`", "`", "```yaml", s.text, "```", d.reports[core].Tickets, d.reports[core].Players, s.length, d.rate, d.factor, d.fixed,
		strings.Join(names[:], " | "), strings.Repeat("---:|", matchmakers))
	all := d.rows(func(r *simulate.Report) *simulate.Row { return &r.All })
	for _, f := range allFigures() {
		p.say("| %s |", f.title)
		p.cells(f, all)
		p.say("\n")
	}
	p.say("\n%s%s\n\n## By skill and by party\n\n![The figures below by tenths of the ratings and by party size](matchmaking.svg)\n", d.worse(), why)
	for _, f := range mainFigures {
		title := f.title
		if f.unit != "" {
			title += ", " + f.unit
		}
		for _, part := range []struct {
			name string
			of   func(*simulate.Report) []simulate.Row
		}{
			{"tenth: ratings", func(r *simulate.Report) []simulate.Row { return r.BySkill }},
			{"party of", func(r *simulate.Report) []simulate.Row { return r.BySize }},
		} {
			p.say("\n**%s**\n\n| %s | %s |\n|---|%s\n", title, part.name, strings.Join(names[:], " | "), strings.Repeat("---:|", matchmakers))
			for i, row := range part.of(d.reports[core]) {
				p.say("| %s |", row.Name)
				p.cells(f, d.rows(func(r *simulate.Report) *simulate.Row { return &part.of(r)[i] }))
				p.say("\n")
			}
		}
	}
	s.others(p)
	return p.String()
}

// rows are the same row of each report.
func (d *day) rows(of func(*simulate.Report) *simulate.Row) (rows [matchmakers]*simulate.Row) {
	for m, rep := range d.reports {
		rows[m] = of(rep)
	}
	return rows
}

// worse says in which figures of everybody the core is not the best of those that have its mean wait.
func (d *day) worse() string {
	rows := d.rows(func(r *simulate.Report) *simulate.Row { return &r.All })
	var list []string
	for _, f := range allFigures() {
		mine, best := f.of(rows[core]), math.Min(f.of(rows[widening]), f.of(rows[standing]))
		if mine > best && fmt.Sprintf(f.format, mine) != fmt.Sprintf(f.format, best) && !strings.HasPrefix(f.title, "wait in seconds, mean") {
			list = append(list, fmt.Sprintf("%s ("+f.format+" against "+f.format+")", f.title, mine, best))
		}
	}
	if len(list) == 0 {
		return "Of those with the same mean wait the core is the best in every line."
	}
	return "Of those with the same mean wait the core is not the best in: " + strings.Join(list, "; ") + "."
}

// others writes the table of the other days.
func (s *study) others(p *page) {
	p.say("\n## Other days, and a small game\n\nThe windows are searched for anew each day. Each cell is %s.\n\n", strings.Join(names[:], ", "))
	p.say("| seed | tickets a minute |")
	figures := []figure{{"wait, mean, s", "", "%.1f", func(r *simulate.Row) float64 { return r.Wait.Mean }}}
	figures = append(append(figures, mainFigures...), figure{"expired", "", "%.0f", func(r *simulate.Row) float64 { return float64(r.Expired) }})
	for _, f := range figures {
		p.say(" %s |", f.title)
	}
	p.say("\n|---:|---:|%s\n", strings.Repeat("---|", len(figures)))
	for i := range s.days {
		d := &s.days[i]
		p.say("| %d | %g |", d.seed, d.rate)
		for _, f := range figures {
			var values []string
			for m, r := range d.rows(func(r *simulate.Report) *simulate.Row { return &r.All }) {
				text := fmt.Sprintf(f.format, f.of(r))
				if m == core {
					text = "**" + text + "**"
				}
				values = append(values, text)
			}
			p.say(" %s |", strings.Join(values, ", "))
		}
		p.say("\n")
	}
}
