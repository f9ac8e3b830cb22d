package cluster_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/internal/testredis"
	"muster/match/cluster"
	"muster/match/journal"
	"muster/match/journal/journaltest"
)

func TestJournalInRedisIsAStore(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		journaltest.Run(t, func(t *testing.T) journal.Store {
			must(t, rdb.FlushAll(t.Context()).Err())
			return cluster.NewJournal(rdb, ns, cluster.JournalConfig{})
		})
	})
}

// TestJournalWhoseScriptsRunTwiceIsAStore: so it is when go-redis repeats a command whose answer was lost.
func TestJournalWhoseScriptsRunTwiceIsAStore(t *testing.T) {
	rdb := testredis.Embedded(t)
	rdb.AddHook(twice{})
	journaltest.Run(t, func(t *testing.T) journal.Store {
		must(t, rdb.FlushAll(t.Context()).Err())
		return cluster.NewJournal(rdb, ns, cluster.JournalConfig{})
	})
}

// put appends idle ticks to a room's journal.
func put(t *testing.T, s journal.Store, room string, epoch uint64, from, to uint32) error {
	t.Helper()
	var list []journal.Entry
	for tick := from; tick <= to; tick++ {
		e, err := journal.NewEntry(&journal.Record{Tick: tick})
		must(t, err)
		list = append(list, e)
	}
	return s.Append(t.Context(), room, epoch, from-1, list)
}

func checkpoint(t *testing.T, s journal.Store, room string, epoch uint64, tick uint32, data []byte) error {
	t.Helper()
	return s.Checkpoint(t.Context(), room, epoch, journaltest.Header(), journal.Checkpoint{Tick: tick, Data: data})
}

// TestJournalObeysTheRoomsRecord: who claims a room raises its record's epoch, before anything is written to the journal.
func TestJournalObeysTheRoomsRecord(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		d, j := cluster.NewDirectory(rdb, ns), cluster.NewJournal(rdb, ns, cluster.JournalConfig{})
		r := create(t, d, aRoom(2))
		must(t, checkpoint(t, j, r.ID, r.Epoch, 0, nil))
		must(t, put(t, j, r.ID, r.Epoch, 1, 2))
		must(t, rdb.HSet(t.Context(), ns+":{room:"+r.ID+"}:record", "epoch", r.Epoch+1).Err())
		wantError(t, "appending", put(t, j, r.ID, r.Epoch, 3, 3), journal.ErrFenced)
		wantError(t, "a checkpoint", checkpoint(t, j, r.ID, r.Epoch, 2, nil), journal.ErrFenced)
		wantError(t, "ending", j.End(t.Context(), r.ID, r.Epoch), journal.ErrFenced)
		wantError(t, "deleting", j.Delete(t.Context(), r.ID, r.Epoch), journal.ErrFenced)
		_, err := j.Load(t.Context(), r.ID, r.Epoch)
		wantError(t, "loading", err, journal.ErrFenced)
		must(t, put(t, j, r.ID, r.Epoch+1, 3, 3))
	})
}

func TestJournalComparesEpochsOf64Bits(t *testing.T) {
	j := cluster.NewJournal(testredis.Embedded(t), ns, cluster.JournalConfig{})
	const huge = 1<<64 - 2
	must(t, checkpoint(t, j, "r", 99, 0, nil))
	must(t, checkpoint(t, j, "r", huge, 0, nil))
	wantError(t, "a shorter epoch", checkpoint(t, j, "r", 99, 1, nil), journal.ErrFenced)
	wantError(t, "one that is less by one", put(t, j, "r", huge-1, 1, 1), journal.ErrFenced)
	must(t, put(t, j, "r", huge+1, 1, 1))
}

// TestJournalAsksForACheckpointWhereRedisLostWhatItHad: all of it, or a key that was evicted.
func TestJournalAsksForACheckpointWhereRedisLostWhatItHad(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		j := cluster.NewJournal(rdb, ns, cluster.JournalConfig{})
		const hash = ns + ":{room:r}:journal"
		for _, lost := range []string{hash, hash + ":ticks", hash + ":state", "all"} {
			must(t, checkpoint(t, j, "r", 5, 0, nil))
			must(t, put(t, j, "r", 5, 1, 3))
			must(t, checkpoint(t, j, "r", 5, 3, nil))
			must(t, put(t, j, "r", 5, 4, 6))
			if lost == "all" {
				must(t, rdb.FlushAll(t.Context()).Err())
			} else {
				must(t, rdb.Del(t.Context(), lost).Err())
			}
			wantError(t, "without "+lost, put(t, j, "r", 5, 7, 7), journal.ErrGap)
			must(t, checkpoint(t, j, "r", 5, 7, []byte{1}))
			must(t, put(t, j, "r", 5, 8, 9))
			must(t, checkpoint(t, j, "r", 5, 9, []byte{1}))
			must(t, put(t, j, "r", 5, 10, 11))
			s, err := j.Load(t.Context(), "r", 0)
			if err != nil || s.Last() != 11 || s.Checkpoint.Tick != 9 {
				t.Errorf("without %s: %+v, %v", lost, s, err)
			}
			must(t, j.Export(t.Context(), "r", new(bytes.Buffer)))
			total := 0
			parts := rdb.HGetAll(t.Context(), hash+":parts").Val()
			for _, p := range parts {
				total += len(p)
			}
			if n := rdb.LLen(t.Context(), hash+":order").Val(); int(n) != len(parts) || rdb.HGet(t.Context(), hash, "kept").Val() != fmt.Sprint(total) {
				t.Errorf("without %s: %d segments of %d bytes in an order of %d", lost, len(parts), total, n)
			}
			must(t, j.Delete(t.Context(), "r", 5))
		}
	})
}

