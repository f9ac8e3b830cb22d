package lobby_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/internal/testredis"
	"muster/lobby"
	"muster/match/cluster"
)

// made is what a room's maker gets.
type made struct {
	Room  lobby.RoomInfo `json:"room"`
	Match lobby.Match    `json:"match"`
}

// makeRoom makes a room of the arena; more are further fields of the body.
func (p *place) makeRoom(player, more string) made {
	p.t.Helper()
	return want[made](p.t, p.post(player, "/v1/rooms", `{"game":"arena"`+more+`}`), http.StatusCreated)
}

func (p *place) joinRoom(player, id string) answer {
	return p.post(player, "/v1/rooms/"+id+"/join", "")
}

// rooms reads all pages of a list.
func (p *place) rooms(player, query string) (list []lobby.RoomInfo) {
	p.t.Helper()
	for cursor := ""; ; {
		page := want[lobby.RoomList](p.t, p.get(player, "/v1/rooms?"+query+"&cursor="+cursor), http.StatusOK)
		list = append(list, page.Rooms...)
		if cursor = page.Next; cursor == "" {
			return list
		}
	}
}

func TestMakerOfARoomHasASeatInItAndItsCode(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		p := open(t, rdb, nil)
		defer p.Close()
		defer join(t, rdb, someNode)()
		m := p.makeRoom("alice", `,"title":"Zoë's <b>room</b>","public":true,"region":"eu","tags":{"mode":"ctf"},"seats":4`)
		seat := p.seat(&m.Match)
		if seat.Seat != 1 || seat.Player != "alice" || !strings.HasPrefix(m.Match.URL, "ws://10.0.0.9:7000/v1/match/"+m.Room.ID) {
			t.Errorf("the seat is %+v at %s", seat, m.Match.URL)
		}
		dir := cluster.NewDirectory(rdb, ns)
		must(t, take(dir, t.Context(), m.Room.ID, 1, "alice", seat.ID))
		r := m.Room
		if r.Game != "arena" || r.Title != "Zoë's <b>room</b>" || r.Region != "eu" || r.Tags["mode"] != "ctf" || !r.Public ||
			r.Seats != 4 || r.Free != 3 || r.Players != 1 || len(r.Code) != 6 || time.Since(r.Created).Abs() > time.Minute {
			t.Errorf("the room is %+v", r)
		}
		if got := want[lobby.RoomInfo](t, p.get("alice", "/v1/rooms/"+r.ID), 200); got.Code != r.Code {
			t.Errorf("its maker reads the code as %q", got.Code)
		}
		if got := want[lobby.RoomInfo](t, p.get("bob", "/v1/rooms/"+r.ID), 200); got.Code != "" || got.Title != r.Title {
			t.Errorf("another player reads it as %+v", got)
		}
		if list := p.rooms("alice", "game=arena"); len(list) != 1 || list[0].Code != "" || list[0].ID != r.ID {
			t.Errorf("listed are %+v", list)
		}
	})
}

func TestPrivateRoomIsAsIfItWereNotThere(t *testing.T) {
	rdb := testredis.Embedded(t)
	p := open(t, rdb, func(c *lobby.Config) { c.Games = []lobby.Game{{Name: "arena", Rules: "7", Seats: 16, Watch: true}} })
	defer p.Close()
	defer join(t, rdb, someNode)()
	m := p.makeRoom("alice", "")
	ticket, _ := p.play("zed", "arena") // the matchmaker's rooms are nobody's either
	none := strings.Repeat("a", 26)
	for i, r := range []request{
		{method: "GET", path: "/v1/rooms/ID"},
		{method: "POST", path: "/v1/rooms/ID/join"},
		{method: "POST", path: "/v1/rooms/ID/spectate"},
		{method: "DELETE", path: "/v1/rooms/ID"},
		{method: "PATCH", path: "/v1/rooms/ID", body: `{"public":true}`},
	} {
		r.token = p.player(fmt.Sprint("bob", i))
		path, texts := r.path, map[string]bool{}
		for _, id := range []string{m.Room.ID, ticket.Room, none} {
			r.path = strings.Replace(path, "ID", id, 1)
			a := p.send(r)
			wantProblem(t, a, http.StatusNotFound, "")
			texts[string(a.body)] = true
		}
		if len(texts) != 1 {
			t.Errorf("%s %s: a private room, a match and no room can be told apart: %v", r.method, path, texts)
		}
	}
	if list := p.rooms("alice", ""); len(list) != 0 {
		t.Errorf("listed are %+v", list)
	}
	first := p.seat(&m.Match)
	again := want[lobby.Match](t, p.joinRoom("alice", m.Room.ID), 200)
	if second := p.seat(&again); second.Seat != first.Seat || second.ID == first.ID {
		t.Errorf("its maker had seat %d and joins it as seat %d", first.Seat, second.Seat)
	}
}

