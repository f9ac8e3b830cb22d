package chat

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/internal/testredis"
	"muster/match/cluster"
)

func TestTeamReadsWhatWasWrittenInItWhoeverIsInItNow(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		w := newWorld()
		s := w.store(rdb)
		w.teams = map[string]int{"alice": 1, "bob": 1, "carol": 2}
		say(t, s, "alice", "team:ours", "we go left")
		say(t, s, "carol", "team:ours", "they go left")
		say(t, s, "carol", "room:ours", "good luck")
		same(t, "bob", w.texts("bob"), "team:ours alice we go left", "room:ours carol good luck")
		same(t, "carol", w.texts("carol"), "team:ours carol they go left", "room:ours carol good luck")
		w.teams["bob"] = 2
		same(t, "who has changed sides", history(t, s, "bob", "team:ours"), "team:ours carol they go left")
		same(t, "who is left", history(t, s, "alice", "team:ours"), "team:ours alice we go left")
		w.teams["bob"] = 0
		for _, who := range []string{"bob", "mallory"} { // in no team, not in the room
			_, err := s.Send(t.Context(), author(who), "team:ours", "hello?", "")
			wantErr(t, "a message of "+who, err, ErrNone)
			_, _, err = s.History(t.Context(), who, "team:ours", "", 10)
			wantErr(t, "a look of "+who, err, ErrNone)
		}
		same(t, "the room's history", history(t, s, "alice", "room:ours"), "room:ours carol good luck")
	})
}

func TestWhatAMutedPlayerWritesDoesNotReachWhoMutesHim(t *testing.T) {
	w := newWorld()
	s := w.store(testredis.Embedded(t))
	w.teams = map[string]int{"alice": 1, "bob": 1}
	w.mutes = map[string][]string{"bob": {"alice"}}
	channels := []string{"party:ours", "room:ours", "team:ours", "direct:bob"}
	for _, name := range channels {
		say(t, s, "alice", name, "to all")
	}
	same(t, "bob", w.texts("bob"))
	same(t, "carol", w.texts("carol"), "party:ours alice to all", "room:ours alice to all")
	same(t, "alice", w.texts("alice"), "party:ours alice to all", "room:ours alice to all", "team:ours alice to all", "direct:bob alice to all")
	for _, name := range channels {
		theirs := name
		if name == "direct:bob" {
			theirs = "direct:alice"
		}
		same(t, "bob's history of "+name, history(t, s, "bob", theirs))
		same(t, "alice's history of "+name, history(t, s, "alice", name), name+" alice to all")
	}
	say(t, s, "bob", "room:ours", "I do not hear you")
	w.mutes = nil
	same(t, "bob's history once he mutes nobody", history(t, s, "bob", "room:ours"), "room:ours bob I do not hear you", "room:ours alice to all")
}

func TestPlayerMutedInARoomWritesInNoneOfItsChannelsForAsLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rdb, stop := cluster.Embedded()
		defer func() {
			time.Sleep(time.Second) // a connection goes on for a moment
			stop()
		}()
		ctx, w := t.Context(), newWorld()
		s := w.store(rdb)
		w.teams = map[string]int{"alice": 1, "bob": 1}
		until, err := s.Mute(ctx, "ours", "1", "alice", "enough", 10*time.Minute)
		if want := time.Now().Add(10 * time.Minute).UTC().Truncate(time.Second); err != nil || !until.Equal(want) {
			t.Errorf("she is muted until %v, %v; want %v", until, err, want)
		}
		if len(w.got["alice"]) != 1 || *w.got["alice"][0].(Muting).Until != until || w.got["alice"][0].(Muting).Reason != "enough" {
			t.Errorf("she hears %+v", w.got["alice"])
		}
		refused := func(channel string, left time.Duration) {
			t.Helper()
			_, err := s.Send(ctx, author("alice"), channel, "hello", "")
			var muted *MutedError
			if !errors.As(err, &muted) || muted.Reason != "enough" || (muted.For-left).Abs() > time.Second {
				t.Errorf("a message in %s: %v, want that she is muted for %v", channel, err, left)
			}
		}
		time.Sleep(time.Minute)
		refused("room:ours", 9*time.Minute)
		refused("team:ours", 9*time.Minute)
		say(t, s, "alice", "party:ours", "they do not let me speak")
		say(t, s, "bob", "room:ours", "good")
		time.Sleep(9 * time.Minute)
		say(t, s, "alice", "room:ours", "I am back")
		_, err = s.Mute(ctx, "ours", "1", "alice", "", time.Hour)
		wantErr(t, "muting", err, nil)
		for range 2 {
			wantErr(t, "unmuting", s.Unmute(ctx, "ours", "1", "alice"), nil)
		}
		say(t, s, "alice", "team:ours", "and again")
		heard := 0
		for _, b := range w.got["alice"] {
			if m, ok := b.(Muting); ok && m.Until == nil {
				heard++
			}
		}
		if heard != 1 {
			t.Errorf("she hears %d times that she may write again, want once", heard)
		}
		_, err = s.Mute(ctx, "ours", "another of the id", "alice", "", time.Hour)
		wantErr(t, "muting in another room", err, nil)
		say(t, s, "alice", "room:ours", "that was another room")
	})
}

func TestPaceIsAskedWithTheNumberOfWhoHears(t *testing.T) {
	w := newWorld()
	w.teams = map[string]int{"alice": 7, "bob": 7}
	cfg := w.config(testredis.Embedded(t))
	var asked []string
	full := errors.New("full")
	cfg.Pace = func(_ context.Context, channel, author string, n int) error {
		_, which, _ := strings.Cut(channel, "}:")
		asked = append(asked, which+" "+author)
		if n != 3 {
			return full
		}
		return nil
	}
	s := New(cfg)
	say(t, s, "alice", "room:ours", "three")
	_, err := s.Send(t.Context(), author("bob"), "team:ours", "two", "")
	wantErr(t, "a message to a full channel", err, full)
	same(t, "bob", w.texts("bob"), "room:ours alice three")
	same(t, "what is asked", asked, "all alice", "t7 bob")
}

func TestFilterSeesTheRoomAndItsGame(t *testing.T) {
	w := newWorld()
	cfg := w.config(testredis.Embedded(t))
	cfg.Room = func(ctx context.Context, id, player string) (Circle, error) {
		c, err := members(ctx, id, player)
		c.Game = "arena"
		return c, err
	}
	var seen []string
	cfg.Filter = func(_ context.Context, m Message) (string, bool) {
		seen = append(seen, m.Channel+" "+m.Room+" "+m.Game)
		return m.Text, true
	}
	s := New(cfg)
	m := say(t, s, "alice", "room:ours", "hi")
	say(t, s, "alice", "party:ours", "hi")
	same(t, "the filter sees", seen, "room:ours ours arena", "party:ours  ")
	if m.Room != "" || m.Game != "" {
		t.Errorf("the message is told as %+v", m)
	}
}
