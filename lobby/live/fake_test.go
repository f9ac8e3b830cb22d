package live

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"muster/internal/door"
	"muster/internal/door/doortest"
	"muster/internal/simnet"
	"muster/internal/testmetric"
	"muster/internal/testredis"
	"muster/lobby/inbox"
	"muster/lobby/presence"
	"muster/match/cluster"
	"muster/proto"
	"muster/proto/token"
)

const ns = "test"

// headerTimeout is how long the halls' HTTP servers wait for a request's head.
const headerTimeout = 5 * time.Second

// hall is one process with lobby sockets: its inboxes, presence and bus are on a Redis that others share.
type hall struct {
	t       testing.TB
	server  *Server
	inbox   *inbox.Store
	tracker *presence.Tracker
	bus     *cluster.Bus
	keys    *token.Keys
	metrics *prometheus.Registry
	logs    *observer.ObservedLogs
	deaf    atomic.Bool // notices are lost
	url     string      // ws://
	http    *http.Client
	dialer  func() (net.Conn, error)
}

// newHall serves on loopback, with a Redis of its own.
func newHall(t testing.TB, change func(*Config)) *hall {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	h := newHallOn(t, testredis.Embedded(t), door.Listener{Listener: l}, change)
	h.url, h.http = "ws://"+l.Addr().String(), &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	h.dialer = func() (net.Conn, error) { return net.Dial("tcp", l.Addr().String()) }
	return h
}

// newSimHall serves on a network in memory, for tests in a bubble.
func newSimHall(t testing.TB, rdb redis.UniversalClient, link simnet.Link, change func(*Config)) *hall {
	t.Helper()
	l := simnet.Listen(link)
	h := newHallOn(t, rdb, door.Listener{Listener: l}, change)
	h.url, h.http = "ws://server", &http.Client{Transport: &http.Transport{DialContext: l.DialContext, DisableKeepAlives: true}}
	h.dialer = func() (net.Conn, error) { return l.Dial(t.Context()) }
	return h
}

func newHallOn(t testing.TB, rdb redis.UniversalClient, l net.Listener, change func(*Config)) *hall {
	t.Helper()
	core, logs := observer.New(zapcore.DebugLevel)
	h := &hall{t: t, metrics: prometheus.NewRegistry(), logs: logs}
	var err error
	h.keys, err = token.New([]byte(strings.Repeat("k", 32)), nil)
	must(t, err)
	publish := func(ctx context.Context, list ...cluster.Notice) error {
		if h.deaf.Load() {
			return nil
		}
		return h.bus.Publish(ctx, list...)
	}
	h.inbox = inbox.New(rdb, ns, publish)
	tracker := presence.Config{
		Redis: rdb, Namespace: ns, Publish: func(ctx context.Context, n cluster.Notice) error { return publish(ctx, n) },
	}
	cfg := Config{
		Keys: h.keys, Inbox: h.inbox, Authenticate: h.keys.VerifyPlayer, Registerer: h.metrics, Log: zap.New(core),
	}
	if change != nil {
		change(&cfg)
	}
	ready := make(chan struct{})
	h.bus = cluster.StartBus(rdb, ns, zap.NewNop(), func(n cluster.Notice) {
		<-ready
		if !h.deaf.Load() {
			h.server.Notice(n)
		}
	}, func() { <-ready; h.server.Gap() })
	h.tracker = presence.New(tracker)
	cfg.Presence = h.tracker
	h.server = New(cfg)
	close(ready)
	mux := http.NewServeMux()
	mux.Handle("GET /v1/lobby", h.server)
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: headerTimeout}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = srv.Serve(l) // until Close
	}()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := h.server.Close(ctx); err != nil {
			t.Error(err)
		}
		h.tracker.Close(ctx)
		h.bus.Close()
		_ = srv.Close()
		<-served
		for _, e := range logs.All() {
			if line := fmt.Sprint(e.Message, e.ContextMap()); strings.Contains(line, "eyJ") {
				t.Errorf("a token was logged: %s", line)
			}
		}
	})
	return h
}

