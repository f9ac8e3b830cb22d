package cmd

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"muster/client"
	"muster/internal/testredis"
	"muster/match"
	"muster/match/journal"
	"muster/netcode"
	"muster/proto"
)

// withKeptRace is the race with a journal.
var withKeptRace = []Game{{Game: match.Define[track, press]("race", race{}, match.Rules{
	TickRate: 60, Seats: 4, Inputs: proto.Commands, Version: "3", Durability: match.Journal, CheckpointEvery: time.Second,
})}}

func TestReplayOfAMatchIsForAdminsAlone(t *testing.T) {
	r := serve(t, withKeptRace, "--key-file", ownKey(t))
	m := r.match("alice", "race")
	dialRace(t, m)
	path := "/v1/admin/replays/" + m.Room
	until(t, "its journal begins", func() bool { return r.ask("GET", path, "boss", "admin").status == 200 })
	a := r.ask("GET", path, "boss", "player", "admin")
	if a.status != 200 || a.header.Get("Content-Type") != "application/octet-stream" ||
		a.header.Get("Content-Disposition") != `attachment; filename="`+m.Room+`.muster"` || a.header.Get("Cache-Control") != "no-store" {
		t.Errorf("got %d with %v", a.status, a.header)
	}
	wantProblem(t, r.ask("GET", path, ""), http.StatusUnauthorized)
	for _, roles := range [][]string{nil, {"metrics"}, {"Admin", "player"}} {
		wantProblem(t, r.ask("GET", path, "alice", roles...), http.StatusForbidden)
	}
	wantProblem(t, r.ask("POST", path, "boss", "admin"), http.StatusNotFound)
	for id, status := range map[string]int{
		strings.Repeat("a", 26): 404, "x": 404, strings.Repeat("a", 65): 422, "a%2F..%2Fb": 422, "%2e%2e": 422, "a*": 422, "a%0d%0ab": 422,
		"%7Bx%7D": 422, "-x": 422, "%22": 422, "_": 422, "a%00": 422, "%F0%9F%98%80": 422,
	} {
		a := r.ask("GET", "/v1/admin/replays/"+id, "boss", "admin")
		if wantProblem(t, a, status); len(a.body) > 300 {
			t.Errorf("%s: an answer of %d bytes", id, len(a.body))
		}
	}
}

func TestReplaysAreOpenInDevelopmentAndAbsentWhereNoneAreKept(t *testing.T) {
	r := serve(t, withKeptRace)
	m := r.match("alice", "race")
	dialRace(t, m)
	until(t, "its journal begins", func() bool { return r.ask("GET", "/v1/admin/replays/"+m.Room, "").status == 200 })
	none := serve(t, withKeptRace, "--journal", "none")
	m = none.match("alice", "race")
	dialRace(t, m)
	wantProblem(t, none.ask("GET", "/v1/admin/replays/"+m.Room, ""), http.StatusNotFound)
}

func TestJournalsInADirectoryAndTheirMetrics(t *testing.T) {
	dir := t.TempDir()
	r := serve(t, withKeptRace, "--journal", "dir:"+dir)
	m := r.match("alice", "race")
	c := dialRace(t, m)
	for range 3 {
		must(t, c.Send(press{Go: true}))
	}
	file := filepath.Join(dir, "ended", m.Room+".muster")
	until(t, "the match is over and its replay there", func() bool { _, err := os.Stat(file); return err == nil })
	if status, out, errs := replayCommand(t, withKeptRace[0].Game, "verify", file); status != 0 || !strings.Contains(out, "the match ended") {
		t.Errorf("exit status %d: %s%s", status, out, errs)
	}
	if a := r.ask("GET", "/metrics", ""); !strings.Contains(a.body, "\nmuster_journal_checkpoints_total ") {
		t.Error("the metrics lack the journals")
	}
}

// brokenStore is a store of which a test says what its exports do.
type brokenStore struct {
	journal.Store
	export func(ctx context.Context, w io.Writer) error
}

func (b brokenStore) Export(ctx context.Context, _ string, w io.Writer) error {
	return b.export(ctx, w)
}

