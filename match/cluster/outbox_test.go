package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"muster/internal/testredis"
	"muster/match/cluster"
	"muster/proto"
)

func aResult(room string, tick uint32, n int) proto.Result {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	return proto.Result{
		Room: room, Game: "arena", Rules: "7", Epoch: 9, Tick: tick, N: n,
		Placements: []proto.Placement{{Seat: 2, Player: "a|b", Score: -3}}, Started: at, Ended: at.Add(time.Minute),
	}
}

// shelf is what a lobby stores results in.
type shelf struct {
	mu   sync.Mutex
	list []proto.Result
	fail func(proto.Result) error
}

func (s *shelf) store(_ context.Context, r proto.Result) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		if err := s.fail(r); err != nil {
			return err
		}
	}
	s.list = append(s.list, r)
	return nil
}

func drain(t *testing.T, o *cluster.Outbox, s *shelf, want int) {
	t.Helper()
	if n, err := o.Drain(t.Context(), s.store); n != want || err != nil {
		t.Errorf("drained %d results, %v; want %d", n, err, want)
	}
}

func wantWaiting(t *testing.T, o *cluster.Outbox, want int64) {
	t.Helper()
	if n, err := o.Waiting(t.Context()); n != want || err != nil {
		t.Errorf("%d results wait (%v), want %d", n, err, want)
	}
}

func TestResultNamesTheQueueThatMadeTheMatch(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		d, o, s := cluster.NewDirectory(rdb, ns), cluster.NewOutbox(rdb, ns), &shelf{}
		r, err := d.Create(t.Context(), cluster.NewRoom{Game: "arena", Rules: "7", Queue: "duel", Node: "n1", Seats: 2})
		must(t, err)
		must(t, d.PostResult(t.Context(), under(r.Epoch, aResult(r.ID, 7, 0))))
		must(t, d.PostResult(t.Context(), aResult("none", 7, 0)))
		drain(t, o, s, 2)
		if len(s.list) != 2 || s.list[0].Queue != "duel" || s.list[1].Queue != "" {
			t.Errorf("%+v", s.list)
		}
	})
}

func TestResultIsStoredOnceForEachRoomTickAndNumber(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		d, o, s := cluster.NewDirectory(rdb, ns), cluster.NewOutbox(rdb, ns), &shelf{}
		drain(t, o, s, 0)
		want := []proto.Result{aResult("r1", 7, 0), aResult("r1", 7, 1), aResult("r1", 8, 0), aResult("r2", 7, 0)}
		for _, r := range want {
			for range 3 {
				must(t, d.PostResult(t.Context(), r))
			}
		}
		wantWaiting(t, o, 4)
		drain(t, o, s, 4)
		if diff := cmp.Diff(want, s.list); diff != "" {
			t.Errorf("what was stored differs (-posted +stored):\n%s", diff)
		}
		must(t, d.PostResult(t.Context(), want[0])) // also after it was stored
		drain(t, o, s, 0)
		wantWaiting(t, o, 0)
	})
}

func TestTwoLobbiesShareTheResults(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		d, s := cluster.NewDirectory(rdb, ns), &shelf{}
		for i := range 200 {
			must(t, d.PostResult(t.Context(), aResult(fmt.Sprint("r", i), 1, 0)))
		}
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				for o := cluster.NewOutbox(rdb, ns); ; {
					if n, err := o.Drain(context.Background(), s.store); n == 0 {
						if err != nil {
							t.Error(err)
						}
						return
					}
				}
			})
		}
		wg.Wait()
		rooms := map[string]int{}
		for _, r := range s.list {
			rooms[r.Room]++
		}
		if len(rooms) != 200 || len(s.list) != 200 {
			t.Errorf("%d results of %d rooms were stored, want 200 of 200", len(s.list), len(rooms))
		}
	})
}

