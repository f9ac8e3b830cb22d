package lobby_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"muster/internal/testredis"
	"muster/lobby"
	"muster/lobby/keyspace"
	"muster/match/cluster"
	"muster/proto"
	"muster/proto/token"
)

// me sends a request of a player about himself, and others.
func (p *place) me(player, method, path, body string) answer {
	p.t.Helper()
	return p.send(request{method: method, path: "/v1/" + path, token: p.player(player), body: body})
}

func TestPlayerReadsHisLiveTicketsAndHisParty(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		p := open(t, rdb, nil)
		defer p.Close()
		id := p.enqueue("alice", "duel").ID
		party := want[lobby.Party](t, p.me("alice", "POST", "parties", "{}"), http.StatusCreated)
		me := want[lobby.Me](t, p.me("alice", "GET", "me", ""), 200)
		if !cmp.Equal(me.Tickets, []string{id}) || me.Party != party.ID || me.Party == "" {
			t.Errorf("alice has tickets %q and party %q, want %s and %s", me.Tickets, me.Party, id, party.ID)
		}
		p.me("alice", "DELETE", "tickets/"+id, "")
		if me = want[lobby.Me](t, p.me("alice", "PUT", "me", "{}"), 200); len(me.Tickets) > 0 || me.Party != party.ID {
			t.Errorf("after she gave it up alice has tickets %q and party %q", me.Tickets, me.Party)
		}
		if bob := want[lobby.Me](t, p.me("bob", "GET", "me", ""), 200); len(bob.Tickets) > 0 || bob.Party != "" {
			t.Errorf("bob has tickets %q and party %q", bob.Tickets, bob.Party)
		}
	})
}

func TestProfileIsWhatItsPlayerSaysOfHimself(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		here, there := open(t, rdb, nil), open(t, rdb, nil) // any lobby takes any request
		defer here.Close()
		defer there.Close()
		none := wantProblem(t, there.me("bob", "GET", "players/alice", ""), http.StatusNotFound, "")
		blank := lobby.Me{Player: lobby.Player{Player: "alice", Name: "alice", Ratings: []lobby.GameRating{}}, Watch: "everyone"}
		if diff := cmp.Diff(blank, want[lobby.Me](t, here.me("alice", "GET", "me", ""), 200)); diff != "" {
			t.Errorf("a new player (-want +got):\n%s", diff)
		}
		said := blank
		said.Profile = lobby.Profile{
			About: strings.Repeat("日", 200), Avatar: "https://pictures.example/a.png?s=64", Country: "NZ", Status: "<script>it's me</script>",
		}
		said.Watch = "party"
		body := `{"about":"` + said.About + `","avatar":"` + said.Avatar + `","country":"NZ","status":"` + said.Status + `","watch":"party"}`
		for _, a := range []answer{here.me("alice", "PUT", "me", body), here.me("alice", "PUT", "me", body), there.me("alice", "GET", "me", "")} {
			if diff := cmp.Diff(said, want[lobby.Me](t, a, 200)); diff != "" {
				t.Errorf("what was said (-want +got):\n%s", diff)
			}
		}
		if diff := cmp.Diff(said.Player, want[lobby.Player](t, there.me("bob", "GET", "players/alice", ""), 200)); diff != "" {
			t.Errorf("what others see (-want +got):\n%s", diff)
		}
		if a := there.me("bob", "GET", "players/alice", ""); strings.Contains(string(a.body), "watch") {
			t.Errorf("others see %s", a.body)
		}
		if diff := cmp.Diff(blank, want[lobby.Me](t, here.me("alice", "PUT", "me", `{}`), 200)); diff != "" {
			t.Errorf("emptied (-want +got):\n%s", diff)
		}

		want204(t, here.me("alice", "PUT", "me/blocks/bob", ""))
		want204(t, here.me("alice", "DELETE", "me", ""))
		want204(t, here.me("alice", "DELETE", "me", ""))
		if got := wantProblem(t, there.me("bob", "GET", "players/alice", ""), http.StatusNotFound, ""); got.Detail != none.Detail {
			t.Errorf("%q differs from %q", got.Detail, none.Detail)
		}
		if keys, err := rdb.Keys(t.Context(), "*"+keyspace.Digest("alice")+"*").Result(); err != nil || len(keys) > 1 { // the limit's
			t.Errorf("of a deleted player there is %v, %v", keys, err)
		}
	})
}

