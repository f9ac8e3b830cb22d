package cluster_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"muster/internal/testredis"
	"muster/match/cluster"
)

// begun makes a room that its host has opened.
func begun(t *testing.T, d *cluster.Directory) cluster.Room {
	t.Helper()
	r := create(t, d, aRoom(4))
	must(t, d.Begin(t.Context(), r.ID, r.Node, r.Epoch))
	return r
}

func order(id string) cluster.Order {
	return cluster.Order{ID: id, Kind: "input", Body: []byte(`{"n":1}`), Digest: "d"}
}

func ids(list []cluster.Order) (ids []string) {
	for _, o := range list {
		ids = append(ids, o.ID)
	}
	return ids
}

func done(list []cluster.Order, o cluster.Outcome) (d []cluster.Done) {
	for i := range list {
		d = append(d, cluster.Done{ID: list[i].ID, Place: list[i].Place, Outcome: o})
	}
	return d
}

func TestOrdersWaitInTheirOrderUntilTheRoomHasDoneThem(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		d := cluster.NewDirectory(rdb, ns)
		r := begun(t, d)
		for _, id := range []string{"a", "b", "c"} {
			must(t, d.Order(t.Context(), r.ID, order(id)))
		}
		list, err := d.Orders(t.Context(), r.ID, "", 2)
		must(t, err)
		if diff := cmp.Diff([]string{"a", "b"}, ids(list)); diff != "" || string(list[0].Body) != `{"n":1}` || list[0].Kind != "input" {
			t.Fatalf("the first two: %+v", list)
		}
		rest, err := d.Orders(t.Context(), r.ID, list[1].Place, 64)
		must(t, err)
		if diff := cmp.Diff([]string{"c"}, ids(rest)); diff != "" {
			t.Fatalf("after them: %s", diff)
		}
		must(t, d.OrdersDone(t.Context(), r.ID, r.Epoch, done(list[:1], cluster.Outcome{State: cluster.OrderDone})))
		must(t, d.OrdersDone(t.Context(), r.ID, r.Epoch, done(list[1:], cluster.Outcome{State: "refused", Why: "no"})))
		must(t, d.OrdersDone(t.Context(), r.ID, r.Epoch, done(list[1:], cluster.Outcome{State: cluster.OrderDone}))) // said twice
		left, err := d.Orders(t.Context(), r.ID, "", 64)
		must(t, err)
		if diff := cmp.Diff([]string{"c"}, ids(left)); diff != "" {
			t.Errorf("what is left: %s", diff)
		}
		for id, want := range map[string]cluster.Outcome{
			"a": {State: cluster.OrderDone}, "b": {State: "refused", Why: "no"}, "c": {State: cluster.OrderWaits},
		} {
			got, err := d.Outcome(t.Context(), r.ID, id)
			must(t, err)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("what came of %s: %s", id, diff)
			}
		}
		_, err = d.Outcome(t.Context(), r.ID, "z")
		wantError(t, "an order that was never given", err, cluster.ErrNoOrder)
	})
}

func TestOrderGivenTwiceWaitsOnceAlsoWhenItIsDone(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		d := cluster.NewDirectory(rdb, ns)
		r := begun(t, d)
		for range 3 {
			must(t, d.Order(t.Context(), r.ID, order("a")))
		}
		list, err := d.Orders(t.Context(), r.ID, "", 64)
		must(t, err)
		if len(list) != 1 {
			t.Fatalf("one order waits as %v", ids(list))
		}
		other := order("a")
		other.Digest = "e"
		wantError(t, "another order under the same id", d.Order(t.Context(), r.ID, other), cluster.ErrOtherOrder)
		must(t, d.OrdersDone(t.Context(), r.ID, r.Epoch, done(list, cluster.Outcome{State: cluster.OrderDone})))
		must(t, d.EndRoom(t.Context(), r.ID, r.Epoch))
		must(t, d.Order(t.Context(), r.ID, order("a")))
		if o, err := d.Outcome(t.Context(), r.ID, "a"); err != nil || o.State != cluster.OrderDone {
			t.Errorf("after the room's end: %+v %v", o, err)
		}
	})
}

