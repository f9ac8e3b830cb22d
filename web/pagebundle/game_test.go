package pagebundle

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"muster/internal/needs"
)

// newGame makes a module with a page of these sources, beside Muster's.
func newGame(t *testing.T, sources map[string]string) (dir string) {
	t.Helper()
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	put(t, dir, "go.mod", "module game\n\ngo 1.26.0\n\nrequire muster v0.0.0\n\nreplace muster => "+root+"\n")
	for name, text := range sources {
		put(t, dir, "page/src/"+name, text)
	}
	return dir
}

func put(t *testing.T, dir, name, text string) {
	t.Helper()
	file := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

var sources = map[string]string{
	"main.ts":    `import { Lobby } from "@muster/client"; import { hello } from "./hello.ts"; console.log(hello, new Lobby(location.origin));`,
	"hello.ts":   `export const hello: string = "good morning";`,
	"style.css":  `body { color: red }`,
	"index.html": `<!doctype html>`,
	"img/a.svg":  `<svg/>`,
}

func TestAGamesPageIsBuiltFromItsSourcesAndTheSDKOfItsModule(t *testing.T) {
	dir := newGame(t, sources)
	if err := CheckGame(dir); err == nil || !strings.Contains(err.Error(), "page.js is missing") || !strings.Contains(err.Error(), "go generate") {
		t.Errorf("before it is built: %v", err)
	}
	if err := Game(dir); err != nil {
		t.Fatal(err)
	}
	files, err := list(filepath.Join(dir, "page", "dist"))
	if err != nil {
		t.Fatal(err)
	}
	for name, part := range map[string]string{
		"page.js": "good morning", "page.css": "body{color:red}", "index.html": "<!doctype html>", "img/a.svg": "<svg/>",
	} {
		if !strings.Contains(string(files[name]), part) {
			t.Errorf("%s has no %q", name, part)
		}
	}
	if len(files) != 4 || !strings.Contains(string(files["page.js"]), "/v1/tickets") {
		t.Errorf("%d files, or the SDK is not in", len(files))
	}
	if err := CheckGame(dir); err != nil {
		t.Errorf("after it is built: %v", err)
	}
	put(t, dir, "page/src/hello.ts", `export const hello = "good night";`)
	if err := CheckGame(dir); err == nil || !strings.Contains(err.Error(), "page.js differs") {
		t.Errorf("after a change: %v", err)
	}
}

func TestWhatCannotBeBuiltIsNamed(t *testing.T) {
	for name, c := range map[string]struct{ file, text, want string }{
		"a mistake in TypeScript": {"page/src/hello.ts", "export const = 1;", "hello.ts:1:13"},
		"no such module":          {"page/src/hello.ts", `export * from "lodash";`, `"lodash"`},
		"a module without Muster": {"go.mod", "module game\n\ngo 1.26.0\n", "where the module muster is"},
	} {
		dir := newGame(t, sources)
		put(t, dir, c.file, c.text)
		if err := Game(dir); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Stat(filepath.Join(dir, "page", "dist")); err == nil {
			t.Errorf("%s: something was written", name)
		}
	}
}

func TestAStepIsRunInNodeWithTheSDKOfItsModule(t *testing.T) {
	needs.Program(t, "node")
	dir := newGame(t, map[string]string{"step.ts": `export const step = (s: { tick: number }): void => { s.tick; };`})
	if _, err := PlayStep(t.Context(), dir, map[string]any{"schema": "zz"}, "Dots"); err == nil || !strings.Contains(err.Error(), "the page's step is not the rules'") {
		t.Errorf("a recording that is none: %v", err)
	}
	put(t, dir, "page/src/step.ts", "export const stride = 1;")
	if _, err := PlayStep(t.Context(), dir, nil); err == nil || !strings.Contains(err.Error(), `"step"`) {
		t.Errorf("a page without a step: %v", err)
	}
}

func TestWithoutNodeAStepIsNotFoundToBeWrong(t *testing.T) {
	t.Setenv("PATH", "")
	if _, err := PlayStep(t.Context(), t.TempDir(), nil); !errors.Is(err, exec.ErrNotFound) {
		t.Errorf("it says: %v", err)
	}
}
