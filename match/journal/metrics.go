package journal

import "github.com/prometheus/client_golang/prometheus"

// Metrics are what a process counts about its journals. No label holds a room's id.
type Metrics struct {
	bytes           prometheus.Counter
	behind          prometheus.Histogram
	seconds         prometheus.Histogram
	degraded        prometheus.Gauge
	errors          prometheus.Counter
	gaps            prometheus.Counter
	fenced          prometheus.Counter
	ticksDropped    prometheus.Counter
	checkpoints     prometheus.Counter
	segmentsDropped prometheus.Counter
	replaysDropped  prometheus.Counter
}

// NewMetrics returns metrics that are registered with r, where that is not nil.
func NewMetrics(r prometheus.Registerer) *Metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	histogram := func(name, help string, buckets []float64) prometheus.Histogram {
		return prometheus.NewHistogram(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets})
	}
	m := &Metrics{
		bytes: counter("muster_journal_bytes_total", "Bytes of records and checkpoints that were stored, before compression."),
		behind: histogram("muster_journal_behind_ticks", "How many ticks a room's journal was behind when it was written.",
			[]float64{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024}),
		seconds: histogram("muster_journal_store_seconds", "How long one call of the store took.",
			[]float64{.0005, .001, .002, .005, .01, .02, .05, .1, .2, .5, 1, 2, 5}),
		degraded: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "muster_journal_degraded_rooms", Help: "Rooms that go on and whose journal does not.",
		}),
		errors:          counter("muster_journal_errors_total", "Calls of the store that failed and were tried again."),
		gaps:            counter("muster_journal_gaps_total", "Times that a journal had to begin anew with a checkpoint."),
		fenced:          counter("muster_journal_fenced_total", "Rooms whose journal belonged to a newer epoch."),
		ticksDropped:    counter("muster_journal_ticks_dropped_total", "Ticks that are in no journal."),
		checkpoints:     counter("muster_journal_checkpoints_total", "Checkpoints that were stored."),
		segmentsDropped: counter("muster_journal_segments_dropped_total", "Segments of running rooms that were too old, too many or damaged."),
		replaysDropped:  counter("muster_journal_replays_dropped_total", "Replays that were too old or too many: of ended rooms, and of rooms that nobody went on with."),
	}
	if r != nil {
		r.MustRegister(m.bytes, m.behind, m.seconds, m.degraded, m.errors, m.gaps, m.fenced, m.ticksDropped, m.checkpoints,
			m.segmentsDropped, m.replaysDropped)
	}
	return m
}
