package loadtest

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Gate is a bound on one figure of a report, like "ack_p99<150ms".
type Gate struct {
	Metric string
	Op     string // <, <=, >, >= or ==
	Bound  float64
	text   string
}

// GateResult is a gate and the figure that it was checked against.
type GateResult struct {
	Gate string `json:"gate"`
	// Value is the measured figure, nil when nothing was measured: such a gate fails.
	Value *float64 `json:"value"`
	Pass  bool     `json:"pass"`
	show  string
}

// metric is a figure that gates can name. Durations are in milliseconds, as in the report.
type metric struct {
	name     string
	duration bool
	value    func(*Report) float64
}

// metrics is the list of figures, in the order in which errors list them.
var metrics = []metric{
	{"joined", false, func(r *Report) float64 { return float64(r.Bots.Joined) }},
	{"failed", false, func(r *Report) float64 { return float64(r.Bots.Failed) }},
	{"errors", false, func(r *Report) float64 { return float64(r.ErrorCount) }},
	{"fps_min", false, func(r *Report) float64 { return measured(r.FPS.Min, r.FPS.Count) }},
	{"fps_p50", false, func(r *Report) float64 { return measured(r.FPS.P50, r.FPS.Count) }},
	{"fps_mean", false, func(r *Report) float64 { return measured(r.FPS.Mean, r.FPS.Count) }},
	{"gap_p50", true, func(r *Report) float64 { return measured(r.Gap.P50, r.Gap.Count) }},
	{"gap_p99", true, func(r *Report) float64 { return measured(r.Gap.P99, r.Gap.Count) }},
	{"gap_max", true, func(r *Report) float64 { return measured(r.Gap.Max, r.Gap.Count) }},
	{"ack_p50", true, func(r *Report) float64 { return measured(r.Ack.P50, r.Ack.Count) }},
	{"ack_p99", true, func(r *Report) float64 { return measured(r.Ack.P99, r.Ack.Count) }},
	{"ack_max", true, func(r *Report) float64 { return measured(r.Ack.Max, r.Ack.Count) }},
	{"rtt_p50", true, func(r *Report) float64 { return measured(r.RTT.P50, r.RTT.Count) }},
	{"rtt_p99", true, func(r *Report) float64 { return measured(r.RTT.P99, r.RTT.Count) }},
	{"bytes_per_bot", false, func(r *Report) float64 { return measured(r.BytesIn, r.FPS.Count) }},
	{"bytes_out_per_bot", false, func(r *Report) float64 { return measured(r.BytesOut, r.FPS.Count) }},
	{"decode_errors", false, func(r *Report) float64 { return float64(r.DecodeErrors) }},
	{"hash_mismatches", false, func(r *Report) float64 { return float64(r.HashMismatches) }},
	{"resyncs", false, func(r *Report) float64 { return float64(r.Resyncs) }},
	{"resumes", false, func(r *Report) float64 { return float64(r.Resumes) }},
}

// measured is v, or NaN when it comes of no measurement at all.
func measured(v float64, n int64) float64 {
	if n == 0 {
		return math.NaN()
	}
	return v
}

// MetricNames returns the names that a gate can have.
func MetricNames() []string {
	names := make([]string, len(metrics))
	for i := range metrics {
		names[i] = metrics[i].name
	}
	return names
}

func findMetric(name string) *metric {
	for i := range metrics {
		if metrics[i].name == name {
			return &metrics[i]
		}
	}
	return nil
}

// ParseGate reads a gate: a name, an operator and a bound. The bounds of times need a unit, as in 150ms or 1.5s; those
// of other figures are plain numbers.
func ParseGate(s string) (Gate, error) {
	i := strings.IndexAny(s, "<>=!")
	if i < 0 {
		return Gate{}, fmt.Errorf("gate %q has no operator; write it like ack_p99<150ms", s)
	}
	op := s[i : i+1]
	if strings.HasPrefix(s[i+1:], "=") {
		op = s[i : i+2]
	}
	g := Gate{Metric: strings.TrimSpace(s[:i]), Op: op}
	bound := strings.TrimSpace(s[i+len(op):])
	g.text = g.Metric + op + bound
	m := findMetric(g.Metric)
	if m == nil {
		return Gate{}, fmt.Errorf("gate %q: no figure is named %q; there are %s", s, g.Metric, strings.Join(MetricNames(), ", "))
	}
	switch op {
	case "<", "<=", ">", ">=", "==":
	default:
		return Gate{}, fmt.Errorf("gate %q: no operator is spelt %q; there are <, <=, >, >= and ==", s, op)
	}
	if m.duration {
		d, err := time.ParseDuration(bound)
		if err != nil {
			return Gate{}, fmt.Errorf("gate %q: %s is a time, and %q is none like 150ms or 1.5s", s, g.Metric, bound)
		}
		g.Bound = float64(d) / float64(time.Millisecond)
		return g, nil
	}
	v, err := strconv.ParseFloat(bound, 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return Gate{}, fmt.Errorf("gate %q: %s is a number, and %q is none", s, g.Metric, bound)
	}
	g.Bound = v
	return g, nil
}

// String returns the gate as it was written, without spaces.
func (g Gate) String() string { return g.text }

// UnmarshalText makes a Gate of a command-line flag.
func (g *Gate) UnmarshalText(b []byte) (err error) {
	*g, err = ParseGate(string(b))
	return err
}

// check compares a report's figure with the gate.
func (g Gate) check(r *Report) GateResult {
	res := GateResult{Gate: g.text, show: "nothing measured"}
	m := findMetric(g.Metric)
	if m == nil {
		res.show = "no such figure" // a Gate that ParseGate did not make
		return res
	}
	v := m.value(r)
	if math.IsNaN(v) {
		return res
	}
	res.Value = &v
	res.show = strconv.FormatFloat(round(v), 'f', -1, 64) // all digits: a gate can fail by the last
	if m.duration {
		res.show += "ms"
	}
	switch g.Op {
	case "<":
		res.Pass = v < g.Bound
	case "<=":
		res.Pass = v <= g.Bound
	case ">":
		res.Pass = v > g.Bound
	case ">=":
		res.Pass = v >= g.Bound
	case "==":
		res.Pass = v == g.Bound
	}
	return res
}
