package cmd

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/client"
	"muster/proto/token"
)

// output is what a command prints. Any goroutine may use it.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// running is "muster serve" in this process.
type running struct {
	t              *testing.T
	url            string
	keys           *token.Keys
	keyFile        string
	stdout, stderr *output
	interrupt      func()
	code           chan int
}

var lobbyLine = regexp.MustCompile(`(?m)^ +lobby +(http://\S+)/v1`)

// serve runs "muster serve" on a free port until the test ends, or interrupt is called.
func serve(t *testing.T, games []Game, args ...string) *running {
	t.Helper()
	r := &running{t: t, stdout: &output{}, stderr: &output{}, code: make(chan int, 1)}
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("XDG_CONFIG_HOME", "")
	ctx, interrupt := context.WithCancel(context.Background())
	r.interrupt = interrupt
	args = append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)
	go func() { r.code <- run(ctx, func() {}, args, games, r.stdout, r.stderr) }()
	t.Cleanup(func() {
		r.end()
		for _, text := range []string{r.stdout.String(), r.stderr.String()} {
			if strings.Contains(text, "eyJ") {
				t.Errorf("a token was printed:\n%s", text)
			}
		}
	})
	until(t, "the banner", func() bool {
		m := lobbyLine.FindStringSubmatch(r.stdout.String())
		if m == nil {
			select {
			case code := <-r.code:
				r.code <- code
				t.Fatalf("serve ended with %d: %s", code, r.stderr)
			default:
			}
			return false
		}
		r.url = m[1]
		return true
	})
	r.keyFile = filepath.Join(home, ".config", "muster", "development.key")
	for i, a := range args {
		if a == "--key-file" {
			r.keyFile = args[i+1]
		}
	}
	key, err := os.ReadFile(r.keyFile)
	must(t, err)
	r.keys, err = token.New(bytes.TrimSpace(key), nil)
	must(t, err)
	return r
}

// end interrupts the server and returns its exit status.
func (r *running) end() int {
	r.interrupt()
	select {
	case code := <-r.code:
		r.code <- code // whoever asks again hears the same
		return code
	case <-time.After(time.Minute):
		r.t.Fatal("serve does not end")
		return -1
	}
}

// lobby is a player's.
func (r *running) lobby(player string, roles ...string) *client.Lobby {
	r.t.Helper()
	s, err := r.keys.SignPlayer(token.Player{ID: player, Name: player, Roles: roles}, time.Hour)
	must(r.t, err)
	return &client.Lobby{URL: r.url, Token: s}
}

// match brings a player to a match, of a server that may be too late for one now and then.
func (r *running) match(player, queue string) client.Match {
	r.t.Helper()
	m, err := r.lobby(player).Play(soon(r.t), client.NewTicket{Queue: queue}, client.Queueing{})
	must(r.t, err)
	return m
}

// answer is what a request got.
type answer struct {
	status int
	header http.Header
	body   string
}

// ask makes a request; player is "" for nobody.
func (r *running) ask(method, path, player string, roles ...string) answer {
	r.t.Helper()
	req, err := http.NewRequestWithContext(soon(r.t), method, r.url+path, nil)
	must(r.t, err)
	if player != "" {
		req.Header.Set("Authorization", "Bearer "+r.lobby(player, roles...).Token)
	}
	return r.do(req)
}

func (r *running) do(req *http.Request) answer {
	r.t.Helper()
	straight := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := straight.Do(req)
	must(r.t, err)
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	must(r.t, err)
	return answer{res.StatusCode, res.Header, string(b)}
}

// wantProblem checks that an answer is a problem document.
func wantProblem(t *testing.T, a answer, status int) {
	t.Helper()
	var p struct {
		Title, Detail string
		Status        int
	}
	err := json.Unmarshal([]byte(a.body), &p)
	if err != nil || a.status != status || p.Status != status || p.Title != http.StatusText(status) || p.Detail == "" ||
		a.header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("got %d, %s, %s (%v); want a problem document of %d", a.status, a.header.Get("Content-Type"), a.body, err, status)
	}
}

// ownKey writes a key file and returns its name.
func ownKey(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "key")
	must(t, os.WriteFile(file, []byte("a signing key for these tests, 32 bytes or more\n"), 0o600))
	return file
}

// until waits for a condition that other goroutines bring about.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for !done() {
		if time.Now().After(deadline) {
			t.Fatalf("not within a minute: %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// soon is a context for what must not take long.
func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}
