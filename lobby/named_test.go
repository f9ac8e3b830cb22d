package lobby_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/redis/go-redis/v9"

	"muster/internal/testredis"
	"muster/lobby"
	"muster/match/cluster"
)

// withDocs declares a game whose rooms have names.
func withDocs(c *lobby.Config) {
	c.Games = append(c.Games, lobby.Game{Name: "docs", Rules: "3", Seats: 4, Persist: true})
}

func docsNode(id string) cluster.Node {
	return cluster.Node{ID: id, URL: "http://" + id + ".example", Games: map[string]string{"docs": "3"}}
}

// crowded is what a node says of itself while full is set.
func crowded(full *atomic.Bool) func(*cluster.Node) {
	return func(n *cluster.Node) {
		if n.Full = ""; full.Load() {
			n.Full = "its rooms' ticks are late"
		}
	}
}

func (p *place) joinNamed(player, name string) answer {
	return p.send(request{method: "POST", path: "/v1/games/docs/rooms/" + name + "/join", token: p.player(player)})
}

func TestPlayersWhoAskForTheSameNameMeet(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		places := []*place{open(t, rdb, withDocs), open(t, rdb, withDocs)}
		for _, p := range places {
			defer p.Close()
		}
		defer join(t, rdb, docsNode("n1"))()
		defer join(t, rdb, docsNode("n2"))()
		var mu sync.Mutex
		seats, urls := map[uint16]string{}, map[string]bool{}
		var wg sync.WaitGroup
		for i := range 4 {
			wg.Go(func() {
				m := want[lobby.Match](t, places[i%2].joinNamed(fmt.Sprint("p", i), "minutes"), 200)
				s := places[0].seat(&m)
				mu.Lock()
				defer mu.Unlock()
				seats[s.Seat], urls[m.URL] = m.Room, true
			})
		}
		wg.Wait()
		if len(seats) != 4 || len(urls) != 1 || seats[1] != "docs.minutes" {
			t.Errorf("seats %v at %v, want four in one room", seats, urls)
		}
		again := want[lobby.Match](t, places[0].joinNamed("p1", "minutes"), 200)
		if s := places[0].seat(&again); seats[s.Seat] == "" {
			t.Errorf("asked again, a player gets seat %d", s.Seat)
		}
		wantProblem(t, places[1].joinNamed("p9", "minutes"), 409, "")
		other := want[lobby.Match](t, places[1].joinNamed("p9", "other"), 200)
		if other.Room != "docs.other" {
			t.Errorf("another name is room %s", other.Room)
		}
	})
}

func TestNamedRoomOfADeadNodeIsOpenedOnAnother(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		p := open(t, rdb, withDocs)
		defer p.Close()
		leave := join(t, rdb, docsNode("n1"))
		first := want[lobby.Match](t, p.joinNamed("a", "minutes"), 200)
		rec, err := cluster.NewDirectory(rdb, ns).Room(t.Context(), "docs.minutes")
		must(t, err)
		leave()
		wantProblem(t, p.joinNamed("a", "minutes"), 503, "")
		defer join(t, rdb, docsNode("n2"))()
		second := want[lobby.Match](t, p.joinNamed("a", "minutes"), 200)
		now, err := cluster.NewDirectory(rdb, ns).Room(t.Context(), "docs.minutes")
		must(t, err)
		if second.URL == first.URL || now.Node != "n2" || now.Epoch <= rec.Epoch {
			t.Errorf("the room is at %s, epoch %d after %d", second.URL, now.Epoch, rec.Epoch)
		}
	})
}

// A lease that is over says that its node is late, not that it is gone: it may run its rooms on.
func TestRoomOfALateNodeIsNotGivenToAnotherOne(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		p := open(t, rdb, withDocs)
		defer p.Close()
		leave := join(t, rdb, docsNode("n1"))
		first := want[lobby.Match](t, p.joinNamed("a", "minutes"), 200)
		rooms := cluster.NewDirectory(rdb, ns)
		rec, err := rooms.Room(t.Context(), "docs.minutes")
		must(t, err)
		defer join(t, rdb, docsNode("n2"))()
		must(t, rdb.ZAdd(t.Context(), ns+":{nodes}:live", redis.Z{Score: 1, Member: "n1"}).Err()) // until it renews
		late := wantProblem(t, p.joinNamed("b", "minutes"), 503, "")
		if now, err := rooms.Room(t.Context(), "docs.minutes"); err != nil || now.Node != "n1" || now.Epoch != rec.Epoch {
			t.Errorf("the record is %+v (%v), and was %+v", now, err, rec)
		}
		if !strings.Contains(late.Detail, "is late") {
			t.Errorf("who wants it hears %q", late.Detail)
		}
		time.Sleep(time.Second)
		if again := want[lobby.Match](t, p.joinNamed("b", "minutes"), 200); again.URL != first.URL {
			t.Errorf("it is at %s, and was at %s", again.URL, first.URL)
		}
		leave()
		if moved := want[lobby.Match](t, p.joinNamed("b", "minutes"), 200); moved.URL == first.URL {
			t.Errorf("with its node gone it is still at %s", moved.URL)
		}
	})
}