// between makes a call after the first transaction has been answered.
type between struct {
	twice // for its other hooks
	call  func()
}

func (between) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

func (b *between) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		err := next(ctx, cmds)
		if call := b.call; call != nil {
			b.call = nil
			call()
		}
		return err //nolint:wrapcheck // a test's
	}
}

func TestJournalClosesNoSegmentThatSomebodyGoesOnWritingMeanwhile(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		j := cluster.NewJournal(rdb, ns, cluster.JournalConfig{})
		must(t, checkpoint(t, j, "r", 5, 0, nil))
		must(t, put(t, j, "r", 5, 1, 3))
		hook := &between{call: func() { must(t, put(t, j, "r", 5, 4, 6)) }}
		rdb.AddHook(hook)
		must(t, checkpoint(t, j, "r", 5, 6, nil))
		must(t, put(t, j, "r", 5, 7, 8))
		hook.call = func() { must(t, put(t, j, "r", 5, 9, 9)) }
		must(t, j.End(t.Context(), "r", 5))
		var b bytes.Buffer
		must(t, j.Export(t.Context(), "r", &b))
		r, err := journal.NewReader(bytes.NewReader(b.Bytes()))
		must(t, err)
		n := uint32(0)
		for {
			rec, _, err := r.Next()
			if err != nil {
				break
			}
			if rec != nil {
				if n++; rec.Tick != n {
					t.Fatalf("tick %d in place of %d", rec.Tick, n)
				}
			}
		}
		if n != 9 {
			t.Errorf("the replay has %d ticks, want 9", n)
		}
	})
}

func TestJournalEndsAsAWholeAfterAWhile(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		j := cluster.NewJournal(rdb, ns, cluster.JournalConfig{Keep: time.Hour})
		must(t, checkpoint(t, j, "r", 5, 0, nil))
		must(t, put(t, j, "r", 5, 1, 3))
		must(t, checkpoint(t, j, "r", 5, 3, nil))
		time.Sleep(50 * time.Minute)
		must(t, put(t, j, "r", 5, 4, 4))
		time.Sleep(50 * time.Minute)
		must(t, j.Export(t.Context(), "r", new(bytes.Buffer)))
		must(t, j.End(t.Context(), "r", 5))
		time.Sleep(50 * time.Minute)
		var b bytes.Buffer
		must(t, j.Export(t.Context(), "r", &b))
		if !strings.Contains(b.String(), "MUSTER") {
			t.Error("no replay")
		}
		time.Sleep(11 * time.Minute)
		synctest.Wait()
		if keys, err := rdb.Keys(t.Context(), "*").Result(); err != nil || len(keys) > 0 {
			t.Errorf("keys are left: %q, %v", keys, err)
		}
		wantError(t, "exporting", j.Export(t.Context(), "r", &b), journal.ErrNone)
	})
}

// TestJournalOfARunningRoomIsKeptUntilItsNextCheckpoint: which its rules may have come after many minutes, though replays are
// kept for one only.
func TestJournalOfARunningRoomIsKeptUntilItsNextCheckpoint(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		j := cluster.NewJournal(rdb, ns, cluster.JournalConfig{Keep: time.Minute})
		must(t, checkpoint(t, j, "r", 1, 0, []byte("state")))
		for tick := uint32(1); tick <= 12; tick++ {
			must(t, put(t, j, "r", 1, tick, tick))
			time.Sleep(time.Minute)
		}
		if s, err := j.Load(t.Context(), "r", 2); err != nil || len(s.Records) != 12 {
			t.Fatalf("after 12 minutes there is %+v, %v", s, err)
		}
		must(t, j.End(t.Context(), "r", 2))
		time.Sleep(61 * time.Second)
		if keys := rdb.Keys(t.Context(), "*").Val(); len(keys) != 0 {
			t.Errorf("a minute after its end there is %v", keys)
		}
	})
}

