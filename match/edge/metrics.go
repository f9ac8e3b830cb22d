package edge

import (
	"github.com/prometheus/client_golang/prometheus"

	"muster/proto"
)

// metrics of an edge.
type metrics struct {
	connections prometheus.Gauge
	bytesOut    prometheus.Counter
	framesOut   prometheus.Counter
	skipped     prometheus.Counter
	messagesIn  prometheus.Counter
	limited     prometheus.Counter
	closes      *prometheus.CounterVec
	refused     *prometheus.CounterVec
	panics      prometheus.Counter
}

func newMetrics(r prometheus.Registerer) *metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	m := &metrics{
		connections: prometheus.NewGauge(prometheus.GaugeOpts{Name: "muster_connections", Help: "Open match sockets."}),
		bytesOut:    counter("muster_bytes_out_total", "Bytes of messages written to match sockets."),
		framesOut:   counter("muster_frames_out_total", "Frames written to match sockets."),
		skipped:     counter("muster_frames_skipped_total", "Frames that a congested viewer was passed over with."),
		messagesIn:  counter("muster_messages_in_total", "Messages read from match sockets."),
		limited:     counter("muster_messages_limited_total", "Messages dropped by the rate limit."),
		closes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "muster_closes_total", Help: "Match sockets that the server closed, by code's name.",
		}, []string{"code"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "muster_handshakes_refused_total", Help: "Handshakes refused before the upgrade, by reason.",
		}, []string{"reason"}),
		panics: counter("muster_reader_panics_total", "Panics while reading a socket, each confined to it."),
	}
	for _, info := range proto.Codes {
		m.closes.WithLabelValues(info.Name)
	}
	if r != nil {
		r.MustRegister(m.connections, m.bytesOut, m.framesOut, m.skipped, m.messagesIn, m.limited, m.closes, m.refused, m.panics)
	}
	return m
}