// inBubble runs a test in virtual time, on an embedded Redis.
func inBubble(t *testing.T, test func(t *testing.T, ctx context.Context, rdb redis.UniversalClient)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		rdb, stop := cluster.Embedded()
		t.Cleanup(func() {
			time.Sleep(time.Second) // a subscription that was closed goes on for a moment
			stop()
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		test(t, ctx, rdb)
	})
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func testContext(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func (h *hall) token(player string, d time.Duration) string {
	h.t.Helper()
	s, err := h.keys.SignPlayer(token.Player{ID: player, Name: "N" + player}, d)
	must(h.t, err)
	return s
}

// post puts an event into a player's inbox.
func (h *hall) post(player string, body any) {
	h.t.Helper()
	must(h.t, h.inbox.Post(context.Background(), "", "test", body, player))
}

// message is whatever the server may say.
type message struct {
	Hello     *hello           `json:"hello"`
	Missed    bool             `json:"missed"`
	Last      string           `json:"last"`
	Event     *inbox.Event     `json:"event"`
	Published *Published       `json:"published"`
	Presence  []presence.State `json:"presence"`
	Re        uint32           `json:"re"`
	OK        json.RawMessage  `json:"ok"`
	Error     *Problem         `json:"error"`
	Bye       *bye             `json:"bye"`
}

// peer is a client.
type peer struct {
	*websocket.Conn
	t   testing.TB
	bye *bye
	n   uint32
}

func (h *hall) dial(ctx context.Context, bearer string) (*websocket.Conn, *http.Response, error) {
	return websocket.Dial(ctx, h.url+"/v1/lobby", &websocket.DialOptions{
		HTTPHeader: http.Header{"Authorization": {"Bearer " + bearer}}, Subprotocols: []string{proto.SubprotocolLobby}, HTTPClient: h.http,
	})
}

// connect opens a socket and says nothing yet.
func (h *hall) connect(ctx context.Context, bearer string) *peer {
	h.t.Helper()
	ws, _, err := h.dial(ctx, bearer)
	must(h.t, err)
	ws.SetReadLimit(1 << 20)
	h.t.Cleanup(func() { _ = ws.CloseNow() })
	return &peer{Conn: ws, t: h.t}
}

// join opens a socket, says hello and reads the answer.
func (h *hall) join(ctx context.Context, player, after string) (*peer, *hello) {
	h.t.Helper()
	p := h.connect(ctx, h.token(player, time.Hour))
	p.send(ctx, fmt.Sprintf(`{"do":"hello","body":{"after":%q}}`, after))
	m := p.next(ctx)
	if m == nil || m.Hello == nil {
		h.t.Fatalf("no hello but %+v, %+v", m, p.bye)
	}
	return p, m.Hello
}

func (p *peer) send(ctx context.Context, text string) {
	p.t.Helper()
	must(p.t, p.Write(ctx, websocket.MessageText, []byte(text)))
}

// next reads one message; nil when the socket has ended.
func (p *peer) next(ctx context.Context) *message {
	kind, text, err := p.Read(ctx)
	if err != nil {
		return nil
	}
	var m message
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil || kind != websocket.MessageText {
		p.t.Errorf("%v: %v: %s", kind, err, text)
	}
	if m.Bye != nil {
		p.bye = m.Bye
	}
	return &m
}

// event reads until the next event.
func (p *peer) event(ctx context.Context) *inbox.Event {
	p.t.Helper()
	for {
		m := p.next(ctx)
		if m == nil {
			p.t.Fatalf("the socket ended before an event: %+v", p.bye)
		}
		if m.Event != nil {
			return m.Event
		}
	}
}

// ask makes a request and reads its answer.
func (p *peer) ask(ctx context.Context, do, body string) *message {
	p.t.Helper()
	p.n++
	p.send(ctx, fmt.Sprintf(`{"n":%d,"do":%q,"body":%s}`, p.n, do, body))
	for {
		m := p.next(ctx)
		if m == nil {
			p.t.Fatalf("the socket ended before an answer to %s: %+v", do, p.bye)
		}
		if m.Re == p.n {
			return m
		}
	}
}

// closed reads to the end and returns the bye's code and the close frame's.
func (p *peer) closed(ctx context.Context) (byeCode, frame proto.Code) {
	for {
		m, err := p.read(ctx)
		if err != nil {
			if p.bye != nil {
				byeCode = p.bye.Code
			}
			return byeCode, proto.Code(max(0, websocket.CloseStatus(err)))
		}
		if m.Bye != nil {
			p.bye = m.Bye
		}
	}
}

func (p *peer) read(ctx context.Context) (m message, err error) {
	_, text, err := p.Read(ctx)
	if err == nil {
		err = json.Unmarshal(text, &m)
	}
	return m, err
}

// raw makes the handshake by hand and returns the bare connection.
func (h *hall) raw(player string) net.Conn {
	h.t.Helper()
	c, err := h.dialer()
	must(h.t, err)
	h.t.Cleanup(func() { _ = c.Close() })
	doortest.Handshake(h.t, c, "/v1/lobby", h.token(player, time.Hour))
	return c
}

// goodbye reads a bare connection to its end: the close frame's code and reason, and the bye before it.
func (h *hall) goodbye(c net.Conn) (code proto.Code, reason string, said *bye) {
	h.t.Helper()
	code, reason = doortest.Goodbye(h.t, c, 30*time.Second, func(body []byte) {
		var m message
		if err := json.Unmarshal(body, &m); err != nil {
			h.t.Errorf("%v in %s", err, body)
		}
		if m.Bye != nil {
			said = m.Bye
		}
	})
	return code, reason, said
}

// value returns a metric, of all its labels or of these, NAME=VALUE.
func (h *hall) value(name string, labels ...string) float64 {
	h.t.Helper()
	return testmetric.Sum(h.t, h.metrics, name, labels...)
}

func (h *hall) closes(code proto.Code) float64 {
	return h.value("muster_lobby_closes_total", "code="+code.Info().Name)
}

func (h *hall) open() float64 { return h.value("muster_lobby_connections") }

// eventually waits for a condition that another goroutine brings about.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(time.Minute)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline:
			t.Fatalf("waited a minute for %s", what)
		case <-tick.C:
		}
	}
}

var errDown = errors.New("no answer of Redis")
