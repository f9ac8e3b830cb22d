package playback

import "github.com/prometheus/client_golang/prometheus"

// metrics of a process's sessions.
type metrics struct {
	sessions prometheus.Gauge
	viewers  prometheus.Gauge
	opened   *prometheus.CounterVec // by result
	ticks    *prometheus.CounterVec // by why they were run
	late     prometheus.Counter
	failed   prometheus.Counter
	stalls   prometheus.Counter
}

func newMetrics(r prometheus.Registerer) *metrics {
	m := &metrics{
		sessions: prometheus.NewGauge(prometheus.GaugeOpts{Name: "muster_playback_sessions", Help: "Recordings that are being shown."}),
		viewers:  prometheus.NewGauge(prometheus.GaugeOpts{Name: "muster_playback_viewers", Help: "Connections that watch a recording."}),
		opened: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "muster_playback_opened_total", Help: "Recordings that were to be shown: ok, or why not (busy, file, game, rules, stalled, view).",
		}, []string{"result"}),
		ticks: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "muster_playback_ticks_total", Help: "Recorded ticks that were run, to be shown (play) or on the way to another (seek).",
		}, []string{"why"}),
		late: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "muster_playback_late_total", Help: "Ticks in which a recording was shown slower than was wanted, since running it took too long or sessions had their share of the machine.",
		}),
		failed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "muster_playback_failed_total", Help: "Recordings that could not be played to their ends.",
		}),
		stalls: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "muster_playback_stalls_total", Help: "Recordings of which the rules did not return: each keeps a core busy until the process ends.",
		}),
	}
	if r != nil {
		r.MustRegister(m.sessions, m.viewers, m.opened, m.ticks, m.late, m.failed, m.stalls)
	}
	return m
}
