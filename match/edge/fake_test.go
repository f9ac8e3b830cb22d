package edge

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"muster/internal/alone"
	"muster/internal/door/doortest"
	"muster/internal/simnet"
	"muster/internal/testmetric"
	"muster/match"
	"muster/netcode"
	"muster/proto"
	"muster/proto/token"
)

type world struct {
	Dots netcode.Table[dot] `net:"max=64"`
	Junk netcode.Value[junk]
}

type junk struct {
	Text [32]string `net:"max=4000"`
}

type dot struct {
	X     int32
	Owner netcode.Seat
}

type input struct {
	DX int8
}

// grow is a game whose state can be made to send a lot each tick. What it counts shows what reached the rules.
type grow struct {
	bulk          int // bytes that change each tick
	once          int // bytes that a keyframe has besides
	inputs, drops *atomic.Int32
}

func (g grow) Step(s *netcode.Step[world, input]) {
	for _, d := range s.State.Dots.All() {
		if in, ok := s.Input(d.Owner); ok {
			d.X += int32(in.DX)
			if g.inputs != nil {
				g.inputs.Add(1)
			}
		}
	}
	fill(s.State.Junk.V.Text[:16], rune('a'+s.Tick%26), g.bulk)
	fill(s.State.Junk.V.Text[16:], 'x', g.once)
}

func fill(text []string, letter rune, n int) {
	for i := range text {
		k := min(n, 4000)
		text[i], n = strings.Repeat(string(letter), k), n-k
	}
}

func (g grow) Drop(*match.Room[world], match.Player) {
	if g.drops != nil {
		g.drops.Add(1)
	}
}

func (grow) Join(r *match.Room[world], p match.Player) error {
	r.State().Dots.Add(dot{Owner: p.Seat})
	return nil
}

// rooms finds one room and burns tokens in memory.
type rooms struct {
	host *match.Host
	game string
	mu   sync.Mutex
	used map[string]bool
	team uint16 // of those who take seats
}

func (r *rooms) Open(_ context.Context, room string) (Room, error) {
	switch room {
	case "gone":
		return nil, &proto.Close{Code: proto.CodeMatchGone, Reason: "no such match"}
	case "broken":
		return nil, errors.New("Redis is down")
	}
	return r.host.Open(match.Spec{ID: room, Game: r.game, Seed: 3, Epoch: 5})
}

func (r *rooms) Running(_ context.Context, room string) (Room, error) {
	if rm := r.host.Room(room); rm != nil {
		return rm, nil
	}
	return nil, &proto.Close{Code: proto.CodeMatchGone, Reason: "no such match"}
}

func (r *rooms) TakeSeat(_ context.Context, _ string, _ uint16, _, id string) (uint16, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.used[id] {
		return 0, &proto.Close{Code: proto.CodeNotYourSeat, Reason: "the token was used"}
	}
	r.used[id] = true
	return r.team, nil
}

// bench is a server with one game.
type bench struct {
	t      testing.TB
	url    string // ws://
	http   *http.Client
	dialer func() (net.Conn, error)
	keys   *token.Keys
	edge   *Server
	host   *match.Host
	metric *prometheus.Registry
	ids    int

	mu      sync.Mutex
	log     bytes.Buffer
	secrets []string // tokens that were made; none may be logged
}

// Write makes the bench the sink of all logs.
func (b *bench) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.log.Write(p)
}

// secret notes a token that no log may show.
func (b *bench) secret(s string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.secrets = append(b.secrets, s)
	return s
}

// checkLog looks for tokens in what was logged: whole ones, and the signature alone.
func (b *bench) checkLog() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.secrets {
		if signature := s[strings.LastIndexByte(s, '.')+1:]; len(signature) > 20 && strings.Contains(b.log.String(), signature) {
			b.t.Errorf("a token is in the log:\n%s", b.log.String())
		}
	}
}

// newBench serves on loopback.
func newBench(t testing.TB, game grow, change func(*Config)) *bench {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := newBenchOn(t, game, change, Listener{Listener: l})
	b.url, b.http = "ws://"+l.Addr().String(), &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	b.dialer = func() (net.Conn, error) { return net.Dial("tcp", l.Addr().String()) }
	return b
}

