package lobby_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/redis/go-redis/v9"

	"muster/client"
	"muster/internal/testredis"
	"muster/lobby"
	"muster/match/cluster"
	"muster/proto"
	"muster/proto/token"
)

// openToBackends are the operations that a token with the role service may ask for; those of operators ask for roles
// of their own.
var openToBackends = []string{
	"POST /v1/publish", "POST /v1/notifications",
	"GET /v1/queues", "GET /v1/rooms", "GET /v1/rooms/{id}", "GET /v1/players/{player}", "GET /v1/matches/{id}",
}

var rolesOfTheirOwn = regexp.MustCompile(`^[A-Z]+ /v1/admin`)

func TestABackendsTokenSpeaksForNoPlayerOnAnyRoute(t *testing.T) {
	p := open(t, testredis.Embedded(t), nil)
	defer p.Close()
	params := regexp.MustCompile(`\{\w+\}`)
	refused, asked := 0, []string{}
	for path, item := range p.Register(http.NewServeMux()).Paths {
		for method, op := range map[string]*huma.Operation{
			"GET": item.Get, "POST": item.Post, "PUT": item.Put, "PATCH": item.Patch, "DELETE": item.Delete,
		} {
			if op == nil || len(op.Security) == 0 {
				continue
			}
			where := method + " " + path
			asked = append(asked, where)
			for i, roles := range [][]string{{"service"}, {"player", "service", "moderator"}} {
				a := p.backend(fmt.Sprint("feed", len(asked), i), method, params.ReplaceAllString(path, "x"), "{}", "", roles...)
				told := strings.Contains(string(a.body), "speaks for no player")
				switch {
				case slices.Contains(openToBackends, where) || rolesOfTheirOwn.MatchString(where):
					if told {
						t.Errorf("%s, of %v: %d %s", where, roles, a.status, a.body)
					}
				case !told:
					t.Errorf("%s, of %v: %d %s", where, roles, a.status, a.body)
				default:
					wantProblem(t, a, http.StatusForbidden, "")
					refused++
				}
			}
		}
	}
	for _, where := range openToBackends {
		if !slices.Contains(asked, where) {
			t.Errorf("there is no %s", where)
		}
	}
	if refused < 80 {
		t.Errorf("of %d operations %d requests were refused", len(asked), refused)
	}
}

// Its subject has played, made a private room and shows a replay: nothing of that is the backend's.
func TestABackendsTokenIsNotThePlayerOfItsSubject(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		p := open(t, rdb, func(c *lobby.Config) {
			c.Games = []lobby.Game{{Name: "arena", Rules: "7", Seats: 16, OpenReplays: true, Watch: true}}
			c.ReplaysFor = time.Hour
			c.Replays = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "a replay") })
			c.Replayer = showsAll{}
		})
		defer p.Close()
		defer join(t, rdb, someNode)()
		private, public := p.makeRoom("alice", "").Room.ID, p.makeRoom("alice", `,"public":true`).Room.ID
		match, session := cluster.NewID(), "replay-"+cluster.NewID()+"-"+cluster.NewID()
		must(t, cluster.NewDirectory(rdb, ns).PostResult(t.Context(), proto.Result{
			Room: match, Game: "arena", Recorded: true, Ended: time.Now(), Placements: []proto.Placement{{Player: "alice"}},
		}))
		time.Sleep(time.Second) // in which the result is taken
		for _, r := range []struct {
			method, path, body string
			player             int // what alice is answered
		}{
			{"GET", "/v1/rooms/" + private, "", http.StatusOK},
			{"GET", "/v1/matches/" + match + "/replay", "", http.StatusOK},
			{"POST", "/v1/replays", `{"match":"` + match + `"}`, http.StatusCreated},
			{"GET", "/v1/replays/" + session, "", http.StatusOK},
			{"POST", "/v1/replays/" + session + "/watch", "", http.StatusOK},
			{"PATCH", "/v1/replays/" + session, `{"paused":true}`, http.StatusOK},
			{"DELETE", "/v1/replays/" + session, "", http.StatusNoContent},
		} {
			time.Sleep(5 * time.Second) // for the limit of requests
			if a := p.backend("alice", r.method, r.path, r.body, ""); a.status != r.player {
				t.Errorf("%s %s by a player: %d %s", r.method, r.path, a.status, a.body)
			}
			wanted := http.StatusForbidden
			if r.path == "/v1/rooms/"+private {
				wanted = http.StatusNotFound
			}
			for _, roles := range [][]string{{"service"}, {"player", "service", "moderator"}} {
				wantProblem(t, p.backend("alice", r.method, r.path, r.body, "", roles...), wanted, "")
			}
			if strings.HasPrefix(r.path, "/v1/replays") { // an operator is shown them as one
				if a := p.backend("alice", r.method, r.path, r.body, "", "service", "admin"); a.status != r.player {
					t.Errorf("%s %s by a backend that is an operator: %d %s", r.method, r.path, a.status, a.body)
				}
			}
		}
		if info := want[lobby.RoomInfo](t, p.backend("alice", "GET", "/v1/rooms/"+public, "", ""), 200); info.Code == "" {
			t.Error("alice is not told her room's code")
		}
		if info := want[lobby.RoomInfo](t, p.backend("alice", "GET", "/v1/rooms/"+public, "", "", "service"), 200); info.Code != "" {
			t.Errorf("a backend is told the code %s", info.Code)
		}
	})
}

