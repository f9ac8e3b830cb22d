package lobby

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"muster/internal/testredis"
	"muster/lobby/live"
	"muster/lobby/party"
	"muster/match/cluster"
	"muster/proto/token"
)

func newLobby(t *testing.T, cfg Config) *Lobby {
	t.Helper()
	cfg.Namespace, cfg.Keys = "test", keysOf(t, "a key of 32 bytes, for these tests")
	l, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestSocketsRequestsDoWhatRestDoes(t *testing.T) {
	l := newLobby(t, Config{Redis: testredis.Embedded(t)})
	defer l.Close()
	as := live.Caller{Player: token.Player{ID: "alice", Name: "Alice"}}
	do := func(name, body string) (any, int) {
		answer, err := l.chatRequests()[name](t.Context(), as, json.RawMessage(body))
		var status interface{ GetStatus() int }
		if errors.As(err, &status) {
			return nil, status.GetStatus()
		}
		if err != nil {
			t.Errorf("%s %s: %v", name, body, err)
		}
		return answer, 200
	}
	for range 2 {
		if m, status := do("chat.send", `{"channel":"direct:bob","text":"hi","key":"k"}`); status != 200 || !strings.Contains(fmt.Sprint(m), "Alice hi") {
			t.Errorf("%v, %d", m, status)
		}
	}
	if h, status := do("chat.history", `{"channel":"direct:bob"}`); status != 200 || len(h.(*History).Messages) != 1 { //nolint:forcetypeassert // what it is
		t.Errorf("%v, %d", h, status)
	}
	for body, want := range map[string]int{
		`{"channel":"party:x","text":"hi"}`:                        404,
		`{"channel":"direct:bob","text":""}`:                       422,
		`{"channel":"direct:bob","text":"a\u202e"}`:                422,
		`{"channel":"direct:bob","text":"hi","from":"bob"}`:        422,
		`{"channel":"direct:bob","text":"ho","key":"k"}`:           422,
		`{"channel":"direct:bob","text":"ho","key":"\u0001"}`:      422,
		`{"channel":"` + strings.Repeat("x", 81) + `","text":"x"}`: 422,
	} {
		if _, status := do("chat.send", body); status != want {
			t.Errorf("%s: %d, want %d", body, status, want)
		}
	}
	for body, want := range map[string]int{
		`{"channel":"room:x"}`: 404, `{"channel":"direct:bob","before":"x"}`: 422, `{"channel":"direct:bob","limit":101}`: 422,
	} {
		if _, status := do("chat.history", body); status != want {
			t.Errorf("%s: %d, want %d", body, status, want)
		}
	}
	limited := 0
	for range 20 {
		if _, status := do("chat.send", `{"channel":"direct:bob","text":"spam"}`); status == 429 {
			limited++
		}
	}
	if limited == 0 {
		t.Error("a flood over a socket is not limited")
	}
}

// Whoever has a socket open keeps his party, whatever else he does not do.
func TestPartyLastsAsLongAsAMembersSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rdb, stop := cluster.Embedded()
		defer func() {
			time.Sleep(time.Second) // a connection goes on for a moment
			stop()
		}()
		l := &Lobby{}
		l.parties = party.New(party.Config{Redis: rdb, Namespace: "test", Post: func(context.Context, string, string, any, ...string) error { return nil }})
		for _, who := range []string{"alice", "bob"} {
			if _, err := l.parties.Create(t.Context(), cluster.NewID(), "", party.Member{ID: who, Name: who}, 2); err != nil {
				t.Fatal(err)
			}
		}
		for range 3 * 360 {
			time.Sleep(10 * time.Second)
			l.stillThere(t.Context(), []string{"carol", "alice"})
		}
		if p, err := l.parties.Members(t.Context(), "alice"); err != nil || len(p.Members) != 1 {
			t.Errorf("after three hours on a socket: %+v, %v", p, err)
		}
		if _, err := l.parties.Members(t.Context(), "bob"); !errors.Is(err, party.ErrNone) {
			t.Errorf("after three hours without one: %v", err)
		}
	})
}
