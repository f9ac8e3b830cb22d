// Package needs is the one rule of tests that need a program which may be absent: they are skipped, but not where
// everything is meant to be installed.
package needs

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Program returns the path of a program. Where it is absent the test is skipped and says so; with CI=true in the
// environment it fails, so that a run which ought to test everything cannot pass by skipping.
func Program(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		absent(t, name+", which is not installed")
	}
	return path
}

// File is the rule for a file or folder that a command makes: how says which.
func File(t testing.TB, path, how string) {
	t.Helper()
	if _, err := os.Stat(path); err != nil {
		absent(t, filepath.Base(path)+", which comes of "+how)
	}
}

func absent(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("this test needs %s, and CI=true allows no skipping", what)
	}
	t.Skipf("this test needs %s", what)
}