func TestPlayerWhoDeletesHimselfIsNoBeginnerWhenHeIsBack(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		p := open(t, rdb, nil)
		defer p.Close()
		must(t, cluster.NewDirectory(rdb, ns).PostResult(t.Context(), proto.Result{
			Room: cluster.NewID(), Game: "arena", Queue: "duel", Rules: "7", Ended: time.Now(),
			Placements: []proto.Placement{{Seat: 0, Player: "alice", Rank: 1}, {Seat: 1, Player: "bob", Rank: 2}},
		}))
		time.Sleep(2 * time.Second) // the results are drained
		was := want[lobby.Me](t, p.me("alice", "GET", "me", ""), 200).Ratings
		if len(was) != 1 || was[0].Rating <= 1000 {
			t.Fatalf("she is rated %+v", was)
		}
		for range 3 {
			want204(t, p.me("alice", "DELETE", "me", ""))
			wantProblem(t, p.me("bob", "GET", "players/alice", ""), http.StatusNotFound, "")
		}
		if got := want[matches](t, p.me("alice", "GET", "me/matches", ""), 200); len(got.Matches) != 0 {
			t.Errorf("her list of matches is %+v", got)
		}
		if got := want[lobby.Me](t, p.me("alice", "GET", "me", ""), 200).Ratings; !cmp.Equal(got, was) {
			t.Errorf("back, she is rated %+v and was %+v", got, was)
		}
	})
}

func want204(t *testing.T, a answer) {
	t.Helper()
	if a.status != http.StatusNoContent || len(a.body) > 0 {
		t.Errorf("%d %s", a.status, a.body)
	}
}

func TestPlayersIDsMayBeAnything(t *testing.T) {
	rdb := testredis.Embedded(t)
	p := open(t, rdb, nil)
	defer p.Close()
	p.serve()
	for i, id := range []string{"..", ".", "a/b", "a%2Fb", "auth0|5f", "日本", "a b?c#d", "*", "{x}", "<script>", `"`, "me", strings.Repeat("x", 64)} {
		asker := fmt.Sprint("asker", i)
		path := url.PathEscape(id)
		if strings.Trim(id, ".") == "" {
			path = strings.ReplaceAll(id, ".", "%2E")
		}
		wantProblem(t, p.me(asker, "GET", "players/"+path, ""), http.StatusNotFound, "")
		want[lobby.Me](t, p.me(id, "GET", "me", ""), 200)
		if got := want[lobby.Player](t, p.me(asker, "GET", "players/"+path, ""), 200); got.Player != id {
			t.Errorf("%q is %+v", id, got)
		}
		want204(t, p.me(asker, "PUT", "me/blocks/"+path, ""))
		if got := want[blocks](t, p.me(asker, "GET", "me/blocks", ""), 200); !cmp.Equal(got.Players, []string{id}) {
			t.Errorf("%q is blocked as %q", id, got.Players)
		}
		want204(t, p.me(asker, "DELETE", "me/blocks/"+path, ""))
	}
}

type blocks struct {
	Players []string `json:"players"`
}

