package inbox_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"

	"muster/internal/testredis"
	"muster/lobby/inbox"
	"muster/lobby/keyspace"
	"muster/match/cluster"
)

const (
	ns        = "test"
	broadcast = ns + ":{broadcast}:inbox"
)

func own(player string) string { return keyspace.Player(ns, player) + ":inbox" }

func quiet(context.Context, ...cluster.Notice) error { return nil }

func must(t interface {
	Helper()
	Fatal(args ...any)
}, err error,
) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// readOn reads on from a place.
func readOn(ctx context.Context, s *inbox.Store, player, after string, limit int64) (list []inbox.Event, missed bool, err error) {
	pages, err := s.Read(ctx, limit, inbox.Ask{Player: player, After: after, Resume: true})
	if err != nil {
		return nil, false, err
	}
	return pages[0].Events, pages[0].Missed, nil
}

// bodies are the events' bodies, which these tests make of numbers.
func bodies(list []inbox.Event) (s []string) {
	for _, e := range list {
		s = append(s, string(e.Body))
	}
	return s
}

// put puts an event into a stream with an id of the test's choice.
func put(t *testing.T, rdb redis.UniversalClient, stream, id, body string) {
	t.Helper()
	must(t, rdb.XAdd(t.Context(), &redis.XAddArgs{Stream: stream, ID: id, Values: []string{"kind", "k", "body", body}}).Err())
}

func wantBodies(t *testing.T, doing string, list []inbox.Event, want ...string) {
	t.Helper()
	if got := bodies(list); !slices.Equal(got, want) {
		t.Errorf("%s: %v, want %v", doing, got, want)
	}
}

func TestEventForAllReachesEveryPlayerBetweenHisOwn(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		var notices []cluster.Notice
		s := inbox.New(rdb, ns, func(_ context.Context, list ...cluster.Notice) error { notices = append(notices, list...); return nil })
		must(t, s.Post(t.Context(), "", "k", 1, "alice"))
		put(t, rdb, broadcast, "99999999999999-1", "3") // after whatever Redis's clock says
		put(t, rdb, broadcast, "99999999999999-2", "4")
		must(t, s.Post(t.Context(), "", "k", 2, "alice", "bob"))
		list, missed, err := readOn(t.Context(), s, "alice", "", 10)
		must(t, err)
		wantBodies(t, "alice", list, "1", "2", "3", "4")
		if missed || list[0].At.IsZero() || list[0].Kind != "k" {
			t.Errorf("missed %v, event %+v", missed, list[0])
		}
		list, _, err = readOn(t.Context(), s, "bob", "", 10)
		must(t, err)
		wantBodies(t, "bob", list, "2", "3", "4")
		list, _, err = readOn(t.Context(), s, "carol, who was never here", "", 10)
		must(t, err)
		wantBodies(t, "carol", list, "3", "4")
		must(t, s.PostAll(t.Context(), "", "k", 5))
		if last := notices[len(notices)-1]; last != (cluster.Notice{Kind: inbox.Notice, ID: inbox.All}) {
			t.Errorf("all were told %+v", last)
		}
	})
}

// The streams are written by different processes at once, so what is read later may have the lower id, or the same.
func TestEventForAllThatIsSeenLateIsNotMissed(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		s := inbox.New(rdb, ns, quiet)
		put(t, rdb, own("alice"), "2000-1", "1")
		put(t, rdb, broadcast, "1000-1", "0")
		list, _, err := readOn(t.Context(), s, "alice", "", 10)
		must(t, err)
		wantBodies(t, "at first", list, "0", "1")
		put(t, rdb, broadcast, "1500-2", "2")
		put(t, rdb, broadcast, "2000-3", "3") // the same id as of the player's own
		list, missed, err := readOn(t.Context(), s, "alice", list[1].ID, 10)
		must(t, err)
		wantBodies(t, "after the late ones", list, "2", "3")
		put(t, rdb, own("alice"), "2000-2", "4")
		list, again, err := readOn(t.Context(), s, "alice", list[1].ID, 10)
		must(t, err)
		wantBodies(t, "after one more", list, "4")
		if missed || again {
			t.Error("something is said to be missed")
		}
	})
}

