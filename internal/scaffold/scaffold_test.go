package scaffold

import (
	"bytes"
	"encoding/json"
	"go/format"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const root = "../.."

// makeGame makes a game in a directory of the test's own.
func makeGame(t *testing.T, name string) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), name)
	if err := Write(Options{Name: name, Dir: dir, Muster: root}); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestAGamesFilesAreComplete(t *testing.T) {
	dir := makeGame(t, "slide")
	for _, name := range []string{
		".gitignore", "Makefile", "README.md", "go.mod", "go.sum", "main.go", "state.go", "step.go", "room.go", "bot.go",
		"rules_test.go", "page_test.go", "page/bundle/main.go", "page/package.json", "page/tsconfig.json", "page/src/index.html",
		"page/src/style.css", "page/src/icon.svg", "page/src/main.ts", "page/src/step.ts", "page/src/draw.ts", "page/src/controls.ts",
		"page/src/types.ts",
	} {
		body, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		if err != nil || len(body) == 0 {
			t.Errorf("%s: %d bytes, %v", name, len(body), err)
		}
	}
	err := filepath.WalkDir(dir, func(name string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(name, ".tmpl") || filepath.Base(name) == "gitignore" {
			t.Errorf("%s has the name of a template", name)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestAGamesFilesAreFormattedAndSmall(t *testing.T) {
	dir := makeGame(t, "slide")
	lines := func(names ...string) (n int) {
		for _, name := range names {
			body, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(name, ".go") {
				if want, err := format.Source(body); err != nil || !bytes.Equal(body, want) {
					t.Errorf("%s is not formatted: %v", name, err)
				}
			}
			if bytes.Contains(body, []byte("{{")) || bytes.Contains(body, []byte("<no value>")) || !bytes.HasSuffix(body, []byte("\n")) {
				t.Errorf("%s is not what a template should give", name)
			}
			n += bytes.Count(body, []byte("\n"))
		}
		return n
	}
	lines("main.go", "room.go", "bot.go", "rules_test.go", "page_test.go", "page/bundle/main.go", "go.mod", "README.md")
	for what, c := range map[string]struct{ have, most int }{
		"state.go": {lines("state.go"), 60}, "step.go": {lines("step.go"), 80}, "page/src/step.ts": {lines("page/src/step.ts"), 60},
		"the page": {lines("page/src/main.ts", "page/src/draw.ts", "page/src/controls.ts"), 200},
	} {
		if c.have > c.most {
			t.Errorf("%s has %d lines: somebody reads them in ten minutes, so %d at most", what, c.have, c.most)
		}
	}
}

func TestADirectoryThatIsThereIsNotTouched(t *testing.T) {
	dir := t.TempDir()
	err := Write(Options{Name: "slide", Dir: dir, Muster: root})
	if err == nil || !strings.Contains(err.Error(), "is there already") {
		t.Errorf("an empty directory: %v", err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Errorf("%d files were put into it", len(entries))
	}
	file := filepath.Join(dir, "slide")
	if err := os.WriteFile(file, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Write(Options{Name: "slide", Dir: file, Muster: root}); err == nil {
		t.Error("a file: no error")
	}
	if body, _ := os.ReadFile(file); string(body) != "mine" {
		t.Errorf("the file holds %q", body)
	}
}

func TestNothingIsLeftOfWhatFailed(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "slide")
	for name, o := range map[string]Options{
		"not Muster":   {Name: "slide", Dir: dir, Muster: t.TempDir()},
		"a bad name":   {Name: "Slide", Dir: dir, Muster: root},
		"no directory": {Name: "slide", Dir: filepath.Join(dir, "far", "away"), Muster: root},
	} {
		if err := Write(o); err == nil {
			t.Errorf("%s: no error", name)
		}
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%s: the directory is there", name)
		}
	}
	notWhole := t.TempDir() // it has no go.sum
	if err := os.WriteFile(filepath.Join(notWhole, "go.mod"), []byte("module muster\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Write(Options{Name: "slide", Dir: dir, Muster: notWhole}); err == nil || !strings.Contains(err.Error(), "go.sum") {
		t.Errorf("a Muster without go.sum: %v", err)
	}
}

func TestNamesAreWordsThatMeanNothingElse(t *testing.T) {
	for _, good := range []string{"tag", "slide2", "a1", strings.Repeat("a", 30)} {
		if err := CheckName(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for bad, why := range map[string]string{
		"": "want a lower-case letter", "a": "want", "Tag": "want", "2tag": "want", "my-game": "want", "my_game": "want", "tag/x": "want", "..": "want",
		"täg": "want", "tag\n": "want", strings.Repeat("a", 31): "want", "type": "word of Go", "string": "word of Go", "len": "word of Go",
		"net": "a package", "muster": "a package", "internal": "go command", "main": "go command", "docs": "path of the server", "v1": "path", "watch": "path", "admin": "path",
	} {
		if err := CheckName(bad); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func goroot(t *testing.T) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// A name of the standard library as a module's would hide the game's packages from the go command.
func TestNoPackageOfGoIsAName(t *testing.T) {
	entries, err := os.ReadDir(filepath.Join(goroot(t), "src"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() && name.MatchString(e.Name()) && CheckName(e.Name()) == nil {
			t.Errorf("%s is a package of the standard library", e.Name())
		}
	}
}

func TestMusterIsNamedByAShortRelativePathOrAnAbsoluteOne(t *testing.T) {
	for _, c := range [][4]string{
		{"/src/tag", "/src/muster", "../muster", "../../muster/client/ts"},
		{"/src/muster/tag", "/src/muster", "..", "../../client/ts"},
		{"/src/games/tag", "/src/muster", "../../muster", "../../../muster/client/ts"},
		{"/tmp/x/y/tag", "/src/muster", "/src/muster", "/src/muster/client/ts"},
	} {
		module, client := paths(filepath.FromSlash(c[0]), filepath.FromSlash(c[1]))
		if module != c[2] || client != c[3] {
			t.Errorf("from %s, %s is %s, and its SDK %s", c[0], c[1], module, client)
		}
	}
}

// makeMuster makes what of Muster a game is made from.
func makeMuster(t *testing.T, dir string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"go.mod": "module muster\n\ngo 1.26.0\n", "go.sum": "sums\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAGameBehindASymbolicLinkFindsMuster(t *testing.T) {
	real, link := t.TempDir(), filepath.Join(t.TempDir(), "link")
	muster := filepath.Join(real, "muster")
	makeMuster(t, muster)
	if err := os.Symlink(real, link); err != nil {
		t.Fatal(err)
	}
	if err := Write(Options{Name: "slide", Dir: filepath.Join(link, "slide"), Muster: muster}); err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile(filepath.Join(real, "slide", "go.mod"))
	if err != nil || !strings.Contains(string(mod), "replace muster => ../muster\n") {
		t.Errorf("%v\n%s", err, mod)
	}
}

func TestAGamesDirectoryMayEndInASlashAndMustersHaveASpace(t *testing.T) {
	root := t.TempDir()
	muster := filepath.Join(root, "my games", "muster")
	makeMuster(t, muster)
	dir := filepath.Join(root, "slide")
	if err := Write(Options{Name: "slide", Dir: dir + string(filepath.Separator), Muster: muster}); err != nil {
		t.Fatal(err)
	}
	read := exec.Command("go", "mod", "edit", "-json")
	read.Dir = dir
	out, err := read.CombinedOutput()
	var mod struct {
		Replace []struct{ New struct{ Path string } }
	}
	if err != nil || json.Unmarshal(out, &mod) != nil || len(mod.Replace) != 1 || mod.Replace[0].New.Path != "../my games/muster" {
		t.Errorf("%v, %s", err, out)
	}
}

func TestTheRequirementsAreThoseOfMuster(t *testing.T) {
	version, requires := requirements("module muster\n\ngo 1.26.0\n\nrequire (\n\ta.com/b v1.0.0\n\tc.com/d v1.2.0 // indirect\n)\n\nrequire (\n\te.com/f v0.1.0 // indirect\n)\n")
	want := "require (\n\ta.com/b v1.0.0 // indirect\n\tc.com/d v1.2.0 // indirect\n)\nrequire (\n\te.com/f v0.1.0 // indirect\n)"
	if version != "1.26.0" || requires != want {
		t.Errorf("go %s\n%s", version, requires)
	}
}

func TestMusterIsFoundWhereTheCommandRunsOrWasBuilt(t *testing.T) {
	muster, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := t.TempDir()
	for name, c := range map[string][2]string{
		"in it": {muster, "nowhere"}, "below it": {filepath.Join(muster, "cmd", "muster"), "nowhere"}, "where it was built": {elsewhere, muster},
	} {
		if got, err := find(c[0], c[1]); got != muster || err != nil {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	for name, built := range map[string]string{"nowhere": elsewhere, "built with -trimpath": "muster/internal/scaffold/../.."} {
		if got, err := find(elsewhere, built); err == nil || !strings.Contains(err.Error(), "--muster DIR") {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if got, err := FindMuster(); got != muster || err != nil {
		t.Errorf("this test: %q, %v", got, err)
	}
}
