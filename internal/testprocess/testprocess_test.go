package testprocess

import (
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if Role() == "parrot" {
		fmt.Fprintln(os.Stdout, "says", os.Args[1], os.Getenv("WORD"))
		_, _ = io.Copy(io.Discard, os.Stdin)
		return
	}
	goleak.VerifyTestMain(m)
}

func TestProcessPlaysItsRoleUntilItIsKilled(t *testing.T) {
	p := Start(t, "parrot", []string{"hello"}, "WORD=again")
	if word := p.After(t, "says "); word != "hello" {
		t.Errorf("it says %q, want hello", word)
	}
	if out := p.Output(); !strings.Contains(out, "hello again") {
		t.Errorf("it printed %q", out)
	}
	p.Signal(syscall.SIGSTOP)
	select {
	case <-p.Ended():
		t.Error("it ended when it was stopped")
	default:
	}
	p.Kill() // a stopped one, too
	<-p.Ended()
	p.Kill()
}
