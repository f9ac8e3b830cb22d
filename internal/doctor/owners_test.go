package doctor_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/internal/doctor"
	"muster/internal/testredis"
)

// world is what a case writes to Redis.
type world struct {
	t   *testing.T
	rdb redis.UniversalClient
}

func (w world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w world) hash(name string, ttl time.Duration, fields ...any) {
	w.t.Helper()
	w.must(w.rdb.HSet(w.t.Context(), ns+":"+name, fields...).Err())
	w.ends(name, ttl)
}

func (w world) text(name, text string, ttl time.Duration) {
	w.t.Helper()
	w.must(w.rdb.Set(w.t.Context(), ns+":"+name, text, ttl).Err())
}

func (w world) zset(name string, ttl time.Duration, score float64, members ...string) {
	w.t.Helper()
	for _, m := range members {
		w.must(w.rdb.ZAdd(w.t.Context(), ns+":"+name, redis.Z{Score: score, Member: m}).Err())
	}
	w.ends(name, ttl)
}

func (w world) ends(name string, ttl time.Duration) {
	w.t.Helper()
	if ttl > 0 {
		w.must(w.rdb.PExpire(w.t.Context(), ns+":"+name, ttl).Err())
	}
}

// in is a time of Redis's clock, in milliseconds.
func (w world) in(d time.Duration) float64 {
	w.t.Helper()
	now, err := w.rdb.Time(w.t.Context()).Result()
	w.must(err)
	return float64(now.Add(d).UnixMilli())
}

const (
	someID   = "aaaaaaaaaaaaaaaaaaaaaaaaaa"
	otherID  = "cccccccccccccccccccccccccc"
	ticketID = "pair.bbbbbbbbbbbbbbbbbbbbbbbbbb"
	somebody = "0123456789abcdef0123456789abcdef"
)

// ownership is, for a row, a key that nobody owns, and what gives it an owner.
type ownership struct {
	pattern string
	reason  string
	orphan  func(w world)
	name    string // of the key that is found, and its part
	adopt   func(w world)
}