func TestReplayThatCannotBeReadWholeIsNotTakenForOne(t *testing.T) {
	e := newExports(nil, newLogger(io.Discard, "error"))
	mux := http.NewServeMux()
	mux.Handle("GET /{room}", e)
	srv := newTestServer(t, (&server{set: &settings{}, log: e.log, asked: newRequests(prometheus.NewRegistry())}).shared(mux))
	get := func() (status int, body string, err error) {
		res, err := http.Get(srv + "/r1")
		must(t, err)
		defer func() { _ = res.Body.Close() }()
		b, err := io.ReadAll(res.Body)
		return res.StatusCode, string(b), err
	}
	e.store = brokenStore{export: func(context.Context, io.Writer) error { return errors.New("dial tcp 10.1.2.3: refused") }}
	if status, body, err := get(); status != 503 || err != nil || strings.Contains(body, "10.1.2.3") {
		t.Errorf("without Redis: %d, %s, %v", status, body, err)
	}
	e.store = brokenStore{export: func(_ context.Context, w io.Writer) error {
		_, err := w.Write(make([]byte, 1<<17))
		return errors.Join(err, errors.New("lost on the way"))
	}}
	if status, body, err := get(); status != 200 || err == nil {
		t.Errorf("one that breaks: %d, %d bytes, %v; want a broken answer", status, len(body), err)
	}
}

func TestOnlySoManyReplaysAreSentAtOnce(t *testing.T) {
	release, busy := make(chan struct{}), make(chan struct{}, maxExports)
	e := newExports(brokenStore{export: func(_ context.Context, w io.Writer) error {
		busy <- struct{}{}
		<-release
		_, err := w.Write([]byte("x"))
		return err
	}}, newLogger(io.Discard, "error"))
	mux := http.NewServeMux()
	mux.Handle("GET /{room}", e)
	srv := newTestServer(t, mux)
	var wg sync.WaitGroup
	for range maxExports {
		wg.Go(func() {
			res, err := http.Get(srv + "/r1")
			if err != nil || res.StatusCode != 200 {
				t.Errorf("one of the first: %v, %v", res, err)
				return
			}
			_ = res.Body.Close()
		})
	}
	for range maxExports {
		<-busy
	}
	res, err := http.Get(srv + "/r1")
	must(t, err)
	_ = res.Body.Close()
	if res.StatusCode != http.StatusTooManyRequests || res.Header.Get("Retry-After") == "" {
		t.Errorf("one more: %d with %v", res.StatusCode, res.Header)
	}
	close(release)
	wg.Wait()
}

// detour sends handshakes to another server once there is one.
type detour struct {
	first sync.Once
	to    chan string // the new server's address, closed after it
	host  string
}

