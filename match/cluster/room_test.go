package cluster_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"muster/internal/testredis"
	"muster/match/cluster"
)

// aRoom is what rooms of these tests are made with.
func aRoom(seats int) cluster.NewRoom {
	return cluster.NewRoom{Game: "arena", Rules: "7", Queue: "arena", Node: "n1", Seats: seats}
}

func create(t *testing.T, d *cluster.Directory, n cluster.NewRoom) cluster.Room {
	t.Helper()
	r, err := d.Create(context.Background(), n)
	must(t, err)
	return r
}

func TestCreatedRoomCanBeRead(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		d := cluster.NewDirectory(rdb, ns)
		made := create(t, d, aRoom(16))
		got, err := d.Room(t.Context(), made.ID)
		must(t, err)
		if diff := cmp.Diff(made, got); diff != "" {
			t.Errorf("the record differs from what was made (-made +read):\n%s", diff)
		}
		if other := create(t, d, aRoom(16)); other.ID == made.ID || other.Seed == made.Seed {
			t.Errorf("two rooms share an id or a seed: %+v and %+v", made, other)
		}
	})
}

func TestManyRoomsAreReadInOneExchangeAndEachAsItWouldBeAlone(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		d := cluster.NewDirectory(rdb, ns)
		a, b := create(t, d, aRoom(16)), create(t, d, aRoom(4))
		must(t, rdb.HSet(t.Context(), ns+":{room:bad}:record", "seats", "many").Err())
		n := &exchanges{}
		rdb.AddHook(n)
		list := d.Rooms(t.Context(), a.ID, "none", "bad", b.ID)
		if n.n != 1 {
			t.Errorf("they were read in %d exchanges", n.n)
		}
		if len(list) != 4 || list[0].Err != nil || list[3].Err != nil || cmp.Diff([]cluster.Room{a, b}, []cluster.Room{list[0].Room, list[3].Room}) != "" {
			t.Fatalf("read: %+v", list)
		}
		wantError(t, "reading a room that is not there", list[1].Err, cluster.ErrNoRoom)
		if list[2].Err == nil || list[2].ID != "" {
			t.Errorf("a record that cannot be read: %+v", list[2])
		}
		if none := d.Rooms(t.Context()); len(none) != 0 {
			t.Errorf("no rooms: %+v", none)
		}
	})
}

// exchanges counts those in which a client reads hashes.
type exchanges struct{ n int }

func (*exchanges) DialHook(next redis.DialHook) redis.DialHook { return next }

func (e *exchanges) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if cmd.Name() == "hgetall" {
			e.n++
		}
		return next(ctx, cmd)
	}
}

func (e *exchanges) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if len(cmds) > 0 && cmds[0].Name() == "hgetall" {
			e.n++
		}
		return next(ctx, cmds)
	}
}

func TestUnknownRoomIsNoRoom(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		d, id := cluster.NewDirectory(rdb, ns), cluster.NewID()
		_, err := d.Room(t.Context(), id)
		wantError(t, "Room", err, cluster.ErrNoRoom)
		_, err = d.Reserve(t.Context(), id, time.Second, []cluster.Claim{{Player: "a", Token: "t"}})
		wantError(t, "Reserve", err, cluster.ErrNoRoom)
		wantError(t, "TakeSeat", take(d, t.Context(), id, 1, "a", "t"), cluster.ErrNoRoom)
		_, err = d.Rejoin(t.Context(), id, "a", "t")
		wantError(t, "Rejoin", err, cluster.ErrNoRoom)
		wantError(t, "FreeSeat", d.FreeSeat(t.Context(), id, 1, 1, nil), cluster.ErrNoRoom)
		wantError(t, "Renew", d.Renew(t.Context(), id, 1, cluster.Alive{Open: true}), cluster.ErrNoRoom)
		wantError(t, "EndRoom", d.EndRoom(t.Context(), id, 1), nil)
		wantError(t, "Release", d.Release(t.Context(), id, []cluster.Claim{{Player: "a", Token: "t"}}), nil)
		if n, err := rdb.DBSize(t.Context()).Result(); err != nil || n != 0 {
			t.Errorf("%d keys were made for a room that does not exist (%v)", n, err)
		}
	})
}

// An emptied Redis must not issue an epoch that it has issued before, so epochs are times.
func TestEpochsAreMillisecondsAndRise(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		d := cluster.NewDirectory(rdb, ns)
		before := time.Now().UnixMilli()
		first := create(t, d, aRoom(16))
		if e := int64(first.Epoch); e < before-1 || e > time.Now().UnixMilli()+1 {
			t.Errorf("epoch is %d, want a time about %d", e, before)
		}
		must(t, rdb.FlushAll(t.Context()).Err())
		until(t, "an epoch above the first", func() bool { return create(t, d, aRoom(16)).Epoch > first.Epoch })
	})
}

func TestOlderEpochIsFenced(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		d := cluster.NewDirectory(rdb, ns)
		r := create(t, d, aRoom(2))
		seat(t, d, r, "alice")
		for name, epoch := range map[string]uint64{"older": r.Epoch - 1, "newer": r.Epoch + 1, "none": 0} {
			want := cluster.ErrFenced
			if name == "newer" { // the record was written by one who had the room before: it is as if there were none
				want = cluster.ErrNoRoom
			}
			wantError(t, "Renew with an epoch that is "+name, d.Renew(t.Context(), r.ID, epoch, cluster.Alive{Open: true}), want)
			wantError(t, "FreeSeat with an epoch that is "+name, d.FreeSeat(t.Context(), r.ID, epoch, 1, nil), cluster.ErrFenced)
			wantError(t, "EndRoom with an epoch that is "+name, d.EndRoom(t.Context(), r.ID, epoch), cluster.ErrFenced)
		}
		if got := free(t, d, r.Queue)[r.ID]; got != 1 {
			t.Errorf("after the fenced calls %d seats are free, want 1", got)
		}
		must(t, d.Renew(t.Context(), r.ID, r.Epoch, cluster.Alive{Open: true}))
		must(t, d.EndRoom(t.Context(), r.ID, r.Epoch))
	})
}