var ownerships = []ownership{
	{
		"{room:ROOM}:record", doctor.WhyNoNode,
		func(w world) { w.hash("{room:r}:record", 20*time.Second, "node", "dead", "epoch", "1") },
		"{room:r}:record",
		func(w world) { w.zset("{nodes}:live", 0, w.in(time.Second), "dead") },
	},
	{
		"{room:ROOM}:record", doctor.WhyNoNode,
		func(w world) { w.hash("{room:r}:record", 20*time.Second, "node", "dead") },
		"{room:r}:record",
		func(w world) { w.ends("{room:r}:record", 45*time.Second) }, // it was renewed: a claim may be under way
	},
	{
		"{room:ROOM}:record", doctor.WhyNoNode,
		func(w world) { w.hash("{room:r}:record", 20*time.Second, "node", "dead") },
		"{room:r}:record",
		func(w world) { w.hash("{room:r}:record", 0, "off", "1") },
	},
	{
		"{room:ROOM}:seats", doctor.WhyNoRoom,
		func(w world) { w.hash("{room:r}:seats", time.Minute, "1", "0|!|bob") },
		"{room:r}:seats",
		withRoom,
	},
	{
		"{room:ROOM}:orders", doctor.WhyNoRoom,
		func(w world) {
			w.must(w.rdb.XAdd(w.t.Context(), &redis.XAddArgs{Stream: ns + ":{room:r}:orders", Values: []any{"id", "a"}}).Err())
			w.ends("{room:r}:orders", time.Minute)
		},
		"{room:r}:orders",
		withRoom,
	},
	{
		"{room:ROOM}:journal", doctor.WhyJournal,
		func(w world) { w.hash("{room:r}:journal", doctor.Day, "base", "1") },
		"{room:r}:journal",
		withRoom,
	},
	{
		"{room:ROOM}:journal", doctor.WhyJournal,
		func(w world) { w.hash("{room:r}:journal", doctor.Day, "base", "1") },
		"{room:r}:journal",
		func(w world) { w.hash("{room:r}:journal", 0, "ended", "7") },
	},
	{
		"{room:ROOM}:journal", doctor.WhyForever,
		func(w world) { w.hash("{room:r}:journal", 0, "base", "1") },
		"{room:r}:journal",
		func(w world) { w.hash("{room:r}:journal", 0, "forever", "1") },
	},
	{
		"{room:ROOM}:journal:ticks", doctor.WhyPart,
		func(w world) {
			put(w.t, w.rdb, ns+":{room:r}:journal:ticks", "stream")
			w.ends("{room:r}:journal:ticks", doctor.Day)
		},
		"{room:r}:journal:ticks",
		func(w world) { w.hash("{room:r}:journal", doctor.Day, "ended", "1") },
	},
	{
		"{room:ROOM}:journal:state", doctor.WhyForever,
		func(w world) {
			w.text("{room:r}:journal:state", "x", 0)
			w.hash("{room:r}:journal", doctor.Day, "ended", "1")
		},
		"{room:r}:journal:state",
		func(w world) { w.ends("{room:r}:journal:state", doctor.Day) },
	},
	{
		"{room:ROOM}:journal:parts", doctor.WhyPart,
		func(w world) { w.hash("{room:r}:journal:parts", doctor.Day, "1-0", "x") },
		"{room:r}:journal:parts",
		func(w world) { w.hash("{room:r}:journal", doctor.Day, "ended", "1") },
	},
	{
		"{room:ROOM}:journal:order", doctor.WhyForever,
		func(w world) {
			put(w.t, w.rdb, ns+":{room:r}:journal:order", "list")
			w.hash("{room:r}:journal", doctor.Day, "ended", "1")
		},
		"{room:r}:journal:order",
		func(w world) {
			w.must(w.rdb.Persist(w.t.Context(), ns+":{room:r}:journal").Err())
			w.hash("{room:r}:journal", 0, "forever", "1")
		},
	},
	{
		"{rooms:NAME}:public", doctor.WhyListed,
		func(w world) { w.zset("{rooms:arena}:public", doctor.Day, 0, "1767225600000:r") },
		"{rooms:arena}:public 1767225600000:r",
		withRoom,
	},
	{
		"{code:CODE}", doctor.WhyNoRoom,
		func(w world) { w.text("{code:K7KKTQ}", "r", time.Minute) },
		"{code:K7KKTQ}",
		withRoom,
	},
	{
		"{queue:NAME}:open", doctor.WhyListed,
		func(w world) { w.zset("{queue:pair}:open", doctor.Day, 1, "r") },
		"{queue:pair}:open r",
		withRoom,
	},
	{
		"{node:NODE}:rooms", doctor.WhyNoNode,
		func(w world) {
			w.must(w.rdb.SAdd(w.t.Context(), ns+":{node:dead}:rooms", "r").Err())
			w.ends("{node:dead}:rooms", 40*time.Second)
		},
		"{node:dead}:rooms",
		func(w world) { w.zset("{nodes}:live", 0, w.in(time.Second), "dead") },
	},
	{
		"{node:NODE}:rooms", doctor.WhyNoNode,
		func(w world) {
			w.must(w.rdb.SAdd(w.t.Context(), ns+":{node:dead}:rooms", "r").Err())
			w.ends("{node:dead}:rooms", 40*time.Second)
		},
		"{node:dead}:rooms",
		func(w world) { w.ends("{node:dead}:rooms", 60*time.Second) }, // it is being claimed
	},
	{
		"{nodes}:live", doctor.WhyNode,
		func(w world) { w.zset("{nodes}:live", 0, w.in(-time.Second), "n") },
		"{nodes}:live n",
		func(w world) { w.zset("{nodes}:live", 0, w.in(time.Second), "n") },
	},
	{
		"{nodes}:info", doctor.WhyUnregistered,
		func(w world) { w.hash("{nodes}:info", 0, "n", "{}") },
		"{nodes}:info n",
		func(w world) { w.zset("{nodes}:live", 0, w.in(time.Second), "n") },
	},
	{
		"{nodes}:leases", doctor.WhyUnregistered,
		func(w world) { w.hash("{nodes}:leases", 0, "n", "1 1 1500 ") },
		"{nodes}:leases n",
		func(w world) { w.zset("{nodes}:live", 0, w.in(time.Second), "n") },
	},
	{
		"{outbox}:results", doctor.WhyResult,
		func(w world) {
			id := fmt.Sprintf("%.0f-0", w.in(-2*doctor.Overdue))
			w.must(w.rdb.XAdd(w.t.Context(), &redis.XAddArgs{Stream: ns + ":{outbox}:results", ID: id, Values: []any{"result", "{}"}}).Err())
		},
		"{outbox}:results",
		func(w world) {
			w.must(w.rdb.XTrimMaxLen(w.t.Context(), ns+":{outbox}:results", 0).Err())
			id := fmt.Sprintf("%.0f-0", w.in(-doctor.Overdue/2))
			w.must(w.rdb.XAdd(w.t.Context(), &redis.XAddArgs{Stream: ns + ":{outbox}:results", ID: id, Values: []any{"result", "{}"}}).Err())
		},
	},
	{
		"{queue:NAME}:waiting", doctor.WhyNoTicket,
		func(w world) {
			w.hash("{queue:pair}:leader", doctor.Day, "until", fmt.Sprintf("%.0f", w.in(time.Minute)))
			w.zset("{queue:pair}:waiting", doctor.Day, 1, ticketID)
		},
		"{queue:pair}:waiting " + ticketID,
		func(w world) { w.hash("{queue:pair}:ticket:"+ticketID, time.Hour, "state", "waiting") },
	},
	{
		"{queue:NAME}:waiting", doctor.WhyNoLobby,
		func(w world) {
			w.hash("{queue:pair}:ticket:"+ticketID, time.Hour, "state", "waiting")
			w.zset("{queue:pair}:waiting", doctor.Day, 1, ticketID)
		},
		"{queue:pair}:waiting",
		func(w world) {
			w.hash("{queue:pair}:leader", doctor.Day, "until", fmt.Sprintf("%.0f", w.in(time.Minute)))
		},
	},
	{
		"{queue:NAME}:seen", doctor.WhyNoTicket,
		func(w world) {
			w.hash("{queue:pair}:ticket:"+ticketID, time.Hour, "state", "expired")
			w.zset("{queue:pair}:seen", doctor.Day, 1, ticketID)
		},
		"{queue:pair}:seen " + ticketID,
		func(w world) {
			w.hash("{queue:pair}:leader", doctor.Day, "until", fmt.Sprintf("%.0f", w.in(time.Minute)))
			w.hash("{queue:pair}:ticket:"+ticketID, time.Hour, "state", "waiting")
			w.zset("{queue:pair}:waiting", doctor.Day, 1, ticketID)
		},
	},
	{
		"{queue:NAME}:attempts", doctor.WhyDue,
		func(w world) {
			w.hash("{queue:pair}:attempt:"+someID, time.Minute, "state", "reserving")
			w.zset("{queue:pair}:attempts", doctor.Day, w.in(-2*doctor.Overdue), someID)
		},
		"{queue:pair}:attempts " + someID,
		func(w world) { w.zset("{queue:pair}:attempts", doctor.Day, w.in(-doctor.Overdue/2), someID) },
	},
	{
		"{queue:NAME}:attempts", doctor.WhyNoAttempt,
		func(w world) { w.zset("{queue:pair}:attempts", doctor.Day, w.in(time.Second), someID) },
		"{queue:pair}:attempts " + someID,
		func(w world) { w.hash("{queue:pair}:attempt:"+someID, time.Minute, "state", "reserving") },
	},
	{
		"{queue:NAME}:attempt:ID", doctor.WhyAttempt,
		func(w world) { w.hash("{queue:pair}:attempt:"+someID, 5*time.Minute, "state", "reserving") },
		"{queue:pair}:attempt:" + someID,
		func(w world) { w.zset("{queue:pair}:attempts", doctor.Day, w.in(time.Second), someID) },
	},
	{
		"{queue:NAME}:attempt:ID", doctor.WhyAttempt,
		func(w world) { w.hash("{queue:pair}:attempt:"+someID, 5*time.Minute, "state", "failed") },
		"{queue:pair}:attempt:" + someID,
		func(w world) { w.ends("{queue:pair}:attempt:"+someID, 50*time.Second) }, // it is over
	},
	{
		"{queue:NAME}:ticket:TICKET", doctor.WhyLost,
		func(w world) { w.hash("{queue:pair}:ticket:"+ticketID, time.Hour, "state", "waiting") },
		"{queue:pair}:ticket:" + ticketID,
		func(w world) {
			w.hash("{queue:pair}:leader", doctor.Day, "until", fmt.Sprintf("%.0f", w.in(time.Minute)))
			w.zset("{queue:pair}:waiting", doctor.Day, 1, ticketID)
		},
	},
	{
		"{queue:NAME}:ticket:TICKET", doctor.WhyNoAttempt,
		func(w world) {
			w.hash("{queue:pair}:ticket:"+ticketID, time.Hour, "state", "matched", "attempt", someID)
		},
		"{queue:pair}:ticket:" + ticketID,
		func(w world) { w.hash("{queue:pair}:ticket:"+ticketID, 0, "final", "1") },
	},
	{
		"{queue:NAME}:player:DIGEST", doctor.WhyNoTicket,
		func(w world) { w.text("{queue:pair}:player:"+somebody, ticketID, time.Hour) },
		"{queue:pair}:player:" + somebody,
		confirming,
	},
	{
		"{player:DIGEST}:tickets", doctor.WhyNoTicket,
		func(w world) {
			w.zset("{player:"+somebody+"}:tickets", time.Hour, w.in(time.Hour), ticketID)
		},
		"{player:" + somebody + "}:tickets " + ticketID,
		confirming,
	},
	{
		"{player:DIGEST}:busy", doctor.WhyNoAttempt,
		func(w world) { w.text("{player:"+somebody+"}:busy", "pair/"+someID, 4*time.Minute) },
		"{player:" + somebody + "}:busy",
		func(w world) { w.hash("{queue:pair}:attempt:"+someID, time.Minute, "state", "failed") },
	},
	{
		"{player:DIGEST}:party", doctor.WhyNoParty,
		func(w world) { w.text("{player:"+somebody+"}:party", "?"+someID+" "+otherID, 2*time.Hour) },
		"{player:" + somebody + "}:party",
		func(w world) { w.hash("{party:"+someID+"}:record", time.Hour, "version", "1") },
	},
	{
		"{player:DIGEST}:party", doctor.WhyNoParty,
		func(w world) { w.text("{player:"+somebody+"}:party", someID+" "+otherID, 2*time.Hour) },
		"{player:" + somebody + "}:party",
		func(w world) { w.ends("{player:"+somebody+"}:party", 50*time.Minute) }, // the party has ended by itself
	},
	{
		"{party:ID}:invites", doctor.WhyNoParty,
		func(w world) { w.zset("{party:"+someID+"}:invites", time.Minute, 1, somebody) },
		"{party:" + someID + "}:invites",
		func(w world) { w.hash("{party:"+someID+"}:record", time.Hour, "version", "1") },
	},
	{
		"{group:ID}:members", doctor.WhyNoGroup,
		func(w world) { w.hash("{group:"+someID+"}:members", time.Hour, "bob", "Bob") },
		"{group:" + someID + "}:members",
		func(w world) { w.hash("{group:"+someID+"}:record", time.Hour, "title", "x") },
	},
	{
		"{group:ID}:invites", doctor.WhyNoGroup,
		func(w world) { w.zset("{group:"+someID+"}:invites", time.Hour, 1, somebody) },
		"{group:" + someID + "}:invites",
		func(w world) { w.hash("{group:"+someID+"}:record", time.Hour, "title", "x") },
	},
}