func TestJournalOfARoomThatPersistsIsKeptUntilItEnds(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		j := cluster.NewJournal(rdb, ns, cluster.JournalConfig{Keep: time.Hour})
		h := journal.Header{Room: "docs.r", Game: "docs", Class: journal.ClassPersistent}
		must(t, j.Checkpoint(t.Context(), "docs.r", 5, h, journal.Checkpoint{Tick: 3, Data: []byte("a document")}))
		must(t, put(t, j, "docs.r", 5, 4, 6))
		time.Sleep(365 * 24 * time.Hour)
		s, err := j.Load(t.Context(), "docs.r", 6)
		must(t, err)
		if string(s.Checkpoint.Data) != "a document" || s.Last() != 6 {
			t.Errorf("after a year it is %q up to tick %d", s.Checkpoint.Data, s.Last())
		}
		must(t, j.End(t.Context(), "docs.r", 6))
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		if keys, err := rdb.Keys(t.Context(), "*").Result(); err != nil || len(keys) > 0 {
			t.Errorf("keys are left after its end: %q, %v", keys, err)
		}
	})
}

func TestJournalKeepsTheNewestSegmentsThatFit(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		j := cluster.NewJournal(rdb, ns, cluster.JournalConfig{MaxBytes: 10_000})
		noise := make([]byte, 3000)
		dice := rand.NewChaCha8([32]byte{})
		for tick := uint32(0); tick < 100; tick += 10 {
			_, _ = dice.Read(noise)
			must(t, checkpoint(t, j, "r", 5, tick, noise))
			must(t, put(t, j, "r", 5, tick+1, tick+10))
		}
		parts, err := rdb.HGetAll(t.Context(), ns+":{room:r}:journal:parts").Result()
		must(t, err)
		total := 0
		for _, p := range parts {
			total += len(p)
		}
		if kept := rdb.HGet(t.Context(), ns+":{room:r}:journal", "kept").Val(); len(parts) != 3 || total > 10_000 || kept != fmt.Sprint(total) {
			t.Errorf("%d parts of %d bytes, counted %s", len(parts), total, kept)
		}
		var b bytes.Buffer
		must(t, j.Export(t.Context(), "r", &b))
		r, err := journal.NewReader(bytes.NewReader(b.Bytes()))
		must(t, err)
		if _, cp, err := r.Next(); err != nil || cp == nil || cp.Tick != 60 {
			t.Errorf("the replay begins with %v, %v; want the checkpoint of tick 60", cp, err)
		}
	})
}

func TestJournalWithAForeignEntryCanBeginAnew(t *testing.T) {
	rdb := testredis.Embedded(t)
	j := cluster.NewJournal(rdb, ns, cluster.JournalConfig{})
	must(t, checkpoint(t, j, "r", 5, 0, nil))
	must(t, put(t, j, "r", 5, 1, 1))
	must(t, rdb.XAdd(t.Context(), &redis.XAddArgs{Stream: ns + ":{room:r}:journal:ticks", ID: "9-9", Values: []any{"r", "x"}}).Err())
	_, err := j.Load(t.Context(), "r", 0)
	wantError(t, "loading", err, journal.ErrMalformed)
	wantError(t, "appending", put(t, j, "r", 5, 2, 2), journal.ErrGap)
	must(t, checkpoint(t, j, "r", 5, 2, nil))
	must(t, put(t, j, "r", 5, 3, 3))
}

// TestJournalSurvivesLostReplies: go-redis repeats what was not answered, so every script runs twice here.
func TestJournalSurvivesLostReplies(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		client, w := rewired(t, rdb)
		defer func() { _ = client.Close() }()
		j := cluster.NewJournal(client, ns, cluster.JournalConfig{})
		must(t, checkpoint(t, j, "r", 5, 0, nil))
		for tick := uint32(1); tick < 20; tick++ {
			w.loseReply("evalsha")
			must(t, put(t, j, "r", 5, tick, tick))
			if tick%5 == 0 {
				w.loseReply("evalsha")
				must(t, checkpoint(t, j, "r", 5, tick, nil))
			}
		}
		s, err := j.Load(t.Context(), "r", 0)
		if err != nil || s.Last() != 19 || len(s.Records) != 4 {
			t.Errorf("%+v, %v", s, err)
		}
		w.loseReply("evalsha")
		must(t, j.End(t.Context(), "r", 5))
		w.loseReply("evalsha")
		must(t, j.Delete(t.Context(), "r", 5))
		if n := w.lost(); n < 10 {
			t.Errorf("%d replies were lost", n)
		}
	})
}
