package bridge

import "github.com/prometheus/client_golang/prometheus"

// The halves of a bridge, as its metrics name them.
const (
	edgeHalf = iota
	hostHalf
)

var halves = [...]string{edgeHalf: "edge", hostHalf: "host"}

type metrics struct {
	sessions [len(halves)]prometheus.Gauge
	viewers  [len(halves)]prometheus.Gauge
	ticks    [len(halves)]prometheus.Counter
	casts    [len(halves)]prometheus.Counter
	givenUp  [len(halves)]prometheus.Counter
	gaps     prometheus.Counter
	resyncs  prometheus.Counter
	repeats  prometheus.Counter
	unsent   prometheus.Counter
	unread   prometheus.Counter

	keyframes prometheus.Counter
	malformed prometheus.Counter
}

func newMetrics(r prometheus.Registerer) *metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	sessions := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "muster_bridge_rooms", Help: "Rooms that are bridged, by the half that this process is.",
	}, []string{"half"})
	viewers := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "muster_bridge_viewers", Help: "Viewers that are bridged, by the half that this process is.",
	}, []string{"half"})
	ticks := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "muster_bridge_ticks_total", Help: "Messages with a room's tick, by half: sent by the host, applied by the edge.",
	}, []string{"half"})
	casts := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "muster_bridge_casts_total", Help: "Messages with what a room says to those who watch it, by half: sent by the host, taken by the edge.",
	}, []string{"half"})
	givenUp := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "muster_bridge_given_up_total", Help: "Bridged rooms that were given up since the other node was silent, gone or too slow.",
	}, []string{"half"})
	m := &metrics{
		gaps:      counter("muster_bridge_gaps_total", "Times that ticks of a bridged room were missing at the edge."),
		resyncs:   counter("muster_bridge_resyncs_total", "Times that a host began anew with keyframes for an edge."),
		repeats:   counter("muster_bridge_repeats_total", "Messages between nodes that were sent again."),
		unsent:    counter("muster_bridge_unsent_total", "Messages to nodes for which too much waited already."),
		unread:    counter("muster_bridge_unread_total", "Messages of bridged rooms that the edge was too slow to read."),
		keyframes: counter("muster_bridge_keyframes_total", "Keyframes that clients of bridged rooms asked for."),
		malformed: counter("muster_bridge_malformed_total", "Messages from other nodes that could not be read."),
	}
	for i, half := range halves {
		m.sessions[i], m.viewers[i] = sessions.WithLabelValues(half), viewers.WithLabelValues(half)
		m.casts[i] = casts.WithLabelValues(half)
		m.ticks[i], m.givenUp[i] = ticks.WithLabelValues(half), givenUp.WithLabelValues(half)
	}
	if r != nil {
		r.MustRegister(sessions, viewers, ticks, casts, givenUp, m.gaps, m.resyncs, m.repeats, m.unsent, m.unread, m.keyframes, m.malformed)
	}
	return m
}
