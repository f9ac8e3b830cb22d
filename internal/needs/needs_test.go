package needs_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"muster/internal/needs"
)

// recorder is a test whose end is looked at instead of reported.
type recorder struct {
	testing.TB
	skipped, failed string
}

func (r *recorder) Helper() {}

func (r *recorder) Skipf(format string, args ...any) {
	r.skipped = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.failed = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// ask runs needs.Program as a test of its own would.
func ask(name string) (r *recorder, path string) {
	r = &recorder{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		path = needs.Program(r, name)
	}()
	<-done
	return r, path
}

func TestProgramThatIsInstalledIsFound(t *testing.T) {
	t.Setenv("CI", "true")
	if r, path := ask("go"); path == "" || r.skipped != "" || r.failed != "" {
		t.Errorf("got path %q, skipped %q, failed %q", path, r.skipped, r.failed)
	}
}

func TestAbsentProgramSkipsTheTest(t *testing.T) {
	t.Setenv("CI", "")
	t.Setenv("PATH", t.TempDir())
	if r, path := ask("redis-server"); !strings.Contains(r.skipped, "needs redis-server") || r.failed != "" || path != "" {
		t.Errorf("got path %q, skipped %q, failed %q", path, r.skipped, r.failed)
	}
}

func TestAbsentProgramFailsTheTestInCI(t *testing.T) {
	t.Setenv("CI", "true")
	t.Setenv("PATH", t.TempDir())
	if r, path := ask("redis-server"); !strings.Contains(r.failed, "needs redis-server") || r.skipped != "" || path != "" {
		t.Errorf("got path %q, skipped %q, failed %q", path, r.skipped, r.failed)
	}
}
