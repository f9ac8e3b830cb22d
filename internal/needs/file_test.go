package needs_test

import (
	"path/filepath"
	"strings"
	"testing"

	"muster/internal/needs"
)

func TestAbsentFileIsAskedForByTheCommandThatMakesIt(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "node_modules")
	for _, ci := range []string{"", "true"} {
		t.Setenv("CI", ci)
		r := &recorder{}
		done := make(chan struct{})
		go func() {
			defer close(done)
			needs.File(r, missing, "npm ci")
		}()
		<-done
		told := r.skipped
		if ci == "true" {
			told = r.failed
		}
		if !strings.Contains(told, "needs node_modules, which comes of npm ci") || (r.failed != "") != (ci == "true") {
			t.Errorf("CI=%q: skipped %q, failed %q", ci, r.skipped, r.failed)
		}
	}
	needs.File(t, t.TempDir(), "nothing")
}
