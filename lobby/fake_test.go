package lobby_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"muster/lobby"
	"muster/lobby/queue"
	"muster/match/cluster"
	"muster/proto/token"
)

const ns = "test"

// testKeys are what every lobby of these tests signs with.
func testKeys(t testing.TB) *token.Keys {
	t.Helper()
	k, err := token.New([]byte("a key of 32 bytes, for these tests"), nil)
	must(t, err)
	return k
}

// duel and arena are the queues of these tests: one that starts with two players and is full, one that anybody joins.
var (
	duel  = queue.Rules{Name: "duel", Game: "arena", TeamSize: 2}
	arena = queue.Rules{Name: "arena", Game: "arena", Min: 1, TeamSize: 3, Backfill: true}
	games = []lobby.Game{{Name: "arena", Rules: "7", Seats: 16}}
)

// place is a lobby and how it is asked.
type place struct {
	*lobby.Lobby
	t       *testing.T
	keys    *token.Keys
	rdb     redis.UniversalClient
	logs    *observer.ObservedLogs
	metrics *prometheus.Registry
	mux     *http.ServeMux
	url     string // of its HTTP server; "" is none: requests are handed to the mux
}

// open starts a lobby; the caller closes it. change may be nil.
func open(t *testing.T, rdb redis.UniversalClient, change func(*lobby.Config)) *place {
	t.Helper()
	core, logs := observer.New(zapcore.DebugLevel)
	p := &place{t: t, keys: testKeys(t), rdb: rdb, logs: logs, mux: http.NewServeMux(), metrics: prometheus.NewRegistry()}
	cfg := lobby.Config{
		Redis: rdb, Namespace: ns, Keys: p.keys, Queues: []queue.Rules{duel, arena}, Games: games,
		Guests: true, Version: "v0", Log: zap.New(core), Registerer: p.metrics,
	}
	if change != nil {
		change(&cfg)
	}
	l, err := lobby.New(cfg)
	must(t, err)
	p.Lobby = l
	l.Register(p.mux)
	return p
}

// Close stops the lobby and looks through what it logged: no token may be in it.
func (p *place) Close() {
	p.Lobby.Close()
	for _, e := range p.logs.All() {
		if line := fmt.Sprint(e.Message, e.ContextMap()); strings.Contains(line, "eyJ") {
			p.t.Errorf("a token was logged: %s", line)
		}
	}
}

// serve gives the lobby a real HTTP server.
func (p *place) serve() {
	s := httptest.NewServer(p.mux)
	p.t.Cleanup(s.Close)
	p.url = s.URL
}

// inBubble runs a test in virtual time, on an embedded Redis.
func inBubble(t *testing.T, test func(t *testing.T, rdb redis.UniversalClient)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		rdb, stop := cluster.Embedded()
		defer func() {
			time.Sleep(time.Second) // a subscription that was closed goes on for a moment
			stop()
		}()
		test(t, rdb)
	})
}

// join registers a node that runs the arena.
func join(t *testing.T, rdb redis.UniversalClient, n cluster.Node) (leave func()) {
	t.Helper()
	if n.Games == nil {
		n.Games = map[string]string{"arena": "7"}
	}
	l, err := joined(rdb, n, nil)
	must(t, err)
	return func() { l(context.Background()) }
}

// joined registers a node that says of itself what now wants.
func joined(rdb redis.UniversalClient, n cluster.Node, now func(*cluster.Node)) (leave func(context.Context), err error) {
	m, err := cluster.NewNodes(rdb, ns, zap.NewNop()).Join(context.Background(), cluster.MemberConfig{Node: n, Now: now})
	if err != nil {
		return nil, err
	}
	return m.Leave, nil
}

var someNode = cluster.Node{ID: "n1", URL: "http://10.0.0.9:7000"}

// answer is what a request got.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// request is one that a test sends.
type request struct {
	method, path string
	token        string // a bearer
	body         string
	header       http.Header
	context      context.Context
}

