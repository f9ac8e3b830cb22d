package players_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/redis/go-redis/v9"

	"muster/internal/testredis"
	"muster/lobby/players"
	"muster/lobby/rating"
)

func TestMutersAreThoseWhoMuteNow(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		ctx, s := t.Context(), players.New(rdb, "test", rating.Model{})
		all := []string{"ann", "ben", "c|d}\n", "eve"}
		want := func(when string, want ...string) {
			t.Helper()
			if got, err := s.Muters(ctx, "mallory", all); err != nil || !slices.Equal(got, want) {
				t.Errorf("%s mallory is muted by %q, %v; want %q", when, got, err, want)
			}
		}
		want("at first")
		for _, by := range []string{"c|d}\n", "ben", "ben"} {
			must(t, s.Mute(ctx, by, "mallory"))
		}
		must(t, s.Mute(ctx, "mallory", "ann"))
		want("then", "ben", "c|d}\n")
		if list, err := s.Mutes(ctx, "ben"); err != nil || !slices.Equal(list, []string{"mallory"}) {
			t.Errorf("ben mutes %q, %v", list, err)
		}
		must(t, s.Unmute(ctx, "ben", "mallory"))
		must(t, s.Unmute(ctx, "ben", "nobody"))
		want("unmuted by one,", "c|d}\n")
		must(t, s.Delete(ctx, "c|d}\n"))
		want("when the other is forgotten")
		if list, err := s.Mutes(ctx, "mallory"); err != nil || !slices.Equal(list, []string{"ann"}) {
			t.Errorf("mallory mutes %q, %v", list, err)
		}
		if list, err := s.Muters(ctx, "mallory", nil); err != nil || list != nil {
			t.Errorf("of nobody %q, %v mute her", list, err)
		}
	})
}

func TestMutesAreBounded(t *testing.T) {
	ctx, s := t.Context(), players.New(testredis.Embedded(t), "test", rating.Model{})
	for i := range players.MaxMutes {
		must(t, s.Mute(ctx, "ann", fmt.Sprint("p", i)))
	}
	if err := s.Mute(ctx, "ann", "one more"); !errors.Is(err, players.ErrManyMutes) {
		t.Errorf("one mute too many: %v", err)
	}
	if got, err := s.Muters(ctx, "one more", []string{"ann"}); err != nil || len(got) != 0 {
		t.Errorf("who could not be muted is muted by %q, %v", got, err)
	}
	must(t, s.Mute(ctx, "ann", "p7")) // is there
}