// Whatever is posted in whatever order, a reader who goes on from his place gets each event once.
func TestReaderWhoGoesOnFromHisPlaceGetsEachEventOnce(t *testing.T) {
	rdb := testredis.Embedded(t)
	rapid.Check(t, func(t *rapid.T) {
		ctx := context.Background()
		must(t, rdb.FlushAll(ctx).Err())
		s := inbox.New(rdb, ns, quiet)
		posted, given, place := 0, map[string]int{}, ""
		read := func(limit int64) int {
			list, missed, err := readOn(ctx, s, "alice", place, limit)
			must(t, err)
			if missed || int64(len(list)) > limit {
				t.Fatalf("missed %v, %d events of at most %d", missed, len(list), limit)
			}
			for _, e := range list {
				if !inbox.IsPlace(e.ID) {
					t.Fatalf("%q is no place", e.ID)
				}
				given[string(e.Body)]++
				place = e.ID
			}
			return len(list)
		}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			switch rapid.SampledFrom([]string{"own", "all", "all twice", "read"}).Draw(t, "step") {
			case "own":
				must(t, s.Post(ctx, "", "k", posted, "alice"))
				posted++
			case "all":
				must(t, s.PostAll(ctx, "", "k", posted))
				posted++
			case "all twice":
				key := strconv.Itoa(posted)
				must(t, s.PostAll(ctx, key, "k", posted))
				must(t, s.PostAll(ctx, key, "k", posted))
				posted++
			case "read":
				read(rapid.Int64Range(1, 5).Draw(t, "limit"))
			}
		}
		for read(3) > 0 { //nolint:revive // until nothing is left
		}
		for i := range posted {
			if n := given[strconv.Itoa(i)]; n != 1 {
				t.Fatalf("event %d of %d was given %d times", i, posted, n)
			}
		}
	})
}

func TestWhoWasAwayTooLongIsTold(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		s := inbox.New(rdb, ns, quiet)
		must(t, s.Post(t.Context(), "", "k", 0, "alice"))
		list, _, err := readOn(t.Context(), s, "alice", "", 10)
		must(t, err)
		onlyOwn := list[0].ID
		must(t, s.PostAll(t.Context(), "", "k", 0))
		list, missed, err := readOn(t.Context(), s, "alice", onlyOwn, 10)
		must(t, err)
		if missed {
			t.Error("missed, although everything is there")
		}
		both := list[0].ID
		for i := range 2 * inbox.Cap {
			must(t, s.PostAll(t.Context(), "", "k", i))
		}
		for _, place := range []string{onlyOwn, both} {
			if _, missed, err = readOn(t.Context(), s, "alice", place, 10); !missed || err != nil {
				t.Errorf("after %s: missed %v, %v; want it said", place, missed, err)
			}
		}
		if _, missed, err = readOn(t.Context(), s, "alice", "", 10); missed || err != nil {
			t.Errorf("who reads for the first time has missed nothing: %v, %v", missed, err)
		}
	})
}

func TestEventForAllWaitsAWeek(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rdb, stop := cluster.Embedded()
		defer func() {
			time.Sleep(time.Second) // a connection goes on for a moment
			stop()
		}()
		s := inbox.New(rdb, ns, quiet)
		must(t, s.PostAll(t.Context(), "k", "k", 1))
		time.Sleep(7*24*time.Hour - time.Second)
		list, _, err := readOn(t.Context(), s, "alice", "", 10)
		must(t, err)
		wantBodies(t, "within the week", list, "1")
		time.Sleep(2 * time.Second)
		list, _, err = readOn(t.Context(), s, "alice", list[0].ID, 10)
		must(t, err)
		wantBodies(t, "after it", list)
		if keys, err := rdb.Keys(t.Context(), "*").Result(); len(keys) != 0 || err != nil {
			t.Errorf("left in Redis: %v, %v", keys, err)
		}
	})
}

func TestEventForAllIsBounded(t *testing.T) {
	s := inbox.New(testredis.Embedded(t), ns, quiet)
	if err := s.PostAll(t.Context(), "", "k", strings.Repeat("x", inbox.MaxBody)); err == nil {
		t.Error("a body above the bound was taken")
	}
	if err := s.PostAll(t.Context(), "", "k", json.RawMessage("{")); err == nil {
		t.Error("a body that is no JSON was taken")
	}
	if list, _, err := readOn(t.Context(), s, "alice", "", 10); len(list) != 0 || err != nil {
		t.Errorf("%d events, %v", len(list), err)
	}
}

func TestPlaceIsTwoIds(t *testing.T) {
	for s, want := range map[string]bool{
		"1700000000000-0/0-0": true, "0-0/1-12": true,
		"": false, "1-0": false, "/": false, "1-0/": false, "/1-0": false, "1-0/1-0/1-0": false, "-/+": false,
		"1-0/1-0\t": false, "1-0/1-0\n": false, "(1-0/1-0": false, "9999999999999999-0/0-0": false,
	} {
		if got := inbox.IsPlace(s); got != want {
			t.Error(fmt.Sprintf("%q", s), got)
		}
	}
}
