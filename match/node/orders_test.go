package node_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"muster/match"
	"muster/match/cluster"
)

// order gives a room a payment. Where it is heard of, every process is told, as by a notice.
func (w *world) order(room, id string, amount int, heard bool) error {
	err := w.dir.Order(context.Background(), room, cluster.Order{
		ID: id, Kind: cluster.OrderInput, Digest: "d", Body: fmt.Appendf(nil, `{"Op":%d,"Amount":%d}`, opPay, amount),
	})
	if heard {
		w.hear(room)
	}
	return err //nolint:wrapcheck // the test's
}

func (w *world) hear(room string) {
	for _, p := range w.alive() {
		p.host.Ordered(room, false)
	}
}

// blamed says whether a room has failed since it has stopped as many hosts as it may, as far as anybody can say.
func (w *world) blamed(room string) bool {
	rec, err := w.dir.Room(context.Background(), room)
	return err == nil && rec.Failed != nil && rec.Attempts >= 2
}

func (w *world) outcome(room, id string) string {
	o, err := w.dir.Outcome(context.Background(), room, id)
	if err != nil {
		return err.Error()
	}
	return o.State
}

// page is the ledger as an operator sees it; empty where its room is given up.
func (w *world) page(room, id string) (sum, n int) {
	w.t.Helper()
	if err := w.dir.Order(context.Background(), room, cluster.Order{ID: id, Kind: cluster.OrderState, Asks: true}); err != nil {
		if errors.Is(err, cluster.ErrNoRoom) && w.blamed(room) {
			return 0, 0
		}
		w.t.Fatal(err)
	}
	w.hear(room)
	var o cluster.Outcome
	within(w.t, time.Minute, "the state is told", func() bool {
		o, _ = w.dir.Outcome(context.Background(), room, id)
		return o.State == cluster.OrderDone || w.blamed(room)
	})
	if o.State != cluster.OrderDone {
		return 0, 0
	}
	var state struct {
		Tables []struct {
			Rows []struct{ Fields struct{ Sum, N int } }
		}
	}
	if err := json.Unmarshal(o.Answer, &state); err != nil {
		w.t.Fatalf("%v in %s", err, o.Answer)
	}
	f := state.Tables[0].Rows[0].Fields
	return f.Sum, f.N
}

func TestOrderReachesARoomAtAnotherNodeAlsoWhenItsNoticeIsLost(t *testing.T) {
	inWorld(t, 2, match.Rules{}, func(t *testing.T, w *world) {
		w.begin("none", "r1", "", w.procs[0], "alice")
		time.Sleep(time.Second)
		if err := w.order("r1", "a", 3, true); err != nil {
			t.Fatal(err)
		}
		within(t, 300*time.Millisecond, "it is done", func() bool { return w.outcome("r1", "a") == cluster.OrderDone })
		if err := w.order("r1", "b", 4, false); err != nil {
			t.Fatal(err)
		}
		within(t, 11*time.Second, "it is found", func() bool { return w.outcome("r1", "b") == cluster.OrderDone })
		if sum, n := w.page("r1", "s"); sum != 7 || n != 2 {
			t.Errorf("the ledger has %d in %d payments", sum, n)
		}
	})
}

// Two hosts die, each before or after any one of its calls of Redis: while orders come, are done, and are told.
func TestEachOrderIsDoneOnceWhicheverCallOfRedisItsHostDiesAt(t *testing.T) {
	settled := 0 // rooms that were not given up since two hosts died of them
	defer func() {
		if settled == 0 && !t.Failed() {
			t.Error("no room went on")
		}
	}()
	rapid.Check(t, func(rt *rapid.T) {
		type death struct {
			Call   int
			Before bool
		}
		var deaths [2]death
		for i := range deaths {
			deaths[i] = death{rapid.IntRange(1, 60).Draw(rt, "call"), rapid.Bool().Draw(rt, "before")}
		}
		gaps := rapid.SliceOfN(rapid.IntRange(0, 400), 12, 12).Draw(rt, "ms between orders")
		heard := rapid.SliceOfN(rapid.Bool(), 12, 12).Draw(rt, "heard")
		inWorld(t, 4, match.Rules{}, func(t *testing.T, w *world) {
			w.mu.Lock()
			for i, p := range w.procs { // whoever dies second is likely to be the one who claims
				p.weight = []float64{1, 1000, 1, 1}[i]
			}
			w.mu.Unlock()
			p := w.begin("journal", "r1", "", w.procs[0], "alice")
			time.Sleep(500 * time.Millisecond) // it has a journal
			for i, d := range deaths {
				l := w.procs[i].line
				l.mu.Lock()
				from := l.calls
				l.dies = func(call int, before bool) bool { return call == from+d.Call && before == d.Before }
				l.mu.Unlock()
			}
			total := 0
			for i, ms := range gaps {
				err := w.order("r1", fmt.Sprint("o", i), i+1, heard[i])
				if errors.Is(err, cluster.ErrNoRoom) && w.blamed("r1") {
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				again := w.order("r1", fmt.Sprint("o", i), i+1, heard[i]) // asked twice
				if errors.Is(again, cluster.ErrNoRoom) && w.blamed("r1") {
					return
				}
				if again != nil {
					t.Fatal(again)
				}
				total += i + 1
				time.Sleep(time.Duration(ms) * time.Millisecond)
				p.returns()
			}
			within(t, time.Minute, "all are done", func() bool {
				p.returns()
				if w.blamed("r1") {
					return true
				}
				for i := range gaps {
					if w.outcome("r1", fmt.Sprint("o", i)) != cluster.OrderDone {
						return false
					}
				}
				return true
			})
			if w.blamed("r1") {
				return
			}
			sum, n := w.page("r1", "s")
			if w.blamed("r1") { // both died after the last was done
				return
			}
			settled++
			if sum != total || n != len(gaps) {
				t.Errorf("%v: the ledger has %d in %d payments, want %d in %d", deaths, sum, n, total, len(gaps))
			}
			if left, err := w.dir.Orders(context.Background(), "r1", "", 64); err != nil || len(left) != 0 {
				t.Errorf("%d orders wait on: %v", len(left), err)
			}
		})
		if t.Failed() {
			rt.FailNow()
		}
	})
}
