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

// compile checks a program in the place of cmd/muster's, without writing it there.
func compile(t *testing.T, program string) (output string, err error) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "main.go")
	if err := os.WriteFile(file, []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	place, err := filepath.Abs(filepath.Join(root, "cmd", "muster", "main.go"))
	if err != nil {
		t.Fatal(err)
	}
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{place: file}})
	if err != nil {
		t.Fatal(err)
	}
	list := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(list, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	build := exec.CommandContext(t.Context(), "go", "vet", "-overlay", list, "./cmd/muster")
	build.Dir = root
	out, err := build.CombinedOutput()
	return string(out), err
}

func TestTheGameCompiles(t *testing.T) {
	m := goBlock.FindStringSubmatch(read(t, "README.md"))
	if m == nil {
		t.Fatal("README.md has no Go program")
	}
	if out, err := compile(t, m[1]); err != nil {
		t.Errorf("README.md's game: %v\n%s", err, out)
	}
	if _, err := compile(t, strings.Replace(m[1], "Table[Dot]", "Table[Dut]", 1)); err == nil {
		t.Error("a mistake in the game was not found, so neither would another be")
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

var link = regexp.MustCompile(`\]\(([^)#:]+)\)`)

func TestLinksOfTheDocumentsLeadSomewhere(t *testing.T) {
	for _, name := range []string{"README.md", "CHANGELOG.md", "docs/ARCHITECTURE.md", "docs/DEPENDENCIES.md", "docs/REPLAY.md", "proto/PROTOCOL.md"} {
		for _, m := range link.FindAllStringSubmatch(read(t, name), -1) {
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
