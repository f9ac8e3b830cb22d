package e2e

import (
	"bufio"
	"context"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"muster/internal/needs"
	"muster/internal/testprocess"
)

// scriptTime bounds a script. Each has bounds of its own for what it waits for, which say what did not come about.
const scriptTime = 8 * time.Minute

// pages says that the pages of cards, canvas, chat, watching and operators are tried, too, which takes minutes.
var pages = flag.Bool("pages", false, "try all pages, not the arena's alone: make pages")

// ofPages leaves a test out where not all pages are tried.
func ofPages(t *testing.T) {
	t.Helper()
	if !*pages {
		t.Skip("all pages are tried by make pages")
	}
}

// shots is where scripts keep their pictures: the directory that MUSTER_SCREENSHOTS names, else one that goes with the
// test.
func shots(t *testing.T) string {
	t.Helper()
	if dir := os.Getenv("MUSTER_SCREENSHOTS"); dir != "" {
		return dir
	}
	return t.TempDir()
}

// browse is a script of web/e2e that drives a browser, which must be there. The browser leaves the processor to the
// servers where there is too little for both.
func browse(t *testing.T, ctx context.Context, script string, args ...string) *exec.Cmd { //nolint:revive // as t.Context is another
	t.Helper()
	node, nice := needs.Program(t, "node"), needs.Program(t, "nice")
	for _, name := range []string{"playwright-core", "axe-core", "tsx"} {
		needs.File(t, filepath.Join(root, "web", "node_modules", name), "npm ci in web/")
	}
	return inWeb(t, ctx, nice, append([]string{"-n", "10", node, "--import", "tsx", "--experimental-websocket", "e2e/" + script}, args...)...)
}

// inWeb is a program that runs in web and finds the browser there.
func inWeb(t *testing.T, ctx context.Context, program string, args ...string) *exec.Cmd { //nolint:revive // as t.Context is another
	t.Helper()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.Env = filepath.Join(root, "web"), append(os.Environ(), "CHROMIUM="+needs.Program(t, "chromium"))
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

// playAsEqual is play with a browser that has as much right to the processor as the servers.
func playAsEqual(t *testing.T, script string, args ...string) {
	t.Helper()
	needs.File(t, filepath.Join(root, "web", "node_modules", "playwright-core"), "npm ci in web/")
	ctx, cancel := context.WithTimeout(t.Context(), scriptTime)
	defer cancel()
	complete(t, inWeb(t, ctx, needs.Program(t, "node"), append([]string{"e2e/" + script}, args...)...))
}

// play runs a script to its end, which must be a good one.
func play(t *testing.T, script string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), scriptTime)
	defer cancel()
	complete(t, browse(t, ctx, script, args...))
}

// complete runs a command to its end, which must be a good one.
func complete(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}

// ask runs a script that asks for things in lines of its own, to its end, which must be a good one. do does what a line
// asks for and returns true, and the script is told; other lines are logged.
func ask(t *testing.T, script string, do func(line string) bool, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), scriptTime)
	defer cancel()
	cmd := browse(t, ctx, script, args...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if !do(lines.Text()) {
			t.Log(lines.Text())
			continue
		}
		if _, err := io.WriteString(in, "done\n"); err != nil {
			t.Error(err)
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the script failed: %v", err)
	}
}

// mortal is a server that a script may kill and start again, at the same address.
type mortal struct {
	t    *testing.T
	args []string
	env  string
	now  *testprocess.Process
	// killed is what the one before has written.
	killed string
}

// newMortal starts a server with these arguments for serve.
func newMortal(t *testing.T, env string, args ...string) *mortal {
	t.Helper()
	m := &mortal{t: t, args: append([]string{"serve"}, args...), env: env}
	m.start()
	return m
}

func (m *mortal) start() {
	m.now = testprocess.Start(m.t, "serve", m.args, m.env)
	m.now.After(m.t, "lobby ")
}

// do is for ask.
func (m *mortal) do(line string) bool {
	switch line {
	case "kill the server":
		m.killed = m.now.Output()
		m.now.Kill()
	case "start the server":
		m.start()
	default:
		return false
	}
	return true
}
