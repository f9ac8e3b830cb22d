package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"

	"muster/internal/testredis"
	"muster/match/cluster"
)

func everyNode(string) bool { return true }

// aPublicRoom is one of a game, with a tag.
func aPublicRoom(game, tag string) cluster.NewRoom {
	return cluster.NewRoom{Game: game, Rules: "7", Node: "n1", Seats: 4, Public: true, Title: "t", Tags: map[string]string{"mode": tag}}
}

// pages reads all pages, and returns the rooms' ids and how many pages there were.
func pages(t testing.TB, d *cluster.Directory, f cluster.Filter, limit int) (ids []string, n int) {
	t.Helper()
	for cursor := ""; n == 0 || cursor != ""; n++ {
		list, next, err := d.Public(context.Background(), f, cursor, limit)
		if err != nil {
			t.Fatal(err)
		}
		if len(list) > limit {
			t.Errorf("a page has %d rooms, at most %d are wanted", len(list), limit)
		}
		for _, r := range list {
			ids = append(ids, r.ID)
		}
		cursor = next
	}
	return ids, n
}

func TestPublicRoomsAreListedNewestFirstAndOthersNot(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		d := cluster.NewDirectory(rdb, ns)
		var want []string
		for i := range 5 {
			r := create(t, d, aPublicRoom([]string{"arena", "duel"}[i%2], "ctf"))
			want = append([]string{r.ID}, want...)
			until(t, "the next millisecond of Redis's clock", func() bool {
				now, err := rdb.Time(t.Context()).Result()
				return err == nil && now.After(r.Created.Add(time.Millisecond))
			})
		}
		hidden := aPublicRoom("arena", "ctf")
		hidden.Public = false
		create(t, d, hidden)
		create(t, d, aPublicRoom("chess", "ctf"))
		f := cluster.Filter{Games: []string{"arena", "duel"}, Alive: everyNode}
		for limit := 1; limit <= 6; limit++ {
			if got, n := pages(t, d, f, limit); !slices.Equal(got, want) || n != (len(want)+limit-1)/limit {
				t.Errorf("pages of %d are %d with %v, want %v", limit, n, got, want)
			}
		}
		if list, next, err := d.Public(t.Context(), cluster.Filter{Alive: everyNode}, "", 5); len(list) > 0 || next != "" || err != nil {
			t.Errorf("of no game: %v, %q, %v", list, next, err)
		}
	})
}

func TestFilterLetsThroughWhatIsAskedFor(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		d := cluster.NewDirectory(rdb, ns)
		n := aPublicRoom("arena", "ctf")
		n.Region, n.Queue, n.Tags["map"] = "eu", "ranked", "x"
		r := create(t, d, n)
		seat(t, d, r, "a")
		reserve(t, d, r, time.Minute, claims(0, "b"))
		for _, c := range []struct {
			name string
			f    cluster.Filter
			want bool
		}{
			{"everything", cluster.Filter{}, true},
			{"its own", cluster.Filter{Region: "eu", Queue: "ranked", OpenSeats: 2, Tags: map[string]string{"mode": "ctf", "map": "x"}}, true},
			{"another region", cluster.Filter{Region: "us"}, false},
			{"another queue", cluster.Filter{Queue: "casual"}, false},
			{"another tag", cluster.Filter{Tags: map[string]string{"mode": "ctf", "map": "y"}}, false},
			{"an empty tag that it has not", cluster.Filter{Tags: map[string]string{"none": ""}}, false},
			{"too many seats", cluster.Filter{OpenSeats: 3}, false},
			{"another node", cluster.Filter{Alive: func(node string) bool { return node != "n1" }}, false},
		} {
			if c.f.Games = []string{"arena"}; c.f.Alive == nil {
				c.f.Alive = everyNode
			}
			list, next, err := d.Public(t.Context(), c.f, "", 10)
			must(t, err)
			if (len(list) == 1) != c.want || next != "" {
				t.Errorf("%s: %+v, %q; want it listed: %v", c.name, list, next, c.want)
			}
			if len(list) == 1 && (list[0].Free != 2 || list[0].Occupied != 2 || list[0].Title != "t" || list[0].Tags["map"] != "x") {
				t.Errorf("%s: it is listed as %+v", c.name, list[0])
			}
		}
		must(t, d.Renew(t.Context(), r.ID, r.Epoch, cluster.Alive{}))
		list, _, err := d.Public(t.Context(), cluster.Filter{Games: []string{"arena"}, Alive: everyNode}, "", 10)
		must(t, err)
		if len(list) != 1 || list[0].Free != 0 || list[0].Occupied != 2 {
			t.Errorf("with its doors shut it is listed as %+v", list)
		}
	})
}

