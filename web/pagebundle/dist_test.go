package pagebundle

import (
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestWriteMakesADirectoryHoldTheFilesAndNoOthers(t *testing.T) {
	dir := t.TempDir()
	want := map[string][]byte{"arena.html": []byte("page"), "assets/arena.js": []byte("script")}
	wrong := map[string][]byte{"arena.html": []byte("old page"), "assets/gone.js": []byte("x")}
	if err := Write(dir, wrong); err != nil {
		t.Fatal(err)
	}
	err := Compare(dir, want)
	if err == nil {
		t.Fatal("a stale directory passes")
	}
	for _, part := range []string{"arena.html differs", "assets/arena.js is missing", "assets/gone.js has no source", " is stale: "} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not say %q", err, part)
		}
	}
	if err := Write(dir, want); err != nil {
		t.Fatal(err)
	}
	if err := Compare(dir, want); err != nil {
		t.Errorf("after writing: %v", err)
	}
	if err := Compare(filepath.Join(dir, "nothing"), want); err == nil {
		t.Error("a directory that is not there passes")
	}
}
