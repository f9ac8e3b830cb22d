package cluster

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"muster/match/cluster/ownership"
)

// leaseMetrics are what a member counts. No label holds a node's id.
type leaseMetrics struct {
	state    prometheus.Gauge
	peers    prometheus.Gauge
	seconds  prometheus.Histogram
	failures prometheus.Counter
	lost     prometheus.Counter
	fences   prometheus.Counter
	probes   *prometheus.CounterVec
	refused  prometheus.Counter
}

// What the gauge of a lease's state says.
const (
	leaseHeld    = 0 // Redis has renewed it
	leaseWithout = 1 // rooms run without Redis: every peer has lost it too, or there is none
	leaseOver    = 2 // rooms wait
)

func newLeaseMetrics(r prometheus.Registerer) *leaseMetrics {
	m := &leaseMetrics{
		state: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "muster_lease_state", Help: "0: this node holds its lease; 1: its rooms run without Redis; 2: its rooms wait.",
		}),
		peers: prometheus.NewGauge(prometheus.GaugeOpts{Name: "muster_lease_peers", Help: "Other nodes that held their leases at the newest renewal."}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "muster_lease_renew_seconds", Help: "How long a renewal of the lease took.",
			Buckets: []float64{.0005, .001, .002, .005, .01, .02, .05, .1, .2, .4},
		}),
		failures: prometheus.NewCounter(prometheus.CounterOpts{Name: "muster_lease_renew_failures_total", Help: "Attempts to renew the lease that Redis did not answer in time."}),
		lost:     prometheus.NewCounter(prometheus.CounterOpts{Name: "muster_lease_lost_total", Help: "Times that others took over what ran here."}),
		fences:   prometheus.NewCounter(prometheus.CounterOpts{Name: "muster_lease_fences_total", Help: "Nodes that this one has fenced, since their leases were over."}),
		probes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "muster_lease_probes_total", Help: "Questions of nodes to each other, by whether this node asked, and by the answer.",
		}, []string{"side", "answer"}),
		refused: prometheus.NewCounter(prometheus.CounterOpts{Name: "muster_lease_probes_refused_total", Help: "Questions that no node of this deployment has asked."}),
	}
	if r != nil {
		r.MustRegister(m.state, m.peers, m.seconds, m.failures, m.lost, m.fences, m.probes, m.refused)
	}
	return m
}

// note sets what the machine says.
func (c *leaseMetrics) note(m *ownership.Machine, now time.Duration) {
	switch {
	case now >= m.Until():
		c.state.Set(leaseOver)
	case m.Held(now):
		c.state.Set(leaseHeld)
	default:
		c.state.Set(leaseWithout)
	}
	c.peers.Set(float64(len(m.Live())))
}

func (c *leaseMetrics) asked(r ownership.Reply) { c.probes.WithLabelValues("asked", r.String()).Inc() }

func (c *leaseMetrics) answered(r ownership.Reply) {
	c.probes.WithLabelValues("answered", r.String()).Inc()
}
