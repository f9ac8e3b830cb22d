package cluster_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"muster/internal/testredis"
	"muster/match/cluster"
)

// free returns the free seats of a queue's open rooms, by room.
func free(t testing.TB, d *cluster.Directory, queue string) map[string]int {
	t.Helper()
	list, err := d.OpenRooms(context.Background(), queue)
	if err != nil {
		t.Fatal(err)
	}
	m := map[string]int{}
	for _, r := range list {
		m[r.ID] = r.Free
	}
	return m
}

func wantFree(t testing.TB, when string, d *cluster.Directory, r cluster.Room, want int) {
	t.Helper()
	if got, listed := free(t, d, r.Queue)[r.ID]; got != want || listed != (want > 0) {
		t.Errorf("%s: listed %v with %d free seats, want %v with %d", when, listed, got, want > 0, want)
	}
}

func TestOpenRoomsAreListedOldestFirst(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		d := cluster.NewDirectory(rdb, ns)
		var made []cluster.Room
		for range 3 {
			r := create(t, d, aRoom(4))
			made = append(made, r)
			until(t, "the next millisecond of Redis's clock", func() bool {
				now, err := rdb.Time(t.Context()).Result()
				return err == nil && now.UnixMilli() > int64(r.Epoch)
			})
		}
		other := aRoom(4)
		other.Queue = "duel"
		create(t, d, other)
		alone := aRoom(4)
		alone.Queue = ""
		create(t, d, alone)
		seat(t, d, made[1], "a")
		made[1].Version++
		list, err := d.OpenRooms(t.Context(), "arena")
		must(t, err)
		if len(list) != 3 {
			t.Fatalf("%d rooms are listed, want 3", len(list))
		}
		for i, want := range []int{4, 3, 4} {
			if !cmp.Equal(list[i].Room, made[i]) || list[i].Free != want {
				t.Errorf("room %d is %+v with %d free seats, want %+v with %d", i, list[i].Room, list[i].Free, made[i], want)
			}
		}
	})
}

func TestRoomIsNotListedWhileEverySeatIsTaken(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		d := cluster.NewDirectory(rdb, ns)
		r := create(t, d, aRoom(2))
		seat(t, d, r, "a")
		wantFree(t, "with one seat taken", d, r, 1)
		seat(t, d, r, "b")
		wantFree(t, "with both seats taken", d, r, 0)
		must(t, d.FreeSeat(t.Context(), r.ID, r.Epoch, 1, nil))
		wantFree(t, "with a freed seat", d, r, 1)
	})
}

func TestRoomIsListedAgainWhenAReservationRunsOut(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		d := cluster.NewDirectory(rdb, ns)
		r := create(t, d, aRoom(3))
		reserve(t, d, r, 10*time.Second, claims(0, "a"))
		time.Sleep(3 * time.Second)
		reserve(t, d, r, 10*time.Second, claims(0, "b", "c"))
		wantFree(t, "full", d, r, 0)
		must(t, take(d, t.Context(), r.ID, 1, "a", claims(0, "a")[0].Token))
		time.Sleep(7 * time.Second)
		wantFree(t, "when the first reservation would have ended", d, r, 0)
		time.Sleep(3 * time.Second)
		wantFree(t, "when the others have ended", d, r, 2)
	})
}

func TestRoomIsListedAgainWhenAReservationIsReleased(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		d := cluster.NewDirectory(rdb, ns)
		r := create(t, d, aRoom(2))
		reserve(t, d, r, time.Minute, claims(0, "a", "b"))
		wantFree(t, "full", d, r, 0)
		must(t, d.Release(t.Context(), r.ID, claims(0, "b")))
		wantFree(t, "after a release", d, r, 1)
	})
}

func TestRoomThatTakesNoNewPlayersIsNotListedAndReservesForThoseInItOnly(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		d := cluster.NewDirectory(rdb, ns)
		r := create(t, d, aRoom(3))
		seat(t, d, r, "a")
		must(t, d.Renew(t.Context(), r.ID, r.Epoch, cluster.Alive{}))
		must(t, d.Renew(t.Context(), r.ID, r.Epoch, cluster.Alive{}))
		wantFree(t, "with its doors shut", d, r, 0)
		_, err := d.Reserve(t.Context(), r.ID, time.Minute, claims(1, "b"))
		wantError(t, "a new player's reservation", err, cluster.ErrFull)
		if got := reserve(t, d, r, time.Minute, claims(1, "a")); got.List[0] != 1 {
			t.Errorf("who has seat 1 gets seat %d", got.List[0])
		}
		must(t, d.Renew(t.Context(), r.ID, r.Epoch, cluster.Alive{Open: true}))
		wantFree(t, "with its doors open again", d, r, 2)
	})
}

