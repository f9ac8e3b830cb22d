package node_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"muster/match"
	"muster/match/cluster"
)

func TestRecordsThatRedisForgotAreWrittenAnewByTheirHosts(t *testing.T) {
	inWorld(t, 2, match.Rules{}, func(t *testing.T, w *world) {
		ctx, first := context.Background(), w.procs[0]
		rec, err := w.dir.Create(ctx, cluster.NewRoom{
			Game: "journal", Rules: "1", Queue: "duel", Node: first.id, Seats: 4, Teams: 2, TeamSize: 2, Public: true, Title: "ours",
			Code: "BCDFGH", Owner: "alice", Tags: map[string]string{"map": "north"}, Meta: []byte("m"),
		})
		if err != nil {
			t.Fatal(err)
		}
		id := rec.ID
		claims := []cluster.Claim{{Player: "alice", Token: id + "-alice", Team: 2}, {Player: "bob", Token: id + "-bob", Team: 1}}
		if _, err := w.dir.Reserve(ctx, id, 10*time.Second, claims); err != nil {
			t.Fatal(err)
		}
		alice, bob := w.player("alice", id, 1), w.player("bob", id, 2)
		for _, p := range []*player{alice, bob} {
			if err := p.comes(first); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Second)
		alice.does(opPay, 3)
		time.Sleep(time.Second)
		title := "yours"
		if _, err := w.dir.Change(ctx, id, cluster.Change{Title: &title}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(11 * time.Second)
		if err := w.rdb.FlushAll(ctx).Err(); err != nil {
			t.Fatal(err)
		}
		ticks := alice.now.count()
		time.Sleep(11 * time.Second)
		if n := alice.now.count() - ticks; n != 220 {
			t.Errorf("%d ticks in 11 s, want 220", n)
		}
		got, err := w.dir.Room(ctx, id)
		if err != nil || got.Epoch != rec.Epoch || got.Node != first.id || got.Title != "yours" || got.Queue != "duel" ||
			got.Owner != "alice" || got.Tags["map"] != "north" || string(got.Meta) != "m" || !got.Created.Equal(rec.Created) {
			t.Errorf("the record is %+v, %v", got, err)
		}
		if r, err := w.dir.ByCode(ctx, "BCDFGH"); err != nil || r.ID != id {
			t.Errorf("its code leads to %v, %v", r.ID, err)
		}
		list, _, err := w.dir.Public(ctx, cluster.Filter{Games: []string{"journal"}, Alive: func(string) bool { return true }}, "", 10)
		if err != nil || len(list) != 1 || list[0].ID != id || list[0].Free != 2 || list[0].Occupied != 2 {
			t.Errorf("the public rooms are %+v, %v", list, err)
		}
		open, err := w.dir.OpenRooms(ctx, "duel")
		if err != nil || len(open) != 1 || open[0].Free != 2 || open[0].FreeByTeam[0] != 1 || open[0].FreeByTeam[1] != 1 {
			t.Errorf("the queue's open rooms are %+v, %v", open, err)
		}
		if seat, err := w.dir.Rejoin(ctx, id, "bob", "again"); err != nil || seat != 2 {
			t.Errorf("bob rejoins at %d, %v", seat, err)
		}
		alice.rm.Leave(alice.now)
		time.Sleep(time.Second)
		if open, err = w.dir.OpenRooms(ctx, "duel"); err != nil || len(open) != 1 || open[0].Free != 3 {
			t.Errorf("when alice has left the open rooms are %+v, %v", open, err)
		}
		bob.does(opPay, 4)
		time.Sleep(2 * time.Second)
		first.kill() // and the match is one that survives again
		time.Sleep(time.Second)
		if at := w.hosts(id); len(at) != 1 {
			t.Errorf("it runs in %d processes", len(at))
		}
		if now, err := w.dir.Room(ctx, id); err != nil || now.Epoch <= rec.Epoch {
			t.Errorf("its epoch is %d after %d, %v", now.Epoch, rec.Epoch, err)
		}
	})
}

func TestHostThatWritesARecordAnewWhichAnotherHasYieldsToTheNewerEpoch(t *testing.T) {
	inWorld(t, 2, match.Rules{}, func(t *testing.T, w *world) {
		ctx, first, second := context.Background(), w.procs[0], w.procs[1]
		w.begin("journal", "r1", "", first, "alice")
		time.Sleep(time.Second)
		// The second takes it over while the first does not hear of it, and then Redis forgets all.
		first.line.lose(true)
		if err := w.dir.Own(ctx, second.id, "r1"); err != nil {
			t.Fatal(err)
		}
		_, rec, err := w.dir.Claim(ctx, "r1", first.id, second.id, 0, &cluster.Blame{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := second.rooms.Opener.Open(ctx, rec); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if err := w.rdb.FlushAll(ctx).Err(); err != nil {
			t.Fatal(err)
		}
		first.line.lose(false)
		time.Sleep(25 * time.Second)
		now, err := w.dir.Room(ctx, "r1")
		if err != nil || now.Epoch != rec.Epoch || now.Node != second.id {
			t.Errorf("the record is %+v, %v, want that of epoch %d", now, err, rec.Epoch)
		}
		if at := w.hosts("r1"); len(at) != 1 || at[0] != second {
			t.Errorf("it runs in %d processes", len(at))
		}
	})
}

func TestPromiseOfARoomThatRedisForgotIsKept(t *testing.T) {
	inWorld(t, 1, match.Rules{}, func(t *testing.T, w *world) {
		ctx, first := context.Background(), w.procs[0]
		w.begin("journal", "r1", "duel", first, "alice", "bob")
		time.Sleep(100 * time.Millisecond)
		if err := w.rdb.FlushAll(ctx).Err(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if len(w.hosts("r1")) != 1 {
			t.Error("the room ends though only Redis has forgotten it")
		}
		time.Sleep(25 * time.Second)
		s, err := w.dir.Settle(ctx, "r1")
		if err != nil || s.State != cluster.Off || len(w.hosts("r1")) != 0 {
			t.Errorf("it is settled as %+v, %v, and runs in %d processes", s, err, len(w.hosts("r1")))
		}
	})
}

// What is told of a room in its last moments may reach Redis after its end.
func TestRecordOfARoomThatHasEndedIsNotWrittenAnew(t *testing.T) {
	inWorld(t, 1, match.Rules{}, func(t *testing.T, w *world) {
		ctx, first := context.Background(), w.procs[0]
		rec := w.create("journal", "r1", "", first, "alice")
		p := w.player("alice", "r1", 1)
		if err := p.comes(first); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		own := first.rooms.Own
		if err := own.EndRoom(ctx, "r1", rec.Epoch); err != nil {
			t.Fatal(err)
		}
		if err := own.Renew(ctx, "r1", rec.Epoch, match.Alive{Open: true}); err != nil {
			t.Error(err)
		}
		if now, err := w.dir.Room(ctx, "r1"); !errors.Is(err, cluster.ErrNoRoom) {
			t.Errorf("its record is %+v, %v", now, err)
		}
	})
}

func TestRoomThatTheHostDoesNotTakeIsNotKnownToRunHere(t *testing.T) {
	inWorld(t, 1, match.Rules{}, func(t *testing.T, w *world) {
		ctx, first := context.Background(), w.procs[0]
		rec := w.create("journal", "r1", "", first, "alice")
		if err := first.host.Close(ctx); err != nil {
			t.Fatal(err)
		}
		if _, err := first.rooms.Opener.Open(ctx, rec); !errors.Is(err, match.ErrClosed) {
			t.Fatal(err)
		}
		if err := w.rdb.FlushAll(ctx).Err(); err != nil {
			t.Fatal(err)
		}
		if err := first.rooms.Own.Renew(ctx, "r1", rec.Epoch, match.Alive{}); !errors.Is(err, cluster.ErrNoRoom) {
			t.Errorf("renewing it: %v, want that there is no such room", err)
		}
	})
}
