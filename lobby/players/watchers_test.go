package players_test

import (
	"fmt"
	"testing"

	"github.com/redis/go-redis/v9"

	"muster/internal/testredis"
	"muster/lobby/keyspace"
	"muster/lobby/players"
	"muster/lobby/rating"
)

func TestWatchersOfSeveralPlayersAreReadAtOnce(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		s := players.New(rdb, "watch", rating.Model{})
		for id, choice := range map[string]string{"everyone": "everyone", "party": "party", "nobody": "nobody", "newer": "friends", "blocks": "everyone"} {
			if err := rdb.HSet(t.Context(), keyspace.Player("watch", id)+":profile", "watch", choice).Err(); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Block(t.Context(), "blocks", "alice"); err != nil {
			t.Fatal(err)
		}
		ids := []string{"unknown", "everyone", "party", "nobody", "newer", "blocks"}
		list, err := s.Watchers(t.Context(), "alice", ids)
		if want := "[everyone everyone party nobody nobody nobody]"; err != nil || fmt.Sprint(list) != want {
			t.Errorf("alice: %v, %v, want %v", list, err, want)
		}
		list, err = s.Watchers(t.Context(), "bob", ids)
		if want := "[everyone everyone party nobody nobody everyone]"; err != nil || fmt.Sprint(list) != want {
			t.Errorf("bob: %v, %v, want %v", list, err, want)
		}
		_ = rdb.Close()
		if list, err := s.Watchers(t.Context(), "bob", ids); err == nil {
			t.Errorf("without Redis: %v", list)
		}
	})
}
