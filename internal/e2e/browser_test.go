package e2e

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"muster/cmd"
	"muster/games/arena"
	"muster/games/canvas"
	"muster/internal/testport"
	"muster/internal/testprocess"
	"muster/match"
)

func TestMain(m *testing.M) {
	switch role := testprocess.Role(); role {
	case "":
		goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
			_ = os.RemoveAll(made)
			os.Exit(code)
		}))
	case "late":
		cmd.Main(cmd.Game{Game: late(lateBy)})
	case "later":
		cmd.Main(cmd.Game{Game: late(laterBy)})
	case "serve":
		cmd.Main(cmd.Game{Game: durable()}, cmd.Game{Game: inSight()}, cmd.Game{Game: canvas.Game})
	default:
		fmt.Fprintf(os.Stderr, "no such role: %q\n", role)
		os.Exit(2)
	}
}

// durable is the arena, whose matches outlive their hosts.
func durable() match.Game {
	rules := arena.Game.Rules()
	rules.Durability = match.Journal
	return match.Define[arena.World, arena.Input](arena.Game.Name(), arena.Arena{}, rules)
}

const root = "../.."

// swarm is the crowd in which everybody sees everything.
type swarm struct{ arena.Arena }

func (swarm) Open(r *match.Room[arena.World]) error {
	r.State().Field.V = arena.Field{Size: arena.CrowdSize, Places: 256, Bots: 250}
	return nil
}

func inSight() match.Game {
	return match.Define[arena.World, arena.Input]("swarm", swarm{}, arena.Game.Rules())
}

// made is the directory of what built compiled, once it did.
var made string

// built compiles the command, once for all tests.
var built = sync.OnceValues(func() (string, error) {
	var err error
	if made, err = os.MkdirTemp("", "muster-e2e-"); err != nil {
		return "", fmt.Errorf("building the command: %w", err)
	}
	file := filepath.Join(made, "muster")
	compile := exec.Command("go", "build", "-o", file, "./cmd/muster")
	compile.Dir = root
	if out, err := compile.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the command: %w\n%s", err, out)
	}
	return file, nil
})

// build returns the file of the compiled command.
func build(t *testing.T) string {
	t.Helper()
	file, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// serve runs the command on a free port until the test ends, when it must stop cleanly on an interrupt.
func serve(t *testing.T, muster string) (url string) {
	t.Helper()
	return serveIn(t, muster, t.TempDir())
}

// serveIn is serve with a folder of its own for the development key, and further arguments.
func serveIn(t *testing.T, muster, config string, args ...string) (url string) {
	t.Helper()
	addr := testport.Held(t)
	cmd := exec.Command(muster, append([]string{"serve", "--listen", addr}, args...)...) // ended below, by an interrupt
	cmd.Env = append(os.Environ(), "XDG_CONFIG_HOME="+config)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		for s := bufio.NewScanner(out); s.Scan(); {
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		<-drained
		if err := cmd.Wait(); err != nil {
			t.Errorf("the server did not stop cleanly: %v", err)
		}
	})
	url = "http://" + addr
	ready(t, url)
	return url
}

// ready waits until a server says that it is.
func ready(t *testing.T, url string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	var last error
	for again := time.NewTicker(50 * time.Millisecond); ; {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/readyz", nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := client.Do(req)
		if err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				again.Stop()
				return
			}
			err = fmt.Errorf("it answers %s", res.Status)
		}
		if ctx.Err() == nil {
			last = err
		}
		select {
		case <-ctx.Done():
			t.Fatalf("the server is not ready: %v", last)
		case <-again.C:
		}
	}
}

func TestTwoPeopleInTwoBrowsersPlayOneMatch(t *testing.T) {
	playAsEqual(t, "two-players.mjs", serve(t, build(t)), shots(t))
}
