package readme

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"muster/internal/needs"
)

// Whoever takes the canvas over into a game of their own has one that builds.
func TestTheWalkOfTheCanvasBuilds(t *testing.T) {
	needs.Program(t, "sh")
	text := read(t, "docs/uses/CANVAS.md")
	scripts := shBlock.FindAllStringSubmatch(text, -1)
	page := regexp.MustCompile("(?s)```typescript\n(.*?)```").FindStringSubmatch(text)
	if len(scripts) != 1 || page == nil {
		t.Fatalf("docs/uses/CANVAS.md has %d scripts, and for the page: %q", len(scripts), page)
	}
	game := filepath.Join(t.TempDir(), "canvas")
	in := func(dir, name string, args ...string) {
		t.Helper()
		c := exec.CommandContext(t.Context(), name, args...) //nolint:gosec // the document's words, and the test's own
		c.Dir = dir
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	in(root, "sh", "-ec", strings.ReplaceAll(scripts[0][1], "../canvas", game))
	must(t, os.WriteFile(filepath.Join(game, "page", "src", "main.ts"), []byte(page[1]), 0o600))
	in(game, "go", "generate", "./...")
	in(game, "go", "vet", "./...")
	built, err := os.ReadFile(filepath.Join(game, "page", "dist", "page.js"))
	if must(t, err); !strings.Contains(string(built), "joinNamed") {
		t.Error("the page is not that of the text")
	}
}
