package cmd

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"muster/client"
	"muster/games/arena"
	"muster/internal/testredis"
	"muster/proto"
)

func TestServeSaysWhatItServesAndWhere(t *testing.T) {
	r := serve(t, withArena)
	for _, want := range []string{
		"Muster ", "  play     " + r.url + "/arena", "  lobby    " + r.url + "/v1   described at " + r.url + "/docs",
		"  metrics  " + r.url + "/metrics", "  redis    embedded in this process; nothing is kept after exit",
		"  key      " + r.keyFile + " (a DEVELOPMENT key: loopback only, guests may log in)", "Ctrl-C stops.",
	} {
		if !strings.Contains(r.stdout.String(), want) {
			t.Errorf("the banner lacks %q:\n%s", want, r.stdout)
		}
	}
	if code := r.end(); code != 0 {
		t.Errorf("exit status %d after an interrupt: %s", code, r.stderr)
	}
	if !strings.Contains(r.stdout.String(), "stopping: players are told and may come back elsewhere") {
		t.Errorf("it does not say that it stops:\n%s", r.stdout)
	}
	if r.stderr.String() != "" {
		t.Errorf("it logged:\n%s", r.stderr)
	}
	if _, err := net.Dial("tcp", strings.TrimPrefix(r.url, "http://")); err == nil {
		t.Error("the port is still open")
	}
}

func TestServeNamesItsRedisWithoutThePassword(t *testing.T) {
	s := testredis.Start(t, "--requirepass", "s3cret")
	r := serve(t, withArena, "--redis", "redis://:s3cret@"+s.Addr, "--key-file", ownKey(t))
	if want := "  redis    redis://:xxxxx@" + s.Addr; !strings.Contains(r.stdout.String(), want) {
		t.Errorf("the banner lacks %q:\n%s", want, r.stdout)
	}
	if want := "  key      " + r.keyFile + "\n"; !strings.Contains(r.stdout.String(), want) {
		t.Errorf("the banner lacks %q:\n%s", want, r.stdout)
	}
	r.end()
	if all := r.stdout.String() + r.stderr.String(); strings.Contains(all, "s3cret") {
		t.Errorf("the password was printed:\n%s", all)
	}
}

func TestPlayersAreToldWhenTheServerStops(t *testing.T) {
	r := serve(t, withArena)
	var ends []chan error
	for _, player := range []string{"alice", "bob"} {
		c, err := client.Dial[arena.World, arena.Input](soon(t), r.match(player, "arena"), client.Options{Events: arena.Game.Rules().Events})
		must(t, err)
		defer func() { _ = c.Close() }()
		_, err = c.Next(soon(t))
		must(t, err)
		heard := make(chan error, 1)
		go func() {
			for {
				if _, err := c.Next(context.Background()); err != nil {
					heard <- err
					return
				}
			}
		}()
		ends = append(ends, heard)
	}
	idle, err := net.Dial("tcp", strings.TrimPrefix(r.url, "http://")) // a connection that says nothing must not keep it
	must(t, err)
	defer func() { _ = idle.Close() }()
	polled := make(chan error, 1)
	go func() {
		_, err := r.lobby("carol").WaitTicket(context.Background(), "arena."+strings.Repeat("a", 26))
		polled <- err
	}()
	began := time.Now()
	if code := r.end(); code != 0 {
		t.Errorf("exit status %d: %s", code, r.stderr)
	}
	if took := time.Since(began); took >= stopTimeout {
		t.Errorf("it took %v to stop", took)
	}
	if err := <-polled; err == nil {
		t.Error("a ticket that does not exist was matched")
	}
	for _, heard := range ends {
		var ce *client.CloseError
		err := <-heard
		if !errors.As(err, &ce) || ce.Code != proto.CodeNodeLeaving || ce.Action() != proto.ActionReconnect {
			t.Errorf("a player hears %v, want code %d", err, proto.CodeNodeLeaving)
		}
	}
}

func TestServeFailsWhenItsListenerDoes(t *testing.T) {
	s := start(t)
	must(t, s.closers[0](t.Context())) // the listener's
	select {
	case err := <-s.failed:
		if err == nil || !strings.Contains(err.Error(), "serving") {
			t.Errorf("it failed with %v", err)
		}
	case <-time.After(time.Minute):
		t.Error("it does not notice")
	}
}