// interleave runs do once, just before the client changes a queue's index.
type interleave struct{ do func() }

func (*interleave) DialHook(next redis.DialHook) redis.DialHook { return next }

func (i *interleave) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		args := cmd.Args()
		if do := i.do; do != nil && len(args) == 7 && args[3] == ns+":{queue:arena}:open" { // sha, keys, the index, room, place, how long
			i.do = nil
			do()
		}
		return next(ctx, cmd)
	}
}

func (*interleave) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// Between the moment when a room is read as full and the moment when that is written down, things go on.
func TestRoomIsIndexedByWhatItIsAtLast(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		hurt, _ := rewired(t, rdb)
		hook := &interleave{}
		hurt.AddHook(hook)
		d, other := cluster.NewDirectory(hurt, ns), cluster.NewDirectory(rdb, ns)

		r := create(t, d, aRoom(2))
		seat(t, d, r, "a")
		hook.do = func() {
			must(t, other.FreeSeat(t.Context(), r.ID, r.Epoch, 1, nil))
		}
		reserve(t, d, r, time.Minute, claims(0, "b"))
		if hook.do != nil {
			t.Fatal("nothing came in between")
		}
		wantFree(t, "with a seat that was freed meanwhile", other, r, 1)

		r = create(t, d, aRoom(1))
		seat(t, d, r, "a")
		hook.do = func() { // the seat is reserved now, no longer taken
			must(t, other.FreeSeat(t.Context(), r.ID, r.Epoch, 1, nil))
		}
		reserve(t, d, r, time.Minute, claims(1, "a"))
		if n, err := rdb.ZScore(t.Context(), ns+":{queue:arena}:open", r.ID).Result(); err != nil || int64(n) <= int64(r.Epoch) {
			t.Errorf("a room whose only seat is reserved stands in the index at %v (%v), want the reservation's end", n, err)
		}
	})
}

func TestPartyThatFindsTooFewSeatsLeavesTheRoomListed(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		d := cluster.NewDirectory(rdb, ns)
		r := create(t, d, aRoom(2))
		reserve(t, d, r, time.Minute, claims(0, "a"))
		_, err := d.Reserve(t.Context(), r.ID, time.Minute, claims(0, "b", "c"))
		wantError(t, "two claims on one seat", err, cluster.ErrFull)
		wantFree(t, "after a refused party", d, r, 1)
	})
}

// More rooms than one look reads may be full, whatever time has passed: they must not stand before the open ones.
func TestFullRoomsDoNotHideOpenOnes(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		d := cluster.NewDirectory(rdb, ns)
		for i := range 100 {
			r, c := create(t, d, aRoom(1)), claims(0, fmt.Sprint("p", i))
			reserve(t, d, r, 10*time.Second, c)
			must(t, take(d, t.Context(), r.ID, 1, c[0].Player, c[0].Token))
		}
		time.Sleep(30 * time.Second) // the reservations that were taken would have ended; the rooms live
		open := create(t, d, aRoom(1))
		for range 3 {
			if _, ok := free(t, d, open.Queue)[open.ID]; ok {
				return
			}
		}
		t.Error("three looks did not find the open room behind the full ones")
	})
}

func TestRoomsThatEndedAreForgottenOnTheWay(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		d := cluster.NewDirectory(rdb, ns)
		r, broken := create(t, d, aRoom(2)), create(t, d, aRoom(2))
		must(t, rdb.Del(t.Context(), ns+":{room:"+r.ID+"}:record").Err())
		must(t, rdb.HSet(t.Context(), ns+":{room:"+broken.ID+"}:record", "seats", "many").Err())
		good := create(t, d, aRoom(2))
		if got := free(t, d, r.Queue); len(got) != 1 || got[good.ID] != 2 {
			t.Errorf("open rooms are %v, want only the good one", got)
		}
		if n, err := rdb.ZCard(t.Context(), ns+":{queue:arena}:open").Result(); n != 1 || err != nil {
			t.Errorf("%d rooms stand in the index (%v), want 1", n, err)
		}
	})
}