func TestBlocksAreOnesOwn(t *testing.T) {
	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		p := open(t, rdb, nil)
		defer p.Close()
		if a := p.me("alice", "GET", "me/blocks", ""); string(a.body) != "{\"players\":[]}\n" {
			t.Errorf("%s", a.body)
		}
		want[lobby.Me](t, p.me("alice", "PUT", "me", `{"status":"here"}`), 200)
		for _, id := range []string{"mallory", "bob", "mallory"} {
			want204(t, p.me("alice", "PUT", "me/blocks/"+id, ""))
		}
		if got := want[blocks](t, p.me("alice", "GET", "me/blocks", ""), 200); !cmp.Equal(got.Players, []string{"bob", "mallory"}) {
			t.Errorf("%v", got)
		}
		if got := want[blocks](t, p.me("mallory", "GET", "me/blocks", ""), 200); len(got.Players) > 0 {
			t.Errorf("whom another blocks: %v", got)
		}
		for player, status := range map[string]string{"mallory": "", "carol": "here"} {
			if got := want[lobby.Player](t, p.me(player, "GET", "players/alice", ""), 200); got.Status != status {
				t.Errorf("%s sees the status %q", player, got.Status)
			}
		}
		want204(t, p.me("alice", "DELETE", "me/blocks/mallory", ""))
		want204(t, p.me("alice", "DELETE", "me/blocks/nobody", ""))
		if got := want[blocks](t, p.me("alice", "GET", "me/blocks", ""), 200); !cmp.Equal(got.Players, []string{"bob"}) {
			t.Errorf("%v", got)
		}
		wantProblem(t, p.me("alice", "PUT", "me/blocks/alice", ""), http.StatusUnprocessableEntity, "path.player")

		key := keyspace.Player(ns, "alice") + ":blocks"
		for i := range 499 {
			must(t, rdb.SAdd(t.Context(), key, fmt.Sprint("p", i)).Err())
		}
		wantProblem(t, p.me("alice", "PUT", "me/blocks/mallory", ""), http.StatusConflict, "")
		want204(t, p.me("alice", "PUT", "me/blocks/bob", "")) // who is blocked already
	})
}

func TestMalformedProfilesAreRefusedAndTheFieldIsNamed(t *testing.T) {
	p := open(t, testredis.Embedded(t), nil)
	defer p.Close()
	p.serve()
	put := func(body string) request { return request{method: "PUT", path: "/v1/me", body: body} }
	get := func(path string) request { return request{method: "GET", path: "/v1/" + path} }
	block := func(id string) request { return request{method: "PUT", path: "/v1/me/blocks/" + id} }
	for i, c := range []struct {
		name   string
		r      request
		status int
		field  string
	}{
		{"no body", request{method: "PUT", path: "/v1/me"}, 400, ""},
		{"an unknown field", put(`{"name":"admin"}`), 422, "body.name"},
		{"a rating", put(`{"ratings":[]}`), 422, "body.ratings"},
		{"a prototype", put(`{"__proto__":{}}`), 422, "body.__proto__"},
		{"a long text", put(`{"about":"` + strings.Repeat("x", 201) + `"}`), 422, "body.about"},
		{"a line break", put(`{"about":"a\nb"}`), 422, "body.about"},
		{"a text that turns around", put(`{"about":"a\u202eb"}`), 422, "body.about"},
		{"a long status", put(`{"status":"` + strings.Repeat("日", 61) + `"}`), 422, "body.status"},
		{"NUL", put(`{"status":"a\u0000"}`), 422, "body.status"},
		{"a picture without TLS", put(`{"avatar":"http://a.example/a.png"}`), 422, "body.avatar"},
		{"a script", put(`{"avatar":"javascript:alert(1)"}`), 422, "body.avatar"},
		{"data", put(`{"avatar":"data:image/png;base64,AAAA"}`), 422, "body.avatar"},
		{"a picture of this server", put(`{"avatar":"//a.png"}`), 422, "body.avatar"},
		{"no host", put(`{"avatar":"https:///a.png"}`), 422, "body.avatar"},
		{"a password", put(`{"avatar":"https://u:p@a.example/"}`), 422, "body.avatar"},
		{"a quote", put(`{"avatar":"https://a.example/\" onerror=\"x"}`), 422, "body.avatar"},
		{"a long address", put(`{"avatar":"https://a.example/` + strings.Repeat("x", 200) + `"}`), 422, "body.avatar"},
		{"a country that is none", put(`{"country":"nz"}`), 422, "body.country"},
		{"another watcher", put(`{"watch":"friends"}`), 422, "body.watch"},
		{"a body of 1 MB", put(`{"about":"` + strings.Repeat("x", 1<<20) + `"}`), 413, ""},
		{"another's profile", request{method: "PUT", path: "/v1/players/bob", body: `{}`}, 405, "-"},
		{"a long id", get("players/" + strings.Repeat("x", 65)), 422, "path.player"},
		{"an id of many bytes", get("players/" + strings.Repeat("%E6%97%A5", 22)), 422, "path.player"},
		{"an id that is no text", get("players/%FF"), 422, "path.player"},
		{"a line break in an id", block("a%0Ab"), 422, "path.player"},
		{"an id that turns around", block("a%E2%80%AEb"), 422, "path.player"},
		{"a cursor that is none", get("me/matches?cursor=x"), 422, "query.cursor"},
		{"a cursor of many digits", get("me/matches?cursor=99999999999999999999-0"), 422, "query.cursor"},
		{"a large page", get("me/matches?limit=51"), 422, "query.limit"},
		{"an empty page", get("me/matches?limit=0"), 422, "query.limit"},
		{"another's matches", get("me/matches?player=bob"), 422, "query.player"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.r.token = p.player(fmt.Sprint("alice", i))
			a := p.send(c.r)
			if c.field == "-" {
				if a.status != c.status {
					t.Errorf("%d %s", a.status, a.body)
				}
				return
			}
			if wantProblem(t, a, c.status, c.field); len(a.body) > 800 {
				t.Errorf("%d bytes", len(a.body))
			}
		})
	}
}