// start is a server without its command.
func start(t *testing.T) *server {
	t.Helper()
	set := &settings{Listen: "127.0.0.1:0", Namespace: "x", LogLevel: "error", KeyFile: ownKey(t), Journal: journalNone}
	keys, _, err := set.keys()
	must(t, err)
	s, err := startServer(t.Context(), set, withArena, keys, newLogger(io.Discard, "error"))
	must(t, err)
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestServeRefusesAGameThatIsNotWellDefined(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	var stdout, stderr output
	bad := withArena[0]
	code := run(t.Context(), func() {}, []string{"--listen", "127.0.0.1:0"}, []Game{bad, bad}, &stdout, &stderr)
	if code != 1 || !strings.Contains(stderr.String(), `game "arena" is defined twice`) || stdout.String() != "" {
		t.Errorf("exit status %d, %s", code, &stderr)
	}
}

// panicking is a terminal that fails in the worst way.
type panicking struct{}

func (panicking) Write([]byte) (int, error) { panic("no terminal") }

func TestPanicOfACommandIsNotSwallowed(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	defer func() {
		if p := recover(); p != "no terminal" {
			t.Errorf("recovered %v", p)
		}
	}()
	code := run(t.Context(), func() {}, []string{"token", "--sub", "alice"}, withArena, panicking{}, io.Discard)
	t.Errorf("it ended with %d", code)
}

func TestPanicOfARequestEndsThatRequestAlone(t *testing.T) {
	var logged output
	s := &server{set: &settings{}, log: newLogger(&logged, "info"), asked: newRequests(prometheus.NewRegistry())}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /bad", func(http.ResponseWriter, *http.Request) { panic("the cause") })
	mux.HandleFunc("GET /abort", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	srv := newTestServer(t, s.shared(mux))
	res, err := http.Get(srv + "/bad?secret=1")
	must(t, err)
	body, err := io.ReadAll(res.Body)
	must(t, err)
	_ = res.Body.Close()
	a := answer{res.StatusCode, res.Header, string(body)}
	wantProblem(t, a, http.StatusInternalServerError)
	if strings.Contains(a.body, "the cause") {
		t.Errorf("the answer tells the cause: %s", a.body)
	}
	text := logged.String()
	if !strings.Contains(text, "the cause") || !strings.Contains(text, "GET /bad") || !strings.Contains(text, "serve_test.go") ||
		strings.Contains(text, "secret") {
		t.Errorf("the log says %s", text)
	}
	if res, err := http.Get(srv + "/abort"); err == nil {
		_ = res.Body.Close()
		t.Error("an aborted request was answered")
	}
	if logged.String() != text {
		t.Errorf("an aborted request was logged: %s", logged.String())
	}
}

func TestLoadTestNeedsABot(t *testing.T) {
	var stderr output
	code := run(t.Context(), func() {}, []string{"loadtest"}, []Game{{Game: arena.Game}}, io.Discard, &stderr)
	if code != 1 || stderr.String() != "muster: game \"arena\" has no bot\n" {
		t.Errorf("exit status %d, %s", code, &stderr)
	}
}

func TestLoadTestOfAServerWithAKeySignsItsBotsTokens(t *testing.T) {
	r := serve(t, withArena, "--key-file", ownKey(t))
	args := []string{"loadtest", "--url", r.url, "--bots", "2", "--duration", "300ms"}
	var stdout, signed output
	if code := run(t.Context(), func() {}, append(args, "--key-file", r.keyFile, "--gate", "joined>=2"), withArena, &stdout, &signed); code != 0 {
		t.Errorf("exit status %d: %s%s", code, &stdout, &signed)
	}
	stderr := &output{}
	if code := run(t.Context(), func() {}, args, withArena, &stdout, stderr); code != 1 || !strings.Contains(stderr.String(), "the server lets no guests in, so bots need its signing key (--key-file)") {
		t.Errorf("without the key: exit status %d: %s", code, stderr)
	}
}

func TestTheLogOfADeploymentSaysWhatRunsAndThatItStops(t *testing.T) {
	r := serve(t, withArena, "--key-file", ownKey(t))
	if code := r.end(); code != 0 {
		t.Fatalf("exit status %d: %s", code, r.stderr)
	}
	var said []string
	node := ""
	for line := range strings.Lines(r.stderr.String()) {
		var entry struct {
			Msg, Node, Role, URL string
			Games                []string
		}
		must(t, json.Unmarshal([]byte(line), &entry))
		if node = cmp.Or(node, entry.Node); entry.Node != node || node == "" {
			t.Errorf("node %q, want %q", entry.Node, node)
		}
		if said = append(said, entry.Msg); len(said) == 1 && (entry.Role != "all" || entry.URL != r.url || !slices.Contains(entry.Games, "arena")) {
			t.Errorf("it runs as %+v", entry)
		}
	}
	if want := []string{"the server runs", "the server stops", "the server has stopped"}; !slices.Equal(said, want) {
		t.Errorf("the log says %q, want %q", said, want)
	}
}
