package loadtest

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// Write prints the report for people: what was measured, then what went wrong, then the gates.
func (r *Report) Write(w io.Writer) error {
	var t table
	t.line("", "min", "p50", "p99", "mean", "max", "")
	if r.FPS.Count == 0 {
		t.line("frames per second", "", "", "", "", "", notMeasured)
	} else {
		t.line("frames per second", number(r.FPS.Min), number(r.FPS.P50), "", number(r.FPS.Mean), "", "per bot")
	}
	t.times("frame gap", r.Gap)
	t.times("input to ack", r.Ack)
	t.times("round trip", r.RTT)
	t.line("bytes received", "", "", "", number(r.BytesIn), "", "per bot and second")
	t.line("bytes sent", "", "", "", number(r.BytesOut), "", "per bot and second")

	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d of %d bots joined queue %s in %ss, measured %ss\n\n",
		r.URL, r.Bots.Joined, r.Bots.Wanted, r.Queue, number(r.JoinTime), number(r.Seconds))
	t.write(&b)
	b.WriteString("\n")
	fmt.Fprintf(&b, "matches %d   inputs %d   unacknowledged %d   decode errors %d   hash mismatches %d   resyncs %d   resumes %d\n",
		r.Bots.Matches, r.Inputs, r.Unacked, r.DecodeErrors, r.HashMismatches, r.Resyncs, r.Resumes)
	if len(r.Closes) > 0 {
		b.WriteString("closes")
		for _, c := range r.Closes {
			fmt.Fprintf(&b, "   %s × %d", c.Name, c.Count)
		}
		b.WriteString("\n")
	}
	for _, e := range r.Errors {
		fmt.Fprintf(&b, "error  %s × %d, the first: %s\n", e.Kind, e.Count, e.First)
	}
	for _, g := range r.Gates {
		verdict := "pass"
		if !g.Pass {
			verdict = "FAIL"
		}
		fmt.Fprintf(&b, "gate   %s  %s  measured %s\n", verdict, g.Gate, g.show)
	}
	_, err := io.WriteString(w, b.String())
	return err //nolint:wrapcheck // the writer's
}

// WriteJSON prints the report for programs.
func (r *Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false) // gates have < and >
	e.SetIndent("", "  ")
	return e.Encode(r) //nolint:wrapcheck // the writer's
}

const notMeasured = "not measured"

// table aligns columns: the first to the left, figures to the right, the unit to the left.
type table [][]string

func (t *table) line(cells ...string) { *t = append(*t, cells) }

func (t *table) times(name string, v Times) {
	if v.Count == 0 {
		t.line(name, "", "", "", "", "", notMeasured)
		return
	}
	t.line(name, "", millis(v.P50), millis(v.P99), "", millis(v.Max), "")
}

func (t *table) write(b *strings.Builder) {
	width := make([]int, 7)
	for _, row := range *t {
		for i, cell := range row {
			width[i] = max(width[i], len(cell))
		}
	}
	for _, row := range *t {
		var line strings.Builder
		fmt.Fprintf(&line, "  %-*s", width[0], row[0])
		for i := 1; i < len(row)-1; i++ {
			fmt.Fprintf(&line, "  %*s", width[i], row[i])
		}
		line.WriteString("  " + row[len(row)-1])
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
}

// number prints a figure with as many digits as it is worth.
func number(v float64) string {
	switch {
	case v == math.Trunc(v) && math.Abs(v) < 1e15:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case math.Abs(v) < 100:
		return strconv.FormatFloat(v, 'f', 2, 64)
	}
	return strconv.FormatFloat(v, 'f', 0, 64)
}

// millis prints milliseconds with their unit.
func millis(v float64) string {
	switch {
	case v >= 10_000:
		return strconv.FormatFloat(v/1000, 'f', 1, 64) + "s"
	case v < 10:
		return strconv.FormatFloat(v, 'f', 2, 64) + "ms"
	}
	return strconv.FormatFloat(v, 'f', 1, 64) + "ms"
}
