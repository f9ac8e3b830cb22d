package matchtest

import (
	"slices"
	"testing"

	"muster/match"
)

// defaultRuns is how often Deterministic plays a script.
const defaultRuns = 8

// maxTrace bounds the states that Deterministic keeps for its report, in bytes.
const maxTrace = 64 << 20

// Deterministic plays a script so many times (0 is 8) and ends the test when a run is not as the first: with the first
// tick, the first column and the rows that differ, or with the events. Every second run goes on from a checkpoint on its
// way, each at another place. What it finds are maps that are ranged over (Go shuffles each time), the clock, the global
// random source, other goroutines, and whatever the rules remember outside of their state: in their own struct, in package
// variables, in fields that are not exported.
func Deterministic(t testing.TB, game match.Game, s Script, runs int) {
	t.Helper()
	if runs == 0 {
		runs = defaultRuns
	}
	if runs < 2 {
		t.Fatalf("matchtest: %d run has none to be compared with", runs)
	}
	first := &trace{}
	r := New(t, game, s.Config)
	r.play(s, func() { first.add(r) })
	last := uint32(len(first.sums)) //nolint:gosec // ticks
	for i := 1; i < runs; i++ {
		restart, how := uint32(0), ""
		if i%2 == 1 {
			restart = max(1, last*uint32((i+1)/2)/uint32(runs/2+1)) //nolint:gosec // small
			how = " (restored from a checkpoint on its way)"
		}
		r := New(t, game, s.Config)
		tick := uint32(0)
		r.play(s, func() {
			tick++
			first.compare(r, tick, i+1, how)
			if tick == restart && !r.ended {
				r.Restart()
			}
		})
		if tick != last {
			t.Fatalf("matchtest: run %d%s of the script ends at tick %d, the first at %d", i+1, how, tick, last)
		}
	}
}

// trace is what a run was, tick by tick.
type trace struct {
	sums   [][]uint64
	said   [][]string
	states [][]byte // checkpoints, as far as maxTrace goes
	size   int
}

func (tr *trace) add(r *Room) {
	r.t.Helper()
	tr.sums = append(tr.sums, r.sums())
	tr.said = append(tr.said, slices.Clone(r.said))
	if tr.size > maxTrace {
		return
	}
	cp, err := r.run.Checkpoint()
	if err != nil {
		r.failed("taking a checkpoint", err)
	}
	tr.states = append(tr.states, cp.Data)
	tr.size += len(cp.Data)
}

// sums are those of the state's columns.
func (r *Room) sums() []uint64 {
	r.t.Helper()
	sums, err := r.game.Schema().ColumnSums(r.run.State(), nil)
	if err != nil {
		r.t.Fatalf("matchtest: %v", err)
	}
	return sums
}

// compare ends the test when a run differs from the trace at a tick.
func (tr *trace) compare(r *Room, tick uint32, run int, how string) {
	r.t.Helper()
	if int(tick) > len(tr.sums) {
		r.t.Fatalf("matchtest: run %d%s of the script goes on after tick %d, where the first ended", run, how, tick-1)
	}
	sums := r.sums()
	for i, want := range tr.sums[tick-1] {
		if sums[i] != want {
			r.t.Fatalf("matchtest: run %d%s differs from the first at tick %d: %s%s", run, how, tick,
				r.game.Schema().ColumnName(i), indented(tr.differences(r, tick)))
		}
	}
	if want := tr.said[tick-1]; !slices.Equal(r.said, want) {
		i := 0
		for i < len(want) && i < len(r.said) && want[i] == r.said[i] {
			i++
		}
		r.t.Fatalf("matchtest: run %d%s differs from the first at tick %d, in what it does outside of its state:\n\tfirst: %s\n\tnow:   %s",
			run, how, tick, nth(want, i), nth(r.said, i))
	}
}

func nth(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return "nothing"
}

// maxRows is how many differing values a report names.
const maxRows = 10

// differences names the rows that differ, the trace's against the run's.
func (tr *trace) differences(r *Room, tick uint32) []string {
	r.t.Helper()
	if int(tick) > len(tr.states) {
		return nil
	}
	was := r.at(tr.states[tick-1])
	rows, err := r.game.Schema().Differences(was.State(), r.run.State(), maxRows)
	if err != nil {
		r.t.Fatalf("matchtest: %v", err)
	}
	return rows
}
