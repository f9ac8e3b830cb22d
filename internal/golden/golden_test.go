package golden

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// noting is a test that notes what is said of it, and goes on.
type noting struct {
	testing.TB

	said string
}

func (*noting) Helper() {}

func (n *noting) Errorf(format string, args ...any) { n.said += fmt.Sprintf(format, args...) }
func (n *noting) Fatal(args ...any)                 { n.said += fmt.Sprint(args...) }

func TestWhatDiffersFromTheFileIsSaidAndWrittenWhenAskedFor(t *testing.T) {
	file := filepath.Join(t.TempDir(), "testdata", "a.txt")
	said := func(got string, write bool) string {
		n := &noting{TB: t}
		check(n, file, []byte(got), "run X", write)
		return n.said
	}
	if s := said("one\ntwo\n", false); !strings.Contains(s, "no such file") {
		t.Errorf("there is no file, and it says %q", s)
	}
	if s := said("one\ntwo\n", true); s != "" {
		t.Errorf("it is written, and it says %q", s)
	}
	if s := said("one\ntwo\n", false); s != "" {
		t.Errorf("it is the same, and it says %q", s)
	}
	if s := said("one\nthree\n", false); !strings.Contains(s, "a.txt is another one") || !strings.Contains(s, "if that was meant, run X (-") ||
		!strings.Contains(s, "three") {
		t.Errorf("it differs, and it says %q", s)
	}
	if b, err := os.ReadFile(file); err != nil || string(b) != "one\ntwo\n" {
		t.Errorf("the file has %q, %v", b, err)
	}
}
