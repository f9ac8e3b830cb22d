package ticket_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"muster/internal/testredis"
	"muster/lobby/keyspace"
	"muster/lobby/ticket"
)

func TestAnyProcessReadsHowQueuesDo(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		k := keyspace.Queue(ns, "duel")
		for i := range 150 { // the newest 100 waited 1 to 100 s, those before for hours; ratings mean nothing here
			ms := 100_000 * 3600
			if i >= 50 {
				ms = (i - 49) * 1000
			}
			must(t, rdb.LPush(t.Context(), k+":waits", fmt.Sprintf("%d:%d", i*10, ms)).Err())
		}
		must(t, rdb.LPush(t.Context(), k+":waits", "nonsense").Err())
		now, err := rdb.Time(t.Context()).Result()
		must(t, err)
		for _, ago := range []time.Duration{2 * time.Minute, 50 * time.Second, 0} {
			must(t, rdb.LPush(t.Context(), k+":made", now.Add(-ago).UnixMilli()).Err())
		}
		for i := range 3 {
			must(t, rdb.ZAdd(t.Context(), keyspace.Queue(ns, "team")+":waiting", redis.Z{Score: 1, Member: fmt.Sprint("t", i)}).Err())
		}
		got, err := ticket.Lines(t.Context(), rdb, ns, []string{"team", "duel", "unknown"})
		must(t, err)
		if diff := cmp.Diff([]ticket.Line{
			{Queue: "duel", P50: 51 * time.Second, PerMinute: 2}, {Queue: "team", Waiting: 3}, {Queue: "unknown"},
		}, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestLineOfAQueueFollowsItsTickets(t *testing.T) {
	inOffice(t, func(t *testing.T, o *office) {
		s := o.open(nil, duel)
		line := func() ticket.Line {
			lines, err := ticket.Lines(t.Context(), o.rdb, ns, []string{"duel"})
			must(t, err)
			return lines[0]
		}
		enqueue(t, s, "duel", "alice")
		time.Sleep(4 * time.Second)
		if got := line(); got != (ticket.Line{Queue: "duel", Waiting: 1}) || value(t, s, "muster_tickets_waiting") != 1 {
			t.Errorf("of one who waits: %+v", got)
		}
		enqueue(t, s, "duel", "bob")
		time.Sleep(time.Second)
		if got := line(); got.Waiting != 0 || got.PerMinute != 1 || got.P50 > 5*time.Second || value(t, s, "muster_tickets_waiting") != 0 {
			t.Errorf("of a match: %+v", got)
		}
	})
}
