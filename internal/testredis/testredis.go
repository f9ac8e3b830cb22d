// Package testredis gives tests a Redis: real servers of their own, single, as a Cluster or with Sentinels, and the embedded
// one beside them, so that what Redis does for Muster is shown to be the same on all.
//
//	testredis.Each(t, func(t *testing.T, rdb redis.UniversalClient) { … })
package testredis

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/internal/doctor"
	"muster/internal/needs"
	"muster/internal/testport"
	"muster/match/cluster"
)

const (
	// startTimeout bounds the start of a server.
	startTimeout = 10 * time.Second
	// attempts is how many ports are tried: another process may take one between the choice and the start.
	attempts = 5
	taken    = "Address already in use"
)

// Server is a redis-server process of one test. It ends with the test.
type Server struct {
	Addr string // HOST:PORT, the same for the whole life of the Server

	t       testing.TB
	program string
	ready   string // what it says then
	dir     string
	before  []string
	after   []string

	cmd    *exec.Cmd
	output output
	ended  chan struct{} // the process is gone, and so is the goroutine that read its output
}

// Start starts a server on a free port of the loopback. It keeps nothing on disk unless args, further options of
// redis-server, say so ("--appendonly", "yes"). Where redis-server is absent the test is skipped, see [needs.Program].
func Start(t testing.TB, args ...string) *Server {
	t.Helper()
	return startReady(t, "Ready to accept connections", nil, args)
}

// startReady starts a server with arguments before and after those that all have, and waits until it says that it is ready.
func startReady(t testing.TB, ready string, before, after []string) *Server {
	t.Helper()
	s := &Server{t: t, program: needs.Program(t, "redis-server"), ready: ready, dir: t.TempDir(), before: before, after: after}
	t.Cleanup(s.Kill)
	for range attempts {
		s.Addr = testport.Held(t)
		err := s.start()
		if err == nil {
			return s
		}
		if !strings.Contains(s.output.String(), taken) {
			t.Fatalf("starting redis-server: %v\n%s", err, s.output.String())
		}
	}
	t.Fatalf("starting redis-server: no free port in %d attempts", attempts)
	return nil
}

// Restart starts a server again that was killed, on the same port and in the same directory.
func (s *Server) Restart() {
	s.t.Helper()
	if err := s.start(); err != nil {
		s.t.Fatalf("starting redis-server again: %v\n%s", err, s.output.String())
	}
}

// Kill ends the process at once, as kill -9 does, and waits for its end. It does nothing to one that has ended.
func (s *Server) Kill() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill() // it may have ended by itself
	<-s.ended
	s.cmd = nil
}

// Pause stops the process without closing a connection until Resume: a peer that neither answers nor goes away.
func (s *Server) Pause() { s.signal(syscall.SIGSTOP) }

// Resume undoes Pause.
func (s *Server) Resume() { s.signal(syscall.SIGCONT) }

func (s *Server) signal(sig syscall.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Fatalf("signalling redis-server: %v", err)
	}
}

// URL is the server's address for a setting.
func (s *Server) URL() string { return scheme(s.after) + "://" + s.Addr }

// Connect returns a client, which is closed with the test.
func (s *Server) Connect() redis.UniversalClient {
	s.t.Helper()
	return connect(s.t, s.URL())
}

// Each runs a test on the embedded Redis, on a real one, both its own, and on a Cluster of three masters that it shares
// with the tests before and after it. Each of them is empty. What a test leaves in the first two must be of a kind that
// [doctor.Known] knows.
func Each(t *testing.T, test func(t *testing.T, rdb redis.UniversalClient)) {
	t.Helper()
	t.Run("embedded", func(t *testing.T) {
		rdb := Embedded(t)
		test(t, rdb)
		known(t, rdb)
	})
	t.Run("real", func(t *testing.T) {
		rdb := patient(t, Start(t).Connect())
		test(t, rdb)
		known(t, rdb)
	})
	t.Run("cluster", func(t *testing.T) { test(t, sharedCluster(t)) })
}