func TestEndedRoomIsForgotten(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		d := cluster.NewDirectory(rdb, ns)
		r := create(t, d, aRoom(2))
		seat(t, d, r, "alice")
		must(t, d.EndRoom(t.Context(), r.ID, r.Epoch))
		must(t, d.EndRoom(t.Context(), r.ID, r.Epoch)) // its host may not have heard that it worked
		_, err := d.Room(t.Context(), r.ID)
		wantError(t, "Room", err, cluster.ErrNoRoom)
		wantError(t, "Renew", d.Renew(t.Context(), r.ID, r.Epoch, cluster.Alive{Open: true}), cluster.ErrNoRoom)
		if n, err := rdb.DBSize(t.Context()).Result(); err != nil || n != 0 {
			t.Errorf("%d keys are left of the only room (%v)", n, err)
		}
	})
}

func TestRoomOfNobodyIsGoneAfterAMinute(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		d := cluster.NewDirectory(rdb, ns)
		r := create(t, d, aRoom(2))
		seat(t, d, r, "alice")
		time.Sleep(59 * time.Second)
		if _, err := d.Room(t.Context(), r.ID); err != nil {
			t.Errorf("after 59 s: %v", err)
		}
		time.Sleep(time.Second)
		_, err := d.Room(t.Context(), r.ID)
		wantError(t, "after a minute", err, cluster.ErrNoRoom)
		if got := free(t, d, r.Queue); len(got) != 0 {
			t.Errorf("open rooms after a minute: %v", got)
		}
		if n, err := rdb.DBSize(t.Context()).Result(); err != nil || n != 0 {
			t.Errorf("%d keys are left of a room that is gone (%v)", n, err)
		}
	})
}

func TestRenewedRoomLives(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		d := cluster.NewDirectory(rdb, ns)
		r := create(t, d, aRoom(2))
		seat(t, d, r, "alice")
		for range 10 {
			time.Sleep(50 * time.Second)
			must(t, d.Renew(t.Context(), r.ID, r.Epoch, cluster.Alive{Open: true}))
		}
		if _, err := d.Rejoin(t.Context(), r.ID, "alice", "again"); err != nil {
			t.Errorf("the seats did not live as long as the room: %v", err)
		}
	})
}

// A player who comes late must find the room, though its host renews it only from then on.
func TestReservationKeepsTheRoom(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		d := cluster.NewDirectory(rdb, ns)
		r := create(t, d, aRoom(2))
		time.Sleep(55 * time.Second)
		_, err := d.Reserve(t.Context(), r.ID, 20*time.Second, []cluster.Claim{{Player: "alice", Token: "t1"}})
		must(t, err)
		time.Sleep(19 * time.Second)
		must(t, take(d, t.Context(), r.ID, 1, "alice", "t1"))
		time.Sleep(11 * time.Second)
		must(t, d.Renew(t.Context(), r.ID, r.Epoch, cluster.Alive{Open: true}))
	})
}

// Whoever adopts a room, its players' seats are there when it renews the room for the first time.
func TestSeatsLiveAsLongAsARoomThatIsMovedOrAskedForAgain(t *testing.T) {
	for name, adopt := range map[string]func(d *cluster.Directory, r cluster.Room) (cluster.Room, error){
		"moved": func(d *cluster.Directory, r cluster.Room) (cluster.Room, error) {
			return d.Move(context.Background(), r, "n2", "8")
		},
		"asked for again": func(d *cluster.Directory, r cluster.Room) (cluster.Room, error) {
			return d.Ensure(context.Background(), r.ID, r.NewRoom, func(string) bool { return true })
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
				d := cluster.NewDirectory(rdb, ns)
				r := create(t, d, aRoom(2))
				seat(t, d, r, "alice")
				must(t, d.Renew(t.Context(), r.ID, r.Epoch, cluster.Alive{Open: true}))
				time.Sleep(55 * time.Second)
				adopted, err := adopt(d, r)
				must(t, err)
				time.Sleep(20 * time.Second)
				must(t, d.Renew(t.Context(), r.ID, adopted.Epoch, cluster.Alive{Open: true}))
				if _, err := d.Rejoin(t.Context(), r.ID, "alice", "again"); err != nil {
					t.Errorf("the seats did not live as long as the room: %v", err)
				}
			})
		})
	}
}

func TestNamespacesDoNotMeet(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		r := create(t, cluster.NewDirectory(rdb, "one"), aRoom(2))
		other := cluster.NewDirectory(rdb, "two")
		_, err := other.Room(t.Context(), r.ID)
		wantError(t, "the room of another namespace", err, cluster.ErrNoRoom)
		if got := free(t, other, r.Queue); len(got) != 0 {
			t.Errorf("open rooms of another namespace: %v", got)
		}
		keys, err := rdb.Keys(t.Context(), "*").Result()
		must(t, err)
		for _, k := range keys {
			if k[:4] != "one:" {
				t.Errorf("key %q lies outside the namespace", k)
			}
		}
	})
}