// counted counts what is read of Redis.
type counted struct{ commands int }

func (*counted) DialHook(next redis.DialHook) redis.DialHook          { return next }
func (*counted) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }
func (c *counted) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		c.commands += len(cmds)
		return next(ctx, cmds)
	}
}

func TestFilterThatMatchesLittleReadsABoundedNumberOfRoomsAPage(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		d := cluster.NewDirectory(rdb, ns)
		rare := create(t, d, aPublicRoom("arena", "rare"))
		for range 450 {
			time.Sleep(time.Millisecond)
			create(t, d, aPublicRoom("arena", "ctf"))
		}
		hook := &counted{}
		rdb.AddHook(hook)
		f := cluster.Filter{Games: []string{"arena"}, Tags: map[string]string{"mode": "rare"}, Alive: everyNode}
		var found []string
		cursor, n := "", 0
		for ; n == 0 || cursor != ""; n++ {
			hook.commands = 0
			list, next, err := d.Public(t.Context(), f, cursor, 20)
			must(t, err)
			if hook.commands > 410 {
				t.Errorf("one page reads %d keys, want those of 200 rooms", hook.commands)
			}
			for _, r := range list {
				found = append(found, r.ID)
			}
			cursor = next
		}
		if n != 3 || !slices.Equal(found, []string{rare.ID}) {
			t.Errorf("%d pages with %v, want 3 with the one room", n, found)
		}
		hook.commands = 0
		_, _, err := d.Public(t.Context(), cluster.Filter{Games: []string{"arena"}, Alive: everyNode}, "", 20)
		must(t, err)
		if hook.commands > 110 {
			t.Errorf("a page that is soon full reads %d keys, want those of 50 rooms", hook.commands)
		}
	})
}

func TestRoomsThatDiedUnheardAreTakenOutOfTheList(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		d := cluster.NewDirectory(rdb, ns)
		for range 20 {
			create(t, d, aPublicRoom("arena", "ctf"))
		}
		time.Sleep(time.Minute)
		for range 20 { // nobody lists them: those that come sweep those that went
			create(t, d, aPublicRoom("arena", "ctf"))
		}
		if n, err := rdb.ZCard(t.Context(), ns+":{rooms:arena}:public").Result(); err != nil || n > 30 {
			t.Errorf("%d rooms are in the list (%v), 20 of them live", n, err)
		}
		if got, _ := pages(t, d, cluster.Filter{Games: []string{"arena"}, Alive: everyNode}, 7); len(got) != 20 {
			t.Errorf("%d rooms are listed, want 20", len(got))
		}
		if n, err := rdb.ZCard(t.Context(), ns+":{rooms:arena}:public").Result(); err != nil || n != 20 {
			t.Errorf("after a look %d rooms are in the list (%v), want 20", n, err)
		}
	})
}

