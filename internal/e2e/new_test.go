package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"muster/internal/needs"
)

// in runs a command in a directory, which must succeed, and returns what it printed.
func in(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	began := time.Now()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOPROXY=off", "GOFLAGS=-buildvcs=false") // a new game needs nothing that Muster does not have
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	t.Logf("%s %v: %.1f s", filepath.Base(name), args, time.Since(began).Seconds())
	return string(out)
}

func TestANewGameIsWholeAndTwoPeoplePlayItInTwoBrowsers(t *testing.T) {
	dir, server := filepath.Join(t.TempDir(), "slide"), filepath.Join(t.TempDir(), "slide")
	in(t, root, build(t), "new", "slide", "--dir", dir)
	change(t, filepath.Join(dir, "state.go"), "= 20 //", "= 3 //") // coins to win: nobody waits for twenty
	in(t, dir, "gofmt", "-w", "state.go")
	in(t, dir, "go", "build", "-o", server, ".")
	t.Run("its own tests pass, and what is generated is made anew", func(t *testing.T) {
		for _, name := range []string{"page/src/types.ts", "page/dist/page.js"} {
			if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), []byte("// stale"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		in(t, dir, "go", "generate", "./...")
		in(t, dir, "go", "vet", "./...")
		in(t, dir, "go", "test", "./...")
		notesAWrongStep(t, dir)
		in(t, dir, server, "loadtest", "--bots", "4", "--duration", "2s", "--gate", "errors==0", "--gate", "hash_mismatches==0")
	})
	t.Run("its page has no mistake of types", func(t *testing.T) {
		needs.Program(t, "node")
		tsc, err := filepath.Abs(filepath.Join(root, "client", "ts", "node_modules", ".bin", "tsc"))
		if err != nil {
			t.Fatal(err)
		}
		needs.File(t, tsc, "npm ci in client/ts/")
		in(t, dir, tsc, "-p", "page/tsconfig.json")
	})
	t.Run("two people play it", func(t *testing.T) { playInBrowsers(t, server) })
}

// change puts a text in a file in the place of another.
func change(t *testing.T, file, from, to string) {
	t.Helper()
	body, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(body), from) {
		t.Fatalf("%s has no %q", file, from)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(string(body), from, to, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
}

// notesAWrongStep lets the page of a game predict what its rules do not do: the game's tests must say so.
func notesAWrongStep(t *testing.T, dir string) {
	t.Helper()
	needs.Program(t, "node")
	file := filepath.Join(dir, "page", "src", "step.ts")
	change(t, file, "vx / 8", "vx / 16")
	cmd := exec.CommandContext(t.Context(), "go", "test", "-run", "StepsAsTheRules", ".")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "Players[") {
		t.Errorf("a wrong step in the page is not found: %v\n%s", err, out)
	}
	change(t, file, "vx / 16", "vx / 8")
}

func playInBrowsers(t *testing.T, server string) {
	t.Helper()
	playAsEqual(t, "new-game.mjs", serve(t, server), "slide", shots(t))
}
