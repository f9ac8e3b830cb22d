package node_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"muster/match"
	"muster/match/cluster"
)

func TestRecordsLiveOnWhileTheMemoryOfRedisIsFull(t *testing.T) {
	inWorld(t, 1, match.Rules{}, func(t *testing.T, w *world) {
		ctx, first := context.Background(), w.procs[0]
		w.begin("journal", "r1", "", first, "alice")
		time.Sleep(time.Second)
		first.line.fill(true)
		time.Sleep(3 * time.Minute)
		if rec, err := w.dir.Room(ctx, "r1"); err != nil || rec.Node != first.id {
			t.Errorf("its record is %+v, %v", rec, err)
		}
		first.line.fill(false)
		time.Sleep(20 * time.Second)
		if owned, err := w.dir.Owned(ctx, first.id); err != nil || len(owned[first.id]) != 1 {
			t.Errorf("when there is room again the index of its node is %v, %v", owned, err)
		}
	})
}

func TestSeatThatWasFreedWhileRedisWasAwayIsFreeAfterTheNextRenewal(t *testing.T) {
	inWorld(t, 1, match.Rules{}, func(t *testing.T, w *world) {
		ctx, first := context.Background(), w.procs[0]
		alice := w.begin("journal", "r1", "", first, "alice", "bob")
		bob := w.player("bob", "r1", 2)
		if err := bob.comes(first); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		first.line.lose(true)
		alice.rm.Leave(alice.now)
		time.Sleep(5 * time.Second)
		first.line.lose(false)
		time.Sleep(11 * time.Second)
		seats, err := w.dir.Reserve(ctx, "r1", time.Minute, []cluster.Claim{{Player: "carol", Token: "c"}})
		if err != nil || len(seats.List) != 1 || seats.List[0] != 1 {
			t.Errorf("the next player has the seats %v, %v; want the one that alice has left", seats.List, err)
		}
		if _, err := w.dir.Rejoin(ctx, "r1", "alice", "again"); !errors.Is(err, cluster.ErrNoRoom) {
			t.Errorf("alice still has a seat: %v", err)
		}
	})
}