func TestPlayersJoinARoomByIDOrByCodeAndKeepTheirSeats(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		here, there := open(t, rdb, nil), open(t, rdb, nil)
		defer here.Close()
		defer there.Close()
		defer join(t, rdb, someNode)()
		m := here.makeRoom("alice", `,"public":true,"seats":3`)
		seats := map[uint16]string{}
		for player, path := range map[string]string{
			"bob": "/v1/rooms/" + m.Room.ID + "/join", "carol": "/v1/codes/" + strings.ToLower(m.Room.Code) + "/join",
		} {
			for range 2 {
				got := want[lobby.Match](t, there.post(player, path, ""), 200)
				seats[there.seat(&got).Seat] = player
				if got.Room != m.Room.ID {
					t.Errorf("%s comes to room %s, want %s", player, got.Room, m.Room.ID)
				}
			}
		}
		if len(seats) != 2 || seats[1] != "" {
			t.Errorf("the seats are %v, alice has seat 1", seats)
		}
		wantProblem(t, there.joinRoom("dave", m.Room.ID), http.StatusConflict, "")
		wantProblem(t, there.post("dave", "/v1/codes/"+m.Room.Code+"/join", ""), http.StatusConflict, "")
		if list := there.rooms("dave", "open_seats=1"); len(list) != 0 {
			t.Errorf("with free seats are listed %+v", list)
		}
		if list := there.rooms("dave", "open_seats=0"); len(list) != 1 || list[0].Players != 3 {
			t.Errorf("listed are %+v", list)
		}
	})
}

func TestOnePlayerGetsTheLastSeat(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		places := []*place{open(t, rdb, nil), open(t, rdb, nil)}
		for _, p := range places {
			defer p.Close()
		}
		defer join(t, rdb, someNode)()
		m := places[0].makeRoom("alice", `,"public":true,"seats":3`)
		var (
			mu       sync.Mutex
			wg       sync.WaitGroup
			statuses = map[int]int{}
			seats    = map[uint16]bool{}
		)
		for i := range 12 {
			p, path := places[i%2], "/v1/rooms/"+m.Room.ID+"/join"
			if i%3 == 0 {
				path = "/v1/codes/" + m.Room.Code + "/join"
			}
			wg.Go(func() {
				a := p.post(fmt.Sprint("p", i), path, "")
				mu.Lock()
				defer mu.Unlock()
				if statuses[a.status]++; a.status == http.StatusOK {
					got := want[lobby.Match](t, a, http.StatusOK)
					seats[p.seat(&got).Seat] = true
				}
			})
		}
		wg.Wait()
		if statuses[200] != 2 || statuses[409] != 10 || !seats[2] || !seats[3] {
			t.Errorf("of 12 players for 2 seats: statuses %v, seats %v", statuses, seats)
		}
	})
}

func TestRequestThatIsRepeatedWithItsKeyMakesOneRoom(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		places := []*place{open(t, rdb, nil), open(t, rdb, nil)}
		for _, p := range places {
			defer p.Close()
		}
		defer join(t, rdb, someNode)()
		ask := func(i int, player, body string) answer {
			p := places[i%2]
			return p.send(request{
				method: "POST", path: "/v1/rooms", token: p.player(player), body: body, header: http.Header{"Idempotency-Key": {"a key"}},
			})
		}
		const body = `{"game":"arena","title":"one"}`
		var wg sync.WaitGroup
		got := make([]made, 6)
		for i := range got {
			wg.Go(func() { got[i] = want[made](t, ask(i, "alice", body), http.StatusCreated) })
		}
		wg.Wait()
		for _, m := range got {
			if m.Room.ID != got[0].Room.ID || m.Room.Code != got[0].Room.Code || m.Room.Players != 1 || m.Match.Room != m.Room.ID {
				t.Errorf("repeated, the answer is %+v, was %+v", m, got[0])
			}
		}
		keys, err := rdb.Keys(t.Context(), ns+":{room:*:record").Result()
		must(t, err)
		if len(keys) != 1 {
			t.Errorf("%d rooms were made", len(keys))
		}
		wantProblem(t, ask(0, "alice", `{"game":"arena","title":"two"}`), http.StatusUnprocessableEntity, "header.Idempotency-Key")
		if m := want[made](t, ask(0, "bob", body), http.StatusCreated); m.Room.ID == got[0].Room.ID {
			t.Error("another player with the same key gets the same room")
		}
		dir := cluster.NewDirectory(rdb, ns)
		rec, err := dir.Room(t.Context(), got[0].Room.ID)
		must(t, err)
		must(t, dir.EndRoom(t.Context(), rec.ID, rec.Epoch))
		wantProblem(t, ask(0, "alice", body), http.StatusConflict, "")
	})
}