// newSimBench serves on a network in memory, for tests in a bubble.
func newSimBench(t *testing.T, game grow, link simnet.Link, change func(*Config)) *bench {
	t.Helper()
	l := simnet.Listen(link)
	b := newBenchOn(t, game, change, Listener{Listener: l})
	b.url, b.http = "ws://server", &http.Client{Transport: &http.Transport{DialContext: l.DialContext, DisableKeepAlives: true}}
	b.dialer = func() (net.Conn, error) { return l.Dial(t.Context()) }
	return b
}

func newBenchOn(t testing.TB, game grow, change func(*Config), l net.Listener) *bench {
	t.Helper()
	return newBenchOf(t, match.Define[world, input]("grow", game, match.Rules{Seats: 64, Spectators: 8}), change, l)
}

func newBenchOf(t testing.TB, game match.Game, change func(*Config), l net.Listener) *bench {
	t.Helper()
	b := &bench{t: t, metric: prometheus.NewRegistry()}
	log := zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.AddSync(b), zap.DebugLevel))
	keys, err := token.New([]byte(strings.Repeat("k", 32)), nil)
	if err != nil {
		t.Fatal(err)
	}
	host, err := match.NewHost(match.HostConfig{
		Games: []match.Game{game}, Directory: alone.Directory{}, Log: log,
	})
	if err != nil {
		t.Fatal(err)
	}
	b.keys, b.host = keys, host
	cfg := Config{Rooms: &rooms{host: host, game: game.Name(), used: map[string]bool{}}, Keys: keys, Registerer: b.metric, Log: log}
	if change != nil {
		change(&cfg)
	}
	b.edge = New(cfg)
	mux := http.NewServeMux()
	mux.Handle("GET /v1/match/{room}", b.edge)
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: headerTimeout}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = srv.Serve(l) // until Close
	}()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := errors.Join(host.Close(ctx), b.edge.Close(ctx)); err != nil {
			t.Error(err)
		}
		_ = srv.Close()
		<-served
		b.checkLog()
	})
	return b
}

// headerTimeout is how long the benches' HTTP server waits for a request's head.
const headerTimeout = 5 * time.Second

// seatToken returns a fresh token for a seat, of a player whose own token is good for an hour.
func (b *bench) seatToken(room string, seat uint16, player string) string {
	b.t.Helper()
	return b.seatTokenUntil(room, seat, player, time.Now().Add(time.Hour))
}

// seatTokenUntil does so for a player whose own token ends at a time.
func (b *bench) seatTokenUntil(room string, seat uint16, player string, ends time.Time) string {
	b.t.Helper()
	b.ids++
	s, err := b.keys.SignSeat(token.Seat{
		Room: room, Seat: seat, Player: player, Name: player, ID: player + string(rune('0'+b.ids)),
		PlayerExpires: ends,
	}, time.Minute)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.secret(s)
}

// watchToken returns a token for one who wants to watch.
func (b *bench) watchToken(room, player string) string {
	b.t.Helper()
	return b.watchTokenUntil(room, player, time.Now().Add(time.Hour))
}

func (b *bench) watchTokenUntil(room, player string, ends time.Time) string {
	b.t.Helper()
	s, err := b.keys.SignWatch(token.Watch{Room: room, Player: player, ID: "w", PlayerExpires: ends}, time.Minute)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.secret(s)
}

// dial opens a socket with a bearer header.
func (b *bench) dial(ctx context.Context, room, bearer string) (*websocket.Conn, *http.Response, error) {
	ws, res, err := websocket.Dial(ctx, b.url+"/v1/match/"+room, &websocket.DialOptions{
		HTTPHeader: http.Header{"Authorization": {"Bearer " + bearer}}, Subprotocols: []string{proto.Subprotocol},
		HTTPClient: b.http,
	})
	if err == nil {
		ws.SetReadLimit(proto.MaxServerMessage)
	}
	return ws, res, err
}

// peer is a client that has its welcome.
type peer struct {
	*websocket.Conn
	t       testing.TB
	welcome proto.Welcome
	frame   proto.Frame
	bye     proto.Bye
	renewed proto.Refreshed
	played  uint32 // the newest input that plays has sent
}

