package lobby_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"muster/internal/testredis"
	"muster/lobby"
	"muster/proto/token"
)

// forged signs claims as a stranger might; change is applied to those of a good player token.
func forged(t *testing.T, method jwt.SigningMethod, key any, change func(jwt.MapClaims)) string {
	t.Helper()
	now := time.Now()
	c := jwt.MapClaims{
		"iss": "muster", "aud": []string{"muster:player"}, "sub": "mallory", "name": "mallory",
		"iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	}
	if change != nil {
		change(c)
	}
	s, err := jwt.NewWithClaims(method, c).SignedString(key)
	must(t, err)
	return s
}

func TestEveryBadTokenGetsTheSameAnswer(t *testing.T) {
	p := open(t, testredis.Embedded(t), nil)
	defer p.Close()
	p.serve()
	key := []byte("a key of 32 bytes, for these tests")
	seat, err := p.keys.SignSeat(token.Seat{Room: "r", Seat: 1, Player: "mallory", ID: "x", PlayerExpires: time.Now().Add(time.Hour)}, time.Hour)
	must(t, err)
	resume, err := p.keys.SignResume(token.Resume{Room: "r", Seat: 1, Player: "mallory", PlayerExpires: time.Now().Add(time.Hour)}, time.Hour)
	must(t, err)
	good := p.player("mallory")
	set := func(name string, value any) func(jwt.MapClaims) { return func(c jwt.MapClaims) { c[name] = value } }
	unset := func(name string) func(jwt.MapClaims) { return func(c jwt.MapClaims) { delete(c, name) } }
	sign := func(change func(jwt.MapClaims)) string { return forged(t, jwt.SigningMethodHS256, key, change) }
	if a := p.send(request{method: "GET", path: "/v1/tickets/duel.x", token: sign(nil)}); a.status != http.StatusNotFound {
		t.Fatalf("the forger's own good token gets %d: the cases below would prove nothing", a.status)
	}
	var text string
	for name, header := range map[string]string{
		"none at all":            "",
		"another scheme":         "Basic " + good,
		"no scheme":              good,
		"no token":               "Bearer ",
		"garbage":                "Bearer xyz",
		"two dots":               "Bearer ..",
		"very many dots":         "Bearer " + strings.Repeat(".", 100_000),
		"very long":              "Bearer " + strings.Repeat("a", 100_000),
		"a cut signature":        "Bearer " + good[:len(good)-4],
		"a changed claim":        "Bearer " + tampered(good),
		"another key":            "Bearer " + forged(t, jwt.SigningMethodHS256, []byte(strings.Repeat("x", 32)), nil),
		"no signature":           "Bearer " + forged(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, nil),
		"HS512":                  "Bearer " + forged(t, jwt.SigningMethodHS512, key, nil),
		"no expiry":              "Bearer " + sign(unset("exp")),
		"expired":                "Bearer " + sign(set("exp", time.Now().Add(-time.Minute).Unix())),
		"not valid yet":          "Bearer " + sign(set("nbf", time.Now().Add(time.Hour).Unix())),
		"another audience":       "Bearer " + sign(set("aud", "somebody")),
		"no audience":            "Bearer " + sign(unset("aud")),
		"another issuer":         "Bearer " + sign(set("iss", "somebody")),
		"no subject":             "Bearer " + sign(unset("sub")),
		"a subject of one NUL":   "Bearer " + sign(set("sub", "\x00")),
		"a subject with newline": "Bearer " + sign(set("sub", "a\r\nb")),
		"a subject of 65 bytes":  "Bearer " + sign(set("sub", strings.Repeat("x", 65))),
		"a name with RTL":        "Bearer " + sign(set("name", "a\u202eb")),
		"a seat's token":         "Bearer " + seat,
		"a resume secret":        "Bearer " + resume,
	} {
		t.Run(name, func(t *testing.T) {
			h := http.Header{}
			if header != "" {
				h.Set("Authorization", header)
			}
			for _, r := range []request{
				{method: "GET", path: "/v1/tickets/duel.x"},
				{method: "POST", path: "/v1/tickets", body: `{"queue":"duel"}`},
				{method: "DELETE", path: "/v1/tickets/duel.x"},
				{method: "GET", path: "/v1/matches/" + strings.Repeat("a", 26)},
				{method: "POST", path: "/v1/rooms/" + strings.Repeat("a", 26) + "/rejoin"},
				{method: "POST", path: "/v1/tickets", body: "{"},
				{method: "GET", path: "/v1/tickets/x?no=1"},
			} {
				r.header = h
				a := p.send(r)
				wantProblem(t, a, http.StatusUnauthorized, "")
				if a.header.Get("WWW-Authenticate") != "Bearer" {
					t.Errorf("WWW-Authenticate is %q", a.header.Get("WWW-Authenticate"))
				}
				if text == "" {
					text = string(a.body)
				}
				if string(a.body) != text {
					t.Errorf("%s %s: %s differs from %s", r.method, r.path, a.body, text)
				}
			}
		})
	}
}

// tampered makes another player of a token's, and keeps its signature.
func tampered(good string) string {
	parts := strings.Split(good, ".")
	b, _ := base64.RawURLEncoding.DecodeString(parts[1])
	parts[1] = base64.RawURLEncoding.EncodeToString([]byte(strings.ReplaceAll(string(b), "mallory", "admin")))
	return strings.Join(parts, ".")
}

func TestTokenWithoutANameHasItsSubjectAsName(t *testing.T) {
	k := testKeys(t)
	s, err := k.SignPlayer(token.Player{ID: "alice", Roles: []string{"admin"}}, time.Hour)
	must(t, err)
	for _, scheme := range []string{"Bearer ", "bearer ", "BEARER  "} {
		got, err := lobby.Authenticate(k, scheme+s)
		if err != nil || got.ID != "alice" || got.Name != "alice" || len(got.Roles) != 1 {
			t.Errorf("%q: %+v, %v", scheme, got, err)
		}
	}
}
