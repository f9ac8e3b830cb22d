package cluster_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"muster/internal/testredis"
	"muster/match/cluster"
	"muster/match/journal"
	"muster/proto"
)

// dump is what Redis has of a room, but for the times at which it ends.
func dump(t *testing.T, rdb redis.UniversalClient, room string) map[string]any {
	t.Helper()
	keys, err := rdb.Keys(t.Context(), ns+":{room:"+room+"}*").Result()
	must(t, err)
	all := map[string]any{}
	for _, k := range keys {
		all[k] = rdb.Dump(t.Context(), k).Val()
	}
	all["results"] = rdb.XLen(t.Context(), ns+":{outbox}:results").Val()
	return all
}

// Each write that a host makes for its room is made again by one that has the room no longer.
func TestHostThatHasARoomNoLongerWritesNothingOfIt(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		ctx := t.Context()
		d, j := cluster.NewDirectory(rdb, ns), cluster.NewJournal(rdb, ns, cluster.JournalConfig{})
		r := create(t, d, aRoom(4))
		old := r.Epoch
		seat(t, d, r, "alice")
		h := journal.Header{Room: r.ID, Game: r.Game, Rules: r.Rules, TickRate: 20, Seats: 4, Class: "journal"}
		must(t, d.Begin(ctx, r.ID, r.Node, old))
		must(t, j.Checkpoint(ctx, r.ID, old, h, journal.Checkpoint{Tick: 5, Data: []byte("five")}))
		c, err := d.Copy(ctx, r.ID)
		must(t, err)
		must(t, d.Own(ctx, "n2", r.ID))
		what, now, err := d.Claim(ctx, r.ID, r.Node, "n2", 0, &cluster.Blame{})
		must(t, err)
		if what != cluster.ClaimedRoom || now.Epoch <= old || now.Node != "n2" || now.Attempts != 1 {
			t.Fatalf("it is claimed as %s: %+v", what, now)
		}
		var rec journal.Record
		rec.Tick = 6
		w := proto.NewWriter()
		rec.AppendTo(w)
		writes := map[string]func(epoch uint64) error{
			"Renew": func(e uint64) error { return d.Renew(ctx, r.ID, e, cluster.Alive{Open: true}) },
			"Renew of teams": func(e uint64) error {
				return d.Renew(ctx, r.ID, e, cluster.Alive{Teams: true, Seats: []cluster.Seated{{Seat: 1, Team: 2, Player: "alice"}}})
			},
			"Revive":   func(e uint64) error { return d.Revive(ctx, r.ID, r.Node, e, c, cluster.Alive{}) },
			"FreeSeat": func(e uint64) error { return d.FreeSeat(ctx, r.ID, e, 1, nil) },
			"HandOver": func(e uint64) error { return d.HandOver(ctx, r.ID, e, true) },
			"Fail": func(e uint64) error {
				return d.Fail(ctx, r.ID, e, proto.Close{Code: proto.CodeMatchGone, Reason: "lost"})
			},
			"Begin":      func(e uint64) error { return d.Begin(ctx, r.ID, r.Node, e) },
			"PostResult": func(e uint64) error { return d.PostResult(ctx, proto.Result{Room: r.ID, Epoch: e, Tick: 6}) },
			"EndRoom":    func(e uint64) error { return d.EndRoom(ctx, r.ID, e) },
			"Append": func(e uint64) error {
				return j.Append(ctx, r.ID, e, 5, []journal.Entry{{Tick: 6, Data: w.Bytes()}})
			},
			"Checkpoint": func(e uint64) error {
				return j.Checkpoint(ctx, r.ID, e, h, journal.Checkpoint{Tick: 6, Data: []byte("six")})
			},
			"Load": func(e uint64) error {
				_, err := j.Load(ctx, r.ID, e)
				return err
			},
			"End":    func(e uint64) error { return j.End(ctx, r.ID, e) },
			"Delete": func(e uint64) error { return j.Delete(ctx, r.ID, e) },
		}
		before := dump(t, rdb, r.ID)
		for name, write := range writes {
			if err := write(old); !errors.Is(err, cluster.ErrFenced) && !errors.Is(err, journal.ErrFenced) {
				t.Errorf("%s: %v, want that it is fenced", name, err)
			}
			if d := cmp.Diff(before, dump(t, rdb, r.ID)); d != "" {
				t.Fatalf("%s has changed the room (-before +after):\n%s", name, d)
			}
		}
		if _, _, err := d.Claim(ctx, r.ID, r.Node, "n3", 0, &cluster.Blame{}); !errors.Is(err, cluster.ErrFenced) {
			t.Errorf("another claim from the node that is gone: %v", err)
		}
		// And the room's host of now may do all of it.
		must(t, d.Begin(ctx, r.ID, "n2", now.Epoch))
		for _, name := range []string{"Renew", "Load", "Append", "Checkpoint", "FreeSeat", "PostResult", "End", "EndRoom"} {
			if err := writes[name](now.Epoch); err != nil {
				t.Errorf("%s by its host: %v", name, err)
			}
		}
	})
}

