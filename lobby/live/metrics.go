package live

import (
	"github.com/prometheus/client_golang/prometheus"

	"muster/proto"
)

// metrics of the lobby's sockets. No label holds a player's id or what a client sent.
type metrics struct {
	connections prometheus.Gauge
	events      prometheus.Counter
	latency     prometheus.Histogram
	missed      prometheus.Counter
	failures    prometheus.Counter
	requests    *prometheus.CounterVec
	limited     prometheus.Counter
	closes      *prometheus.CounterVec
	refused     *prometheus.CounterVec
	panics      prometheus.Counter
	published   prometheus.Counter
	unpublished prometheus.Counter
}

func newMetrics(r prometheus.Registerer) *metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	m := &metrics{
		connections: prometheus.NewGauge(prometheus.GaugeOpts{Name: "muster_lobby_connections", Help: "Open lobby sockets."}),
		events:      counter("muster_lobby_events_total", "Events written to lobby sockets."),
		latency: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "muster_lobby_event_seconds", Help: "From an event's post, by Redis's clock, to its write to a socket that was there.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}),
		missed:   counter("muster_lobby_missed_total", "Times that a client was told that events are gone."),
		failures: counter("muster_lobby_reads_failed_total", "Reads of inboxes and presence that failed and are made again."),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "muster_lobby_requests_total", Help: "Requests on lobby sockets, by name and outcome: ok, refused or failed.",
		}, []string{"do", "outcome"}),
		limited: counter("muster_lobby_messages_limited_total", "Messages on lobby sockets over the rate limit."),
		closes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "muster_lobby_closes_total", Help: "Lobby sockets that the server closed, by code's name.",
		}, []string{"code"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "muster_lobby_handshakes_refused_total", Help: "Handshakes refused before the upgrade, by reason.",
		}, []string{"reason"}),
		published:   counter("muster_lobby_published_total", "Published events that were written to lobby sockets."),
		unpublished: counter("muster_lobby_unpublished_total", "Published events that were not written to a lobby socket: the client had not read, or too much was published at once."),
		panics:      counter("muster_lobby_reader_panics_total", "Panics while reading a lobby socket, each confined to it."),
	}
	for _, info := range proto.Codes {
		m.closes.WithLabelValues(info.Name)
	}
	if r != nil {
		r.MustRegister(m.connections, m.events, m.latency, m.missed, m.failures, m.requests, m.limited, m.closes, m.refused, m.panics, m.published, m.unpublished)
	}
	return m
}