type matches struct {
	Matches []lobby.PlayedMatch `json:"matches"`
	Next    string              `json:"next"`
}

func TestResultRatesItsPlayersAndStandsInTheirLists(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		here := open(t, rdb, func(c *lobby.Config) { c.ReplaysFor = time.Hour })
		there := open(t, rdb, nil)
		defer here.Close()
		defer there.Close()
		dir := cluster.NewDirectory(rdb, ns)
		var rooms []string
		for n := range 3 {
			r, err := dir.Create(t.Context(), cluster.NewRoom{Game: "arena", Rules: "7", Queue: "duel", Node: "n1", Seats: 2})
			must(t, err)
			rooms = append(rooms, r.ID)
			must(t, dir.PostResult(t.Context(), proto.Result{
				Room: r.ID, Epoch: r.Epoch, Game: "arena", Rules: "7", Tick: 600, Started: time.Now().Add(-time.Minute), Ended: time.Now(), Recorded: n > 0,
				Placements: []proto.Placement{{Seat: 0, Player: "alice", Rank: 1, Score: 9}, {Seat: 1, Player: "bob", Rank: 2, Score: 3}},
			}))
			time.Sleep(2 * time.Second) // the results are drained in between
		}
		got := want[matches](t, here.me("bob", "GET", "me/matches", ""), 200)
		if len(got.Matches) != 3 || got.Next != "" || got.Matches[0].Room != rooms[2] || got.Matches[2].Room != rooms[0] {
			t.Fatalf("%+v", got)
		}
		last := got.Matches[0]
		if last.Rank != 2 || last.Score != 3 || last.Players != 2 || last.Queue != "duel" || !last.Recorded || last.Replay != "" {
			t.Errorf("%+v", last)
		}
		if r := last.Rating; r == nil || r.After >= r.Before || r.DeviationAfter >= r.DeviationBefore || r.Before != got.Matches[1].Rating.After {
			t.Errorf("%+v", r)
		}
		if first := got.Matches[2]; first.Rating.Before != 1000 || first.Rating.DeviationBefore != 333 || first.Recorded {
			t.Errorf("%+v, %+v", first, first.Rating)
		}
		for player, won := range map[string]bool{"alice": true, "bob": false} {
			r := want[lobby.Player](t, there.me("carol", "GET", "players/"+player, ""), 200).Ratings
			if len(r) != 1 || r[0].Game != "arena" || r[0].Matches != 3 || (r[0].Rating > 1000) != won {
				t.Errorf("%s has %+v", player, r)
			}
		}

		// Pages of one, while another match comes in.
		var seen []string
		cursor := ""
		for range 3 {
			page := want[matches](t, there.me("bob", "GET", "me/matches?limit=1&cursor="+cursor, ""), 200)
			seen, cursor = append(seen, page.Matches[0].Room), page.Next
			must(t, dir.PostResult(t.Context(), proto.Result{
				Room: cluster.NewID(), Game: "arena", Ended: time.Now(), Placements: []proto.Placement{{Player: "bob", Rank: 1}},
			}))
			time.Sleep(2 * time.Second)
		}
		if diff := cmp.Diff([]string{rooms[2], rooms[1], rooms[0]}, seen); diff != "" || cursor != "" {
			t.Errorf("pages (-want +got):\n%s\nand then %q", diff, cursor)
		}
		if list := want[matches](t, here.me("carol", "GET", "me/matches", ""), 200); list.Matches == nil || len(list.Matches) > 0 {
			t.Errorf("who never played has %+v", list)
		}

		// Operators find the replay, as long as there is one.
		admin, err := here.keys.SignPlayer(token.Player{ID: "alice", Name: "alice", Roles: []string{"admin"}}, 3*time.Hour)
		must(t, err)
		replays := func(p *place) (list []string) {
			for _, m := range want[matches](t, p.send(request{method: "GET", path: "/v1/me/matches", token: admin}), 200).Matches {
				list = append(list, m.Replay)
			}
			return list
		}
		want := []string{"/v1/admin/replays/" + rooms[2], "/v1/admin/replays/" + rooms[1], ""}
		if diff := cmp.Diff(want, replays(here)); diff != "" {
			t.Errorf("replays (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"", "", ""}, replays(there)); diff != "" {
			t.Errorf("replays where none are kept (-want +got):\n%s", diff)
		}
		time.Sleep(time.Hour)
		if diff := cmp.Diff([]string{"", "", ""}, replays(here)); diff != "" {
			t.Errorf("replays an hour later (-want +got):\n%s", diff)
		}
	})
}

