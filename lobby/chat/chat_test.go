package chat

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/internal/testredis"
	"muster/lobby/inbox"
	"muster/match/cluster"
)

// world is what stores tell, and of what they ask.
type world struct {
	mu      sync.Mutex
	got     map[string][]any // by player
	keys    map[string]bool
	blocked map[[2]string]bool
	deaf    bool
	mutes   map[string][]string // by who mutes
	teams   map[string]int      // of the room
	largest int                 // body of an event, in bytes
}

func newWorld() *world {
	return &world{got: map[string][]any{}, keys: map[string]bool{}, blocked: map[[2]string]bool{}}
}

func (w *world) post(_ context.Context, key, _ string, body any, players ...string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.deaf {
		return errors.New("deaf")
	}
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	w.largest = max(w.largest, len(text))
	for _, p := range players {
		if key == "" || !w.keys[p+"/"+key] {
			w.keys[p+"/"+key] = true
			w.got[p] = append(w.got[p], body)
		}
	}
	return nil
}

// texts are the messages that a player has heard of.
func (w *world) texts(player string) (list []string) {
	for _, b := range w.got[player] {
		if m, ok := b.(Message); ok {
			list = append(list, m.Channel+" "+m.From+" "+m.Text)
		}
	}
	return list
}

// members answers for a party and a room of these tests, both called "ours".
func members(_ context.Context, id, player string) (Circle, error) {
	if list := []string{"alice", "bob", "carol"}; id == "ours" && slices.Contains(list, player) {
		return Circle{Players: list, Born: "1"}, nil
	}
	return Circle{}, nil
}

// team answers for teams of the room of these tests.
func (w *world) team(ctx context.Context, id, player string) (Circle, error) {
	c, err := members(ctx, id, player)
	if len(c.Players) == 0 || w.teams[player] == 0 {
		return Circle{}, err
	}
	c.Team = w.teams[player]
	c.Players = slices.DeleteFunc(c.Players, func(p string) bool { return w.teams[p] != c.Team })
	return c, err
}

func (w *world) config(rdb redis.UniversalClient) Config {
	return Config{
		Redis: rdb, Namespace: "test", Post: w.post, Party: members, Room: members, Team: w.team,
		Muters: func(_ context.Context, whom string, of []string) (list []string, err error) {
			for _, p := range of {
				if slices.Contains(w.mutes[p], whom) {
					list = append(list, p)
				}
			}
			return list, nil
		},
		Mutes: func(_ context.Context, player string) ([]string, error) { return w.mutes[player], nil },
		Blocked: func(_ context.Context, player, other string) (bool, error) {
			return w.blocked[[2]string{player, other}], nil
		},
	}
}

func (w *world) store(rdb redis.UniversalClient) *Store { return New(w.config(rdb)) }

// twice runs each script two times, as go-redis does when the first answer is lost.
type twice struct{}

func (twice) DialHook(next redis.DialHook) redis.DialHook { return next }

func (twice) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (twice) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if name := cmd.Name(); name == "evalsha" || name == "eval" {
			if err := next(ctx, cmd); err != nil {
				return err
			}
		}
		return next(ctx, cmd)
	}
}

func wantErr(t *testing.T, doing string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", doing, err, want)
	}
}

func author(id string) Author { return Author{id, "the " + id} }

// say sends a message that must go.
func say(t *testing.T, s *Store, by, channel, text string) Message {
	t.Helper()
	m, err := s.Send(t.Context(), author(by), channel, text, "")
	if err != nil {
		t.Fatalf("%s in %s: %v", by, channel, err)
	}
	return m
}

// history are the texts of a channel, the newest first.
func history(t *testing.T, s *Store, player, channel string) (list []string) {
	t.Helper()
	page, _, err := s.History(t.Context(), player, channel, "", MaxPage)
	if err != nil {
		t.Fatalf("history of %s: %v", channel, err)
	}
	for _, m := range page {
		list = append(list, m.Channel+" "+m.From+" "+m.Text)
	}
	return list
}