func TestOrderIsRefusedWhereTheRoomIsNotThereOrNotYetOpenOrOver(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		d := cluster.NewDirectory(rdb, ns)
		wantError(t, "no room", d.Order(t.Context(), "none", order("a")), cluster.ErrNoRoom)
		r := create(t, d, aRoom(4))
		wantError(t, "nobody came", d.Order(t.Context(), r.ID, order("a")), cluster.ErrUnopened)
		must(t, d.Begin(t.Context(), r.ID, r.Node, r.Epoch))
		must(t, d.Order(t.Context(), r.ID, order("a")))
		must(t, d.EndRoom(t.Context(), r.ID, r.Epoch))
		wantError(t, "the room is over", d.Order(t.Context(), r.ID, order("b")), cluster.ErrNoRoom)
		if o, err := d.Outcome(t.Context(), r.ID, "a"); err != nil || o.State != cluster.OrderGone {
			t.Errorf("what waited when the room ended: %+v %v", o, err)
		}
		if left, err := d.Orders(t.Context(), r.ID, "", 64); err != nil || len(left) > 0 {
			t.Errorf("it waits for a room of the same name: %+v %v", left, err)
		}
		long := order("c")
		long.Body = []byte(strings.Repeat("x", 8<<10+1))
		if err := d.Order(t.Context(), r.ID, long); err == nil {
			t.Error("an order of more than 8 KiB was taken")
		}
	})
}

func TestOrdersOfAFloodAreRefusedAndNoneThatWaitsIsLost(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		d := cluster.NewDirectory(rdb, ns)
		r := begun(t, d)
		taken := 0
		for i := range 10_000 {
			if err := d.Order(t.Context(), r.ID, order(fmt.Sprint("o", i))); err == nil {
				taken++
			} else {
				wantError(t, "one too many", err, cluster.ErrManyOrders)
			}
		}
		list, err := d.Orders(t.Context(), r.ID, "", 10_000)
		must(t, err)
		if taken != 256 || len(list) != 256 || list[0].ID != "o0" {
			t.Errorf("%d were taken, %d wait", taken, len(list))
		}
	})
}

func TestHostOfBeforeTellsNothingOfOrders(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		d := cluster.NewDirectory(rdb, ns)
		r := begun(t, d)
		must(t, d.Order(t.Context(), r.ID, order("a")))
		list, err := d.Orders(t.Context(), r.ID, "", 64)
		must(t, err)
		must(t, d.Own(t.Context(), "n2", r.ID))
		_, after, err := d.Claim(t.Context(), r.ID, r.Node, "n2", 0, nil)
		must(t, err)
		wantError(t, "the old host", d.OrdersDone(t.Context(), r.ID, r.Epoch, done(list, cluster.Outcome{State: cluster.OrderDone})), cluster.ErrFenced)
		if left, err := d.Orders(t.Context(), r.ID, "", 64); err != nil || len(left) != 1 {
			t.Fatalf("the new host finds %+v %v", left, err)
		}
		must(t, d.OrdersDone(t.Context(), r.ID, after.Epoch, done(list, cluster.Outcome{State: cluster.OrderDone})))
	})
}

func TestRenewalFindsOrdersOfWhichTheNoticeWasLost(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		d := cluster.NewDirectory(rdb, ns)
		var heard []string
		d.Ordered = func(room string) { heard = append(heard, room) }
		r := begun(t, d)
		must(t, d.Renew(t.Context(), r.ID, r.Epoch, cluster.Alive{Open: true}))
		if len(heard) != 0 {
			t.Fatalf("orders that nobody gave: %v", heard)
		}
		must(t, d.Order(t.Context(), r.ID, order("a")))
		must(t, d.Renew(t.Context(), r.ID, r.Epoch, cluster.Alive{Open: true}))
		if diff := cmp.Diff([]string{r.ID}, heard); diff != "" {
			t.Errorf("the renewal finds %s", diff)
		}
	})
}

func TestOrdersAndAnswersEndByThemselves(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		d := cluster.NewDirectory(rdb, ns)
		r := begun(t, d)
		ask := order("state")
		ask.Asks = true
		must(t, d.Order(t.Context(), r.ID, ask))
		list, err := d.Orders(t.Context(), r.ID, "", 64)
		must(t, err)
		must(t, d.OrdersDone(t.Context(), r.ID, r.Epoch, done(list, cluster.Outcome{State: cluster.OrderDone, Answer: []byte("{}")})))
		if o, err := d.Outcome(t.Context(), r.ID, "state"); err != nil || string(o.Answer) != "{}" {
			t.Fatalf("the answer: %+v %v", o, err)
		}
		time.Sleep(16 * time.Second)
		_, err = d.Outcome(t.Context(), r.ID, "state")
		wantError(t, "an answer that nobody fetched", err, cluster.ErrNoOrder)
		must(t, d.Order(t.Context(), r.ID, order("a")))
		time.Sleep(time.Minute + time.Second)
		if left, err := d.Orders(t.Context(), r.ID, "", 64); err != nil || len(left) != 0 {
			t.Errorf("of a room that nobody hears of: %+v %v", left, err)
		}
	})
}