func TestRoomIsPublicWhileItSaysSo(t *testing.T) {
	eachScripts(t, func(t *testing.T, d *cluster.Directory, rdb redis.UniversalClient) {
		f := cluster.Filter{Games: []string{"arena"}, Alive: everyNode}
		listed := func(when string, want bool) {
			t.Helper()
			if got, _ := pages(t, d, f, 5); (len(got) == 1) != want {
				t.Errorf("%s: listed are %v", when, got)
			}
		}
		n := aPublicRoom("arena", "ctf")
		n.Public, n.ID = false, cluster.NewID()
		r := create(t, d, n)
		listed("created in private", false)
		yes, no, title := true, false, "new"
		r, err := d.Change(t.Context(), r.ID, cluster.Change{Public: &yes, Title: &title, Tags: map[string]string{"a": "b"}})
		must(t, err)
		if r.Title != "new" || r.Tags["a"] != "b" || len(r.Tags) != 1 || !r.Public {
			t.Errorf("changed, it is %+v", r)
		}
		listed("made public", true)
		r, err = d.Change(t.Context(), r.ID, cluster.Change{Public: &no})
		must(t, err)
		if r.Title != "new" || r.Tags["a"] != "b" || r.Public {
			t.Errorf("changed, it is %+v", r)
		}
		listed("made private", false)
		_, err = d.Change(t.Context(), r.ID, cluster.Change{Public: &yes})
		must(t, err)
		listed("made public again", true)
		must(t, d.CallOff(t.Context(), r.ID))
		listed("called off", false)
		_, err = d.Change(t.Context(), r.ID, cluster.Change{Public: &yes})
		wantError(t, "changing a room that is off", err, cluster.ErrNoRoom)
		wantError(t, "renewing it", d.Renew(t.Context(), r.ID, r.Epoch, cluster.Alive{Open: true}), cluster.ErrCalledOff)
		must(t, d.EndRoom(t.Context(), r.ID, r.Epoch))

		r = create(t, d, aPublicRoom("arena", "ctf"))
		moved, err := d.Move(t.Context(), r, "n2", "7")
		must(t, err)
		listed("moved", true)
		must(t, d.EndRoom(t.Context(), r.ID, moved.Epoch))
		must(t, d.CallOff(t.Context(), r.ID))
		if n, err := rdb.Exists(t.Context(), ns+":{rooms:arena}:public").Result(); n != 0 || err != nil {
			t.Errorf("the list of no rooms is there (%v)", err)
		}
	})
}

func TestTextsThatAreNoCursorsAreRefused(t *testing.T) {
	d := cluster.NewDirectory(testredis.Embedded(t), ns)
	for _, c := range []string{"*", "-", "+", "(a", "YQ", strings.Repeat("A", 100), "MTIzNDU2Nzg5MDEyMzo", "MTIzNDU2Nzg5MDEyMzoqKg", "bm9wZQ=="} {
		_, _, err := d.Public(t.Context(), cluster.Filter{Games: []string{"arena"}, Alive: everyNode}, c, 5)
		wantError(t, "cursor "+c, err, cluster.ErrCursor)
	}
}

// Whoever turns the pages while rooms come and go gets none twice, and all that stayed.
func TestPagesAreStableWhileRoomsChurn(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		rapid.Check(noDeadline{t}, func(t *rapid.T) {
			d := cluster.NewDirectory(rdb, "churn"+cluster.NewID()[:8])
			var live []cluster.Room
			add := func() {
				n := aPublicRoom(rapid.SampledFrom([]string{"arena", "duel"}).Draw(t, "game"), rapid.SampledFrom([]string{"a", "b"}).Draw(t, "tag"))
				r, err := d.Create(context.Background(), n)
				if err != nil {
					t.Fatal(err)
				}
				live = append(live, r)
			}
			churn := func() {
				switch n := rapid.IntRange(0, 9).Draw(t, "what"); {
				case n < 4:
					add()
				case n < 7 && len(live) > 0:
					i := rapid.IntRange(0, len(live)-1).Draw(t, "which")
					end(t, rdb, d, live[i])
					live = slices.Delete(live, i, i+1)
				case n == 7:
					time.Sleep(time.Millisecond)
				case n > 7 && len(live) > 0:
					i := rapid.IntRange(0, len(live)-1).Draw(t, "which")
					moved, err := d.Move(context.Background(), live[i], fmt.Sprint("n", n), "7")
					if err != nil {
						t.Fatal(err)
					}
					live[i] = moved
				}
			}
			for range rapid.IntRange(0, 30).Draw(t, "rooms") {
				add()
				if rapid.Bool().Draw(t, "later") {
					time.Sleep(time.Millisecond)
				}
			}
			f := cluster.Filter{Games: []string{"arena", "duel"}, Alive: everyNode}
			if tag := rapid.SampledFrom([]string{"", "a"}).Draw(t, "wanted"); tag != "" {
				f.Tags = map[string]string{"mode": tag}
			}
			before, seen := slices.Clone(live), map[string]bool{}
			for cursor, first := "", true; first || cursor != ""; first = false {
				list, next, err := d.Public(context.Background(), f, cursor, rapid.IntRange(1, 5).Draw(t, "limit"))
				if err != nil {
					t.Fatal(err)
				}
				for _, r := range list {
					if seen[r.ID] {
						t.Fatalf("room %s is listed twice", r.ID)
					}
					seen[r.ID] = true
				}
				cursor = next
				for range rapid.IntRange(0, 4).Draw(t, "changes") {
					churn()
				}
			}
			for _, r := range before {
				stayed := slices.ContainsFunc(live, func(l cluster.Room) bool { return l.ID == r.ID })
				if wanted := f.Tags == nil || r.Tags["mode"] == "a"; stayed && wanted && !seen[r.ID] || !wanted && seen[r.ID] {
					t.Fatalf("room %s of tag %s: listed %v", r.ID, r.Tags["mode"], seen[r.ID])
				}
			}
		})
	})
}