func TestPlayerHasFiveRoomsAtATime(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		p := open(t, rdb, nil)
		defer p.Close()
		defer join(t, rdb, someNode)()
		var rooms []made
		for range 5 {
			rooms = append(rooms, p.makeRoom("alice", ""))
		}
		refused := func() answer { return p.post("alice", "/v1/rooms", `{"game":"arena"}`) }
		wantProblem(t, refused(), http.StatusConflict, "")
		time.Sleep(20 * time.Second)
		wantProblem(t, refused(), http.StatusConflict, "")
		p.makeRoom("bob", "")

		a := p.send(request{method: "DELETE", path: "/v1/rooms/" + rooms[0].Room.ID, token: p.player("alice")})
		if a.status != http.StatusNoContent {
			t.Fatalf("closing a room: %d %s", a.status, a.body)
		}
		wantProblem(t, p.get("alice", "/v1/rooms/"+rooms[0].Room.ID), http.StatusNotFound, "")
		wantProblem(t, p.send(request{method: "DELETE", path: "/v1/rooms/" + rooms[0].Room.ID, token: p.player("alice")}), http.StatusNotFound, "")
		p.makeRoom("alice", "")
		wantProblem(t, refused(), http.StatusConflict, "")

		time.Sleep(time.Minute) // nobody came to any of them
		for range 5 {
			p.makeRoom("alice", "")
		}
	})
}

func TestPlayerMakesTwentyRoomsAnHour(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		p := open(t, rdb, nil)
		defer p.Close()
		defer join(t, rdb, someNode)()
		n := 0
		for ; n < 30; n++ {
			a := p.post("mallory", "/v1/rooms", `{"game":"arena"}`)
			if a.status == http.StatusTooManyRequests {
				wantProblem(t, a, http.StatusTooManyRequests, "")
				break
			}
			m := want[made](t, a, http.StatusCreated)
			p.send(request{method: "DELETE", path: "/v1/rooms/" + m.Room.ID, token: p.player("mallory")})
			time.Sleep(100 * time.Millisecond)
		}
		if n < 19 || n > 20 { // the limiter counts in floating point
			t.Errorf("%d rooms were made at once, want 20", n)
		}
		p.makeRoom("alice", "")
	})
}

func TestRoomThatNobodyComesToIsGoneAfterAMinute(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		p := open(t, rdb, nil)
		defer p.Close()
		defer join(t, rdb, someNode)()
		m := p.makeRoom("alice", `,"public":true`)
		time.Sleep(59 * time.Second)
		want[lobby.RoomInfo](t, p.get("bob", "/v1/rooms/"+m.Room.ID), 200)
		time.Sleep(time.Second)
		wantProblem(t, p.get("alice", "/v1/rooms/"+m.Room.ID), http.StatusNotFound, "")
		wantProblem(t, p.joinRoom("bob", m.Room.ID), http.StatusNotFound, "")
		wantProblem(t, p.post("bob", "/v1/codes/"+m.Room.Code+"/join", ""), http.StatusNotFound, "")
		if list := p.rooms("bob", ""); len(list) != 0 {
			t.Errorf("listed are %+v", list)
		}
		must(t, each(rdb, "*", func(key string) {
			ttl, err := rdb.PTTL(t.Context(), key).Result()
			if strings.Contains(key, "{room:") || strings.Contains(key, "{code:") || strings.Contains(key, "room") && ttl <= 0 {
				t.Errorf("key %s is left of it for %v (%v)", key, ttl, err)
			}
		}))
	})
}

