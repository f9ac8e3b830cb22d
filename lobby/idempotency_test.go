package lobby

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"muster/proto/token"
)

func keysOf(t *testing.T, secret string) *token.Keys {
	t.Helper()
	k, err := token.New([]byte(secret), nil)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func asPlayer(t *testing.T, id string) context.Context {
	t.Helper()
	return context.WithValue(t.Context(), playerKey{}, token.Player{ID: id})
}

func TestIdOfWhatIsCreatedFollowsFromRoutePlayerAndKeyAlone(t *testing.T) {
	l := &Lobby{cfg: Config{Keys: keysOf(t, "a key of 32 bytes, for these tests")}}
	alice, bob := asPlayer(t, "alice"), asPlayer(t, "bob")
	id, digest := l.idempotent(alice, "parties", "k", map[string]int{"max": 4})
	if again, same := l.idempotent(alice, "parties", "k", map[string]int{"max": 4}); again != id || same != digest {
		t.Errorf("a repeat has id %s and digest %s, the first %s and %s", again, same, id, digest)
	}
	if other, differs := l.idempotent(alice, "parties", "k", map[string]int{"max": 5}); other != id || differs == digest {
		t.Errorf("another body has id %s and digest %s, want %s and not %s", other, differs, id, digest)
	}
	elsewhere := &Lobby{cfg: Config{Keys: keysOf(t, "another key of 32 bytes, for tests")}}
	seen := map[string]string{id: "the first"}
	for name, ask := range map[string]func() (string, string){
		"another player":  func() (string, string) { return l.idempotent(bob, "parties", "k", nil) },
		"another route":   func() (string, string) { return l.idempotent(alice, "rooms", "k", nil) },
		"another key":     func() (string, string) { return l.idempotent(alice, "parties", "l", nil) },
		"no key":          func() (string, string) { return l.idempotent(alice, "parties", "", nil) },
		"no key, again":   func() (string, string) { return l.idempotent(alice, "parties", "", nil) },
		"another cluster": func() (string, string) { return elsewhere.idempotent(alice, "parties", "k", nil) },
	} {
		got, _ := ask()
		if len(got) != 26 || seen[got] != "" {
			t.Errorf("%s: id %q, the same as of %q", name, got, seen[got])
		}
		seen[got] = name
	}
}

func TestIdempotencyKeyIsShortPrintableText(t *testing.T) {
	mux := http.NewServeMux()
	api := humago.New(mux, huma.DefaultConfig("test", "1"))
	type input struct{ Keyed }
	var got string
	huma.Register(api, huma.Operation{OperationID: "make", Method: http.MethodPost, Path: "/"},
		func(_ context.Context, in *input) (*struct{}, error) {
			got = in.Key
			return nil, nil //nolint:nilnil // no content
		})
	for key, status := range map[string]int{
		"": 204, "a": 204, "a b~!": 204, strings.Repeat("x", 64): 204,
		strings.Repeat("x", 65): 422, "é": 422, "a\x01": 422, "a\tb": 422, "日": 422,
	} {
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.Header["Idempotency-Key"] = []string{key}
		w := httptest.NewRecorder()
		got = ""
		mux.ServeHTTP(w, r)
		if w.Code != status || status == 204 && got != key {
			t.Errorf("key %q: status %d with %q, want %d: %s", key, w.Code, got, status, w.Body)
		}
	}
}
