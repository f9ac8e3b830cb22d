package matchtest

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// failing is a test that may fail without failing this one.
type failing struct {
	testing.TB
	text string
}

func (f *failing) Helper() {}

func (f *failing) Fatalf(format string, args ...any) {
	f.text = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func (f *failing) Errorf(format string, args ...any) { f.text += fmt.Sprintf(format, args...) }

// fails runs what must end its test, with these words.
func fails(t *testing.T, do func(t testing.TB), words ...string) {
	t.Helper()
	f := &failing{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		do(f)
	}()
	<-done
	if f.text == "" {
		t.Errorf("it does not fail, want words %q", words)
	}
	for _, w := range words {
		if !strings.Contains(f.text, w) {
			t.Errorf("it fails without the word %q: %s", w, f.text)
		}
	}
}
