package players_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"muster/internal/testredis"
	"muster/lobby/keyspace"
	"muster/lobby/players"
	"muster/lobby/rating"
	"muster/match/cluster"
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

// Whoever deletes himself to be a beginner again is none: he is matched by what he was rated, and has it when he is back.
func TestPlayerWhoIsDeletedHasHisRatingsWhenHeIsBackWithin30Days(t *testing.T) {
	for name, back := range map[string]func(s *players.Store) error{
		"he asks who he is": func(s *players.Store) error { _, err := s.Come(context.Background(), "ann", "Ann"); return err },
		"he sets his profile": func(s *players.Store) error {
			_, err := s.SetProfile(context.Background(), "ann", "Ann", players.Profile{})
			return err
		},
		"he plays a match":     func(s *players.Store) error { return s.Record(context.Background(), duel("r2", "ann", "ben")) },
		"he is deleted before": func(s *players.Store) error { return s.Delete(context.Background(), "ann") },
	} {
		rdb := testredis.Embedded(t)
		s := players.New(rdb, ns, rating.Model{})
		must(t, s.Record(t.Context(), duel("r1", "ann", "ben")))
		was := ratings(t, s, "ann")[0]
		must(t, s.Delete(t.Context(), "ann"))
		key := keyspace.Player(ns, "ann") + ":rating"
		if left := rdb.TTL(t.Context(), key).Val(); left > 30*24*time.Hour || left < 29*24*time.Hour {
			t.Errorf("%s: his ratings end in %v", name, left)
		}
		if _, err := s.Player(t.Context(), "ann"); !errors.Is(err, players.ErrNone) {
			t.Errorf("%s: others are shown him: %v", name, err)
		}
		if now := ratings(t, s, "ann")[0]; now != was || was.Mean <= 1000 {
			t.Errorf("%s: he is matched by %+v, and was by %+v", name, now, was)
		}
		must(t, rdb.Expire(t.Context(), key, 20*24*time.Hour).Err()) // ten days pass
		must(t, back(s))
		p, err := s.Player(t.Context(), "ann")
		left := rdb.TTL(t.Context(), key).Val()
		if name == "he is deleted before" { // again: that makes nothing last
			if !errors.Is(err, players.ErrNone) || left > 20*24*time.Hour {
				t.Errorf("deleted twice: %v, his ratings end in %v", err, left)
			}
			continue
		}
		if err != nil || len(p.Ratings) != 1 || p.Ratings[0].Game != "arena" || p.Ratings[0].Mean < was.Mean || left < 399*24*time.Hour {
			t.Errorf("%s: he is %+v, %v, kept for %v", name, p, err, left)
		}
	}
}

func TestRatingsOfADeletedPlayerAreGoneAfter30Days(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rdb, stop := cluster.Embedded()
		defer stop()
		s := players.New(rdb, ns, rating.Model{})
		must(t, s.Record(t.Context(), duel("r1", "ann", "ben")))
		must(t, s.Delete(t.Context(), "ann"))
		time.Sleep(31 * 24 * time.Hour)
		if keys, err := rdb.Keys(t.Context(), keyspace.Player(ns, "ann")+"*").Result(); err != nil || len(keys) > 0 {
			t.Errorf("of him there is %v, %v", keys, err)
		}
		if p, err := s.Come(t.Context(), "ann", "Ann"); err != nil || len(p.Ratings) > 0 {
			t.Errorf("he comes back as %+v, %v", p, err)
		}
	})
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