func same(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

func TestMessageReachesTheMembersOfItsChannelAndNobodyElse(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		rdb.AddHook(twice{})
		w := newWorld()
		s := w.store(rdb)
		m := say(t, s, "alice", "direct:bob", "hi <b>Bob</b>\nhow are you?")
		if m.Name != "the alice" || m.At.IsZero() || !IsID(m.ID) || m.Channel != "direct:bob" {
			t.Errorf("the message is %+v", m)
		}
		say(t, s, "alice", "party:ours", "all")
		say(t, s, "carol", "room:ours", "here")
		same(t, "alice", w.texts("alice"), "direct:bob alice hi <b>Bob</b>\nhow are you?", "party:ours alice all", "room:ours carol here")
		same(t, "bob", w.texts("bob"), "direct:alice alice hi <b>Bob</b>\nhow are you?", "party:ours alice all", "room:ours carol here")
		same(t, "carol", w.texts("carol"), "party:ours alice all", "room:ours carol here")
		same(t, "mallory", w.texts("mallory"))
		same(t, "bob's history", history(t, s, "bob", "direct:alice"), "direct:alice alice hi <b>Bob</b>\nhow are you?")
		same(t, "the party's history", history(t, s, "carol", "party:ours"), "party:ours alice all")
		same(t, "another's history of the same name", history(t, s, "mallory", "direct:bob"))
		for _, name := range []string{"party:ours", "room:ours", "party:", "direct:", "direct:mallory", "group:ours", "x:y", "", ":"} {
			_, err := s.Send(t.Context(), author("mallory"), name, "let me in", "")
			wantErr(t, "a stranger's message in "+name, err, ErrNone)
			_, _, err = s.History(t.Context(), "mallory", name, "", 10)
			wantErr(t, "a stranger's look at "+name, err, ErrNone)
		}
	})
}

func TestMessageSentAgainWithItsKeyIsWrittenOnce(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		w := newWorld()
		s := w.store(rdb)
		w.deaf = true
		if _, err := s.Send(t.Context(), author("alice"), "direct:bob", "once", "k"); err == nil {
			t.Error("it is said to have gone, and bob was not told")
		}
		w.deaf = false
		first, err := s.Send(t.Context(), author("alice"), "direct:bob", "once", "k")
		wantErr(t, "again", err, nil)
		again, err := w.store(rdb).Send(t.Context(), author("alice"), "direct:bob", "once", "k")
		wantErr(t, "and again", err, nil)
		if first != again {
			t.Errorf("%+v and %+v", first, again)
		}
		same(t, "bob", w.texts("bob"), "direct:alice alice once")
		same(t, "history", history(t, s, "bob", "direct:alice"), "direct:alice alice once")
		_, err = s.Send(t.Context(), author("alice"), "direct:bob", "other", "k")
		wantErr(t, "another message with the key", err, ErrOtherRequest)
		_, err = s.Send(t.Context(), author("bob"), "direct:alice", "mine", "k")
		wantErr(t, "another's message with the key", err, nil)
	})
}

func TestMessageOfWhoIsBlockedSeemsToGo(t *testing.T) {
	w := newWorld()
	s := w.store(testredis.Embedded(t))
	w.blocked[[2]string{"bob", "mallory"}] = true
	m := say(t, s, "mallory", "direct:bob", "hey")
	if !IsID(m.ID) || m.At.IsZero() {
		t.Errorf("the answer is %+v", m)
	}
	say(t, s, "bob", "direct:mallory", "no")
	same(t, "bob", w.texts("bob"), "direct:mallory bob no")
	same(t, "bob's history", history(t, s, "bob", "direct:mallory"), "direct:mallory bob no")
	same(t, "mallory's history", history(t, s, "mallory", "direct:bob"), "direct:bob bob no", "direct:bob mallory hey")
	same(t, "mallory", w.texts("mallory"), "direct:bob mallory hey", "direct:bob bob no")
}

func TestHistoryIsReadInPages(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		w := newWorld()
		s := w.store(rdb)
		var want []string
		for i := range 25 {
			w.blocked[[2]string{"bob", "alice"}] = i%5 == 0
			say(t, s, "alice", "direct:bob", fmt.Sprint(i))
			if i%5 != 0 {
				want = append(want, fmt.Sprint(i))
			}
		}
		slices.Reverse(want)
		var got []string
		before, pages := "", 0
		for {
			list, next, err := s.History(t.Context(), "bob", "direct:alice", before, 10)
			wantErr(t, "a page", err, nil)
			for _, m := range list {
				got = append(got, m.Text)
			}
			pages++
			if before = next; next == "" {
				break
			}
		}
		same(t, "all pages", got, want...)
		if pages != 3 {
			t.Errorf("%d pages", pages)
		}
	})
}

