package lobby_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"muster/internal/testredis"
	"muster/proto/token"
)

func TestGuestGoesOnWithANewerTokenUntilAWeekAfterItsEnd(t *testing.T) {
	p := open(t, testredis.Embedded(t), nil)
	defer p.Close()
	signed := func(of token.Player, ago time.Duration) string {
		k, err := token.New([]byte("a key of 32 bytes, for these tests"), func() time.Time { return time.Now().Add(-ago) })
		must(t, err)
		s, err := k.SignPlayer(of, time.Hour)
		must(t, err)
		return s
	}
	renew := func(s string) answer {
		return p.send(request{method: "POST", path: "/v1/guests/renew", body: fmt.Sprintf(`{"token":%q}`, s)})
	}
	guest := token.Player{ID: "guest-alice", Name: "Alice"}
	for name, s := range map[string]string{
		"a token that is good": signed(guest, 0), "one that ended six days ago": signed(guest, 6*24*time.Hour+time.Hour),
	} {
		got := want[struct {
			Token, Player string
			Expires       time.Time `json:"expires_at"`
		}](t, renew(s), http.StatusOK)
		who, err := p.keys.VerifyPlayer(got.Token)
		must(t, err)
		if who.ID != guest.ID || who.Name != guest.Name || got.Player != guest.ID || !who.Expires.Equal(got.Expires) || time.Until(got.Expires) < 11*time.Hour {
			t.Errorf("%s: the newer one speaks for %+v, the answer says %+v", name, who, got)
		}
	}
	for name, s := range map[string]string{
		"one that ended nine days ago": signed(guest, 9*24*time.Hour), "a player's who is no guest": signed(token.Player{ID: "alice"}, 0),
		"one with a role": signed(token.Player{ID: "guest-bob", Name: "Bob", Roles: []string{"admin"}}, 0), "no token": "t",
	} {
		a := renew(s)
		if wantProblem(t, a, http.StatusUnauthorized, ""); strings.Contains(string(a.body), s) && len(s) > 1 {
			t.Errorf("%s: the answer repeats it", name)
		}
	}
}