// showsAll is a Replayer that shows whatever it is asked for.
type showsAll struct{}

func (showsAll) Open(context.Context, lobby.ReplayWish) (*lobby.ShownReplay, error) {
	return &lobby.ShownReplay{State: lobby.ReplayState{ID: "replay-x-y", Game: "arena"}, Node: someNode}, nil
}

func (s showsAll) Ask(ctx context.Context, _ lobby.ReplayQuestion) (*lobby.ShownReplay, error) {
	return s.Open(ctx, lobby.ReplayWish{})
}

// What a backend reads of matches is the same whoever its subject is.
func TestABackendReadsTheResultOfAnyMatch(t *testing.T) {
	inBubble(t, func(t *testing.T, rdb redis.UniversalClient) {
		p := open(t, rdb, nil)
		defer p.Close()
		match := cluster.NewID()
		must(t, cluster.NewDirectory(rdb, ns).PostResult(t.Context(), proto.Result{
			Room: match, Game: "arena", Ended: time.Now(), Placements: []proto.Placement{{Player: "alice"}},
		}))
		time.Sleep(time.Second) // in which the result is taken
		if got := want[lobby.Result](t, p.backend("feed", "GET", "/v1/matches/"+match, "", "", "service"), 200); got.Room != match {
			t.Errorf("it reads %+v", got)
		}
		wantProblem(t, p.backend("feed", "GET", "/v1/matches/"+match, "", ""), http.StatusNotFound, "")
		wantProblem(t, p.backend("feed", "GET", "/v1/matches/"+cluster.NewID(), "", "", "service"), http.StatusNotFound, "")
	})
}

func TestABackendsTokenOpensNoLobbySocketAndRefreshesNone(t *testing.T) {
	p := openServed(t, &place{rdb: testredis.Embedded(t)}, nil)
	s, err := p.keys.SignPlayer(token.Player{ID: "alice", Name: "Alice", Roles: []string{"service"}}, time.Hour)
	must(t, err)
	_, err = (&client.Lobby{URL: p.url, Token: s}).Live(t.Context(), client.LiveOptions{})
	var refused *client.HandshakeError
	if !errors.As(err, &refused) || refused.Status != http.StatusForbidden || !strings.Contains(err.Error(), "speaks for no player") {
		t.Errorf("its socket: %v", err)
	}
	alice := p.listen("alice", "")
	if err = alice.Do(t.Context(), "refresh", map[string]string{"token": s}, nil); err == nil {
		t.Error("a player's socket takes a backend's token as a newer one")
	}
	for err = nil; err == nil; {
		_, err = alice.Next(t.Context())
	}
	var closed *client.CloseError
	if !errors.As(err, &closed) || closed.Code != proto.CodeTokenBad {
		t.Errorf("the socket ends with %v", err)
	}
}
