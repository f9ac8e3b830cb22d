package cluster_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/match/cluster"
)

func TestListsAreRidOfRoomsThatDiedUnheardThoughNobodyReadsThem(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		ctx, d := t.Context(), cluster.NewDirectory(rdb, ns)
		kept := cluster.Room{}
		for i := range 120 {
			r, err := d.Create(ctx, cluster.NewRoom{Game: "arena", Queue: "pair", Node: "n", Seats: 2, Public: true, Title: fmt.Sprint(i)})
			if err != nil {
				t.Fatal(err)
			}
			if i == 60 {
				kept = r
			}
		}
		for range 4 { // the hosts of all others die
			time.Sleep(20 * time.Second)
			if err := d.Renew(ctx, kept.ID, kept.Epoch, cluster.Alive{Open: true}); err != nil {
				t.Fatal(err)
			}
		}
		tidier := cluster.NewTidier(d)
		for range 8 {
			if err := tidier.Tidy(ctx, []string{"arena"}, []string{"pair"}); err != nil {
				t.Fatal(err)
			}
		}
		open := rdb.ZRange(ctx, ns+":{queue:pair}:open", 0, -1).Val()
		public := rdb.ZRange(ctx, ns+":{rooms:arena}:public", 0, -1).Val()
		if len(open) != 1 || open[0] != kept.ID || len(public) != 1 {
			t.Errorf("open %q, public %q; want %s alone", open, public, kept.ID)
		}
	})
}

func TestListsOfGamesAndQueuesThatAreGoneEnd(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		ctx, d := t.Context(), cluster.NewDirectory(rdb, ns)
		if _, err := d.Create(ctx, cluster.NewRoom{Game: "arena", Queue: "pair", Node: "n", Seats: 2, Public: true}); err != nil {
			t.Fatal(err)
		}
		lists := []string{ns + ":{queue:pair}:open", ns + ":{rooms:arena}:public"}
		time.Sleep(20 * time.Hour)
		if n := rdb.Exists(ctx, lists...).Val(); n != 2 {
			t.Fatalf("%d lists after 20 hours, want 2", n)
		}
		time.Sleep(5 * time.Hour)
		if n := rdb.Exists(ctx, lists...).Val(); n != 0 {
			t.Errorf("%d lists a day after anybody tidied them", n)
		}
	})
}
