package node_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"muster/match"
	"muster/match/cluster"
	"muster/proto"
)

// diesWithResultOf has a process die when a room's record has its result, which is not posted yet.
func (p *process) diesWithResultOf(room string) {
	p.line.mu.Lock()
	defer p.line.mu.Unlock()
	p.line.dies = func(_ int, before bool) bool {
		rec, err := p.w.dir.Room(context.Background(), room)
		return !before && err == nil && rec.Result != ""
	}
}

// Whatever call of a claimer fails once, when nobody comes who would have it tried again: the claim itself, what follows
// it, or only what is heard of them.
func TestClaimOfWhichOneCallFailsIsFinishedThoughNobodyComes(t *testing.T) {
	for _, procs := range []int{2, 3} { // a third one looks into the same index
		for call := 1; call <= 40; call++ {
			for _, before := range []bool{true, false} {
				if before && procs == 3 {
					continue // as where the answer of the call before it is lost
				}
				t.Run(fmt.Sprint(procs, call, before), func(t *testing.T) {
					inWorld(t, procs, match.Rules{}, func(t *testing.T, w *world) {
						first, second := w.procs[0], w.procs[1]
						w.mu.Lock()
						second.weight = 1000
						w.mu.Unlock()
						w.begin("none", "lost", "duel", first, "alice")
						w.begin("journal", "goes on", "duel", first, "bob")
						ends := w.begin("journal", "ends", "duel", first, "carol")
						time.Sleep(time.Second)
						first.diesWithResultOf("ends")
						second.line.failOnce(call, before, func() bool {
							gone, _ := second.Gone(context.Background(), first.id)
							return gone
						})
						ends.does(opEnd, 0)
						time.Sleep(lease + 4*time.Second)
						results, lost := w.drained()
						if len(results) != 1 || results[0].Room != "ends" || len(lost) != 1 || lost[0].Room != "lost" {
							t.Errorf("results %v, lost %v", results, lost)
						}
						if rec, err := w.dir.Room(context.Background(), "ends"); !errors.Is(err, cluster.ErrNoRoom) {
							t.Errorf("the record of the match that has ended is %+v, %v", rec, err)
						}
						if at := w.hosts("goes on"); len(at) != 1 {
							t.Errorf("the room that goes on runs in %d processes", len(at))
						}
						if owned, err := w.dir.Owned(context.Background(), first.id); err != nil || len(owned) != 0 {
							t.Errorf("left in the index of the process that died: %v, %v", owned, err)
						}
					})
				})
			}
		}
	}
}

// Between a claim and what follows a player may come: a match that has run is not begun from nothing for him.
func TestClaimedMatchThatDoesNotSurviveIsNotBegunAnewByWhoComes(t *testing.T) {
	inWorld(t, 1, match.Rules{}, func(t *testing.T, w *world) {
		ctx, first := context.Background(), w.procs[0]
		rec := w.create("none", "r1", "duel", first, "alice")
		if err := w.dir.Begin(ctx, "r1", first.id, rec.Epoch); err != nil {
			t.Fatal(err)
		}
		next := w.start()
		if err := w.dir.Own(ctx, next.id, "r1"); err != nil {
			t.Fatal(err)
		}
		if _, _, err := w.dir.Claim(ctx, "r1", first.id, next.id, 0, nil); err != nil {
			t.Fatal(err)
		}
		if c := codeOf(next, "r1"); c != proto.CodeNodeLeaving || len(w.hosts("r1")) != 0 {
			t.Errorf("who comes is told %d, want to come again; it runs in %d processes", c, len(w.hosts("r1")))
		}
	})
}

// A claim is some twenty calls, and more rooms than are claimed at once wait for their turn.
func TestClaimsAreFinishedThoughRedisAnswersHalfASecondLater(t *testing.T) {
	inWorld(t, 2, match.Rules{}, func(t *testing.T, w *world) {
		first, second := w.procs[0], w.procs[1]
		const rooms = 20
		for i := range rooms {
			w.begin("none", fmt.Sprint("lost", i), "duel", first, "alice")
		}
		time.Sleep(time.Second)
		first.kill()
		second.line.mu.Lock()
		second.line.slow = func() { time.Sleep(500 * time.Millisecond) }
		second.line.mu.Unlock()
		time.Sleep(50 * time.Second) // records are kept for a minute
		if _, lost := w.drained(); len(lost) != rooms {
			t.Errorf("of %d matches that are lost %d lobbies hear", rooms, len(lost))
		}
		owned, err := w.dir.Owned(context.Background(), first.id, second.id)
		if err != nil || len(owned) != 0 {
			t.Errorf("left in the indices of the two processes: %v, %v", owned, err)
		}
	})
}

// A claimed room is restored for as long as that takes, and tried again where it has failed: from each of its first calls on
// the claimer's Redis does not answer for longer than one attempt lasts.
func TestClaimedRoomThatCannotBeReadForLongRunsAfterwards(t *testing.T) {
	for _, procs := range []int{2, 3} {
		for call := 1; call <= 25; call++ {
			t.Run(fmt.Sprint(procs, call), func(t *testing.T) {
				inWorld(t, procs, match.Rules{}, func(t *testing.T, w *world) {
					first, second := w.procs[0], w.procs[1]
					w.mu.Lock()
					second.weight = 1000
					w.mu.Unlock()
					w.begin("journal", "r1", "duel", first, "alice")
					w.begin("checkpoint", "r2", "duel", first, "alice")
					time.Sleep(2 * time.Second)
					first.kill()
					second.line.awayFrom(call)
					time.Sleep(15 * time.Second)
					second.line.lose(false)
					within(t, 5*time.Second, "the rooms go on", func() bool { return len(w.hosts("r1")) == 1 && len(w.hosts("r2")) == 1 })
					time.Sleep(3 * time.Second)
					for _, room := range []string{"r1", "r2"} {
						at := w.hosts(room)
						if len(at) != 1 {
							t.Fatalf("%s runs in %d processes", room, len(at))
						}
						rm := at[0].host.Room(room)
						select {
						case <-rm.Ready():
						default:
							t.Fatalf("%s is not ready", room)
						}
						if rec, err := w.dir.Room(context.Background(), room); err != nil || !rm.Opened() || rec.Node != at[0].id || rec.Epoch != rm.Epoch() {
							t.Errorf("%s has opened: %v; its record is %+v, %v", room, rm.Opened(), rec, err)
						}
					}
				})
			})
		}
	}
}