func (b *bench) join(ctx context.Context, room string, seat uint16, player string) *peer {
	b.t.Helper()
	return b.connect(ctx, room, b.seatToken(room, seat, player))
}

func (b *bench) connect(ctx context.Context, room, bearer string) *peer {
	b.t.Helper()
	ws, _, err := b.dial(ctx, room, bearer)
	if err != nil {
		b.t.Fatal(err)
	}
	p := &peer{Conn: ws, t: b.t}
	b.t.Cleanup(func() { _ = ws.CloseNow() })
	if kind := p.next(ctx); kind != proto.KindWelcome {
		b.t.Fatalf("the first message is of kind %d (%+v)", kind, p.bye)
	}
	b.secret(p.welcome.Resume)
	return p
}

// next reads one message and returns its kind; 0 when the socket ended.
func (p *peer) next(ctx context.Context) int {
	_, msg, err := p.Read(ctx)
	if err != nil {
		return 0
	}
	r := proto.NewReader(msg)
	kind, n, err := proto.ServerKind(r)
	switch {
	case err != nil:
	case kind == proto.KindWelcome:
		err = p.welcome.Parse(r, n)
	case kind == proto.KindBye:
		err = p.bye.Parse(r, n)
	case kind == proto.KindRefreshed:
		err = p.renewed.Parse(r, n)
	case kind >= proto.KindFrame:
		err = p.frame.Parse(r, kind, n)
		kind = proto.KindFrame
	}
	if err != nil {
		p.t.Error(err)
	}
	return kind
}

// until reads until a message of a kind came.
func (p *peer) until(ctx context.Context, kind int) {
	p.t.Helper()
	for {
		switch got := p.next(ctx); got {
		case kind:
			return
		case 0:
			p.t.Fatalf("the socket ended before a message of kind %d: bye %+v", kind, p.bye)
		}
	}
}

// closed reads to the end and returns the bye's code and the close frame's.
func (p *peer) closed(ctx context.Context) (bye, frame proto.Code) {
	for {
		_, msg, err := p.Read(ctx)
		if err != nil {
			return p.bye.Code, proto.Code(max(0, websocket.CloseStatus(err)))
		}
		r := proto.NewReader(msg)
		if kind, n, err := proto.ServerKind(r); err == nil && kind == proto.KindBye {
			_ = p.bye.Parse(r, n)
		}
	}
}

// metricValue returns a metric without labels.
func (b *bench) metricValue(name string) float64 {
	b.t.Helper()
	return testmetric.Value(b.t, b.metric, name)
}

// closes returns how many sockets the server closed with a code, by its name.
func (b *bench) closes(name string) float64 {
	b.t.Helper()
	return testmetric.Sum(b.t, b.metric, "muster_closes_total", "code="+name)
}

// viewers returns how many viewers get every so-many-eth frame.
func (b *bench) viewers(every string) float64 {
	b.t.Helper()
	return testmetric.Sum(b.t, b.metric, "muster_viewers", "every="+every)
}

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

// rawDial makes the handshake by hand and returns the bare connection.
func (b *bench) rawDial(room, bearer string) net.Conn {
	b.t.Helper()
	c, err := b.dialer()
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = c.Close() })
	doortest.Handshake(b.t, c, "/v1/match/"+room, bearer)
	return c
}

// end is how a server said goodbye: the close frame, 0 when there was none, and the bye before it.
type end struct {
	code   proto.Code
	reason string
	bye    proto.Bye
}

// goodbye reads frames from a bare connection until the close frame.
func goodbye(t testing.TB, c net.Conn) end {
	t.Helper()
	return goodbyeWithin(t, c, time.Minute)
}

func goodbyeWithin(t testing.TB, c net.Conn, d time.Duration) (e end) {
	t.Helper()
	e.code, e.reason = doortest.Goodbye(t, c, d, func(body []byte) {
		m := proto.NewReader(body)
		if kind, n, err := proto.ServerKind(m); err == nil && kind == proto.KindBye {
			if err := e.bye.Parse(m, n); err != nil {
				t.Error(err)
			}
		}
	})
	return e
}
