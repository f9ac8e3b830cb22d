package main

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

	"github.com/redis/go-redis/v9"

	"muster/match/cluster"
)

// startTimeout bounds the start of a process.
const startTimeout = 10 * time.Second

// process is one that was started here.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{} // it is gone, and so is the goroutine that read its output

	mu   sync.Mutex
	text strings.Builder // the beginning of what it said
}

// start starts a program and waits until it has said a line with these words, which it returns.
func start(ctx context.Context, log io.Writer, ready, program string, args ...string) (*process, string, error) {
	p := &process{cmd: exec.Command(program, args...), ended: make(chan struct{})} //nolint:gosec // who runs this names it
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
	p.kill()
	return nil, "", fmt.Errorf("starting %s: %w\n%s", filepath.Base(program), err, p.text.String())
}

func (p *process) read(r io.Reader, log io.Writer, ready string, line chan<- string) {
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

// kill ends the process and waits for its end.
func (p *process) kill() {
	if p == nil {
		return
	}
	_ = p.cmd.Process.Kill() // it may have ended by itself
	<-p.ended
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// startRedis starts a redis-server that keeps nothing on disk.
func startRedis(ctx context.Context, o *options, dir string) (*process, redis.UniversalClient, string, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, nil, "", err
	}
	host, port, _ := net.SplitHostPort(addr)
	args := append([]string{"--bind", host, "--port", port, "--dir", dir, "--save", "", "--appendonly", "no"}, o.Redis...)
	p, _, err := start(ctx, nil, "Ready to accept connections", "redis-server", args...)
	if err != nil {
		return nil, nil, "", err
	}
	url := "redis://" + addr
	rdb, err := cluster.Connect(ctx, url)
	if err != nil {
		p.kill()
		return nil, nil, "", err
	}
	return p, rdb, url, nil
}

// startServer starts muster on a free port and returns its address.
func startServer(ctx context.Context, o *options, dir, redisURL string) (*process, string, error) {
	var log io.Writer
	if o.Log != "" {
		f, err := os.Create(o.Log)
		if err != nil {
			return nil, "", err
		}
		log = f // as long as this process
	}
	args := append([]string{}, o.Serve[1:]...)
	args = append(args, "serve", "--listen", "127.0.0.1:0", "--redis", redisURL, "--key-file", filepath.Join(dir, "key"),
		"--queues", filepath.Join(dir, "queues.yaml"), "--journal", "none", "--log-level", "warn",
		"--namespace", namespace, "--address-rate", strconv.Itoa(addressRate))
	p, line, err := start(ctx, log, "/v1 ", o.Serve[0], args...)
	if err != nil {
		return nil, "", err
	}
	_, rest, _ := strings.Cut(line, "http://")
	addr, _, _ := strings.Cut(rest, "/")
	return p, addr, nil
}

// freeAddr returns an address of the loopback on which nobody listens.
func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// usage is what a process has used so far.
type usage struct {
	cpu  time.Duration
	mem  int64 // resident, in bytes
	from time.Time
}

// clockTick is the kernel's unit of CPU time for programs, which is the same on all of Linux.
const clockTick = 10 * time.Millisecond

// usageOf reads what a process has used.
func usageOf(pid int) (u usage, err error) {
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
	u = usage{time.Duration(user+system) * clockTick, pages * int64(os.Getpagesize()), time.Now()}
	return u, errors.Join(err1, err2, err3)
}

// machineBusy is the CPU time that the whole machine has used.
func machineBusy() (time.Duration, error) {
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

// redisStats are counters of Redis.
type redisStats struct{ commands, reads, mem int64 }

func redisInfo(ctx context.Context, rdb redis.UniversalClient) (s redisStats, err error) {
	text, err := rdb.Info(ctx).Result()
	for name, to := range map[string]*int64{
		"total_commands_processed": &s.commands, "total_reads_processed": &s.reads, "used_memory": &s.mem,
	} {
		_, rest, _ := strings.Cut(text, "\n"+name+":")
		value, _, _ := strings.Cut(rest, "\r")
		n, perr := strconv.ParseInt(value, 10, 64)
		*to, err = n, errors.Join(err, perr)
	}
	return s, err
}