// end ends a room in one of the ways in which rooms end.
func end(t *rapid.T, rdb redis.UniversalClient, d *cluster.Directory, r cluster.Room) {
	var err error
	switch rapid.IntRange(0, 2).Draw(t, "how") {
	case 0:
		err = d.EndRoom(context.Background(), r.ID, r.Epoch)
	case 1:
		err = d.CallOff(context.Background(), r.ID)
	case 2: // its host dies, and its time runs out
		var keys []string
		keys, err = rdb.Keys(context.Background(), "churn*:{room:"+r.ID+"}:record").Result()
		if err == nil {
			err = rdb.Del(context.Background(), keys...).Err()
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}

// failing fails what writes to a key, once.
type failing struct{ key string }

func (*failing) DialHook(next redis.DialHook) redis.DialHook { return next }

func (f *failing) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if f.key != "" && strings.Contains(fmt.Sprint(cmd.Args()...), f.key) {
			f.key = ""
			cmd.SetErr(errors.New("the lobby was killed"))
			return cmd.Err()
		}
		return next(ctx, cmd)
	}
}

func (*failing) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// Between the record and its places in the indices a lobby may die; another one carries on.
func TestRoomWhoseMakerDiedHalfwayIsWholeOnceItIsMadeAgain(t *testing.T) {
	for _, key := range []string{":record", ":open", ":public", "{code:"} {
		t.Run(key, func(t *testing.T) {
			rdb := testredis.Embedded(t)
			hook := &failing{key}
			rdb.AddHook(hook)
			d := cluster.NewDirectory(rdb, ns)
			n := aPublicRoom("arena", "ctf")
			n.ID, n.Code, n.Queue = cluster.NewID(), "BCDF23", "arena"
			if _, err := d.Create(t.Context(), n); err == nil || hook.key != "" {
				t.Fatalf("creating it: %v, with what fails left: %q", err, hook.key)
			}
			r := create(t, d, n)
			wantFree(t, "made again", d, r, 4)
			if got, _ := pages(t, d, cluster.Filter{Games: []string{"arena"}, Alive: everyNode}, 5); !slices.Equal(got, []string{r.ID}) {
				t.Errorf("listed are %v", got)
			}
			if got, err := d.ByCode(t.Context(), n.Code); err != nil || got.ID != r.ID {
				t.Errorf("its code leads to %q, %v", got.ID, err)
			}
		})
	}
}

func FuzzCursor(f *testing.F) {
	rdb := testredis.Embedded(f)
	d := cluster.NewDirectory(rdb, ns)
	for range 3 {
		_, err := d.Create(f.Context(), aPublicRoom("arena", "ctf"))
		if err != nil {
			f.Fatal(err)
		}
	}
	filter := cluster.Filter{Games: []string{"arena"}, Alive: everyNode}
	_, next, err := d.Public(f.Context(), filter, "", 1)
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{"", next, "*", "LQ", "MTIzNDU2Nzg5MDEyMzph"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, cursor string) {
		list, next, err := d.Public(t.Context(), filter, cursor, 5)
		if err != nil && !errors.Is(err, cluster.ErrCursor) {
			t.Errorf("cursor %q: %v", cursor, err)
		}
		if len(list) > 3 || next != "" {
			t.Errorf("cursor %q: %d rooms and then %q", cursor, len(list), next)
		}
	})
}
