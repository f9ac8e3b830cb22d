package simulate

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"muster/lobby/queue"
)

// Report is what a simulation says of a queue. Waits are of tickets that were matched or expired, one that expired having
// waited as long as it may; qualities are of players, each of whom counts his match.
type Report struct {
	Queue      string `json:"queue"`
	Tickets    int    `json:"tickets"`
	Players    int    `json:"players"`
	Matched    int    `json:"matched_tickets"`
	Expired    int    `json:"expired_tickets"`
	Waiting    int    `json:"waiting_tickets"` // at the end
	Matches    int    `json:"matches"`
	Backfilled int    `json:"backfilled_players"`
	Bots       int    `json:"bots"`
	// Tags are those that the queue asks of servers. The simulation takes it that one has them whenever a match is made.
	Tags map[string]string `json:"tags,omitempty"`

	All     Row   `json:"all"`
	BySkill []Row `json:"by_skill"` // tenths of the tickets, the least rating first
	BySize  []Row `json:"by_party_size"`
	ByHour  []Row `json:"by_hour"` // of the day at which tickets came
}

// Row is a part of the tickets.
type Row struct {
	Name    string `json:"name"`
	Tickets int    `json:"tickets"`
	Expired int    `json:"expired"`
	// Wait is in seconds.
	Wait Figures `json:"wait_seconds"`
	// Spread is the distance of the highest and the lowest ticket's rating in a match.
	Spread Figures `json:"spread"`
	// Uneven is how far the predicted chance of the strongest team to beat the weakest is from 0.5.
	Uneven Figures `json:"uneven"`
	// Latency is of a ticket's worst player to the match's region, in milliseconds.
	Latency Figures `json:"latency_ms"`
}

// Figures sum up a distribution; all 0 where there is nothing.
type Figures struct {
	N    int     `json:"n"`
	Mean float64 `json:"mean"`
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P99  float64 `json:"p99"`
	Max  float64 `json:"max"`
}

// figures sums up values, which it sorts; those that are no numbers are left out.
func figures(values []float64) (f Figures) {
	values = slices.DeleteFunc(values, math.IsNaN)
	slices.Sort(values)
	f.N = len(values)
	if f.N == 0 {
		return f
	}
	for _, v := range values {
		f.Mean += v / float64(f.N)
	}
	rank := func(q float64) float64 { return values[max(int(math.Ceil(q*float64(f.N)))-1, 0)] }
	f.P50, f.P90, f.P99, f.Max = rank(0.5), rank(0.9), rank(0.99), values[f.N-1]
	return f
}

// NewReport sums a result up.
func NewReport(rules *queue.Rules, r *Result) *Report {
	rep := &Report{Queue: rules.Name, Tickets: len(r.Fates), Matches: len(r.Matches), Tags: rules.Tags}
	for i := range r.Matches {
		rep.Backfilled += r.Matches[i].Joined
		rep.Bots += r.Matches[i].Bots
	}
	all := make([]*Fate, len(r.Fates))
	sizes, hours := map[int][]*Fate{}, map[int][]*Fate{}
	for i := range r.Fates {
		f := &r.Fates[i]
		all[i] = f
		rep.Players += f.Players
		switch {
		case f.Match >= 0:
			rep.Matched++
		case f.Expired:
			rep.Expired++
		default:
			rep.Waiting++
		}
		sizes[f.Players] = append(sizes[f.Players], f)
		hour := int(f.At/time.Hour) % 24
		hours[hour] = append(hours[hour], f)
	}
	rep.All = r.row("all", all)
	byRating := slices.Clone(all)
	slices.SortStableFunc(byRating, func(a, b *Fate) int {
		if a.Rating < b.Rating {
			return -1
		}
		if a.Rating > b.Rating {
			return 1
		}
		return 0
	})
	const parts = 10
	for i := range parts {
		if part := byRating[len(all)*i/parts : len(all)*(i+1)/parts]; len(part) > 0 {
			name := fmt.Sprintf("%d: %.0f to %.0f", i+1, part[0].Rating, part[len(part)-1].Rating)
			rep.BySkill = append(rep.BySkill, r.row(name, part))
		}
	}
	for n := range rules.Max() + 1 {
		if len(sizes[n]) > 0 {
			rep.BySize = append(rep.BySize, r.row(fmt.Sprint(n), sizes[n]))
		}
	}
	for h := range 24 {
		if len(hours[h]) > 0 {
			rep.ByHour = append(rep.ByHour, r.row(fmt.Sprintf("%02d", h), hours[h]))
		}
	}
	return rep
}

// row sums some tickets up.
func (r *Result) row(name string, fates []*Fate) Row {
	row := Row{Name: name, Tickets: len(fates)}
	var waits, spreads, uneven, latencies []float64
	for _, f := range fates {
		if f.Match < 0 && !f.Expired {
			continue
		}
		waits = append(waits, f.Wait.Seconds())
		if f.Expired {
			row.Expired++
			continue
		}
		m := &r.Matches[f.Match]
		for range f.Players {
			spreads, uneven = append(spreads, m.Spread), append(uneven, m.Strength-0.5)
		}
		latencies = append(latencies, f.Latency)
	}
	row.Wait, row.Spread, row.Uneven, row.Latency = figures(waits), figures(spreads), figures(uneven), figures(latencies)
	return row
}

// WriteText writes the report for people.
func (rep *Report) WriteText(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	p := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format, args...) } // Flush has the error
	p("queue %s: %d tickets of %d players; %d matched, %d expired, %d wait at the end\n", rep.Queue, rep.Tickets, rep.Players, rep.Matched, rep.Expired, rep.Waiting)
	p("%d matches, %d players joined later, %d bots\n", rep.Matches, rep.Backfilled, rep.Bots)
	if len(rep.Tags) > 0 {
		tags := make([]string, 0, len(rep.Tags))
		for _, name := range slices.Sorted(maps.Keys(rep.Tags)) {
			tags = append(tags, name+"="+rep.Tags[name])
		}
		p("a server with %s is taken to be there for each match\n", strings.Join(tags, ", "))
	}
	for _, part := range []struct {
		name string
		rows []Row
	}{{"everybody", []Row{rep.All}}, {"by skill", rep.BySkill}, {"by party", rep.BySize}, {"by hour", rep.ByHour}} {
		p("\n%s\ttickets\texpired\twait p50\tp90\tp99\tmax s\tspread p50\tp90\tuneven mean\tp90\tlatency p50\tp99 ms\t\n", part.name)
		for i := range part.rows {
			r := &part.rows[i]
			p("%s\t%d\t%d", r.Name, r.Tickets, r.Expired)
			for _, c := range []struct {
				of     Figures
				values []float64
				digits int
			}{
				{r.Wait, []float64{r.Wait.P50, r.Wait.P90, r.Wait.P99, r.Wait.Max}, 0},
				{r.Spread, []float64{r.Spread.P50, r.Spread.P90}, 0},
				{r.Uneven, []float64{r.Uneven.Mean, r.Uneven.P90}, 3},
				{r.Latency, []float64{r.Latency.P50, r.Latency.P99}, 0},
			} {
				for _, v := range c.values {
					if c.of.N == 0 {
						p("\t–") // of nothing there is no figure
						continue
					}
					p("\t%.*f", c.digits, v)
				}
			}
			p("\t\n")
		}
	}
	return w.Flush() //nolint:wrapcheck // of out
}