func TestRoomsOfDeadNodesAreNeitherListedNorJoined(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		p := open(t, rdb, nil)
		defer p.Close()
		leave := join(t, rdb, someNode)
		m := p.makeRoom("alice", `,"public":true`)
		leave()
		defer join(t, rdb, cluster.Node{ID: "n2", URL: "http://10.0.0.8:7000"})()
		wantProblem(t, p.get("bob", "/v1/rooms/"+m.Room.ID), http.StatusNotFound, "")
		wantProblem(t, p.joinRoom("bob", m.Room.ID), http.StatusNotFound, "")
		wantProblem(t, p.post("bob", "/v1/codes/"+m.Room.Code+"/join", ""), http.StatusNotFound, "")
		if list := p.rooms("bob", ""); len(list) != 0 {
			t.Errorf("listed are %+v", list)
		}
		if list := p.rooms("bob", ""); len(list) != 0 {
			t.Errorf("listed are %+v", list)
		}
	})
}

func TestRoomIsMadeOnANodeInItsRegionWhereNodesSayTheirs(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		p := open(t, rdb, nil)
		defer p.Close()
		defer join(t, rdb, cluster.Node{ID: "eu", URL: "http://eu.example", Region: "eu"})()
		defer join(t, rdb, cluster.Node{ID: "us", URL: "http://us.example", Region: "us"})()
		for i := range 3 {
			for _, region := range []string{"eu", "us"} {
				m := p.makeRoom(fmt.Sprint("alice", i), `,"region":"`+region+`"`)
				if !strings.HasPrefix(m.Match.URL, "ws://"+region+".example/") || m.Room.Region != region {
					t.Errorf("in region %s the room is at %s", region, m.Match.URL)
				}
			}
		}
		wantProblem(t, p.post("alice", "/v1/rooms", `{"game":"arena","region":"mars"}`), http.StatusServiceUnavailable, "")
	})
}

func TestRoomIsMadeOnAServerWithTheTagsThatItsMakerWants(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		p := open(t, rdb, nil)
		defer p.Close()
		defer join(t, rdb, cluster.Node{ID: "fast", URL: "http://fast.example", Tags: map[string]string{"disk": "fast", "gpu": "no"}})()
		defer join(t, rdb, cluster.Node{ID: "slow", URL: "http://slow.example", Tags: map[string]string{"disk": "slow"}})()
		for i := range 3 {
			for _, disk := range []string{"fast", "slow"} {
				m := p.makeRoom(fmt.Sprint("alice", i), `,"on":{"disk":"`+disk+`"}`)
				if !strings.HasPrefix(m.Match.URL, "ws://"+disk+".example/") || len(m.Room.Tags) != 0 {
					t.Errorf("with a %s disk the room is at %s, with the tags %v", disk, m.Match.URL, m.Room.Tags)
				}
				rec, err := cluster.NewDirectory(rdb, ns).Room(t.Context(), m.Room.ID)
				must(t, err)
				if len(rec.On) != 1 || rec.On["disk"] != disk {
					t.Errorf("its record says that its server must have %v", rec.On)
				}
			}
		}
		none := wantProblem(t, p.post("alice", "/v1/rooms", `{"game":"arena","on":{"disk":"fast","gpu":"yes"}}`), http.StatusServiceUnavailable, "")
		if none.Detail != "no server of this game has the tag gpu=yes now" {
			t.Errorf("why there is none: %q", none.Detail)
		}
		wantProblem(t, p.post("alice", "/v1/rooms", `{"game":"arena","on":{"DISK":"fast"}}`), http.StatusUnprocessableEntity, "body.on")
	})
}

