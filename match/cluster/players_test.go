package cluster_test

import (
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/internal/testredis"
	"muster/match/cluster"
)

func TestPlayersOfARoomAreThoseWhoTookTheirSeats(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		d := cluster.NewDirectory(rdb, "test")
		r, err := d.Create(t.Context(), cluster.NewRoom{Game: "arena", Rules: "1", Node: "n1", Seats: 4})
		wantError(t, "Create", err, nil)
		odd := "a|b|0|}{" // a player's id may be anything
		s, err := d.Reserve(t.Context(), r.ID, time.Minute, []cluster.Claim{{Player: odd, Token: "t1"}, {Player: "bob", Token: "t2"}, {Player: "carol", Token: "t3"}})
		wantError(t, "Reserve", err, nil)
		_, err = d.TakeSeat(t.Context(), r.ID, s.List[0], odd, "t1")
		wantError(t, "TakeSeat", err, nil)
		_, err = d.TakeSeat(t.Context(), r.ID, s.List[2], "carol", "t3")
		wantError(t, "TakeSeat", err, nil)
		list, err := d.Players(t.Context(), r.ID)
		wantError(t, "Players", err, nil)
		slices.Sort(list)
		if !slices.Equal(list, []string{odd, "carol"}) {
			t.Errorf("the players are %q", list)
		}
		if list, err := d.Players(t.Context(), "none"); len(list) != 0 || err != nil {
			t.Errorf("the players of no room are %q, %v", list, err)
		}
	})
}
