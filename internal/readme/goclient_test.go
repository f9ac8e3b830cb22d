package readme

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// standIns are packages that docs/GOCLIENT.md uses and that are no part of this module: what it calls of them, as they
// declare it.
var standIns = map[string]string{
	"ebiten.go": `package ebiten

type (
	Image struct{}
	Key   int
	Game  interface {
		Update() error
		Draw(screen *Image)
		Layout(outsideWidth, outsideHeight int) (screenWidth, screenHeight int)
	}
)

const (
	KeySpace Key = iota
	KeyArrowLeft
	KeyArrowRight
	KeyArrowUp
)

func IsKeyPressed(Key) bool { return false }
func RunGame(Game) error    { return nil }
`,
	"ebitenutil/print.go": `package ebitenutil

import "github.com/hajimehoshi/ebiten/v2"

func DebugPrintAt(image *ebiten.Image, str string, x, y int) {}
`,
	"go.mod": "module github.com/hajimehoshi/ebiten/v2\n\ngo 1.24\n",
}

// snippetImports are what pieces of code that are no files of their own may use.
var snippetImports = map[string]string{
	"arena": "muster/games/arena", "client": "muster/client", "fmt": "fmt", "netcode": "muster/netcode", "time": "time",
}

// whole makes a file of a piece of code.
func whole(code string) string {
	if strings.HasPrefix(code, "package ") {
		return code
	}
	var s strings.Builder
	s.WriteString("package snippet\n\nimport \"context\"\n")
	for name, path := range snippetImports {
		if strings.Contains(code, name+".") && name != "client" && name != "arena" {
			fmt.Fprintf(&s, "import %q\n", path)
		}
	}
	fmt.Fprintf(&s, `import "muster/client"
import "muster/games/arena"

func _(ctx context.Context, lobby *client.Lobby, conn *client.Conn[arena.World, arena.Input], made client.MadeRoom) {
	_ = func() error {
		%s
		return nil
	}
}
`, strings.ReplaceAll(code, "\n", "\n\t\t"))
	return s.String()
}

// checkSnippets compiles pieces of code as packages of this module, without writing them into it.
func checkSnippets(t *testing.T, snippets []string) (output string, err error) {
	t.Helper()
	dir, replace := t.TempDir(), map[string]string{}
	write := func(name, text string) string {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	for name, text := range standIns {
		write("ebiten/"+name, text)
	}
	mod := read(t, "go.mod") + "\nrequire github.com/hajimehoshi/ebiten/v2 v2.0.0\nreplace github.com/hajimehoshi/ebiten/v2 => " +
		filepath.ToSlash(filepath.Join(dir, "ebiten")) + "\n"
	modfile := write("go.mod", mod)
	write("go.sum", read(t, "go.sum"))
	packages := make([]string, 0, len(snippets))
	for i, code := range snippets {
		name := fmt.Sprintf("snippet%d", i)
		place, err := filepath.Abs(filepath.Join(root, "docs", name, "snippet.go"))
		if err != nil {
			t.Fatal(err)
		}
		replace[place] = write(name+"/snippet.go", whole(code))
		packages = append(packages, "./docs/"+name)
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	args := slices.Concat([]string{"build", "-o", os.DevNull, "-modfile", modfile, "-overlay", write("overlay.json", string(overlay))}, packages)
	build := exec.CommandContext(t.Context(), "go", args...) //nolint:gosec // the test's own words
	build.Dir = root
	out, err := build.CombinedOutput()
	return string(out), err
}

func TestTheGoClientsSnippetsCompile(t *testing.T) {
	var snippets []string
	for _, m := range goBlock.FindAllStringSubmatch(read(t, "docs/GOCLIENT.md"), -1) {
		snippets = append(snippets, m[1])
	}
	ebiten := slices.IndexFunc(snippets, func(s string) bool { return strings.Contains(s, "ebiten.RunGame") })
	if len(snippets) < 5 || ebiten < 0 {
		t.Fatalf("docs/GOCLIENT.md has %d pieces of code, the program for Ebitengine is number %d", len(snippets), ebiten)
	}
	if out, err := checkSnippets(t, snippets); err != nil {
		t.Errorf("docs/GOCLIENT.md: %v\n%s", err, out)
	}
	wrong := strings.Replace(snippets[ebiten], "conn.Poll()", "conn.Pull()", 1)
	if _, err := checkSnippets(t, []string{wrong}); err == nil {
		t.Error("a mistake in the program was not found, so neither would another be")
	}
}