func (p *place) send(r request) answer {
	p.t.Helper()
	ctx := r.context
	if ctx == nil {
		ctx = context.Background()
	}
	req, err := http.NewRequestWithContext(ctx, r.method, "http://lobby.example"+r.path, strings.NewReader(r.body))
	must(p.t, err)
	for k, v := range r.header {
		req.Header[k] = v
	}
	if r.token != "" {
		req.Header.Set("Authorization", "Bearer "+r.token)
	}
	if r.body != "" && req.Header["Content-Type"] == nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if p.url == "" {
		rec := httptest.NewRecorder()
		req.RemoteAddr = "192.0.2.1:1234"
		p.mux.ServeHTTP(rec, req)
		return answer{rec.Code, rec.Header(), rec.Body.Bytes()}
	}
	req.URL.Host = strings.TrimPrefix(p.url, "http://")
	res, err := http.DefaultClient.Do(req)
	must(p.t, err)
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	must(p.t, err)
	return answer{res.StatusCode, res.Header, b}
}

// player returns a token.
func (p *place) player(id string) string {
	p.t.Helper()
	s, err := p.keys.SignPlayer(token.Player{ID: id, Name: id}, time.Hour)
	must(p.t, err)
	return s
}

// want reads an answer that must have a status.
func want[T any](t *testing.T, a answer, status int) (body T) {
	t.Helper()
	if a.status != status {
		t.Fatalf("status %d, want %d: %s", a.status, status, a.body)
	}
	if err := json.Unmarshal(a.body, &body); err != nil {
		t.Fatalf("%v in %s", err, a.body)
	}
	return body
}

// problem is an error's body.
type problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Errors []struct {
		Message  string `json:"message"`
		Location string `json:"location"`
		Value    any    `json:"value"`
	} `json:"errors"`
}

// wantProblem reads an error, which must have the one shape that all have, and name the field where one is given.
func wantProblem(t *testing.T, a answer, status int, location string) (p problem) {
	t.Helper()
	if got := a.header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("Content-Type %q", got)
	}
	d := json.NewDecoder(bytes.NewReader(a.body))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		t.Fatalf("%v in %s", err, a.body)
	}
	if a.status != status || p.Status != status || p.Title != http.StatusText(status) || p.Detail == "" {
		t.Errorf("status %d with %s, want %d", a.status, a.body, status)
	}
	if location != "" && (len(p.Errors) == 0 || p.Errors[0].Location != location) {
		t.Errorf("the error names %+v, want %s", p.Errors, location)
	}
	if a.header.Get("Retry-After") == "" && (status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable) {
		t.Errorf("%d without Retry-After", status)
	}
	return p
}

// enqueue makes a ticket for a player.
func (p *place) enqueue(player, queue string) lobby.Ticket {
	p.t.Helper()
	a := p.send(request{method: "POST", path: "/v1/tickets", token: p.player(player), body: `{"queue":"` + queue + `"}`})
	return want[lobby.Ticket](p.t, a, http.StatusCreated)
}

// ticket reads a player's ticket; wait is "" or a duration.
func (p *place) ticket(player, id, wait string) lobby.Ticket {
	p.t.Helper()
	path := "/v1/tickets/" + id
	if wait != "" {
		path += "?wait=" + wait
	}
	return want[lobby.Ticket](p.t, p.send(request{method: "GET", path: path, token: p.player(player)}), http.StatusOK)
}

// play enqueues a player and waits for the match.
func (p *place) play(player, queue string) (lobby.Match, token.Seat) {
	p.t.Helper()
	got := p.ticket(player, p.enqueue(player, queue).ID, "20s")
	if got.State != "matched" || got.Match == nil {
		p.t.Fatalf("the ticket of %s is %+v, want it matched", player, got)
	}
	return *got.Match, p.seat(got.Match)
}

// seat reads a match's token.
func (p *place) seat(m *lobby.Match) token.Seat {
	p.t.Helper()
	s, err := p.keys.VerifySeat(m.Token)
	must(p.t, err)
	if s.Room != m.Room {
		p.t.Errorf("the token is for room %s, the match is %s", s.Room, m.Room)
	}
	return s
}

// until waits for a condition that other goroutines bring about.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for !done() {
		if time.Now().After(deadline) {
			t.Fatalf("not within a minute: %s", what)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// take takes a seat whose team is of no interest.
func take(d *cluster.Directory, ctx context.Context, room string, seat uint16, player, token string) error { //nolint:revive // as the method
	_, err := d.TakeSeat(ctx, room, seat, player, token)
	return err
}
