package inbox_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/internal/testredis"
	"muster/lobby/inbox"
	"muster/lobby/keyspace"
	"muster/match/cluster"
)

type fixture struct {
	*inbox.Store
	t       *testing.T
	rdb     redis.UniversalClient
	notices []cluster.Notice
	fails   bool // publishing
}

// each runs a test on both kinds of Redis.
func each(t *testing.T, test func(t *testing.T, f *fixture)) {
	t.Helper()
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		f := &fixture{t: t, rdb: rdb}
		f.Store = inbox.New(rdb, ns, func(_ context.Context, list ...cluster.Notice) error {
			f.notices = append(f.notices, list...)
			if f.fails {
				return errors.New("the bus is down")
			}
			return nil
		})
		test(t, f)
	})
}

func (f *fixture) post(key string, body any, players ...string) {
	f.t.Helper()
	if err := f.Post(f.t.Context(), key, "chat", body, players...); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) read(a inbox.Ask, limit int64) inbox.Page {
	f.t.Helper()
	pages, err := f.Read(f.t.Context(), limit, a)
	if err != nil {
		f.t.Fatal(err)
	}
	return pages[0]
}

func TestEventsAreReadInOrderFromTheLastKnownOne(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		for n := range 10 {
			f.post("", n, "alice")
		}
		after, next := "", 0
		for {
			p := f.read(inbox.Ask{Player: "alice", After: after, Resume: after == ""}, 3)
			if p.Missed {
				t.Error("something is said to be missing")
			}
			if len(p.Events) == 0 {
				break
			}
			for _, e := range p.Events {
				if string(e.Body) != fmt.Sprint(next) || e.Kind != "chat" || !inbox.IsPlace(e.ID) || e.ID == after {
					t.Fatalf("event %d is %+v", next, e)
				}
				if age := time.Since(e.At); age < -time.Minute || age > time.Minute {
					t.Errorf("it is from %v", e.At)
				}
				after = e.ID
				next++
			}
		}
		if p := f.read(inbox.Ask{Player: "alice", Resume: true}, 1); next != 10 || p.Newest != after {
			t.Errorf("%d events; the newest is %s, not %s", next, after, p.Newest)
		}
	})
}

func TestSeveralPlayersArePostedToAndReadAtOnce(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		var players []string
		var asks []inbox.Ask
		for n := range 150 { // more than one exchange
			players = append(players, fmt.Sprintf("p%d: {*}\r\n", n))
			asks = append(asks, inbox.Ask{Player: players[n]})
		}
		f.post("k", "hello", players...)
		pages, err := f.Read(t.Context(), 8, asks...)
		if err != nil {
			t.Fatal(err)
		}
		for n, p := range pages {
			if len(p.Events) != 1 || string(p.Events[0].Body) != `"hello"` {
				t.Fatalf("player %d has %+v", n, p)
			}
			if f.notices[n] != (cluster.Notice{Kind: inbox.Notice, ID: keyspace.Digest(players[n])}) {
				t.Fatalf("notice %d is %+v", n, f.notices[n])
			}
		}
	})
}

func TestEventThatIsPostedAgainWithItsKeyComesOnce(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.fails = true // which is not the event's failure
		for range 3 {
			f.post("k", 1, "alice")
			f.post("", 2, "alice")
		}
		bodies := ""
		for _, e := range f.read(inbox.Ask{Player: "alice"}, 99).Events {
			bodies += string(e.Body)
		}
		if bodies != "1222" {
			t.Errorf("the inbox has %s", bodies)
		}
	})
}

