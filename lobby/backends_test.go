package lobby_test

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"muster/client"
	"muster/internal/testredis"
	"muster/proto"
	"muster/proto/token"
)

// openToBackends are the operations that a token with the role service may ask for; those of operators and replays ask for
// roles of their own.
var openToBackends = []string{
	"POST /v1/publish", "POST /v1/notifications",
	"GET /v1/queues", "GET /v1/rooms", "GET /v1/rooms/{id}", "GET /v1/players/{player}", "GET /v1/matches/{id}", "GET /v1/matches/{id}/replay",
}

var rolesOfTheirOwn = regexp.MustCompile(`^[A-Z]+ /v1/(admin|replays)`)

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
