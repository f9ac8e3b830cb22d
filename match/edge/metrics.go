package edge

import (
	"strconv"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"muster/proto"
)

// metrics of an edge.
type metrics struct {
	connections prometheus.Gauge
	viewers     [len(classes)]prometheus.Gauge // by class
	bytesOut    prometheus.Counter
	written     atomic.Uint64 // what bytesOut says
	framesOut   prometheus.Counter
	skipped     prometheus.Counter
	messagesIn  prometheus.Counter
	limited     prometheus.Counter
	watchers    prometheus.Counter
	watchWrites prometheus.Counter
	watchSkips  prometheus.Counter
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
		skipped:     counter("muster_frames_skipped_total", "Frames that a slow viewer was passed over with."),
		messagesIn:  counter("muster_messages_in_total", "Messages read from match sockets."),
		limited:     counter("muster_messages_limited_total", "Messages dropped by the rate limit."),
		watchers:    counter("muster_spectator_inputs_total", "Inputs of those who only watch, passed over."),
		watchWrites: counter("muster_spectator_writes_total", "Writes to those who only watch, of several frames each."),
		watchSkips:  counter("muster_spectator_skips_total", "Times that one who watches was so slow that it began anew with a later keyframe."),
		closes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "muster_closes_total", Help: "Match sockets that the server closed, by code's name.",
		}, []string{"code"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "muster_handshakes_refused_total", Help: "Handshakes refused before the upgrade, by reason.",
		}, []string{"reason"}),
		panics: counter("muster_reader_panics_total", "Panics while reading a socket, each confined to it."),
	}
	viewers := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "muster_viewers", Help: "Viewers, by each how many ticks they get a frame.",
	}, []string{"every"})
	for i, every := range classes {
		m.viewers[i] = viewers.WithLabelValues(strconv.Itoa(int(every)))
	}
	for _, info := range proto.Codes {
		m.closes.WithLabelValues(info.Name)
	}
	if r != nil {
		r.MustRegister(m.connections, viewers, m.bytesOut, m.framesOut, m.skipped, m.messagesIn, m.limited, m.watchers, m.watchWrites, m.watchSkips, m.closes, m.refused, m.panics)
	}
	return m
}

// wrote counts bytes of messages.
func (m *metrics) wrote(n int) {
	m.bytesOut.Add(float64(n))
	m.written.Add(uint64(n)) //nolint:gosec // a length
}

// count moves a viewer to a class in muster_viewers. The room's goroutine calls it.
func (c *conn) count(class int) {
	was := c.counted.Load()
	if was < 0 || !c.counted.CompareAndSwap(was, int32(class+1)) { //nolint:gosec // an index
		return // it has ended
	}
	c.server.metrics.viewers[class].Inc()
	if was > 0 {
		c.server.metrics.viewers[was-1].Dec()
	}
}

// uncount takes a viewer that has ended out of muster_viewers.
func (c *conn) uncount() {
	if was := c.counted.Swap(-1); was > 0 {
		c.server.metrics.viewers[was-1].Dec()
	}
}