// A lease that is over says that the node is late: the room is there in a moment, here or elsewhere.
func TestRoomOfALateNodeIsToBeAskedForAgain(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		p := open(t, rdb, nil)
		defer p.Close()
		defer join(t, rdb, someNode)()
		ask := request{
			method: "POST", path: "/v1/rooms", token: p.player("alice"), body: `{"game":"arena"}`, header: http.Header{"Idempotency-Key": {"a key"}},
		}
		m := want[made](t, p.send(ask), http.StatusCreated)
		byCode := func() answer { return p.post("bob", "/v1/codes/"+m.Room.Code+"/join", "") }
		must(t, rdb.ZAdd(t.Context(), ns+":{nodes}:live", redis.Z{Score: 1, Member: someNode.ID}).Err()) // until it renews
		for name, a := range map[string]answer{"made again": p.send(ask), "joined by its code": byCode()} {
			if late := wantProblem(t, a, http.StatusServiceUnavailable, ""); !strings.Contains(late.Detail, "is late") {
				t.Errorf("%s: %q", name, late.Detail)
			}
		}
		time.Sleep(time.Second)
		if again := want[made](t, p.send(ask), http.StatusCreated); again.Room.ID != m.Room.ID {
			t.Errorf("made again it is room %s, and was %s", again.Room.ID, m.Room.ID)
		}
		want[lobby.Match](t, byCode(), http.StatusOK)
	})
}

func TestRoomWithAJournalIsToBeAskedForAgainUntilAnotherServerHasIt(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		p := open(t, rdb, nil)
		defer p.Close()
		leave := join(t, rdb, someNode)
		kept, lost := p.makeRoom("alice", `,"public":true`), p.makeRoom("bob", `,"public":true`)
		must(t, rdb.HSet(t.Context(), ns+":{room:"+kept.Room.ID+"}:record", "kept", "1").Err())
		leave()
		if late := wantProblem(t, p.joinRoom("carol", kept.Room.ID), http.StatusServiceUnavailable, ""); !strings.Contains(late.Detail, "goes on with the room") {
			t.Errorf("a room with a journal: %q", late.Detail)
		}
		wantProblem(t, p.joinRoom("carol", lost.Room.ID), http.StatusNotFound, "")
	})
}

func TestListIsFilteredAndTurnedPageByPage(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		p := open(t, rdb, func(c *lobby.Config) {
			c.Games = append(c.Games, lobby.Game{Name: "chess", Rules: "1", Seats: 2})
		})
		defer p.Close()
		defer join(t, rdb, cluster.Node{ID: "n1", URL: "http://n1.example", Games: map[string]string{"arena": "7", "chess": "1"}})()
		var want7 []string
		for i := range 7 {
			player := fmt.Sprint("p", i)
			m := p.makeRoom(player, `,"public":true,"tags":{"mode":"ctf","map":"m`+fmt.Sprint(i%2)+`"},"title":"`+player+`"`)
			want7 = append([]string{m.Room.ID}, want7...)
			time.Sleep(time.Millisecond)
		}
		chess := want[made](t, p.post("alice", "/v1/rooms", `{"game":"chess","public":true,"region":"eu"}`), 201)
		ids := func(query string) (list []string) {
			t.Helper()
			for _, r := range p.rooms("bob", query) {
				list = append(list, r.ID)
			}
			return list
		}
		for query, want := range map[string][]string{
			"limit=3":                                   append([]string{chess.Room.ID}, want7...),
			"game=arena&limit=2":                        want7,
			"game=chess":                                {chess.Room.ID},
			"region=eu":                                 {chess.Room.ID},
			"region=us":                                 nil,
			"tag=mode:ctf&tag=map:m1&limit=1":           {want7[1], want7[3], want7[5]},
			"tag=mode:ctf&tag=map:m1&tag=map:m1":        {want7[1], want7[3], want7[5]},
			"tag=mode:" + url.QueryEscape("*"):          nil,
			"open_seats=2&game=chess":                   nil,
			"open_seats=1&game=chess&limit=100&region=": {chess.Room.ID},
		} {
			if got := ids(query); !slices.Equal(got, want) {
				t.Errorf("%s lists %v, want %v", query, got, want)
			}
			time.Sleep(time.Second) // so that no limit is reached
		}
	})
}

