package players_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"muster/internal/testredis"
	"muster/lobby/keyspace"
	"muster/lobby/players"
	"muster/lobby/rating"
)

func TestAvoidAndBlockedSayWhoBlocksWhom(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		s := players.New(rdb, ns, rating.Model{})
		for _, pair := range [][2]string{{"ann", "ben"}, {"ann", "cid"}, {"ann", "ben"}, {"cid", "ann"}} {
			must(t, s.Block(t.Context(), pair[0], pair[1]))
		}
		avoid, err := s.Avoid(t.Context(), "ann", "ben", "cid")
		must(t, err)
		for _, list := range avoid {
			slices.Sort(list)
		}
		if diff := cmp.Diff(map[string][]string{"ann": {"ben", "cid"}, "cid": {"ann"}}, avoid); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		for _, c := range []struct {
			by, whom string
			want     bool
		}{{"ann", "ben", true}, {"ben", "ann", false}, {"ann", "dan", false}} {
			if got, err := s.Blocked(t.Context(), c.by, c.whom); got != c.want || err != nil {
				t.Errorf("%s blocks %s: %v, %v", c.by, c.whom, got, err)
			}
		}
		if list, err := s.Avoid(t.Context()); len(list) > 0 || err != nil {
			t.Errorf("of nobody: %v, %v", list, err)
		}
		if list, err := s.Ratings(t.Context(), "arena"); len(list) > 0 || err != nil {
			t.Errorf("of nobody: %v, %v", list, err)
		}
	})
}

func TestBlocksAreBounded(t *testing.T) {
	s := players.New(testredis.Embedded(t), ns, rating.Model{})
	for i := range players.MaxBlocks {
		must(t, s.Block(t.Context(), "ann", fmt.Sprint("p", i)))
	}
	if err := s.Block(t.Context(), "ann", "one more"); !errors.Is(err, players.ErrTooMany) {
		t.Errorf("%v", err)
	}
	must(t, s.Block(t.Context(), "ann", "p7")) // is there
	must(t, s.Unblock(t.Context(), "ann", "p7"))
	must(t, s.Block(t.Context(), "ann", "one more"))
	if list, err := s.Blocks(t.Context(), "ann"); len(list) != players.MaxBlocks || err != nil {
		t.Errorf("%d, %v", len(list), err)
	}
}

func TestPresenceIsThePlayersChoice(t *testing.T) {
	rdb := testredis.Embedded(t)
	s := players.New(rdb, ns, rating.Model{})
	for said, want := range map[players.Watch]players.Watch{
		"": players.Everyone, players.Everyone: players.Everyone, players.Party: players.Party, players.Nobody: players.Nobody,
		"friends": players.Nobody, // of a newer version
	} {
		id := "p" + string(said)
		if got, err := s.Presence(t.Context(), id); got != players.Everyone || err != nil {
			t.Errorf("a new player: %v, %v", got, err)
		}
		_, err := s.SetProfile(t.Context(), id, "x", players.Profile{Watch: said})
		must(t, err)
		if got, err := s.Presence(t.Context(), id); got != want || err != nil {
			t.Errorf("%q: %v, %v", said, got, err)
		}
	}
	must(t, rdb.Close())
	if got, err := s.Presence(t.Context(), "p"); got != players.Nobody || err == nil {
		t.Errorf("without Redis: %v, %v", got, err)
	}
}

func TestRatingsAreByGame(t *testing.T) {
	s := players.New(testredis.Embedded(t), ns, rating.Model{})
	r := duel("r1", "ann", "ben")
	must(t, s.Record(t.Context(), r))
	r.Room, r.Game = "r2", "cards"
	r.Placements[0].Rank, r.Placements[1].Rank = 2, 1
	must(t, s.Record(t.Context(), r))
	p, err := s.Player(t.Context(), "ann")
	must(t, err)
	if len(p.Ratings) != 2 || p.Ratings[0].Game != "arena" || p.Ratings[1].Game != "cards" || p.Ratings[0].Mean <= 1000 || p.Ratings[1].Mean >= 1000 {
		t.Errorf("%+v", p.Ratings)
	}
	if _, err := s.Player(t.Context(), "nobody"); !errors.Is(err, players.ErrNone) {
		t.Errorf("%v", err)
	}
}

// A player who is deleted does not come back by a result that is handed over again.
func TestDeletedPlayerStaysDeleted(t *testing.T) {
	s := players.New(testredis.Embedded(t), ns, rating.Model{})
	must(t, s.Record(t.Context(), duel("r1", "ann", "ben")))
	must(t, s.Delete(t.Context(), "ann"))
	must(t, s.Record(t.Context(), duel("r1", "ann", "ben")))
	if _, err := s.Player(t.Context(), "ann"); !errors.Is(err, players.ErrNone) {
		t.Errorf("%v", err)
	}
	if list, _, err := s.Matches(t.Context(), "ann", "", 10); len(list) > 0 || err != nil {
		t.Errorf("%v, %v", list, err)
	}
	if games(t, s, "ben") != 1 {
		t.Error("the other one lost his")
	}
}

func TestEveryKeyEndsAndHoldsNoPlayersWords(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		s := players.New(rdb, ns, rating.Model{})
		const odd = "a}:* {b"
		_, err := s.Come(t.Context(), odd, "x")
		must(t, err)
		_, err = s.SetProfile(t.Context(), odd, "x", players.Profile{About: "y"})
		must(t, err)
		must(t, s.Block(t.Context(), odd, "ben"))
		must(t, s.Record(t.Context(), duel("r1", odd, "ben")))
		kept := map[string]bool{}
		for _, what := range []string{"profile", "blocks", "rating", "matches", "rated:r1:600:0"} {
			kept[keyspace.Player(ns, odd)+":"+what] = true
		}
		for _, what := range []string{"rating", "matches", "rated:r1:600:0"} {
			kept[keyspace.Player(ns, "ben")+":"+what] = true
		}
		kept[ns+":{match:r1}:rating:600:0"] = true
		keys, err := rdb.Keys(t.Context(), "*").Result()
		must(t, err)
		slices.Sort(keys)
		if diff := cmp.Diff(slices.Sorted(maps.Keys(kept)), keys); diff != "" {
			t.Errorf("keys (-want +got):\n%s", diff)
		}
		for _, k := range keys {
			if ttl := rdb.TTL(t.Context(), k).Val(); ttl <= 0 {
				t.Errorf("%s stays for ever", k)
			}
		}
	})
}

func TestPlayerWhoseTokenHasNoNameIsKnownByHisProfile(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		s := players.New(rdb, ns, rating.Model{})
		_, err := s.SetProfile(t.Context(), "ann", "", players.Profile{About: "Plays at night."})
		must(t, err)
		if p, err := s.Player(t.Context(), "ann"); err != nil || p.About != "Plays at night." {
			t.Errorf("%+v, %v", p, err)
		}
	})
}
