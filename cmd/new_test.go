package cmd

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAGameWhosePageCannotBeBuiltIsThereAndSaysHowToGoOn(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tag")
	t.Setenv("PATH", "") // there is no go command
	var stdout, stderr output
	if code := run(t.Context(), func() {}, []string{"new", "tag", "--dir", dir}, nil, &stdout, &stderr); code != 1 {
		t.Errorf("exit status %d", code)
	}
	for _, want := range []string{dir, "go generate ./...", "executable file not found"} {
		if !strings.Contains(stderr.String(), want) {
			t.Errorf("%q does not say %q", stderr.String(), want)
		}
	}
	for _, name := range []string{"go.mod", "step.go", "page/src/main.ts"} {
		if _, err := os.Stat(filepath.Join(dir, filepath.FromSlash(name))); err != nil {
			t.Error(err)
		}
	}
}