// withRoom makes the record of room r, on a node that lives.
func withRoom(w world) {
	w.zset("{nodes}:live", 0, w.in(time.Second), "n")
	w.hash("{room:r}:record", time.Minute, "node", "n", "epoch", "1")
}

// confirming makes the ticket one that is asked to confirm.
func confirming(w world) {
	w.hash("{queue:pair}:attempt:"+someID, time.Minute, "state", "confirming")
	w.hash("{queue:pair}:ticket:"+ticketID, time.Hour, "state", "confirming", "attempt", someID)
}

func TestWhatNobodyOwnsIsFoundAndWhatSomebodyOwnsIsNot(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		for _, o := range ownerships {
			w := world{t, rdb}
			o.orphan(w)
			if f := seen(t, rdb, nil); !has(f, o.reason, ns+":"+o.name) {
				t.Errorf("%s, an orphan: %q, want %q of %s", o.pattern, f, o.reason, o.name)
			}
			o.adopt(w)
			if f := seen(t, rdb, nil); len(f) > 0 {
				t.Errorf("%s, with an owner: %q", o.pattern, f)
			}
			w.must(rdb.FlushDB(t.Context()).Err())
		}
	})
}

func TestEveryRowWithAnOwnerIsTried(t *testing.T) {
	tried := map[string]bool{}
	for _, o := range ownerships {
		tried[o.pattern] = true
	}
	for _, r := range doctor.Rows() {
		if r.Owned && !tried[r.Pattern] {
			t.Errorf("no case makes a key like %s that nobody owns", r.Pattern)
		}
		delete(tried, r.Pattern)
	}
	for p := range tried {
		t.Errorf("a case is about keys like %s, and there is no such row", p)
	}
}