// After Redis was emptied a server that runs the room may not have said so yet.
func TestRoomThatNobodyKnowsIsNotOpenedByItsNameBeforeTheServersAreBack(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		var steady atomic.Bool
		p := open(t, rdb, func(c *lobby.Config) {
			withDocs(c)
			c.Steady = func(live map[string]cluster.Node) bool { return steady.Load() && len(live) == 1 }
		})
		defer p.Close()
		defer join(t, rdb, docsNode("n1"))()
		back := wantProblem(t, p.joinNamed("a", "minutes"), 503, "")
		if !strings.Contains(back.Detail, "coming back") {
			t.Errorf("who wants it hears %q", back.Detail)
		}
		if _, err := cluster.NewDirectory(rdb, ns).Room(t.Context(), "docs.minutes"); !errors.Is(err, cluster.ErrNoRoom) {
			t.Errorf("its record: %v", err)
		}
		steady.Store(true)
		want[lobby.Match](t, p.joinNamed("a", "minutes"), 200)
		steady.Store(false)
		want[lobby.Match](t, p.joinNamed("b", "minutes"), 200) // it is known where it is
	})
}

// In a rolling deploy nodes of the older rules go on with the rooms that they have.
func TestNamedRoomStaysOnALiveNodeOfOtherRulesUntilThatShouldBeReplaced(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		p := open(t, rdb, withDocs)
		defer p.Close()
		var ends atomic.Bool
		older := docsNode("older")
		older.Games = map[string]string{"docs": "2"}
		leave, err := joined(rdb, older, func(n *cluster.Node) { n.Ends = ends.Load() })
		must(t, err)
		defer leave(context.Background())
		rooms := cluster.NewDirectory(rdb, ns)
		rec, err := rooms.Ensure(t.Context(), "docs.minutes",
			cluster.NewRoom{Game: "docs", Rules: "2", Node: "older", Seats: 4}, func(string) bool { return true })
		must(t, err)
		stays := func(when string) {
			m := want[lobby.Match](t, p.joinNamed("a", "minutes"), 200)
			now, err := rooms.Room(t.Context(), "docs.minutes")
			must(t, err)
			if !cmp.Equal(now, rec, cmpopts.IgnoreFields(rec, "Version")) || !strings.HasPrefix(m.URL, "ws://older.example/") {
				t.Errorf("%s: the room is at %s, its record %+v after %+v", when, m.URL, now, rec)
			}
		}
		stays("no node runs the newer rules")
		wantProblem(t, p.joinNamed("a", "other"), 503, "")
		defer join(t, rdb, docsNode("newer"))()
		stays("one runs the newer rules")
		ends.Store(true)
		time.Sleep(5 * time.Second)
		m := want[lobby.Match](t, p.joinNamed("a", "minutes"), 200)
		now, err := rooms.Room(t.Context(), "docs.minutes")
		must(t, err)
		if now.Node != "newer" || now.Rules != "3" || now.Epoch <= rec.Epoch || !strings.HasPrefix(m.URL, "ws://newer.example/") {
			t.Errorf("its node should be replaced: the room is at %s, its record %+v", m.URL, now)
		}
	})
}

func TestCrowdedServersLetPlayersIntoNamedRoomsThatAreOpenOnly(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		p := open(t, rdb, withDocs)
		defer p.Close()
		var full atomic.Bool
		leave, err := joined(rdb, docsNode("n1"), crowded(&full))
		must(t, err)
		defer leave(context.Background())
		want[lobby.Match](t, p.joinNamed("a", "minutes"), 200)
		full.Store(true)
		time.Sleep(5 * time.Second)
		want[lobby.Match](t, p.joinNamed("b", "minutes"), 200)
		if a := p.joinNamed("b", "other"); a.status != 503 || a.header.Get("Retry-After") == "" {
			t.Errorf("a room that would have to be opened: %d %v", a.status, a.header)
		}
	})
}

func TestNamesThatAreNoneAndGamesWithoutNamesAreRefused(t *testing.T) {
	p := open(t, testredis.Embedded(t), withDocs)
	defer p.Close()
	for path, status := range map[string]int{
		"/v1/games/arena/rooms/minutes/join":                             404,
		"/v1/games/none/rooms/minutes/join":                              404,
		"/v1/games/docs/rooms/Minutes/join":                              422,
		"/v1/games/docs/rooms/a.b/join":                                  422,
		"/v1/games/docs/rooms/a%7db/join":                                422,
		"/v1/games/docs/rooms/*/join":                                    422,
		"/v1/games/docs/rooms/abcdefghijklmnopqrstuvwxyz0123456789/join": 422,
	} {
		if a := p.send(request{method: "POST", path: path, token: p.player("a")}); a.status != status {
			t.Errorf("%s: status %d, want %d: %s", path, a.status, status, a.body)
		}
	}
	if a := p.send(request{method: "POST", path: "/v1/games/docs/rooms/minutes/join"}); a.status != 401 {
		t.Errorf("without a token: status %d", a.status)
	}
}

func TestNamedRoomThatHangsItsServersIsLeftAloneForAWhile(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		p := open(t, rdb, withDocs)
		defer p.Close()
		defer join(t, rdb, docsNode("n1"))()
		dir := cluster.NewDirectory(rdb, ns)
		for range 2 {
			want[lobby.Match](t, p.joinNamed("a", "bad"), 200)
			rec, err := dir.Room(t.Context(), "docs.bad")
			must(t, err)
			must(t, dir.Hung(t.Context(), "docs.bad"))
			must(t, dir.EndRoom(t.Context(), "docs.bad", rec.Epoch))
		}
		if a := p.joinNamed("a", "bad"); a.status != 503 || a.header.Get("Retry-After") == "" {
			t.Errorf("after two hangs: %d %v", a.status, a.header)
		}
		want[lobby.Match](t, p.joinNamed("a", "good"), 200)
		time.Sleep(11 * time.Minute)
		want[lobby.Match](t, p.joinNamed("a", "bad"), 200)
	})
}
