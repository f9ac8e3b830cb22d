package faults

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"muster/cmd"
	"muster/match"
	"muster/match/cluster"
)

// play is what this program does as a server.
func play(role string) {
	switch role {
	case "journal": // a node with journals in Redis, until it is killed
		err := playNode(os.Getenv("FAULTS_REDIS"), os.Getenv("FAULTS_EPOCH"))
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	case "serve": // the muster command
		collectWhenAsked()
		cmd.Main(cmd.Game{Game: neighbourGame}, cmd.Game{Game: badGame}, cmd.Game{Game: pairGame}, cmd.Game{Game: ledgerGame})
	default:
		fmt.Fprintf(os.Stderr, "no such role: %q\n", role)
		os.Exit(2)
	}
}

// collectWhenAsked makes SIGUSR1 collect garbage: what a heap holds then is alive.
func collectWhenAsked() {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGUSR1)
	go func() {
		for range asked {
			runtime.GC()
		}
	}()
}

func playNode(redisURL, epochText string) error {
	epoch, err := strconv.ParseUint(epochText, 10, 64)
	if err != nil {
		return err
	}
	rdb, err := cluster.Connect(context.Background(), redisURL)
	if err != nil {
		return err
	}
	n, err := newNode(nodeConfig{
		games: []match.Game{ledgerGame, slipGame}, store: cluster.NewJournal(rdb, "faults", cluster.JournalConfig{}), epoch: epoch,
	})
	if err != nil {
		return err
	}
	fmt.Println("listening on", n.addr)
	_, err = io.Copy(io.Discard, os.Stdin) // the parent's end is this one's, too
	return err
}

// child is a server in a process of its own.
type child struct {
	cmd   *exec.Cmd
	stdin io.Closer
	ended chan struct{}

	mu   sync.Mutex
	text strings.Builder // what it printed, at most a MiB
}

// startChild starts this program in a role. It is killed at the test's end, or by kill.
func startChild(t *testing.T, role string, args []string, env ...string) *child {
	t.Helper()
	self, err := os.Executable()
	must(t, err)
	c := &child{cmd: exec.Command(self, args...), ended: make(chan struct{})}
	c.cmd.Env = append(append(os.Environ(), roleVar+"="+role), env...)
	c.stdin, err = c.cmd.StdinPipe()
	must(t, err)
	r, w, err := os.Pipe()
	must(t, err)
	c.cmd.Stdout, c.cmd.Stderr = w, w
	must(t, c.cmd.Start())
	_ = w.Close()
	go func() {
		defer close(c.ended)
		c.read(r)
		_ = r.Close()
		_ = c.cmd.Wait() // how it ended is the test's doing
	}()
	t.Cleanup(c.kill)
	return c
}

func (c *child) read(r io.Reader) {
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadString('\n')
		c.mu.Lock()
		if c.text.Len() < 1<<20 {
			c.text.WriteString(line)
		}
		c.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// output is what it printed so far.
func (c *child) output() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.text.String()
}

// after waits for a line that begins so and returns the word after it.
func (c *child) after(t *testing.T, begin string) (word string) {
	t.Helper()
	until(t, "the server prints "+begin, func() bool {
		select {
		case <-c.ended:
			t.Fatalf("the server ended:\n%s", c.output())
		default:
		}
		_, rest, ok := strings.Cut(c.output(), begin)
		line, _, whole := strings.Cut(rest, "\n")
		if ok && whole {
			word = strings.Fields(line)[0]
		}
		return ok && whole
	})
	return word
}

// kill is kill -9.
func (c *child) kill() {
	_ = c.cmd.Process.Kill()
	<-c.ended
	_ = c.stdin.Close()
}