func (d *detour) RoundTrip(r *http.Request) (*http.Response, error) {
	straight := false
	d.first.Do(func() { straight = true })
	if !straight {
		select {
		case host, ok := <-d.to:
			if ok {
				d.host = host
			}
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
		r = r.Clone(r.Context())
		r.URL.Host = d.host
	}
	return http.DefaultTransport.RoundTrip(r) //nolint:wrapcheck // it is the transport
}

// keptServer is a server of the kept race on a Redis, without its command.
func keptServer(t *testing.T, redis, key string) *server {
	t.Helper()
	set := &settings{
		Listen: "127.0.0.1:0", Namespace: "kept", LogLevel: "error", KeyFile: key, Redis: redis,
		Journal: journalRedis, KeepFor: time.Hour, SlowAfter: 10 * time.Second, WatchMem: 256,
	}
	keys, _, err := set.keys()
	must(t, err)
	s, err := startServer(t.Context(), set, withKeptRace, keys, newLogger(io.Discard, "error"))
	must(t, err)
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s
}

// The host goes on with a match whose server was stopped; which server that is the cluster does not decide yet, so the
// test opens the room in the new one as its owner of a newer epoch.
func TestMatchOutlivesItsServerInRedisAndItsReplayIsProved(t *testing.T) {
	testredis.EachMode(t, matchOutlivesItsServer)
}

func matchOutlivesItsServer(t *testing.T, redis string) {
	key := ownKey(t)
	one := keptServer(t, redis, key)
	r := &running{t: t, url: one.url, keys: one.keys}
	m := r.match("alice", "race")
	way := &detour{to: make(chan string, 1)}
	c, err := client.Dial[track, press](soon(t), m, client.Options{HTTP: &http.Client{Transport: way}, Reconnect: true})
	must(t, err)
	defer func() { _ = c.Close() }()
	steps := func() uint8 {
		for _, row := range c.State().Runners.All() {
			return row.Steps
		}
		return 0
	}
	for range 2 {
		must(t, c.Send(press{Go: true}))
	}
	for steps() < 2 {
		_, err := c.Next(soon(t))
		must(t, err)
	}
	epoch := one.host.Room(m.Room).Epoch()
	must(t, one.Close(context.Background())) // the journal is flushed before Redis is closed

	two := keptServer(t, redis, key) // it takes over what its players ask it for
	u, err := url.Parse(two.url)
	must(t, err)
	way.to <- u.Host
	close(way.to)
	before := c.Stats().Resumes
	for c.Stats().Resumes == before {
		_, err := c.Next(soon(t))
		must(t, err)
	}
	rm := two.host.Room(m.Room)
	if rm == nil || rm.Epoch() <= epoch {
		t.Fatalf("the room is %v, epoch %d before", rm, epoch)
	}
	if got := steps(); got != 2 {
		t.Errorf("the match goes on with %d steps, 2 were made", got)
	}
	must(t, c.Send(press{Go: true}))
	for err = nil; err == nil; {
		_, err = c.Next(soon(t))
	}
	wantClose(t, err, proto.CodeDone)
	<-rm.Done()

	r = &running{t: t, url: two.url, keys: two.keys}
	var a answer
	until(t, "the match has ended in the journal", func() bool {
		a = r.ask("GET", "/v1/admin/replays/"+m.Room, "boss", "admin")
		_, err := two.replays.Load(t.Context(), m.Room, 0)
		return a.status == 200 && errors.Is(err, journal.ErrNone)
	})
	file := filepath.Join(t.TempDir(), "race.muster")
	must(t, os.WriteFile(file, []byte(a.body), 0o600))
	status, out, errs := replayCommand(t, withKeptRace[0].Game, "verify", file)
	if status != 0 || !strings.Contains(out, "the match ended") || strings.Contains(out, "missing") || errs != "" {
		t.Errorf("exit status %d: %s%s", status, out, errs)
	}
	wantProblem(t, r.ask("GET", "/v1/admin/replays/"+m.Room, "alice"), http.StatusForbidden)
}

// stumble is a game whose rules fail at the third input.
type stumble struct{}

func (stumble) Step(s *netcode.Step[track, press]) {
	for _, in := range s.Inputs() {
		if in.Go {
			panic("a bug in the rules")
		}
	}
}

func TestPanicOfRulesLeavesAReplayThatShowsIt(t *testing.T) {
	games := []Game{{Game: match.Define[track, press]("stumble", stumble{}, match.Rules{TickRate: 60, Seats: 4, Inputs: proto.Commands})}}
	home := func() string {
		dir, err := os.UserCacheDir()
		must(t, err)
		return filepath.Join(dir, "muster", "crashes")
	}
	given := filepath.Join(t.TempDir(), "crashes")
	for name, c := range map[string]struct {
		args []string
		dir  func() string
	}{
		"in development":        {nil, home},
		"where it is said":      {[]string{"--key-file", ownKey(t), "--crash-dir", given}, func() string { return given }},
		"nowhere in production": {[]string{"--key-file", ownKey(t)}, nil},
	} {
		t.Setenv("XDG_CACHE_HOME", "")
		r := serve(t, games, append(c.args, "--log-level", "warn")...)
		m := r.match("alice", "stumble")
		conn, err := client.Dial[track, press](soon(t), m, client.Options{})
		must(t, err)
		must(t, conn.Send(press{Go: true}))
		until(t, name+": the panic is logged", func() bool { return strings.Contains(r.stderr.String(), "without the inputs at which") })
		_ = conn.Close()
		if c.dir == nil {
			r.end()
			if _, err := os.Stat(home()); err == nil {
				t.Errorf("%s: a replay was kept", name)
			}
			continue
		}
		var files []string
		until(t, name+": the replay is there", func() bool {
			files, err = filepath.Glob(filepath.Join(c.dir(), m.Room+"-*.muster"))
			return err == nil && len(files) == 1
		})
		until(t, name+": the log names it", func() bool { return strings.Contains(r.stderr.String(), files[0]) })
		status, out, errs := replayCommand(t, games[0].Game, "verify", files[0])
		if status != 1 || !strings.Contains(out, "PANIC at tick") || !strings.Contains(errs, "replays_test.go") {
			t.Errorf("%s: exit status %d: %s%s", name, status, out, errs)
		}
		r.end()
	}
}

// What nobody takes is not held for long.
func TestReplayThatNobodyReadsIsGivenUp(t *testing.T) {
	done := make(chan error, 1)
	e := newExports(brokenStore{export: func(_ context.Context, w io.Writer) error {
		var err error
		for err == nil {
			_, err = w.Write(make([]byte, 1<<20))
		}
		done <- err
		return err
	}}, newLogger(io.Discard, "error"))
	e.stall = 200 * time.Millisecond
	mux := http.NewServeMux()
	mux.Handle("GET /{room}", e)
	c, err := net.Dial("tcp", strings.TrimPrefix(newTestServer(t, mux), "http://"))
	must(t, err)
	defer func() { _ = c.Close() }()
	_, err = io.WriteString(c, "GET /r1 HTTP/1.1\r\nHost: x\r\n\r\n")
	must(t, err)
	select {
	case err := <-done:
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("it ends with %v", err)
		}
	case <-time.After(time.Minute):
		t.Error("it is sent for ever")
	}
}
