// Package needs is the one rule of tests that need a program which may be absent: they are skipped, but not where
// everything is meant to be installed.
package needs

import (
	"os"
	"os/exec"
	"testing"
)

// Program returns the path of a program. Where it is absent the test is skipped and says so; with CI=true in the
// environment it fails, so that a run which ought to test everything cannot pass by skipping.
func Program(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	switch {
	case err == nil:
	case os.Getenv("CI") == "true":
		t.Fatalf("this test needs %s, which is not installed, and CI=true allows no skipping", name)
	default:
		t.Skipf("this test needs %s, which is not installed", name)
	}
	return path
}
