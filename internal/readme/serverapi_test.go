package readme

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"muster/client"
	"muster/games/scores"
	"muster/internal/needs"
)

var (
	shBlock      = regexp.MustCompile("(?s)```sh\n(.*?)```")
	wholeProgram = regexp.MustCompile("(?s)```go\n(package main\n.*?)```")
)

// built compiles a program as cmd/muster, without writing it there.
func built(t *testing.T, name, program string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if out, err := runGo(t, program, "package main\n", "build", "-o", file); err != nil {
		t.Fatalf("%s does not compile: %v\n%s", name, err, out)
	}
	return file
}

var lobbyLine = regexp.MustCompile(`lobby +(\S+)/v1`)

// started runs a program until the test is over. What it says comes line by line, until it has ended.
func started(ctx context.Context, t *testing.T, env []string, name string, args ...string) <-chan string {
	t.Helper()
	ctx, stop := context.WithCancel(ctx)
	program := exec.CommandContext(ctx, name, args...) //nolint:gosec // what was built
	program.Env = env
	said, err := program.StdoutPipe()
	must(t, err)
	must(t, program.Start())
	lines := make(chan string)
	go func() {
		defer close(lines)
		for text := bufio.NewScanner(said); text.Scan(); {
			select {
			case lines <- text.Text():
			case <-ctx.Done():
			}
		}
	}()
	t.Cleanup(func() {
		stop()
		for range lines { //nolint:revive // until it is closed
		}
		_ = program.Wait() // it was killed
	})
	return lines
}

// heard waits for a line that a program says.
func heard(t *testing.T, lines <-chan string, want *regexp.Regexp) []string {
	t.Helper()
	for line := range lines {
		if m := want.FindStringSubmatch(line); m != nil {
			return m
		}
	}
	t.Fatalf("it never says %q", want)
	return nil
}

func TestTheWalkOfTheServerAPIWorks(t *testing.T) {
	needs.Program(t, "curl")
	text := read(t, "docs/uses/SERVER_API.md")
	programs, scripts := wholeProgram.FindAllStringSubmatch(text, -1), shBlock.FindAllStringSubmatch(text, -1)
	if len(programs) != 3 || len(scripts) != 1 {
		t.Fatalf("docs/uses/SERVER_API.md has %d programs and %d scripts", len(programs), len(scripts))
	}
	game, player, feed := built(t, "scores", programs[0][1]), built(t, "player", programs[1][1]), built(t, "feed", programs[2][1])
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	env := append(os.Environ(), "XDG_CONFIG_HOME="+t.TempDir())
	server := started(ctx, t, env, game, "serve", "--listen", "127.0.0.1:0")
	url := heard(t, server, lobbyLine)[1]
	go func() {
		for range server { //nolint:revive // nobody reads on
		}
	}()
	token := exec.CommandContext(ctx, game, "token", "--sub", "feed", "--role", "service") //nolint:gosec // what was built
	token.Env = env
	bearer, err := token.Output()
	must(t, err)
	env = append(env, "URL="+url, "TOKEN="+strings.TrimSpace(string(bearer)))

	lobby := &client.Lobby{URL: url}
	_, err = lobby.Guest(ctx, "Ann")
	must(t, err)
	m, err := lobby.Rooms().JoinNamed(ctx, "scores", "final")
	must(t, err)
	var words []string
	conn, err := client.Dial[scores.Board, scores.Report](ctx, m, client.Options{
		Events: []any{scores.News{}}, OnEvent: func(e client.Event) {
			if n, ok := e.Value.(*scores.News); ok {
				words = append(words, n.Text)
			}
		},
	})
	must(t, err)
	defer func() { _ = conn.Close() }()
	live, err := lobby.Live(ctx, client.LiveOptions{})
	must(t, err)
	defer func() { _ = live.Close() }()

	looks := started(ctx, t, env, player)
	heard(t, looks, regexp.MustCompile(`^looking at scores\.final$`))
	curl := exec.CommandContext(ctx, "sh", "-c", scripts[0][1])
	curl.Env = env
	out, err := curl.CombinedOutput()
	lines := strings.FieldsFunc(string(out), func(r rune) bool { return r == '\n' })
	if err != nil || len(lines) < 2 || !strings.Contains(lines[0], `"state":"done"`) || lines[1] != lines[0] || !strings.Contains(string(out), "minute 3 is over, it is minute 12") {
		t.Fatalf("curl prints (%v):\n%s", err, out)
	}
	sees := func(want scores.Score) {
		t.Helper()
		for conn.State().Score.V != want || len(words) == 0 {
			if _, err := conn.Next(ctx); err != nil {
				t.Fatalf("the board says %+v, want %+v; news %v: %v", conn.State().Score.V, want, words, err)
			}
		}
	}
	sees(scores.Score{Home: 1, Minute: 12})
	heard(t, looks, regexp.MustCompile("^What a goal$"))
	news(ctx, t, live, "Half-time in the final")
	program := exec.CommandContext(ctx, feed) //nolint:gosec // what was built
	program.Env = env
	if out, err := program.CombinedOutput(); err != nil {
		t.Fatalf("the backend: %v\n%s", err, out)
	}
	sees(scores.Score{Home: 1, Away: 1, Minute: 16})
	news(ctx, t, live, "The final is over")
	heard(t, looks, regexp.MustCompile("^minute 16: 1 to 1$"))
}

// news waits for what a backend tells all.
func news(ctx context.Context, t *testing.T, live *client.Live, text string) {
	t.Helper()
	for {
		n, err := live.Next(ctx)
		must(t, err)
		e := n.Published
		if e == nil {
			e = n.Event
		}
		var body struct{ Text string }
		if e != nil && e.Kind == "x.news" && json.Unmarshal(e.Body, &body) == nil && body.Text == text {
			return
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
