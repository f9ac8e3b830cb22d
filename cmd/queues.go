package cmd

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"muster/lobby/queue"
	"muster/lobby/queuefile"
)

// queues are those of a running server, which a file may change. Without a file there is one for each game that is for
// all, by its name, in which one joins a match that runs or starts one.
type queues struct {
	file  string // "" is none
	games []Game
	log   *zap.Logger

	loads    *prometheus.CounterVec
	failures *prometheus.CounterVec

	mu    sync.Mutex
	heard map[[2]string]bool // queues and rules of which a failure is in the log since the file was read
}

func newQueues(file string, games []Game, log *zap.Logger, reg prometheus.Registerer) *queues {
	q := &queues{
		file: file, games: games, log: log, heard: map[[2]string]bool{},
		loads: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "muster_queue_file_loads_total", Help: "Times that the file of queues was read, by outcome: ok, or bad, which changes nothing.",
		}, []string{"outcome"}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "muster_queue_rule_failures_total", Help: "Times that a queue's own rule could not be worked out for two tickets, and so did not hold.",
		}, []string{"queue", "rule"}),
	}
	for _, outcome := range []string{"ok", "bad"} { // there from the start: an alert is on the first that is bad
		q.loads.WithLabelValues(outcome)
	}
	reg.MustRegister(q.loads, q.failures)
	return q
}

// read returns the rules of now.
func (q *queues) read() ([]queue.Rules, error) {
	if q.file == "" {
		list := make([]queue.Rules, 0, len(q.games))
		for _, g := range q.games {
			if g.Rules().Role != "" {
				continue // who has the role knows the room that he wants
			}
			list = append(list, queue.Rules{Name: g.Name(), Game: g.Name(), TeamSize: g.Rules().Seats, Min: 1, Backfill: true})
		}
		return list, nil
	}
	rules, err := queuefile.Open(q.file, queuefile.Options{Seats: seatsOf(q.games), Watched: watchedOf(q.games), Failed: q.failed})
	if err != nil {
		q.loads.WithLabelValues("bad").Inc()
		return nil, err //nolint:wrapcheck // names the file and the lines
	}
	q.loads.WithLabelValues("ok").Inc()
	return rules, nil
}

// failed counts an expression that could not be worked out, and logs the first of each rule.
func (q *queues) failed(name, rule string, err error) {
	q.failures.WithLabelValues(name, rule).Inc()
	q.mu.Lock()
	first := !q.heard[[2]string{name, rule}]
	q.heard[[2]string{name, rule}] = true
	q.mu.Unlock()
	if first {
		q.log.Warn("a queue's own rule could not be worked out, so it does not hold", zap.String("queue", name), zap.String("rule", rule), zap.Error(err))
	}
}

// reload reads the file again and hands its rules to set. Where anything is wrong the old ones stay.
func (q *queues) reload(set func([]queue.Rules) error) {
	rules, err := q.read()
	if err == nil {
		err = set(rules)
	}
	var list queuefile.Mistakes
	switch {
	case errors.As(err, &list):
		for _, m := range list {
			q.log.Error("the file of queues has a mistake, so the old rules stay",
				zap.String("file", m.File), zap.Int("line", m.Line), zap.String("mistake", m.Text))
		}
	case err != nil:
		q.log.Error("the queues were not changed: the old rules stay", zap.String("file", q.file), zap.Error(err))
	default:
		q.mu.Lock()
		clear(q.heard)
		q.mu.Unlock()
		q.log.Info("the queues' rules were read", zap.String("file", q.file), zap.Int("queues", len(rules)))
	}
}

// onHangup calls reload at each SIGHUP until stop. Those that come during a reload are one more.
func onHangup(reload func()) (stop func(context.Context) error) {
	hup, closing, done := make(chan os.Signal, 1), make(chan struct{}), make(chan struct{})
	signal.Notify(hup, syscall.SIGHUP)
	go func() {
		defer close(done)
		for {
			select {
			case <-closing:
				return
			case <-hup:
				reload()
			}
		}
	}()
	return func(context.Context) error {
		signal.Stop(hup)
		close(closing)
		<-done
		return nil
	}
}
