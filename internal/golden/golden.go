// Package golden holds what code makes against files that are kept. go test PACKAGE -update writes them anew.
package golden

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write golden files anew")

// Update says whether files are to be written anew, for tests that write more than Check does.
func Update() bool { return *update }

// Check compares what the code makes with a file. advice is what to do where they differ and that was meant.
func Check(t testing.TB, file string, got []byte, advice string) {
	t.Helper()
	check(t, file, got, advice, *update)
}

func check(t testing.TB, file string, got []byte, advice string, write bool) {
	t.Helper()
	if write {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil { //nolint:gosec // of source files
			t.Fatal(err)
		}
		if err := os.WriteFile(file, got, 0o644); err != nil { //nolint:gosec // a source file
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file) //nolint:gosec // the test's own
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s is another one than the code makes; if that was meant, %s (-file +code):\n%s", file, advice, diff)
	}
}
