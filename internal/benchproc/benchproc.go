// Package benchproc starts the processes of a benchmark and says what they use. Linux only: CPU time is the kernel's account
// of each process.
package benchproc

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// startTimeout bounds the start of a process.
const startTimeout = time.Minute

// Process is one that was started here.
type Process struct {
	cmd   *exec.Cmd
	ended chan struct{} // it is gone, and so is the goroutine that read its output

	mu   sync.Mutex
	text strings.Builder // the beginning of what it said
}

// Start starts a program and waits until it has said a line with these words, which it returns.
func Start(ctx context.Context, log io.Writer, ready, program string, args ...string) (*Process, string, error) {
	p := &Process{cmd: exec.Command(program, args...), ended: make(chan struct{})} //nolint:gosec // who runs this names it
	r, w, err := os.Pipe()
	if err != nil {
		return nil, "", err
	}
	p.cmd.Stdout, p.cmd.Stderr = w, w
	err = p.cmd.Start()
	_ = w.Close()
	if err != nil {
		_ = r.Close()
		return nil, "", fmt.Errorf("starting %s: %w", filepath.Base(program), err)
	}
	line := make(chan string, 1)
	go func() {
		defer close(p.ended)
		p.read(r, log, ready, line)
		_ = r.Close()
		_ = p.cmd.Wait() // it is ended here, or its output says why
	}()
	timeout := time.NewTimer(startTimeout)
	defer timeout.Stop()
	select {
	case said := <-line:
		return p, said, nil
	case <-p.ended:
		err = errors.New("it ended")
	case <-timeout.C:
		err = errors.New("it is not ready")
	case <-ctx.Done():
		err = ctx.Err()
	}
	p.Kill()
	return nil, "", fmt.Errorf("starting %s: %w\n%s", filepath.Base(program), err, p.text.String())
}

func (p *Process) read(r io.Reader, log io.Writer, ready string, line chan<- string) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		text := lines.Text()
		if log != nil {
			_, _ = fmt.Fprintln(log, text)
		}
		p.mu.Lock()
		if p.text.Len() < 1<<16 {
			p.text.WriteString(text + "\n")
		}
		p.mu.Unlock()
		if strings.Contains(text, ready) {
			select {
			case line <- text:
			default:
			}
		}
	}
}

// Kill ends the process and waits for its end. Of nil it does nothing.
func (p *Process) Kill() {
	if p == nil {
		return
	}
	_ = p.cmd.Process.Kill() // it may have ended by itself
	<-p.ended
}

// PID is the process's id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Redis starts a redis-server that keeps nothing on disk, with further options, and returns its address.
func Redis(ctx context.Context, dir string, options ...string) (*Process, string, error) {
	addr, err := FreeAddr()
	if err != nil {
		return nil, "", err
	}
	host, port, _ := net.SplitHostPort(addr)
	args := append([]string{"--bind", host, "--port", port, "--dir", dir, "--save", "", "--appendonly", "no"}, options...)
	p, _, err := Start(ctx, nil, "Ready to accept connections", "redis-server", args...)
	return p, addr, err
}

// FreeAddr returns an address of the loopback on which nobody listens.
func FreeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// Usage is what a process has used so far.
type Usage struct {
	CPU time.Duration
	Mem int64 // resident, in bytes
}

// clockTick is the kernel's unit of CPU time for programs, which is the same on all of Linux.
const clockTick = 10 * time.Millisecond

// UsageOf reads what a process has used.
func UsageOf(pid int) (u Usage, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return u, err
	}
	f := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	if len(f) < 22 {
		return u, fmt.Errorf("/proc/%d/stat has %d fields", pid, len(f))
	}
	user, err1 := strconv.ParseInt(f[11], 10, 64)
	system, err2 := strconv.ParseInt(f[12], 10, 64)
	pages, err3 := strconv.ParseInt(f[21], 10, 64)
	u = Usage{time.Duration(user+system) * clockTick, pages * int64(os.Getpagesize())}
	return u, errors.Join(err1, err2, err3)
}

// MachineBusy is the CPU time that the whole machine has used.
func MachineBusy() (time.Duration, error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, err
	}
	line, _, _ := strings.Cut(string(text), "\n")
	var sum int64
	for i, f := range strings.Fields(line)[1:] {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return 0, err
		}
		if i != 3 && i != 4 && i < 8 { // idle, waiting for a disk; guests are in user already
			sum += n
		}
	}
	return time.Duration(sum) * clockTick, nil
}

// TCPMem is the memory that the kernel holds for all TCP sockets of the machine, in bytes.
func TCPMem() (int64, error) {
	text, err := os.ReadFile("/proc/net/sockstat")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) > 2 && f[0] == "TCP:" && f[len(f)-2] == "mem" {
			pages, err := strconv.ParseInt(f[len(f)-1], 10, 64)
			return pages * int64(os.Getpagesize()), err
		}
	}
	return 0, errors.New("/proc/net/sockstat does not say how much memory TCP has")
}
