package cmd

import (
	"bufio"
	"cmp"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// requests counts what is asked of a server, by its routes, whose number is fixed.
type requests struct {
	answers *prometheus.CounterVec
	took    *prometheus.HistogramVec
}

func newRequests(reg prometheus.Registerer) *requests {
	q := &requests{
		answers: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "muster_requests_total", Help: "HTTP requests answered, by route and status; 101 is one that became a socket.",
		}, []string{"route", "status"}),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "muster_request_seconds", Help: "How long HTTP requests took, sockets left out; those that wait for news are long.",
			Buckets: []float64{.005, .025, .1, .5, 2.5},
		}, []string{"route"}),
	}
	reg.MustRegister(q.answers, q.took)
	return q
}

// count is called around a request. The route is known once the mux has seen it.
func (q *requests) count(w http.ResponseWriter, r *http.Request, next http.Handler) {
	began, a := time.Now(), &answered{ResponseWriter: w}
	defer func() {
		route := cmp.Or(r.Pattern, "none")
		if a.status == http.StatusSwitchingProtocols {
			q.answers.WithLabelValues(route, "101").Inc()
			return
		}
		q.answers.WithLabelValues(route, strconv.Itoa(cmp.Or(a.status, http.StatusOK))).Inc()
		q.took.WithLabelValues(route).Observe(time.Since(began).Seconds())
	}()
	next.ServeHTTP(a, r)
}

// answered knows what a request was answered with.
type answered struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (a *answered) WriteHeader(status int) {
	if a.status == 0 || a.status < http.StatusOK { // what comes before the answer is none
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

// Hijack implements http.Hijacker: the request becomes a socket.
func (a *answered) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	a.status = http.StatusSwitchingProtocols
	return http.NewResponseController(a.ResponseWriter).Hijack() //nolint:wrapcheck // the server's own
}

// Unwrap is what http.ResponseController uses.
func (a *answered) Unwrap() http.ResponseWriter { return a.ResponseWriter }