// known fails the test where a key is of no kind that a deployment keeps. A Redis that the test has killed is not asked.
func known(t *testing.T, rdb redis.UniversalClient) {
	t.Helper()
	keys := rdb.Scan(t.Context(), 0, "*", 1000).Iterator()
	for keys.Next(t.Context()) {
		name := keys.Val()
		_, key, ours := strings.Cut(name, ":")
		kind, err := rdb.Type(t.Context(), name).Result()
		odd := strings.HasPrefix(key, "{room:{") // a journal takes any name, a room has none like it
		if ours && err == nil && kind != "none" && !odd && !doctor.Known(key, kind) {
			t.Errorf("the test leaves %q, a %s, and no such key is known", name, kind)
		}
	}
}

// EachMode runs a test with the address of a real Redis of each kind: a single one, a Cluster of three masters, and one that
// Sentinels watch. Each is the test's own.
func EachMode(t *testing.T, test func(t *testing.T, url string)) {
	t.Helper()
	t.Run("single", func(t *testing.T) { test(t, Start(t).URL()) })
	t.Run("cluster", func(t *testing.T) { test(t, StartCluster(t, 3).URL()) })
	t.Run("sentinel", func(t *testing.T) { test(t, StartSentinel(t).URL()) })
}

// patience is how long clients wait for an answer of a Redis that nobody stops or kills: the second that a server waits may
// pass on a machine that is busy with other tests.
const patience = time.Minute

// Embedded returns a client of the Redis that a server without --redis embeds. It ends with the test.
func Embedded(t testing.TB) redis.UniversalClient {
	rdb, stop := cluster.Embedded()
	t.Cleanup(stop)
	return patient(t, rdb)
}

// patient returns a client of the same Redis that waits for patience.
func patient(t testing.TB, rdb redis.UniversalClient) redis.UniversalClient {
	t.Helper()
	switch rdb := rdb.(type) {
	case *redis.Client:
		return rdb.WithTimeout(patience)
	case *redis.ClusterClient:
		o := *rdb.Options()
		o.ReadTimeout, o.WriteTimeout = patience, patience
		c := redis.NewClusterClient(&o)
		t.Cleanup(func() { _ = c.Close() })
		return c
	default:
		t.Fatalf("%T is no client of a Redis", rdb)
		return nil
	}
}

// start runs the process until it is ready.
func (s *Server) start() error {
	host, port, err := net.SplitHostPort(s.Addr)
	if err != nil {
		return err
	}
	listen := []string{"--port", port}
	if scheme(s.after) == "rediss" {
		listen = []string{"--port", "0", "--tls-port", port}
	}
	args := slices.Concat(s.before, []string{"--bind", host}, listen, []string{"--dir", s.dir, "--save", "", "--appendonly", "no"}, s.after)
	cmd := exec.Command(s.program, args...) //nolint:gosec // tests name it
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		return err
	}
	s.cmd, s.ended = cmd, make(chan struct{})
	s.output.reset()
	isReady := make(chan struct{})
	go func() {
		defer close(s.ended)
		s.output.read(out, s.ready, isReady)
		_ = cmd.Wait() // how it ended is of no interest: it was killed, or its output says why
	}()
	timeout := time.NewTimer(startTimeout)
	defer timeout.Stop()
	select {
	case <-isReady:
		return nil
	case <-s.ended:
		s.cmd = nil
		return fmt.Errorf("it ended before it was ready")
	case <-timeout.C:
		s.Kill()
		return fmt.Errorf("it was not ready after %v", startTimeout)
	}
}

// output is what a process says.
type output struct {
	mu   sync.Mutex
	text strings.Builder
}

// read takes in r until its end, and closes isReady at the line that says ready.
func (o *output) read(r io.Reader, ready string, isReady chan<- struct{}) {
	lines := bufio.NewScanner(r)
	for found := false; lines.Scan(); {
		o.mu.Lock()
		o.text.WriteString(lines.Text() + "\n")
		o.mu.Unlock()
		if !found && strings.Contains(lines.Text(), ready) {
			found = true
			close(isReady)
		}
	}
}

func (o *output) reset() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text.Reset()
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}