func TestWhatGetsAnOwnerWithinTheGraceIsNotFound(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		for _, o := range ownerships {
			if o.reason == doctor.WhyForever || o.reason == doctor.WhyDue || o.reason == doctor.WhyResult {
				continue // these are found at once
			}
			w := world{t, rdb}
			o.orphan(w)
			looked := 0
			if f := seen(t, rdb, func() { looked++; o.adopt(w) }); len(f) > 0 || looked != 1 {
				t.Errorf("%s, adopted between the looks: %q after %d looks", o.pattern, f, looked)
			}
			w.must(rdb.FlushDB(t.Context()).Err())
		}
	})
}

func TestWhatEndsWithinTheGraceNeedsNoSecondLook(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		w := world{t, rdb}
		w.hash("{room:r}:seats", 50*time.Second, "1", "0|!|bob")
		w.hash("{room:s}:seats", 0, "1", "0|!|bob")
		report, err := doctor.Look(t.Context(), doctor.Config{
			Redis: rdb, Namespace: ns, Grace: time.Minute,
			Again: func(n int, _ time.Duration) {
				if n != 1 {
					t.Errorf("%d are looked at again, want the one that does not end", n)
				}
			},
			Wait: func(context.Context, time.Duration) error { return nil },
		})
		if err != nil || report.Count != 2 { // it never ends, and it has no room
			t.Errorf("%+v, %v", report, err)
		}
	})
}

// Only a real Redis says how long a reader has been silent.
func TestReaderOfALobbyIsGoneAfterTwoMinutesOfSilence(t *testing.T) {
	rdb := testredis.Start(t).Connect()
	ctx, stream := t.Context(), ns+":{outbox}:results"
	w := world{t, rdb}
	w.must(rdb.XAdd(ctx, &redis.XAddArgs{Stream: stream, Values: []any{"result", "{}"}}).Err())
	w.must(rdb.XGroupCreate(ctx, stream, "lobby", "0").Err())
	w.must(rdb.XGroupCreateConsumer(ctx, stream, "lobby", "dead").Err())
	if f := seen(t, rdb, nil); len(f) > 0 {
		t.Errorf("a reader of a moment ago: %q", f)
	}
	if doctor.Silent(-time.Second, 0) || doctor.Silent(doctor.ReaderGone, 0) || !doctor.Silent(doctor.ReaderGone+1, 0) ||
		doctor.Silent(2*doctor.ReaderGone, 3*doctor.ReaderGone) {
		t.Error("a reader is gone after two minutes, and after the grace where that is longer")
	}
}
