package node_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"muster/match"
	"muster/match/cluster"
)

// As after a pause of its machine: it wakes before anybody has its rooms, and nobody else is there.
func TestHostThatWasFencedGoesOnWithItsRoomsAsItsOwnSuccessor(t *testing.T) {
	inWorld(t, 1, match.Rules{}, func(t *testing.T, w *world) {
		first := w.procs[0]
		for _, game := range []string{"journal", "checkpoint", "none"} {
			w.begin(game, game, "duel", first, "alice")
		}
		time.Sleep(2 * time.Second)
		first.fence()
		within(t, 3*time.Second, "its rooms go on", func() bool {
			return len(w.hosts("journal")) == 1 && len(w.hosts("checkpoint")) == 1
		})
		for _, room := range []string{"journal", "checkpoint"} {
			if rec, err := w.dir.Room(context.Background(), room); err != nil || rec.Node != first.id {
				t.Errorf("the record of %s is %+v, %v", room, rec, err)
			}
		}
		time.Sleep(time.Second)
		if results, lost := w.drained(); len(results) != 0 || len(lost) != 1 || lost[0].Room != "none" {
			t.Errorf("results %v, lost %v, want the match that does not survive", results, lost)
		}
	})
}

// A host that stops tries once to write down what its rooms leave. Whatever fails of that, who looks into its index after
// it does the rest: nobody comes to these rooms.
func TestWhatAHostCouldNotWriteWhenItStoppedOthersDo(t *testing.T) {
	for call := 1; call <= 45; call++ {
		for _, before := range []bool{true, false} {
			t.Run(fmt.Sprint(call, before), func(t *testing.T) {
				inWorld(t, 2, match.Rules{}, func(t *testing.T, w *world) {
					first := w.procs[0]
					w.begin("journal", "goes on", "duel", first, "alice")
					w.begin("none", "is lost", "duel", first, "bob")
					ends := w.begin("journal", "ends", "duel", first, "carol")
					time.Sleep(time.Second)
					first.line.lose(true) // so that the match that ends has its result still to be posted
					ends.does(opEnd, 0)
					time.Sleep(500 * time.Millisecond)
					first.line.lose(false)
					first.claims.Close()
					first.line.failOnce(call, before, func() bool { return true })
					if err := first.host.Close(context.Background()); err != nil {
						t.Fatal(err)
					}
					first.leaves()
					within(t, 3*time.Second, "the room goes on", func() bool { return len(w.hosts("goes on")) == 1 })
					time.Sleep(2 * time.Second)
					results, lost := w.drained()
					if len(results) != 1 || results[0].Room != "ends" || len(lost) != 1 || lost[0].Room != "is lost" {
						t.Errorf("results %v, lost %v", results, lost)
					}
					if at := w.hosts("goes on"); len(at) != 1 {
						t.Errorf("the room that goes on runs in %d processes", len(at))
					}
					if rec, err := w.dir.Room(context.Background(), "ends"); !errors.Is(err, cluster.ErrNoRoom) {
						t.Errorf("the record of the match that has ended is %+v, %v", rec, err)
					}
				})
			})
		}
	}
}
