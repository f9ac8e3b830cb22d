package ticket

import "github.com/prometheus/client_golang/prometheus"

// Metrics of matchmaking. No label holds a player's or a ticket's id.
type Metrics struct {
	Tickets     *prometheus.CounterVec
	Waiting     *prometheus.GaugeVec
	Waited      prometheus.Histogram
	Looks       prometheus.Histogram
	Failures    prometheus.Counter
	Attempts    *prometheus.CounterVec
	Swept       *prometheus.CounterVec
	Leads       *prometheus.CounterVec
	Epoch       *prometheus.GaugeVec
	Fenced      *prometheus.CounterVec
	Reloads     *prometheus.CounterVec
	Differences *prometheus.CounterVec
}

// NewMetrics registers the metrics with r, which may be nil. failures is counted up for what fails and is made again.
func NewMetrics(r prometheus.Registerer, failures prometheus.Counter) *Metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	m := &Metrics{
		Tickets: counter("muster_tickets_total", "Tickets that came to a state, by queue.", "queue", "state"),
		Waiting: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "muster_tickets_waiting", Help: "Tickets that waited when the queue was last looked at.",
		}, []string{"queue"}),
		Waited: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "muster_ticket_wait_seconds", Help: "How long matched tickets waited.",
			Buckets: []float64{.01, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120, 300},
		}),
		Looks: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "muster_matchmaker_look_seconds", Help: "How long one look at a queue took.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5},
		}),
		Failures: failures,
		Attempts: counter("muster_match_attempts_total", "Match attempts that are over, by queue: started or failed.", "queue", "state"),
		Swept:    counter("muster_lobby_swept_total", "What was found whose time was over, or whose owner was gone.", "what"),
		Leads:    counter("muster_queue_leads_total", "How often this process began to lead a queue.", "queue"),
		Epoch: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "muster_queue_epoch", Help: "The epoch with which this process leads a queue; 0 where another does.",
		}, []string{"queue"}),
		Fenced:  counter("muster_queue_fenced_total", "Proposals of matches refused since another process leads the queue.", "queue"),
		Reloads: counter("muster_queue_reloads_total", "How often a queue was read anew since its log had a gap.", "queue"),
		Differences: counter("muster_queue_differences_total",
			"Tickets that this process believed to wait and did not, or the other way round.", "queue"),
	}
	if r != nil {
		r.MustRegister(m.Tickets, m.Waiting, m.Waited, m.Looks, m.Attempts, m.Swept, m.Leads, m.Epoch, m.Fenced, m.Reloads, m.Differences)
	}
	return m
}
