package lobby

import "github.com/prometheus/client_golang/prometheus"

// metrics of a lobby. No label holds a player's or a ticket's id.
type metrics struct {
	failures prometheus.Counter
	results  *prometheus.CounterVec
	limited  prometheus.Counter
	refused  prometheus.Counter

	rooms      *prometheus.CounterVec
	joins      *prometheus.CounterVec
	wrongCodes prometheus.Counter

	creating   prometheus.Gauge
	overloaded prometheus.Counter
}

func newMetrics(r prometheus.Registerer) *metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	m := &metrics{
		failures: counter("muster_lobby_failures_total", "What failed in the background and is done again: looks at queues, stores of results."),
		results: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "muster_results_total", Help: "Results of matches stored, by game.",
		}, []string{"game"}),
		limited: counter("muster_requests_limited_total", "Requests refused by the rate limit."),
		rooms: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "muster_rooms_made_total", Help: "Rooms that players made, by game.",
		}, []string{"game"}),
		joins: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "muster_room_joins_total", Help: "Seats given without a ticket, by the way to the room: id, code, name or create.",
		}, []string{"way"}),
		wrongCodes: counter("muster_room_codes_wrong_total", "Join codes that lead to no room."),
		refused:    counter("muster_requests_unauthorized_total", "Requests without a valid player token."),
		creating: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "muster_requests_creating", Help: "Requests under way that make something new: tickets, rooms, parties, groups, replays that are shown.",
		}),
		overloaded: counter("muster_requests_overloaded_total", "Requests refused because too many that make something new were under way."),
	}
	if r != nil {
		r.MustRegister(m.failures, m.results, m.limited, m.refused, m.rooms, m.joins, m.wrongCodes, m.creating, m.overloaded)
	}
	return m
}
