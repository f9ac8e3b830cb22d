package cluster

import "github.com/prometheus/client_golang/prometheus"

// linksMetrics are what Links count.
type linksMetrics struct {
	sent, sentBytes  prometheus.Counter
	taken, takeBytes prometheus.Counter
	gaps, gones      prometheus.Counter
	peers, live      prometheus.Gauge
	drops            *prometheus.CounterVec
}

func newLinksMetrics(r prometheus.Registerer) *linksMetrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
	}
	m := &linksMetrics{
		sent:      counter("muster_links_sent_total", "Envelopes that were sent to other nodes; one has all that waited for its node."),
		sentBytes: counter("muster_links_sent_bytes_total", "Bytes of the envelopes that were sent to other nodes."),
		taken:     counter("muster_links_received_total", "Envelopes of other nodes that were taken."),
		takeBytes: counter("muster_links_received_bytes_total", "Bytes of the envelopes of other nodes that were taken."),
		gaps:      counter("muster_links_gaps_total", "Times that messages of a node were lost, or may have been."),
		gones:     counter("muster_links_gone_total", "Nodes of which nothing was heard for five seconds."),
		peers:     gauge("muster_links_peers", "Nodes with which messages were exchanged lately."),
		live:      gauge("muster_links_live", "1: this node hears what it sends to itself over Redis."),
		drops: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "muster_links_dropped_total",
			Help: "What was dropped. Messages: full (too much waited), peers (too many nodes). Envelopes: redis (not published), " +
				"mac (not of this cluster), to (for another node), version, malformed, old (a number that was used or overtaken).",
		}, []string{"reason"}),
	}
	for _, reason := range []string{"full", "peers", "redis", "mac", "to", "version", "malformed", "old"} {
		m.drops.WithLabelValues(reason)
	}
	if r != nil {
		r.MustRegister(m.sent, m.sentBytes, m.taken, m.takeBytes, m.gaps, m.gones, m.peers, m.live, m.drops)
	}
	return m
}

func (m *linksMetrics) dropped(reason string) { m.drops.WithLabelValues(reason).Inc() }
