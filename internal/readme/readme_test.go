package readme

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const root = "../.."

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

var goBlock = regexp.MustCompile("(?s)```go\n(.*?)```")

// runGo runs the go command on README.md's game in the place of cmd/muster's, with its test beside it, without writing
// either there.
func runGo(t *testing.T, program, test string, args ...string) (output string, err error) {
	t.Helper()
	dir, replace := t.TempDir(), map[string]string{}
	for name, text := range map[string]string{"main.go": program, "readme_test.go": test} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		place, err := filepath.Abs(filepath.Join(root, "cmd", "muster", name))
		if err != nil {
			t.Fatal(err)
		}
		replace[place] = file
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	list := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(list, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	args = append([]string{args[0], "-overlay", list}, args[1:]...)
	build := exec.CommandContext(t.Context(), "go", append(args, "./cmd/muster")...) //nolint:gosec // the test's own words
	build.Dir = root
	out, err := build.CombinedOutput()
	return string(out), err
}

func TestTheGameCompilesAndPassesItsTests(t *testing.T) {
	m := goBlock.FindAllStringSubmatch(read(t, "README.md"), -1)
	if len(m) != 2 {
		t.Fatalf("README.md has %d Go programs, want the game and its tests", len(m))
	}
	game, test := m[0][1], m[1][1]
	if out, err := runGo(t, game, test, "vet"); err != nil {
		t.Errorf("README.md's game: %v\n%s", err, out)
	}
	if _, err := runGo(t, strings.Replace(game, "Table[Dot]", "Table[Dut]", 1), test, "vet"); err == nil {
		t.Error("a mistake in the game was not found, so neither would another be")
	}
	names := "-run=^(TestADotGoesWhereItsPlayerWants|TestAMatchIsAFunctionOfItsRecords)$"
	out, err := runGo(t, game, test, "test", "-v", names)
	if err != nil || strings.Count(out, "--- PASS") != 2 {
		t.Errorf("README.md's tests: %v\n%s", err, out)
	}
}

func TestTheCommandsAreThoseOfTheIntegration(t *testing.T) {
	readme, ci := read(t, "README.md"), read(t, ".ci/run")
	for _, command := range []string{"go run ./cmd/muster", "go test ./..."} {
		if !strings.Contains(readme, "\n    "+command+" ") {
			t.Errorf("README.md does not show %q", command)
		}
		if !strings.Contains(ci, "'README: "+command+"'") {
			t.Errorf(".ci/run has no step for README.md's %q", command)
		}
	}
}

var (
	link = regexp.MustCompile(`\]\(([^)#:]+)\)`)
	code = regexp.MustCompile("(?s)\n```.*?\n```|\n {4}[^\n]*") // a type's arguments in it look like a link
)

func TestLinksOfTheDocumentsLeadSomewhere(t *testing.T) {
	for _, name := range []string{"README.md", "CHANGELOG.md", "docs/ARCHITECTURE.md", "docs/DEPENDENCIES.md", "docs/NEWGAME.md", "docs/REPLAY.md", "docs/PERFORMANCE.md", "docs/TESTING.md", "proto/PROTOCOL.md"} {
		for _, m := range link.FindAllStringSubmatch(code.ReplaceAllString(read(t, name), ""), -1) {
			if _, err := os.Stat(filepath.Join(root, filepath.Dir(name), m[1])); err != nil {
				t.Errorf("%s links to %s: %v", name, m[1], err)
			}
		}
	}
}

var module = regexp.MustCompile(`(?m)^\t([a-z0-9.]+/[^ ]+) v[^ ]+$`)

func TestEveryDirectDependencyHasItsReason(t *testing.T) {
	reasons, n := read(t, "docs/DEPENDENCIES.md"), 0
	for _, m := range module.FindAllStringSubmatch(read(t, "go.mod"), -1) {
		n++
		short := strings.TrimPrefix(m[1], "github.com/")
		if parts := strings.Split(short, "/"); len(parts) > 2 {
			short = strings.Join(parts[:2], "/")
		}
		if name := short[strings.LastIndex(short, "/")+1:]; !strings.Contains(reasons, short) && !strings.Contains(reasons, name) {
			t.Errorf("docs/DEPENDENCIES.md does not say what %s is for", m[1])
		}
	}
	if n < 10 {
		t.Errorf("found %d dependencies in go.mod, which cannot be all", n)
	}
}