func TestRoomIsClaimedOnceUnderAnEpochAboveAllThatAreKnown(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		ctx, d := t.Context(), cluster.NewDirectory(rdb, ns)
		r := create(t, d, aRoom(4))
		must(t, d.Begin(ctx, r.ID, r.Node, r.Epoch))
		floor := uint64(time.Now().Add(time.Hour).UnixMilli())
		_, first, err := d.Claim(ctx, r.ID, r.Node, "n2", floor, &cluster.Blame{})
		must(t, err)
		what, again, err := d.Claim(ctx, r.ID, r.Node, "n2", floor, &cluster.Blame{}) // its answer was lost, say
		must(t, err)
		if first.Epoch <= floor || cmp.Diff(first, again) != "" || what != cluster.ClaimedRoom {
			t.Errorf("the first time %+v, again %+v", first, again)
		}
		_, second, err := d.Claim(ctx, r.ID, "n2", "n3", 0, &cluster.Blame{})
		must(t, err)
		if second.Epoch != first.Epoch+1 || second.Attempts != 1 {
			t.Errorf("claimed from one who had not opened it: %+v", second)
		}
	})
}

// A named room that was handed over may be moved before anybody claims it.
func TestRoomThatWasMovedIsBlamedForWhatStopsItsNewHostAlone(t *testing.T) {
	for begun, want := range map[bool]int{true: 1, false: 0} {
		testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
			ctx, d := t.Context(), cluster.NewDirectory(rdb, ns)
			r := create(t, d, aRoom(4))
			must(t, d.Begin(ctx, r.ID, r.Node, r.Epoch))
			must(t, d.HandOver(ctx, r.ID, r.Epoch, false))
			r.Node = cluster.Released
			moved, err := d.Move(ctx, r, "n2", r.Rules)
			must(t, err)
			if begun {
				must(t, d.Begin(ctx, r.ID, "n2", moved.Epoch))
			}
			_, now, err := d.Claim(ctx, r.ID, "n2", "n3", 0, &cluster.Blame{})
			if err != nil || now.Attempts != want {
				t.Errorf("opened there: %v; attempts %d, %v, want %d", begun, now.Attempts, err, want)
			}
		})
	}
}

func TestKeptResultIsWhatWhoeverTakesTheRoomOverPosts(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		ctx, d, o, s := t.Context(), cluster.NewDirectory(rdb, ns), cluster.NewOutbox(rdb, ns), &shelf{}
		r := create(t, d, aRoom(4))
		must(t, d.Begin(ctx, r.ID, r.Node, r.Epoch))
		must(t, d.PostResult(ctx, under(r.Epoch, aResult(r.ID, 7, 0))))
		what, now, err := d.Claim(ctx, r.ID, r.Node, "n2", 0, &cluster.Blame{})
		if err != nil || what != cluster.ClaimedResult || now.Attempts != 0 {
			t.Fatalf("it is claimed as %s: %+v, %v", what, now, err)
		}
		must(t, d.PostKept(ctx, now))
		must(t, d.PostResult(ctx, under(now.Epoch, aResult(r.ID, 9, 0)))) // who has played on from a checkpoint
		must(t, d.EndRoom(ctx, r.ID, now.Epoch))
		drain(t, o, s, 1)
		if len(s.list) != 1 || s.list[0].Tick != 7 || s.list[0].Queue != r.Queue {
			t.Errorf("the results are %+v", s.list)
		}
	})
}