func TestChannelKeepsItsNewestMessagesForThirtyDays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rdb, stop := cluster.Embedded()
		defer func() {
			time.Sleep(time.Second) // a connection goes on for a moment
			stop()
		}()
		s := newWorld().store(rdb)
		for i := range 3 * Cap {
			say(t, s, "alice", "direct:bob", fmt.Sprint(i))
		}
		n := 0
		for before := ""; ; {
			list, next, err := s.History(t.Context(), "bob", "direct:alice", before, MaxPage)
			wantErr(t, "a page", err, nil)
			n += len(list)
			if before = next; next == "" {
				break
			}
		}
		if n < Cap || n > 2*Cap {
			t.Errorf("%d messages are kept of %d, want about %d", n, 3*Cap, Cap)
		}
		time.Sleep(29 * 24 * time.Hour)
		if len(history(t, s, "bob", "direct:alice")) == 0 {
			t.Error("gone after 29 days")
		}
		time.Sleep(25 * time.Hour)
		if keys, err := rdb.Keys(t.Context(), "*").Result(); len(keys) != 0 || err != nil {
			t.Errorf("left in Redis: %v, %v", keys, err)
		}
	})
}

func TestTextsThatDisturbOthersAreRefused(t *testing.T) {
	s := newWorld().store(testredis.Embedded(t))
	for text, want := range map[string]bool{
		"hello": true, "line\nline": true, "<script>alert(1)</script>": true, "日本": true, "é": true, "שלום": true, "👩‍👩‍👧": true,
		strings.Repeat("x", 500): true, strings.Repeat("日", 500): true,
		"": false, "\n": false, "\u00a0": false, "a\rb": false, "a\tb": false, "a\x00b": false, "a\x1b[31mb": false, "a\u0085b": false, "a\u202eb": false,
		"a\u2066b": false, "a\u200fb": false, "a\u2028b": false, "a\xffb": false, strings.Repeat("x", 501): false,
		strings.Repeat("x", 100_000): false,
	} {
		_, err := s.Send(t.Context(), author("alice"), "direct:bob", text, "")
		if (err == nil) != want || err != nil && !errors.Is(err, ErrText) {
			t.Errorf("%.20q: %v, want it taken: %v", text, err, want)
		}
	}
}

func FuzzUsable(f *testing.F) {
	f.Add("hello\nworld")
	f.Add("a\u202eb")
	f.Fuzz(func(t *testing.T, s string) {
		if Usable(s) && (strings.ContainsAny(s, "\x00\r\x1b\u202e\u2028") || len([]rune(s)) > MaxText || s == "") {
			t.Errorf("%q is taken", s)
		}
	})
}

func TestFilterChangesOrRefusesMessages(t *testing.T) {
	w := newWorld()
	c := w.config(testredis.Embedded(t))
	c.Filter = func(_ context.Context, m Message) (string, bool) {
		if m.From == "" || m.Channel == "" {
			t.Errorf("the filter is asked about %+v", m)
		}
		return strings.ReplaceAll(m.Text, "darn", "****"), !strings.Contains(m.Text, "spam")
	}
	s := New(c)
	if m := say(t, s, "alice", "direct:bob", "darn it"); m.Text != "**** it" {
		t.Errorf("the message is %q", m.Text)
	}
	_, err := s.Send(t.Context(), author("alice"), "direct:bob", "spam", "")
	wantErr(t, "a refused message", err, ErrRefused)
	same(t, "bob", w.texts("bob"), "direct:alice alice **** it")
}

func TestLongestMessageFitsAnInbox(t *testing.T) {
	w := newWorld()
	s := w.store(testredis.Embedded(t))
	me, you := strings.Repeat("<", 64), strings.Repeat(">", 64)
	if _, err := s.Send(t.Context(), Author{me, me}, "direct:"+you, strings.Repeat("&", 500), ""); err != nil {
		t.Error(err)
	}
	if w.largest == 0 || w.largest > inbox.MaxBody {
		t.Errorf("the largest event has %d bytes", w.largest)
	}
}

func TestNothingStandsBeforeTheFirstMessage(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		s := newWorld().store(rdb)
		say(t, s, "alice", "direct:bob", "hi")
		for _, before := range []string{"0-0", "000-0", "0-1"} {
			list, next, err := s.History(t.Context(), "alice", "direct:bob", before, 5)
			if len(list) > 0 || next != "" || err != nil {
				t.Errorf("before %s stand %v, then %q, %v", before, list, next, err)
			}
		}
	})
}