func TestResultOfALobbyThatDiedGoesToAnother(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		d, dying, other, s := cluster.NewDirectory(rdb, ns), cluster.NewOutbox(rdb, ns), cluster.NewOutbox(rdb, ns), &shelf{}
		must(t, d.PostResult(t.Context(), aResult("r1", 1, 0)))
		errDying := errors.New("dying")
		_, err := dying.Drain(t.Context(), func(context.Context, proto.Result) error { return errDying })
		wantError(t, "the dying lobby's Drain", err, errDying)
		drain(t, other, s, 0)
		wantWaiting(t, other, 1)
		time.Sleep(10 * time.Second)
		drain(t, other, s, 1)
		drain(t, other, s, 0)
		wantWaiting(t, other, 0)
		time.Sleep(10 * time.Second)
		drain(t, dying, s, 0)
		if len(s.list) != 1 {
			t.Errorf("stored %d times, want once", len(s.list))
		}
	})
}

func TestResultThatIsNotStoredDoesNotBlockTheRest(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		d, o := cluster.NewDirectory(rdb, ns), cluster.NewOutbox(rdb, ns)
		errBad := errors.New("cannot be stored")
		s := &shelf{fail: func(r proto.Result) error {
			if r.Room == "bad" {
				return errBad
			}
			return nil
		}}
		for i := range 700 { // more than one take looks at
			must(t, d.PostResult(t.Context(), aResult("bad", uint32(i), 0)))
		}
		for range 20 {
			_, err := o.Drain(t.Context(), s.store)
			if err != nil {
				wantError(t, "Drain", err, errBad)
			}
		}
		must(t, d.PostResult(t.Context(), aResult("good", 1, 0)))
		dying := cluster.NewOutbox(rdb, ns)
		_, err := dying.Drain(t.Context(), func(context.Context, proto.Result) error { return errBad })
		wantError(t, "the dying lobby's Drain", err, errBad)
		for range 60 {
			time.Sleep(time.Second)
			_, _ = o.Drain(t.Context(), s.store)
		}
		if len(s.list) != 1 || s.list[0].Room != "good" {
			t.Errorf("stored %+v, want the good one", s.list)
		}
		s.fail = nil
		time.Sleep(20 * time.Second)
		for range 60 {
			time.Sleep(time.Second)
			_, err := o.Drain(t.Context(), s.store)
			must(t, err)
		}
		if len(s.list) != 701 {
			t.Errorf("%d results were stored in the end, want 701", len(s.list))
		}
	})
}

func TestEntryThatIsNoResultIsDroppedAndTold(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		d, o, s := cluster.NewDirectory(rdb, ns), cluster.NewOutbox(rdb, ns), &shelf{}
		for _, values := range []map[string]any{{"result": "{"}, {"other": "x"}, {"result": `{"tick": -1}`}} {
			must(t, rdb.XAdd(t.Context(), &redis.XAddArgs{Stream: ns + ":{outbox}:results", Values: values}).Err())
		}
		must(t, d.PostResult(t.Context(), aResult("good", 1, 0)))
		if n, err := o.Drain(t.Context(), s.store); n != 4 || err == nil {
			t.Errorf("drained %d entries, %v; want 4 and an error", n, err)
		}
		if len(s.list) != 1 {
			t.Errorf("stored %+v, want the good one", s.list)
		}
		drain(t, o, s, 0)
		wantWaiting(t, o, 0)
	})
}

func TestOutboxWorksAgainWhenRedisLostEverything(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		d, o, s := cluster.NewDirectory(rdb, ns), cluster.NewOutbox(rdb, ns), &shelf{}
		must(t, d.PostResult(t.Context(), aResult("before", 1, 0)))
		drain(t, o, s, 1)
		for range 2 {
			must(t, rdb.FlushAll(t.Context()).Err())
			_, err := o.Drain(t.Context(), s.store) // notices
			if err == nil {
				t.Error("the loss was not told")
			}
			drain(t, o, s, 0)
		}
		must(t, rdb.FlushAll(t.Context()).Err())
		must(t, d.PostResult(t.Context(), aResult("after", 1, 0)))
		_, _ = o.Drain(t.Context(), s.store)
		drain(t, o, s, 1)
		if got := []string{s.list[0].Room, s.list[1].Room}; !slices.Equal(got, []string{"before", "after"}) {
			t.Errorf("stored results of %q", got)
		}
	})
}

