package node_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"muster/match"
	"muster/proto"
)

// ahead makes a journal know an epoch that is so far ahead of the time, while its host is being killed, and returns it.
func (w *world) ahead(room string, by time.Duration) (fence uint64) {
	w.t.Helper()
	fence = uint64(time.Now().Add(by).UnixMilli()) //nolint:gosec // not negative
	if err := w.rdb.HSet(context.Background(), ns+":{room:"+room+"}:journal", "fence", fence).Err(); err != nil {
		w.t.Fatal(err)
	}
	return fence
}

func TestRoomWhoseJournalKnowsANewerEpochThanItsRecordIsClaimedAnew(t *testing.T) {
	inWorld(t, 3, match.Rules{}, func(t *testing.T, w *world) {
		first := w.procs[0]
		p := w.begin("journal", "r1", "duel", first, "alice")
		time.Sleep(time.Second)
		go first.kill()
		time.Sleep(10 * time.Millisecond)
		fence := w.ahead("r1", lease+3*time.Second)
		within(t, 2*lease+5*time.Second, "the room goes on under an epoch that its journal takes", func() bool {
			at := w.hosts("r1")
			if len(at) != 1 {
				return false
			}
			rm := at[0].host.Room("r1") // it may have ended since
			return rm != nil && rm.Epoch() > fence
		})
		if at := time.Now().UnixMilli(); at < int64(fence) {
			t.Errorf("it goes on %d ms too early", int64(fence)-at)
		}
		if rec, err := w.dir.Room(context.Background(), "r1"); err != nil || rec.Attempts != 1 {
			t.Errorf("its record is %+v, %v: its host's death counts, and nothing else", rec, err)
		}
		if !p.comesBack() {
			t.Error("its player cannot come back")
		}
	})
}

func TestRoomThatIsToBeClaimedAnewIsSoWhateverCallFailsOnce(t *testing.T) {
	for call := 1; call <= 20; call++ {
		for _, before := range []bool{true, false} {
			t.Run(fmt.Sprint(call, before), func(t *testing.T) {
				inWorld(t, 2, match.Rules{}, func(t *testing.T, w *world) {
					first := w.procs[0]
					w.begin("journal", "r1", "duel", first, "alice")
					time.Sleep(time.Second)
					first.kill()
					fence := w.ahead("r1", time.Second)
					w.procs[1].line.failOnce(call, before, func() bool { return true })
					time.Sleep(4 * time.Second)
					at := w.hosts("r1")
					if len(at) != 1 {
						t.Fatalf("it runs in %d processes", len(at))
					}
					if epoch := at[0].host.Room("r1").Epoch(); epoch <= fence {
						t.Errorf("it runs under epoch %d, and its journal knows %d", epoch, fence)
					}
				})
			})
		}
	}
}

func TestMatchWhoseJournalIsFarAheadOfItsRecordIsLostAndItsLobbyHearsItOnce(t *testing.T) {
	inWorld(t, 3, match.Rules{}, func(t *testing.T, w *world) {
		first := w.procs[0]
		w.begin("journal", "r1", "duel", first, "alice")
		time.Sleep(time.Second)
		go first.kill()
		time.Sleep(10 * time.Millisecond)
		w.ahead("r1", time.Hour)
		time.Sleep(lease + 15*time.Second)
		rec, err := w.dir.Room(context.Background(), "r1")
		if err != nil || rec.Failed == nil || rec.Failed.Code != proto.CodeMatchGone {
			t.Fatalf("its record is %+v, %v, want one that failed with 4201", rec, err)
		}
		for _, at := range w.alive() {
			if c := codeOf(at, "r1"); c != proto.CodeMatchGone {
				t.Errorf("at %s one is told %d, want 4201", at.id, c)
			}
		}
		time.Sleep(5 * time.Second)
		if again, err := w.dir.Room(context.Background(), "r1"); err != nil || again.Epoch != rec.Epoch || again.Node != rec.Node {
			t.Errorf("it is still claimed: %+v, %v", again, err)
		}
		if results, lost := w.drained(); len(lost) != 1 || lost[0].Room != "r1" || len(results) != 0 {
			t.Errorf("results %v, lost %v", results, lost)
		}
	})
}