// A result that is stored and whose players could not be rated is rated later, by whichever lobby takes it over.
func TestRatingSurvivesALobbyThatCannotStoreIt(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		broken := open(t, hurt(t, rdb, func(cmd redis.Cmder, next func() error) error {
			if args := fmt.Sprint(cmd.Args()...); cmd.Name() == "set" && strings.Contains(args, ":rating:") {
				cmd.SetErr(redis.ErrClosed)
				return redis.ErrClosed
			}
			return next()
		}), nil)
		r := proto.Result{Room: cluster.NewID(), Game: "arena", Placements: []proto.Placement{{Player: "alice", Rank: 1}, {Player: "bob", Rank: 2}}}
		dir := cluster.NewDirectory(rdb, ns)
		must(t, dir.PostResult(t.Context(), r))
		time.Sleep(30 * time.Second)
		if n := rdb.Exists(t.Context(), ns+":{match:"+r.Room+"}:result").Val(); n != 1 {
			t.Error("the result is not stored")
		}
		if got := want[matches](t, broken.me("bob", "GET", "me/matches", ""), 200); len(got.Matches) > 0 {
			t.Errorf("%+v", got)
		}
		broken.Close()
		p := open(t, rdb, nil)
		defer p.Close()
		time.Sleep(15 * time.Second)
		if got := want[matches](t, p.me("bob", "GET", "me/matches", ""), 200); len(got.Matches) != 1 {
			t.Errorf("%+v", got)
		}
	})
}

func TestPlayersAreForgottenAfterAYearAway(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		p := open(t, rdb, nil)
		want[lobby.Me](t, p.me("alice", "PUT", "me", `{"about":"here"}`), 200)
		want204(t, p.me("alice", "PUT", "me/blocks/bob", ""))
		p.Close() // an idle year of a lobby takes long even in virtual time
		keys := []string{keyspace.Player(ns, "alice") + ":profile", keyspace.Player(ns, "alice") + ":blocks"}
		time.Sleep(400*24*time.Hour - time.Minute)
		if n := rdb.Exists(t.Context(), keys...).Val(); n != 2 {
			t.Errorf("%d of %v are there within 400 days", n, keys)
		}
		time.Sleep(time.Minute)
		if n := rdb.Exists(t.Context(), keys...).Val(); n != 0 {
			t.Errorf("%d of %v are there after 400 days", n, keys)
		}
	})
}