func TestOwnerAloneChangesARoom(t *testing.T) {
	rdb := testredis.Embedded(t)
	p := open(t, rdb, nil)
	defer p.Close()
	defer join(t, rdb, someNode)()
	m := p.makeRoom("alice", `,"title":"a","tags":{"x":"y"}`)
	change := func(player, body string) answer {
		return p.send(request{method: "PATCH", path: "/v1/rooms/" + m.Room.ID, token: p.player(player), body: body})
	}
	got := want[lobby.RoomInfo](t, change("alice", `{"public":true}`), 200)
	if !got.Public || got.Title != "a" || got.Tags["x"] != "y" || got.Code != m.Room.Code {
		t.Errorf("made public, it is %+v", got)
	}
	if list := p.rooms("bob", ""); len(list) != 1 {
		t.Errorf("listed are %+v", list)
	}
	wantProblem(t, change("bob", `{"public":false}`), http.StatusNotFound, "")
	wantProblem(t, change("alice", `{"title":"a\u202eb"}`), http.StatusUnprocessableEntity, "body.title")
	wantProblem(t, change("alice", `{"tags":{"A":"b"}}`), http.StatusUnprocessableEntity, "body.tags")
	got = want[lobby.RoomInfo](t, change("alice", `{"title":"","tags":{},"public":false}`), 200)
	if got.Public || got.Title != "" || len(got.Tags) != 0 {
		t.Errorf("changed, it is %+v", got)
	}
}

func TestPublicRoomOfAGameThatAllowsItIsWatchedWithoutASeat(t *testing.T) {
	rdb := testredis.Embedded(t)
	p := open(t, rdb, func(c *lobby.Config) {
		c.Games = []lobby.Game{{Name: "arena", Rules: "7", Seats: 4, Watch: true, Delay: time.Hour}, {Name: "chess", Rules: "1", Seats: 2, Delay: time.Hour}}
	})
	defer p.Close()
	defer join(t, rdb, cluster.Node{ID: "n1", URL: "http://n1.example", Games: map[string]string{"arena": "7", "chess": "1"}})()
	m := p.makeRoom("alice", `,"public":true`)
	w := want[lobby.Match](t, p.post("bob", "/v1/rooms/"+m.Room.ID+"/spectate", ""), 200)
	claims, err := p.keys.VerifyWatch(w.Token)
	if err != nil || claims.Player != "bob" || claims.Room != m.Room.ID || w.Room != m.Room.ID || w.URL != m.Match.URL {
		t.Errorf("to watch he gets %+v with %+v, %v", w, claims, err)
	}
	if _, err := p.keys.VerifySeat(w.Token); err == nil {
		t.Error("the token for watching claims a seat")
	}
	if got := want[lobby.RoomInfo](t, p.get("bob", "/v1/rooms/"+m.Room.ID), 200); got.Free != 3 {
		t.Errorf("watched, the room has %d free seats, want 3", got.Free)
	} else if ms := got.ShownIn; ms > 3_600_000 || ms < 3_000_000 || got.Delay != 3_600_000 {
		t.Errorf("what is shown an hour late is shown in %d ms", ms)
	}
	private := p.makeRoom("alice", "")
	wantProblem(t, p.post("bob", "/v1/rooms/"+private.Room.ID+"/spectate", ""), http.StatusNotFound, "")
	chess := want[made](t, p.post("alice", "/v1/rooms", `{"game":"chess","public":true}`), 201)
	wantProblem(t, p.post("bob", "/v1/rooms/"+chess.Room.ID+"/spectate", ""), http.StatusNotFound, "")
	if chess.Room.ShownIn != 0 {
		t.Errorf("a room that nobody may watch is shown in %d ms", chess.Room.ShownIn)
	}
}

func TestMetricsCountRoomsAndTheWaysToThem(t *testing.T) {
	rdb := testredis.Embedded(t)
	p := open(t, rdb, withDocs)
	defer p.Close()
	defer join(t, rdb, cluster.Node{ID: "n1", URL: "http://n1.example", Games: map[string]string{"arena": "7", "docs": "3"}})()
	m := p.makeRoom("alice", `,"public":true`)
	want[lobby.Match](t, p.joinRoom("bob", m.Room.ID), 200)
	want[lobby.Match](t, p.post("bob", "/v1/codes/"+m.Room.Code+"/join", ""), 200)
	want[lobby.Match](t, p.joinNamed("bob", "minutes"), 200)
	wantProblem(t, p.post("bob", "/v1/codes/BBBBBB/join", ""), http.StatusNotFound, "")
	for _, way := range []string{"id", "code", "name", "create"} {
		if got := p.count("muster_room_joins_total", "way="+way); got != 1 {
			t.Errorf("seats given by %s: %v, want 1", way, got)
		}
	}
	if made, wrong := p.count("muster_rooms_made_total", "game=arena"), p.count("muster_room_codes_wrong_total"); made != 1 || wrong != 1 {
		t.Errorf("rooms made: %v, wrong codes: %v; want 1 of each", made, wrong)
	}
}