// After an outage that is longer than a lobby leaves the others unlooked at, looking at them is what meets the loss.
func TestOutboxThatLooksForOtherLobbiesFirstWorksAgainWhenRedisLostEverything(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		o, s := cluster.NewOutbox(rdb, ns), &shelf{}
		drain(t, o, s, 0)
		must(t, rdb.FlushAll(t.Context()).Err())
		o.Tend()
		if _, err := o.Drain(t.Context(), s.store); err == nil {
			t.Error("the loss was not told")
		}
		drain(t, o, s, 0)
		drain(t, o, s, 0)
	})
}

func TestResultIsPostedOnceWhenItsAnswerIsLost(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		hurt, wires := rewired(t, rdb)
		d, o, s := cluster.NewDirectory(hurt, ns), cluster.NewOutbox(rdb, ns), &shelf{}
		must(t, d.PostResult(t.Context(), aResult("first", 1, 0)))
		wires.loseReply("second")
		must(t, d.PostResult(t.Context(), aResult("second", 1, 0)))
		if n := wires.lost(); n != 1 {
			t.Errorf("%d answers were lost, want 1", n)
		}
		drain(t, o, s, 2)
	})
}

// under is the result as the host of an epoch posts it.
func under(epoch uint64, r proto.Result) proto.Result {
	r.Epoch = epoch
	return r
}

// readers are the lobbies that Redis knows as readers of the outbox.
func readers(t *testing.T, rdb redis.UniversalClient) int {
	t.Helper()
	list, err := rdb.XInfoConsumers(t.Context(), ns+":{outbox}:results", "lobby").Result()
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

func TestLobbiesThatAreGoneAreForgotten(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		d, s := cluster.NewDirectory(rdb, ns), &shelf{}
		for i := range 3 {
			if err := d.PostResult(t.Context(), aResult("room", uint32(i), 0)); err != nil {
				t.Fatal(err)
			}
			drain(t, cluster.NewOutbox(rdb, ns), s, 1)
		}
		o := cluster.NewOutbox(rdb, ns)
		drain(t, o, s, 0)
		if n := readers(t, rdb); n < 3 {
			t.Errorf("%d readers, want those three who were here a moment ago", n)
		}
		o = cluster.NewOutbox(rdb, ns)
		o.SetGone(-10 * time.Millisecond)
		drain(t, o, s, 0)
		if n := readers(t, rdb); n > 1 {
			t.Errorf("%d readers, want no more than the one who looked", n)
		}
	})
}

func TestLobbyThatHasTakenAResultIsNotForgottenWithIt(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		d := cluster.NewDirectory(rdb, ns)
		fails := &shelf{fail: func(proto.Result) error { return errors.New("disk full") }}
		if err := d.PostResult(t.Context(), aResult("room", 7, 0)); err != nil {
			t.Fatal(err)
		}
		if n, err := cluster.NewOutbox(rdb, ns).Drain(t.Context(), fails.store); n != 1 || err == nil {
			t.Fatalf("took %d, %v", n, err)
		}
		if err := d.PostResult(t.Context(), aResult("room", 8, 0)); err != nil {
			t.Fatal(err)
		}
		drain(t, cluster.NewOutbox(rdb, ns), &shelf{}, 1)
		if n := readers(t, rdb); n != 2 {
			t.Fatalf("%d readers, want 2", n)
		}
		o := cluster.NewOutbox(rdb, ns)
		o.SetGone(-time.Millisecond) // all others
		drain(t, o, fails, 0)
		list, err := rdb.XPendingExt(t.Context(), &redis.XPendingExtArgs{
			Stream: ns + ":{outbox}:results", Group: "lobby", Start: "-", End: "+", Count: 10,
		}).Result()
		if err != nil || len(list) != 1 {
			t.Errorf("%v are on their way, %v; want the one result", list, err)
		}
		infos, err := rdb.XInfoConsumers(t.Context(), ns+":{outbox}:results", "lobby").Result()
		for _, r := range infos {
			if r.Pending == 0 && r.Idle > time.Minute || err != nil {
				t.Errorf("readers %v, %v", infos, err)
			}
		}
		if len(list) == 1 && !slices.ContainsFunc(infos, func(r redis.XInfoConsumer) bool { return r.Name == list[0].Consumer }) {
			t.Errorf("the reader of the result is gone: %v", infos)
		}
		if len(infos) > 2 {
			t.Errorf("%d readers, want the one with the result and at most the one that looked", len(infos))
		}
	})
}
