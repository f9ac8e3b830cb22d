package match

import "github.com/prometheus/client_golang/prometheus"

// metrics of a host. No label holds a room's or a player's id.
type metrics struct {
	rooms         prometheus.Gauge
	players       prometheus.Gauge
	spectators    prometheus.Gauge
	duration      prometheus.Histogram
	lateness      prometheus.Histogram
	overruns      prometheus.Counter
	inputs        prometheus.Counter
	inputsDropped prometheus.Counter
	resyncs       prometheus.Counter
	panics        prometheus.Counter
	newsDropped   prometheus.Counter
	inputsRefused prometheus.Counter
	stalls        prometheus.Counter
	healed        prometheus.Counter
	restored      prometheus.Counter
	asleep        prometheus.Gauge
	overload      prometheus.Gauge
	held          prometheus.Gauge
	abandoned     prometheus.Counter
	tickShare     prometheus.Gauge
	tickP50       prometheus.Gauge
	tickP99       prometheus.Gauge
	orders        *prometheus.CounterVec

	eventsForgotten prometheus.Counter
	keptBytes       prometheus.Gauge
	keptLimit       prometheus.Gauge
	castsLeftOut    prometheus.Counter
}

// tickBuckets spread over what a tick may take: 20 µs to half a second.
var tickBuckets = []float64{.00002, .00005, .0001, .0002, .0005, .001, .002, .005, .01, .02, .05, .1, .2, .5}

func newMetrics(r prometheus.Registerer) *metrics {
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
	}
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	histogram := func(name, help string) prometheus.Histogram {
		return prometheus.NewHistogram(prometheus.HistogramOpts{Name: name, Help: help, Buckets: tickBuckets})
	}
	m := &metrics{
		rooms:         gauge("muster_rooms", "Rooms that this process runs."),
		players:       gauge("muster_players", "Players who have a seat, those who dropped included."),
		spectators:    gauge("muster_spectators", "Connections that watch a room without a seat."),
		duration:      histogram("muster_tick_duration_seconds", "How long a tick took, sending included."),
		lateness:      histogram("muster_tick_lateness_seconds", "How long after its due time a tick began."),
		overruns:      counter("muster_tick_overruns_total", "Times that a room was so late that its schedule began anew."),
		inputs:        counter("muster_inputs_total", "Inputs taken in, repeats left out."),
		inputsDropped: counter("muster_inputs_dropped_total", "Inputs that found a room's inbox full."),
		resyncs:       counter("muster_resyncs_total", "Keyframes that clients asked for."),
		panics:        counter("muster_rules_panics_total", "Panics of games' rules."),
		newsDropped:   counter("muster_directory_dropped_total", "News of rooms, mostly freed seats, that was too much at once: the directory is told with the room's next renewal."),
		inputsRefused: counter("muster_inputs_refused_total", "Inputs that the games' rules refused."),
		stalls:        counter("muster_rules_stalls_total", "Rooms given up because the rules did not return."),
		healed:        counter("muster_rooms_healed_total", "Rooms that went on after a panic of their rules."),
		restored:      counter("muster_rooms_restored_total", "Rooms that went on from their journals."),
		asleep:        gauge("muster_rooms_asleep", "Rooms that do not tick because nobody is connected."),
		overload:      gauge("muster_overload_level", "0: all is well; 1, 2: ticks are late, frames go out at every 2nd or 3rd tick, new rooms are refused."),
		held:          gauge("muster_rooms_held", "Rooms that wait since this process is not sure that it may run them."),
		abandoned:     counter("muster_rooms_abandoned_total", "Rooms that ended here because another process has taken them over."),
		tickShare:     gauge("muster_tick_share", "Share of the processors' time that ticks took within the last second."),

		orders: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "muster_orders_total", Help: "Orders of backends and operators for rooms of this process, by what came of them.",
		}, []string{"outcome"}),

		eventsForgotten: counter("muster_events_forgotten_total", "Events of seats without a connection that were too many to keep."),
		keptBytes:       gauge("muster_spectator_kept_bytes", "Bytes that are kept for those who watch: what waits for the delay, and what others begin with."),
		keptLimit:       gauge("muster_spectator_kept_limit_bytes", "Bytes that may be kept for those who watch, in all rooms together."),
		castsLeftOut:    counter("muster_spectator_frames_left_out_total", "Frames that nobody who watches is shown, since too much is kept for them, of a room or of all."),
	}
	quantiles := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "muster_tick_quantile_seconds", Help: "What half (0.5) and 99 in 100 (0.99) of the ticks of the last five seconds did not exceed, to an eighth.",
	}, []string{"quantile"})
	m.tickP50, m.tickP99 = quantiles.WithLabelValues("0.5"), quantiles.WithLabelValues("0.99")
	if r != nil {
		r.MustRegister(m.rooms, m.players, m.spectators, m.duration, m.lateness, m.overruns, m.inputs, m.inputsDropped, m.resyncs, m.panics,
			m.newsDropped, m.eventsForgotten, m.inputsRefused, m.stalls, m.healed, m.restored, m.asleep, m.overload, m.held, m.abandoned, m.tickShare,
			quantiles, m.keptBytes, m.keptLimit, m.castsLeftOut, m.orders)
	}
	return m
}
