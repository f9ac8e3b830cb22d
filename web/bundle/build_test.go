package main

import (
	"bytes"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"muster/web/pagebundle"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// root is the module's directory, seen from this package.
const root = "../.."

func TestDistIsWhatTheSourcesGive(t *testing.T) {
	files, err := build(root)
	if err != nil {
		t.Fatal(err)
	}
	if err := pagebundle.Compare(filepath.Join(root, "web", "dist"), files); err != nil {
		t.Error(err)
	}
}

// The bytes must not depend on where the checkout is or where the command runs, or dist would differ by machine.
func TestTheResultIsTheSameInAnyDirectory(t *testing.T) {
	here, err := build(root)
	if err != nil {
		t.Fatal(err)
	}
	there := filepath.Join(t.TempDir(), "another place")
	for _, part := range []string{"web/src", "client/ts/src", "client/ts/package.json"} {
		copyTree(t, filepath.Join(root, part), filepath.Join(there, part))
	}
	// A tsconfig is for the type checker; nothing that it says may reach the output.
	config := []byte(`{"compilerOptions":{"target":"ES5","useDefineForClassFields":false,"paths":{"@muster/client":["./nowhere.ts"]}}}`)
	for _, name := range []string{"web/tsconfig.json", "client/ts/tsconfig.json"} {
		if err := os.WriteFile(filepath.Join(there, name), config, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(t.TempDir())
	moved, err := build(there)
	if err != nil {
		t.Fatal(err)
	}
	if !maps.EqualFunc(here, moved, bytes.Equal) {
		t.Errorf("the files differ: %v and %v", slices.Sorted(maps.Keys(here)), slices.Sorted(maps.Keys(moved)))
	}
	for name, body := range moved {
		if bytes.Contains(body, []byte("another place")) {
			t.Errorf("%s names the directory that it was built in", name)
		}
	}
}

func TestMissingSourcesAreAnErrorThatNamesThem(t *testing.T) {
	without := t.TempDir()
	copyTree(t, filepath.Join(root, "web", "src"), filepath.Join(without, "web", "src"))
	if _, err := build(without); err == nil || !strings.Contains(err.Error(), "the TypeScript SDK") {
		t.Errorf("without the client library: %v", err)
	}
	without = t.TempDir()
	copyTree(t, filepath.Join(root, "client", "ts", "package.json"), filepath.Join(without, "client", "ts", "package.json"))
	if _, err := build(without); err == nil || !strings.Contains(err.Error(), "there are none") {
		t.Errorf("without the pages: %v", err)
	}
	page := filepath.Join(without, "web", "src", "arena", "index.html")
	if err := os.MkdirAll(filepath.Dir(page), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(page, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := build(without); err == nil || !strings.Contains(err.Error(), filepath.Join("arena", "main.ts")) {
		t.Errorf("without a page's script: %v", err)
	}
}

func copyTree(t *testing.T, from, to string) {
	t.Helper()
	err := filepath.WalkDir(from, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, name)
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(to, rel), 0o700)
		}
		body, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Dir(filepath.Join(to, rel)), 0o700); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), body, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
}
