package node_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/match"
	"muster/match/cluster"
	"muster/match/edge"
	"muster/proto"
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

// straight is a bridge that leads to the rooms of other processes themselves.
type straight struct{ w *world }

func (b straight) Open(_ context.Context, at, room string, _ bool) (edge.Room, error) {
	for _, p := range b.w.alive() {
		if rm := p.host.Room(room); p.id == at && rm != nil {
			return rm, nil
		}
	}
	return nil, &proto.Close{Code: proto.CodeMatchGone, Reason: "the match is not here"}
}

// When Redis is back after an outage in which records have ended, hosts are about to write them again: a match that runs is
// not over for who comes in that moment.
func TestNobodyIsToldThatAMatchIsOverWhoseRecordIsAboutToBeWrittenAgain(t *testing.T) {
	inWorld(t, 2, match.Rules{}, func(t *testing.T, w *world) {
		ctx, first, second := context.Background(), w.procs[0], w.procs[1]
		first.rooms.Bridge, second.rooms.Bridge = straight{w}, straight{w}
		if err := w.rdb.ZAdd(ctx, ns+":{nodes}:live", redis.Z{Score: 1e15, Member: first.id}).Err(); err != nil {
			t.Fatal(err)
		}
		if err := w.rdb.HSet(ctx, ns+":{nodes}:info", first.id, `{"id":"`+first.id+`"}`).Err(); err != nil {
			t.Fatal(err)
		}
		w.begin("journal", "r1", "", first, "alice", "bob")
		time.Sleep(time.Second)
		second.shaky.Store(true)
		if err := w.rdb.Del(ctx, ns+":{room:r1}:record", ns+":{room:r1}:seats").Err(); err != nil {
			t.Fatal(err)
		}
		if _, err := w.dir.Room(ctx, "r1"); !errors.Is(err, cluster.ErrNoRoom) {
			t.Fatalf("its record: %v", err)
		}
		var told *proto.Close
		if _, err := first.rooms.TakeSeat(ctx, "r1", 2, "bob", "r1-bob"); !errors.As(err, &told) || told.Code.Action() != proto.ActionReconnect {
			t.Errorf("who comes to its host is told %v, want that he is to come again", err)
		}
		if _, err := second.rooms.TakeSeat(ctx, "r1", 2, "bob", "r1-bob"); !errors.As(err, &told) || told.Code.Action() != proto.ActionReconnect {
			t.Errorf("who comes to another server is told %v, want that he is to come again", err)
		}
		if _, err := second.rooms.Running(ctx, "r1"); !errors.As(err, &told) || told.Code.Action() != proto.ActionReconnect {
			t.Errorf("who wants to watch is told %v, want that he is to come again", err)
		}
		time.AfterFunc(time.Second, first.host.Rewrite)
		began := time.Now()
		if rm, err := second.rooms.Open(ctx, "r1"); err != nil || rm.ID() != "r1" {
			t.Errorf("who waits at another server gets %v, %v", rm, err)
		}
		if took := time.Since(began); took < time.Second || took > 2*time.Second {
			t.Errorf("it was found after %v, its record was there after a second", took)
		}
		second.shaky.Store(false)
		if _, err := second.rooms.Open(ctx, "none"); !errors.As(err, &told) || told.Code != proto.CodeMatchGone {
			t.Errorf("who comes for a match that there is not is told %v", err)
		}
	})
}
