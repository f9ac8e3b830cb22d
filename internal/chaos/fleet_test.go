package chaos

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/zap"

	"muster/client"
	"muster/internal/testpace"
	"muster/internal/testport"
	"muster/internal/testprocess"
	"muster/internal/testproxy"
	"muster/match/cluster"
	"muster/proto/token"
)

const (
	namespace = "muster"
	secret    = "a signing key for these tests, 32 bytes or more"
	// patience bounds what a test waits for.
	patience = 45 * time.Second
)

// fleet is some servers that share a Redis, and how players come to them: as through a load balancer that sends each
// connection to the next server which is up, without a memory of who was where.
type fleet struct {
	t     testing.TB
	redis string // the URL by which servers reach Redis, unless they have lines of their own
	rdb   redis.UniversalClient
	dir   *cluster.Directory
	nodes []*node
	keys  *token.Keys
	key   string   // a file
	args  []string // further ones of each server
	file  string   // of queues

	url      string      // of the lobby, as players know it
	balanced http.Client // leads to any server
	turn     atomic.Uint32

	machine *testpace.Pace // how late the machine was: no server's fault
}

// node is one server: its process changes, its address stays.
type node struct {
	n    int
	addr string
	line *testproxy.Proxy // its way to Redis; nil: it has none of its own

	mu      sync.Mutex
	process *testprocess.Process // nil: it is not up
	stopped bool
	spoken  []string // what processes before this one printed
}

// fleetConfig says what a fleet is.
type fleetConfig struct {
	nodes int
	size  int      // players of a match
	redis string   // its URL
	lines string   // HOST:PORT of Redis, to which each server has a line of its own
	args  []string // of serve
}

func startFleet(t testing.TB, rdb redis.UniversalClient, cfg fleetConfig) *fleet {
	t.Helper()
	keys, err := token.New([]byte(secret), nil)
	must(t, err)
	f := &fleet{
		t: t, machine: testpace.Measure(t), redis: cfg.redis, rdb: rdb, dir: cluster.NewDirectory(rdb, namespace), keys: keys, args: cfg.args, url: "http://muster.example",
		key: filepath.Join(t.TempDir(), "key"), file: filepath.Join(t.TempDir(), "queues.yaml"),
	}
	must(t, os.WriteFile(f.key, []byte(secret), 0o600))
	must(t, os.WriteFile(f.file, []byte(queues(cfg.size)), 0o600))
	transport := &http.Transport{DisableKeepAlives: true, DialContext: f.dial}
	t.Cleanup(transport.CloseIdleConnections)
	f.balanced.Transport = transport
	for n := range cfg.nodes {
		nd := &node{n: n, addr: testport.Held(t)}
		if cfg.lines != "" {
			nd.line = testproxy.Start(t, cfg.lines)
		}
		f.nodes = append(f.nodes, nd)
		f.start(nd)
	}
	t.Cleanup(f.tell)
	until(t, "each server has named all others in a renewal", f.acquainted)
	return f
}

// acquainted says whether each server has named all others in a renewal of its lease: to one that it has not, it is a
// stranger, who waits ten seconds with taking over.
func (f *fleet) acquainted() bool {
	leases, err := f.rdb.HGetAll(context.Background(), namespace+":{nodes}:leases").Result()
	for _, lease := range leases {
		parts := strings.Fields(lease)
		named := 0
		if len(parts) == 4 {
			named = len(strings.Split(parts[3], ","))
		}
		if named < len(f.nodes)-1 {
			return false
		}
	}
	return err == nil && len(leases) == len(f.nodes)
}

// queues are one for each game, in which matches are full.
func queues(size int) string {
	var b strings.Builder
	b.WriteString("queues:\n")
	for _, g := range games {
		fmt.Fprintf(&b, "  %s: {game: %s, team_size: %d, connect: 30s}\n", g.Name(), g.Name(), size)
	}
	return b.String()
}

// start starts a server at its address and waits until it serves.
func (f *fleet) start(n *node) {
	f.t.Helper()
	url := f.redis
	if n.line != nil {
		url = "redis://" + n.line.Addr()
	}
	p := testprocess.Start(f.t, "serve", append([]string{
		"serve", "--listen", n.addr, "--redis", url, "--namespace", namespace, "--key-file", f.key, "--queues", f.file,
		"--address-rate", "100000",
	}, f.args...))
	p.After(f.t, "lobby ")
	n.mu.Lock()
	defer n.mu.Unlock()
	n.process, n.stopped = p, false
}

