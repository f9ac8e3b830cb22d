package cmd

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"muster/internal/testmetric"
	"muster/lobby/queue"
)

const goodQueues = `queues:
  duel:
    game: arena
    teams: 2
    team_size: 1
    rules: [{name: near, holds: a.attributes.level - b.attributes.level < 5}]
`

// reloading is a file of queues, and what the lobby was given of it.
type reloading struct {
	*queues
	t     *testing.T
	reg   *prometheus.Registry
	name  string
	logs  *observer.ObservedLogs
	given [][]queue.Rules
	err   error // that the lobby answers with
}

func newReloading(t *testing.T) *reloading {
	t.Helper()
	core, logs := observer.New(zapcore.InfoLevel)
	r := &reloading{t: t, reg: prometheus.NewRegistry(), name: filepath.Join(t.TempDir(), "queues.yaml"), logs: logs}
	r.queues = newQueues(r.name, withArena, zap.New(core), r.reg)
	return r
}

func (r *reloading) write(text string) {
	r.t.Helper()
	must(r.t, os.WriteFile(r.name, []byte(text), 0o600))
}

func (r *reloading) set(rules []queue.Rules) error {
	r.given = append(r.given, rules)
	return r.err
}

// counted is the sum of a metric.
func (r *reloading) counted(name string) float64 {
	r.t.Helper()
	return testmetric.Sum(r.t, r.reg, name)
}

func TestEachGameHasAQueueOfItsNameWhereNoFileSaysOtherwise(t *testing.T) {
	q := newQueues("", withArena, zap.NewNop(), prometheus.NewRegistry())
	rules, err := q.read()
	must(t, err)
	seats := withArena[0].Rules().Seats
	if len(rules) != 1 || rules[0].Name != "arena" || rules[0].Game != "arena" || rules[0].TeamSize != seats || rules[0].Min != 1 || !rules[0].Backfill {
		t.Errorf("got %+v", rules)
	}
}

func TestReloadedQueuesReplaceTheOldOnes(t *testing.T) {
	r := newReloading(t)
	r.write(goodQueues)
	r.reload(r.set)
	if len(r.given) != 1 || len(r.given[0]) != 1 || r.given[0][0].Name != "duel" {
		t.Fatalf("the lobby was given %+v", r.given)
	}
	if n := r.logs.FilterMessage("the queues' rules were read").Len(); n != 1 {
		t.Errorf("the log says %v", r.logs.All())
	}
	// What an expression cannot work out is counted each time and logged once for each reading of the file.
	holds := r.given[0][0].Conditions[0].Holds
	fails := func() {
		for range 3 {
			if holds(&queue.Ticket{Attributes: map[string]any{"level": "x"}}, &queue.Ticket{}, 0) {
				t.Error("it holds")
			}
		}
	}
	fails()
	r.reload(r.set)
	fails()
	if n := r.counted("muster_queue_rule_failures_total"); n != 6 {
		t.Errorf("%v failures are counted, want 6", n)
	}
	if n := r.logs.FilterField(zap.String("rule", "near")).Len(); n != 2 {
		t.Errorf("%d failures are in the log, want 2", n)
	}
}

func TestAFileWithAMistakeChangesNothingAndTheLogNamesTheLine(t *testing.T) {
	r := newReloading(t)
	r.write(goodQueues + "    conect: 5s\n    confirm: 1\n")
	r.reload(r.set)
	if len(r.given) != 0 {
		t.Errorf("the lobby was given %+v", r.given)
	}
	all := r.logs.FilterLevelExact(zapcore.ErrorLevel).All()
	if len(all) != 2 {
		t.Fatalf("the log says %v, want two errors", all)
	}
	if f := all[0].ContextMap(); f["file"] != r.name || f["line"] != int64(7) || f["mistake"] != `"conect" is no key here, did you mean connect?` {
		t.Errorf("the log says %v", f)
	}
	if f := all[1].ContextMap(); f["line"] != int64(8) {
		t.Errorf("the log says %v", f)
	}
	if n := r.counted("muster_queue_file_loads_total"); n != 1 {
		t.Errorf("%v bad loads are counted", n)
	}
	must(t, os.Remove(r.name))
	r.reload(r.set)
	r.write(goodQueues)
	r.err = errors.New("not now")
	r.reload(r.set)
	if n := r.logs.FilterMessage("the queues were not changed: the old rules stay").Len(); n != 2 {
		t.Errorf("the log says %v, want that a file that is gone and a lobby that refuses change nothing", r.logs.All())
	}
}

func TestAHangupReadsTheQueuesAgain(t *testing.T) {
	heard := make(chan struct{}, 10)
	stop := onHangup(func() { heard <- struct{}{} })
	for range 2 {
		must(t, syscall.Kill(os.Getpid(), syscall.SIGHUP))
		select {
		case <-heard:
		case <-soon(t).Done():
			t.Fatal("nothing was read")
		}
	}
	must(t, stop(t.Context()))
}