func TestInboxIsCappedAndSaysSo(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.post("", 0, "alice")
		first := f.read(inbox.Ask{Player: "alice"}, 1).Events[0].ID
		for n := range 3 * inbox.Cap {
			f.post("", n+1, "alice")
		}
		all := f.read(inbox.Ask{Player: "alice"}, 10_000)
		if n := len(all.Events); n < inbox.Cap || n > 2*inbox.Cap || all.Missed {
			t.Errorf("%d events are kept, missed %v", n, all.Missed)
		}
		if !f.read(inbox.Ask{Player: "alice", After: first, Resume: true}, 10).Missed {
			t.Error("whoever has the first event is not told that others are missing")
		}
		// Who has the event before the oldest that is left has missed nothing.
		if p := f.read(inbox.Ask{Player: "alice", After: all.From, Resume: true}, 10); p.Missed || p.Events[0].ID != all.Events[0].ID {
			t.Error("who has all events but those that are left is told that others are missing")
		}
	})
}

func TestInboxThatWasLostBeginsAnewAndSaysSo(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		for n := range 5 {
			f.post("", n, "alice")
		}
		last := f.read(inbox.Ask{Player: "alice", Resume: true}, 1).Newest
		if p := f.read(inbox.Ask{Player: "alice", After: last, Resume: true}, 9); p.Missed || len(p.Events) > 0 {
			t.Errorf("who has everything gets %+v", p)
		}
		if err := f.rdb.FlushDB(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		p := f.read(inbox.Ask{Player: "alice", After: last, Resume: true}, 9)
		if !p.Missed || len(p.Events) > 0 {
			t.Errorf("of an empty inbox: %+v", p)
		}
		if p := f.read(inbox.Ask{Player: "alice", After: p.From, Resume: true}, 9); p.Missed {
			t.Error("who goes on from there is told again")
		}
		f.post("", "new", "alice")
		for _, after := range []string{last, "999999999999999-7/0-0"} { // and one of a clock that was ahead
			if p := f.read(inbox.Ask{Player: "alice", After: after, Resume: true}, 9); !p.Missed || len(p.Events) != 1 {
				t.Errorf("after %s: %+v", after, p)
			}
		}
	})
}

func TestIdsGoUpThoughRedisClockGoesBack(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		key := keyspace.Player(ns, "alice") + ":inbox"
		if err := f.rdb.XAdd(t.Context(), &redis.XAddArgs{Stream: key, ID: "9000000000000-41", Values: []string{"kind", "x", "body", "{"}}).Err(); err != nil {
			t.Fatal(err)
		}
		f.post("", 1, "alice")
		p := f.read(inbox.Ask{Player: "alice"}, 9)
		if len(p.Events) != 2 || p.Events[1].ID != "9000000000000-42/0-0" || string(p.Events[0].Body) != "null" {
			t.Errorf("%+v", p)
		}
	})
}

func TestWhatNoInboxTakesIsRefusedAndNothingOfItIsThere(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		for name, err := range map[string]error{
			"large body": f.Post(t.Context(), "", "chat", strings.Repeat("x", inbox.MaxBody), "alice"),
			"no kind":    f.Post(t.Context(), "", "", 1, "alice"),
			"long kind":  f.Post(t.Context(), "", strings.Repeat("x", 33), 1, "alice"),
			"long key":   f.Post(t.Context(), strings.Repeat("x", 129), "chat", 1, "alice"),
			"no JSON":    f.Post(t.Context(), "", "chat", func() {}, "alice"),
		} {
			if err == nil || len(err.Error()) > 200 {
				t.Errorf("%s: %v", name, err)
			}
		}
		if p := f.read(inbox.Ask{Player: "alice"}, 9); len(p.Events) > 0 || len(f.notices) > 0 {
			t.Errorf("%+v, %+v", p, f.notices)
		}
	})
}

func TestInboxesExpire(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.post("k", 1, "alice")
		keys, err := f.rdb.Keys(t.Context(), "*").Result()
		if err != nil || len(keys) != 2 {
			t.Fatalf("%q, %v", keys, err)
		}
		for _, k := range keys {
			if ttl := f.rdb.TTL(t.Context(), k).Val(); ttl <= 0 || ttl > 7*24*time.Hour {
				t.Errorf("%s ends in %v", k, ttl)
			}
			if strings.Contains(k, "alice") {
				t.Errorf("a player's words are in a key: %s", k)
			}
		}
	})
}
