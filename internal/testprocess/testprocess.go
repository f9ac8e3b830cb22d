// Package testprocess gives tests processes of their own to break: the test's program starts itself again in another
// role, which its TestMain plays. A fault that ends, stops or spoils a process needs one.
//
//	func TestMain(m *testing.M) {
//		if role := testprocess.Role(); role != "" {
//			play(role)
//			return
//		}
//		goleak.VerifyTestMain(m)
//	}
package testprocess

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// roleVar is the variable by which a test's program learns that it is to be something else.
const roleVar = "MUSTER_TEST_ROLE"

const (
	// mostOutput bounds what is kept of what a process prints, in bytes.
	mostOutput = 4 << 20
	// afterTimeout bounds how long After waits.
	afterTimeout = time.Minute
)

// Role is what this process is to be; "" is a test.
func Role() string { return os.Getenv(roleVar) }

// Process is this program in a process of its own. Any goroutine may use it.
type Process struct {
	cmd   *exec.Cmd
	stdin io.Closer
	ended chan struct{}

	mu   sync.Mutex
	text strings.Builder // what it printed, at most mostOutput
}

// Start starts this program in a role, with further variables of the environment as NAME=VALUE. It is killed at the
// test's end, or by Kill; its standard input ends with the test's process, too.
func Start(t testing.TB, role string, args []string, env ...string) *Process {
	t.Helper()
	p, err := start(role, args, env)
	if err != nil {
		t.Fatalf("starting a process: %v", err)
	}
	t.Cleanup(p.Kill)
	return p
}

func start(role string, args, env []string) (*Process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding the program: %w", err)
	}
	p := &Process{cmd: exec.Command(self, args...), ended: make(chan struct{})} //nolint:gosec // itself
	p.cmd.Env = append(append(os.Environ(), roleVar+"="+role), env...)
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("making its input: %w", err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("making its output: %w", err)
	}
	p.cmd.Stdout, p.cmd.Stderr = w, w
	err = p.cmd.Start()
	_ = w.Close()
	if err != nil {
		_ = r.Close()
		return nil, fmt.Errorf("running %s: %w", self, err)
	}
	go func() {
		defer close(p.ended)
		p.read(r)
		_ = r.Close()
		_ = p.cmd.Wait() // how it ended is the test's doing
	}()
	return p, nil
}

func (p *Process) read(r io.Reader) {
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadString('\n')
		p.mu.Lock()
		if p.text.Len() < mostOutput {
			p.text.WriteString(line)
		}
		p.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// Output is what it printed so far, at most 4 MiB.
func (p *Process) Output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

// After waits for a line that has these words and returns the word behind them. A process that ends before fails the
// test.
func (p *Process) After(t testing.TB, words string) string {
	t.Helper()
	for deadline := time.Now().Add(afterTimeout); time.Now().Before(deadline); {
		_, rest, ok := strings.Cut(p.Output(), words)
		line, _, whole := strings.Cut(rest, "\n")
		if ok && whole {
			return strings.Fields(line)[0]
		}
		select {
		case <-p.ended:
			t.Fatalf("the process ended before it printed %q:\n%s", words, p.Output())
		case <-time.After(5 * time.Millisecond):
		}
	}
	t.Fatalf("the process did not print %q within %v:\n%s", words, afterTimeout, p.Output())
	return ""
}

// Ended is closed when the process is gone.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// Kill is kill -9, and waits for the end. It does nothing to a process that has ended.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended
	_ = p.stdin.Close()
}

// Signal sends a signal: SIGSTOP and SIGCONT, or what the role listens to. A process that has ended gets none.
func (p *Process) Signal(sig syscall.Signal) { _ = p.cmd.Process.Signal(sig) }