// kill is kill -9 of a server.
func (f *fleet) kill(n *node) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.process.Kill()
	n.spoken = append(n.spoken, n.process.Output())
	n.process = nil
}

// stop keeps a server from running, until resume.
func (f *fleet) stop(n *node) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.process.Signal(syscall.SIGSTOP)
	n.stopped = true
}

func (f *fleet) resume(n *node) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.process.Signal(syscall.SIGCONT)
	n.stopped = false
}

// up says whether a load balancer sends anybody to a server: it looks whether it answers.
func (n *node) up() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.process != nil && !n.stopped
}

// dial is the load balancer: each connection goes to the next server.
func (f *fleet) dial(ctx context.Context, network, _ string) (net.Conn, error) {
	var dialer net.Dialer
	err := fmt.Errorf("no server is up")
	for range f.nodes {
		n := f.nodes[int(f.turn.Add(1))%len(f.nodes)]
		if !n.up() {
			continue
		}
		var c net.Conn
		if c, err = dialer.DialContext(ctx, network, n.addr); err == nil {
			return c, nil
		}
	}
	return nil, err
}

// lobby is the lobby as a player finds it.
func (f *fleet) lobby(player string) *client.Lobby {
	text, err := f.keys.SignPlayer(token.Player{ID: player, Name: player}, time.Hour)
	must(f.t, err)
	return &client.Lobby{URL: f.url, Token: text, HTTP: &f.balanced}
}

// get asks a server for a page as an operator.
func (f *fleet) get(n *node, path string) (status int, body []byte, err error) {
	text, err := f.keys.SignPlayer(token.Player{ID: "operator", Name: "operator", Roles: []string{"admin"}}, time.Hour)
	must(f.t, err)
	return fetch(&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}, "http://"+n.addr+path, text)
}

// ask asks any lobby for a page as a player.
func (f *fleet) ask(player, path string) (status int, body []byte, err error) {
	l := f.lobby(player)
	return fetch(l.HTTP, l.URL+path, l.Token)
}

func fetch(by *http.Client, url, bearer string) (status int, body []byte, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Authorization", "Bearer "+bearer)
	res, err := by.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = res.Body.Close() }()
	body, err = io.ReadAll(res.Body)
	return res.StatusCode, body, err
}

// hosts says which server runs each of these rooms, by the records.
func (f *fleet) hosts(rooms []string) (map[string]*node, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	live, err := cluster.NewNodes(f.rdb, namespace, zap.NewNop()).Live(ctx)
	if err != nil {
		return nil, err
	}
	at := map[string]*node{}
	for _, room := range rooms {
		rec, err := f.dir.Room(ctx, room)
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(f.nodes, func(n *node) bool { return live[rec.Node].URL == "http://"+n.addr })
		if i >= 0 {
			at[room] = f.nodes[i]
		}
	}
	return at, nil
}

// busiest is the server that runs most of these rooms, and how many.
func (f *fleet) busiest(rooms []string) (most *node, n int) {
	f.t.Helper()
	count := map[*node]int{}
	until(f.t, "the rooms' records say who runs them", func() bool {
		at, err := f.hosts(rooms)
		clear(count)
		for _, nd := range at {
			count[nd]++
		}
		return err == nil && len(at) > 0
	})
	for _, nd := range f.nodes {
		if count[nd] > n {
			most, n = nd, count[nd]
		}
	}
	return most, n
}

// tell shows what the servers said, when the test has failed: the end of it, and what went wrong.
func (f *fleet) tell() {
	if !f.t.Failed() && os.Getenv("CHAOS_LOGS") == "" {
		return
	}
	dir := os.Getenv("CHAOS_LOGS")
	for _, n := range f.nodes {
		n.mu.Lock()
		spoken := slices.Clone(n.spoken)
		if n.process != nil {
			spoken = append(spoken, n.process.Output())
		}
		n.mu.Unlock()
		text := strings.Join(spoken, "\n--- started again\n")
		if dir != "" {
			_ = os.WriteFile(filepath.Join(dir, fmt.Sprintf("node%d.log", n.n)), []byte(text), 0o600)
			continue
		}
		f.t.Logf("server %d, %s, said last:\n%s", n.n, n.addr, text[max(0, len(text)-3000):])
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// until waits for what others bring about.
func until(t testing.TB, what string, done func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !done() {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", patience, what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// pass lets a time pass.
func pass(t testing.TB, d time.Duration) {
	t.Helper()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-t.Context().Done():
	}
}
