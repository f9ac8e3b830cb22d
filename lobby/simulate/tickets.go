package simulate

import (
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"muster/lobby/queue"
)

// Columns of a file of tickets, besides "latency.REGION" and "attr.NAME".
var (
	mustColumns = []string{"at", "ticket", "player", "rating"}
	mayColumns  = []string{"deviation", "roles", "max_spread", "max_latency"}
)

// Bounds of what a file of tickets says.
const (
	maxAt = 366 * 24 * time.Hour
	most  = 1e6 // of ratings and the like
)

// Read reads tickets from CSV with a header, a line for each player. Lines of one ticket stand together and have its
// time: seconds since the beginning, or RFC 3339. Lists, as of roles, are separated by |. Empty is that nothing is said.
// Errors name the line.
func Read(in io.Reader, rules *queue.Rules) ([]Arrival, error) {
	r := csv.NewReader(in)
	r.ReuseRecord = true
	head, err := r.Read()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("the tickets have no header")
	}
	if err != nil {
		return nil, fmt.Errorf("reading the tickets' header: %w", err)
	}
	f := &ticketFile{rules: rules, columns: slices.Clone(head), at: map[string]int{}, seen: map[string]bool{}}
	if err := f.header(); err != nil {
		return nil, err
	}
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return f.done()
		}
		if err != nil {
			return nil, fmt.Errorf("reading the tickets: %w", err) // names the line
		}
		line, _ := r.FieldPos(0)
		if err := f.line(record); err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
	}
}

// ticketFile is a file of tickets that is being read.
type ticketFile struct {
	rules   *queue.Rules
	columns []string
	at      map[string]int // columns by their names
	seen    map[string]bool
	list    []Arrival
	first   time.Time // what times of day are counted from
	clock   bool      // times are of day
}

func (f *ticketFile) header() error {
	for i, c := range f.columns {
		c = strings.TrimSpace(strings.TrimPrefix(c, "\ufeff"))
		known := slices.Contains(mustColumns, c) || slices.Contains(mayColumns, c) || strings.HasPrefix(c, "latency.") || strings.HasPrefix(c, "attr.")
		if _, twice := f.at[c]; !known || twice {
			return fmt.Errorf("line 1: column %q: want %s, and perhaps %s, latency.REGION, attr.NAME, each once",
				c, strings.Join(mustColumns, ", "), strings.Join(mayColumns, ", "))
		}
		f.at[c], f.columns[i] = i, c
	}
	for _, c := range mustColumns {
		if _, ok := f.at[c]; !ok {
			return fmt.Errorf("line 1: there is no column %s", c)
		}
	}
	return nil
}

// get is a column's value; "" where there is no such column.
func (f *ticketFile) get(record []string, column string) string {
	if i, ok := f.at[column]; ok {
		return strings.TrimSpace(record[i])
	}
	return ""
}

// number reads a column; 0 where it is empty.
func (f *ticketFile) number(record []string, column string, low, high float64) (float64, error) {
	text := f.get(record, column)
	if text == "" {
		return 0, nil
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(v) || v < low || v > high {
		return 0, fmt.Errorf("%s is %q, want a number from %g to %g", column, text, low, high)
	}
	return v, nil
}

func (f *ticketFile) line(record []string) error {
	id, player := f.get(record, "ticket"), f.get(record, "player")
	if id == "" || player == "" || f.get(record, "rating") == "" {
		return errors.New("ticket, player and rating must be there")
	}
	at, err := f.time(f.get(record, "at"))
	if err != nil {
		return err
	}
	p := queue.Player{ID: strings.Clone(player)}
	var spread, latency float64
	for _, column := range []struct {
		name string
		to   *float64
		low  float64
	}{{"rating", &p.Rating, -most}, {"deviation", &p.Deviation, 0}, {"max_spread", &spread, 0}, {"max_latency", &latency, 0}} {
		if *column.to, err = f.number(record, column.name, column.low, most); err != nil {
			return err
		}
	}
	p.Roles = listOf(f.get(record, "roles"))
	for _, c := range f.columns {
		if region, ok := strings.CutPrefix(c, "latency."); ok && f.get(record, c) != "" {
			ms, err := f.number(record, c, 0, 1e5)
			if err != nil {
				return err
			}
			if p.Latency == nil {
				p.Latency = map[string]float64{}
			}
			p.Latency[region] = ms
		}
	}
	if n := len(f.list); n > 0 && f.list[n-1].Ticket.ID == id {
		t := &f.list[n-1]
		if t.At != at {
			return fmt.Errorf("ticket %s came at two times", id)
		}
		if len(t.Ticket.Players) >= f.rules.Max() {
			return fmt.Errorf("ticket %s has more players than a match", id)
		}
		t.Ticket.Players = append(t.Ticket.Players, p)
		return nil
	}
	if f.seen[id] {
		return fmt.Errorf("the lines of ticket %s do not stand together", id)
	}
	if len(f.list) == MaxArrivals {
		return fmt.Errorf("there are more than %d tickets", MaxArrivals)
	}
	id = strings.Clone(id)
	f.seen[id] = true
	f.list = append(f.list, Arrival{At: at, Ticket: queue.Ticket{
		ID: id, Players: []queue.Player{p}, MaxSpread: spread, MaxLatency: latency, Attributes: f.attributes(record),
	}})
	return nil
}

// time reads when a ticket came.
func (f *ticketFile) time(text string) (time.Duration, error) {
	if when, err := time.Parse(time.RFC3339, text); err == nil {
		if len(f.list) == 0 && !f.clock {
			f.clock, f.first = true, when.UTC().Truncate(24*time.Hour)
		}
		if at := when.Sub(f.first); f.clock && at >= 0 && at <= maxAt {
			return at, nil
		}
	} else if s, err := strconv.ParseFloat(text, 64); err == nil && s >= 0 && s <= maxAt.Seconds() && !f.clock {
		return time.Duration(s * float64(time.Second)), nil
	}
	return 0, fmt.Errorf("at is %q, want seconds since the beginning, or always a time as 2026-01-02T15:04:05Z, of one year", text)
}

// attributes are what a line's ticket says of itself: lists where the rules want lists, else numbers where they are some.
func (f *ticketFile) attributes(record []string) map[string]any {
	var all map[string]any
	for _, c := range f.columns {
		name, ok := strings.CutPrefix(c, "attr.")
		text := f.get(record, c)
		if !ok || text == "" {
			continue
		}
		if all == nil {
			all = map[string]any{}
		}
		i := slices.IndexFunc(f.rules.Attributes, func(a queue.Attribute) bool { return a.Name == name })
		switch v, err := strconv.ParseFloat(text, 64); {
		case i >= 0 && f.rules.Attributes[i].Kind == queue.AnyOf:
			all[name] = listOf(text)
		case err == nil && !math.IsNaN(v) && !math.IsInf(v, 0):
			all[name] = v
		default:
			all[name] = strings.Clone(text)
		}
	}
	return all
}

func (f *ticketFile) done() ([]Arrival, error) {
	if len(f.list) == 0 {
		return nil, errors.New("there are no tickets")
	}
	slices.SortStableFunc(f.list, func(a, b Arrival) int { return cmp.Compare(a.At, b.At) })
	return f.list, nil
}

func listOf(text string) (list []string) {
	for part := range strings.SplitSeq(text, "|") {
		if part = strings.TrimSpace(part); part != "" {
			list = append(list, strings.Clone(part))
		}
	}
	return list
}
