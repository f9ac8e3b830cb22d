package edge

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"muster/internal/alone"
	"muster/internal/door"
	"muster/match"
	"muster/netcode"
	"muster/proto"
	"muster/proto/token"
)

// pitch is a game with all that a spectator can be sent: rows that move, come and go, cells that are seen at every tick and
// at each fourth, a state that does not fit into one frame, events.
type pitch struct {
	bulk int
	far  bool
}

type pitchState struct {
	Balls netcode.Table[ball] `net:"max=64"`
	Junk  netcode.Value[junk]
	Tick  netcode.Value[pitchTick]
}

type ball struct {
	X, Y float32 `net:"range=0:100,step=0.1"`
	Name string  `net:"max=24"`
}

type pitchTick struct{ N uint32 }

func (p pitch) Open(r *match.Room[pitchState]) error {
	fill(r.State().Junk.V.Text[:], 'x', p.bulk)
	return nil
}

func (pitch) Step(s *netcode.Step[pitchState, input]) {
	s.State.Tick.V.N = s.Tick
	for id, b := range s.State.Balls.All() {
		b.X, b.Y = wander(b.X, s), wander(b.Y, s)
		if s.Rand().IntN(200) == 0 {
			s.State.Balls.Remove(id)
		}
	}
	if s.State.Balls.Len() < 48 {
		s.State.Balls.Add(ball{X: float32(s.Rand().IntN(100)), Y: float32(s.Rand().IntN(100)), Name: fmt.Sprintf("ball %05d", s.Tick)})
	}
	if s.Rand().IntN(4) == 0 {
		s.Emit(netcode.Everyone(), said{fmt.Sprintf("openword %05d", s.Tick)})
	}
}

func wander(x float32, s *netcode.Step[pitchState, input]) float32 {
	return min(100, max(0, x+float32(s.Rand().IntN(5)-2)))
}

func (p pitch) Scopes(w *pitchState, sc *netcode.Scopes) {
	grid := netcode.Grid{Cell: 20, Cols: 5, Rows: 5, Radius: 15}
	if p.far {
		grid.Far = 45
	}
	sc.Grid(grid)
	for id, b := range w.Balls.All() {
		sc.PlaceAt(&w.Balls, id, float64(b.X), float64(b.Y))
	}
	sc.Spectate(30+float64(w.Tick.V.N%200)/5, 50) // what they are shown moves
}

func pitchGame(t testing.TB, p pitch, rules match.Rules) match.Game {
	t.Helper()
	rules.Spectators, rules.Events = max(1, rules.Spectators), []any{said{}}
	g := match.Define[pitchState, input]("pitch", p, rules)
	if g.Err() != nil {
		t.Fatal(g.Err())
	}
	return g
}

// tape is an audience that keeps what it is told.
type tape struct {
	mu    sync.Mutex
	casts []*match.Cast
}

func (a *tape) Cast(c *match.Cast) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.casts = append(a.casts, c)
}

func (a *tape) Edge() match.Edge                   { return nil }
func (*tape) Seat() netcode.Seat                   { return 0 }
func (*tape) Welcome(*proto.Welcome, token.Resume) {}
func (*tape) Message([]byte)                       {}
func (*tape) Close(proto.Close)                    {}

// record lets a room run and returns what it says to those who watch it.
func record(t *testing.T, g match.Game, seed uint64, d time.Duration) (casts []*match.Cast) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		host, err := match.NewHost(match.HostConfig{Games: []match.Game{g}, Directory: alone.Directory{}})
		if err != nil {
			t.Fatal(err)
		}
		rm, err := host.Open(match.Spec{ID: "r", Game: g.Name(), Seed: seed, Epoch: 5})
		if err != nil {
			t.Fatal(err)
		}
		a := &tape{}
		rm.Attach(match.Attach{Viewer: a, Audience: a, Watch: true, Player: match.Player{ID: "w"}, PlayerExpires: time.Now().Add(time.Hour)})
		time.Sleep(d)
		a.mu.Lock()
		casts = append(casts, a.casts...)
		a.mu.Unlock()
		if err := host.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
	return casts
}

// sight is what a client makes of the messages of a room.
type sight struct {
	t     testing.TB
	dec   *netcode.Decoder
	in    proto.Frame
	seen  map[uint32]string // by tick
	said  []string
	first uint32 // event
	last  uint32 // event
	ticks []uint32
	began []uint32 // the ticks of frames that build on nothing
	ok    *netcode.Schema
}

func newSight(t testing.TB, sc *netcode.Schema) *sight {
	return &sight{t: t, dec: netcode.NewDecoder(sc), seen: map[uint32]string{}, ok: sc}
}

// read takes one message.
func (s *sight) read(msg []byte) {
	s.t.Helper()
	r := proto.NewReader(msg)
	kind, n, err := proto.ServerKind(r)
	switch {
	case err != nil:
	case kind == proto.KindWelcome:
		var m proto.Welcome
		err = m.Parse(r, n)
		s.first, s.last = m.Event, m.Event
	case kind == proto.KindEvents:
		var m proto.Events
		if err = m.Parse(r, n); m.First != s.last+1 {
			s.t.Fatalf("event %d is told after %d", m.First, s.last)
		}
		for _, body := range m.List {
			e, err := s.ok.ReadEvent(body)
			if err != nil {
				s.t.Fatal(err)
			}
			s.said = append(s.said, e.(*said).Text)
			s.last++
		}
	case kind >= proto.KindFrame:
		if err = s.in.Parse(r, kind, n); err == nil {
			err = s.dec.Apply(&s.in)
		}
		tick := s.in.Head.Tick
		if n := len(s.ticks); n > 0 && tick <= s.ticks[n-1] {
			s.t.Fatalf("tick %d comes after tick %d", tick, s.ticks[n-1])
		}
		s.ticks = append(s.ticks, tick)
		if kind&proto.FlagAbsolute != 0 {
			s.began = append(s.began, tick)
		}
		var w pitchState
		if err == nil {
			err = s.dec.Load(&w)
		}
		s.seen[tick] = dump(&w)
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

func dump(w *pitchState) string {
	var b strings.Builder
	junk := 0
	for _, text := range &w.Junk.V.Text {
		junk += len(text)
	}
	fmt.Fprintf(&b, "%d %d;", w.Tick.V.N, junk)
	for id, row := range w.Balls.All() {
		fmt.Fprintf(&b, " %d:%+v", id, *row)
	}
	return b.String()
}

// pen is a connection that keeps what is written to it.
type pen struct {
	net.Conn
	buf []byte
}

func (p *pen) Write(b []byte) (int, error) {
	p.buf = append(p.buf, b...)
	return len(b), nil
}

func (*pen) SetDeadline(time.Time) error      { return nil }
func (*pen) SetReadDeadline(time.Time) error  { return nil }
func (*pen) SetWriteDeadline(time.Time) error { return nil }
func (*pen) Close() error                     { return nil }
func (*pen) Read([]byte) (int, error)         { return 0, io.EOF }

// messages takes apart what was written.
func (p *pen) messages(t testing.TB, each func(msg []byte)) {
	t.Helper()
	b := p.buf
	p.buf = nil
	for len(b) > 0 {
		if len(b) < 2 || b[0] != 0x82 {
			t.Fatalf("no whole frame begins with % x", b[:min(len(b), 4)])
		}
		n, head := int(b[1]), 2
		switch n {
		case 126:
			n, head = int(binary.BigEndian.Uint16(b[2:])), 4
		case 127:
			n, head = int(binary.BigEndian.Uint64(b[2:])), 10 //nolint:gosec // bounded
		}
		each(b[head : head+n])
		b = b[head+n:]
	}
}

// still is a room of which nothing is wanted but its rate and its types.
type still struct {
	Room
	schema *netcode.Schema
}

func (still) Rate() int                 { return 20 }
func (still) ID() string                { return "r" }
func (s still) Schema() *netcode.Schema { return s.schema }

// Whoever comes when, is slow when and asks for keyframes when: he sees at each tick that he is sent what one saw who was
// there from the start, and hears all that is said, once, in order. Only where something is not sent whole at every tick
// it takes the few ticks until he follows.
func TestALateAndSlowSpectatorSeesWhatOneSawWhoWasThereFromTheStart(t *testing.T) {
	for name, p := range map[string]pitch{"near": {bulk: 100}, "far": {bulk: 100, far: true}, "in parts": {bulk: 90_000, far: true}} {
		t.Run(name, func(t *testing.T) {
			g := pitchGame(t, p, match.Rules{})
			casts := record(t, g, 3, 9*time.Second)
			ref := newSight(t, g.Schema())
			begins := 0
			for _, c := range casts {
				if len(c.Frame) > 0 {
					ref.read(c.Frame)
				}
				for _, msg := range c.Said {
					ref.read(msg)
				}
				if c.Begins {
					begins++
				}
			}
			if len(ref.ticks) < 160 || begins < 4 || len(ref.said) < 30 {
				t.Fatalf("%d ticks, %d beginnings, %d events", len(ref.ticks), begins, len(ref.said))
			}
			server := New(Config{Keys: nil})
			defer func() { _ = server.Close(t.Context()) }()
			skips := 0
			rapid.Check(t, func(rt *rapid.T) { skips += follows(t, rt, server, g, casts, ref, p.far) })
			if p.bulk < 1000 && skips < 20 { // else what was missed is less than a keyframe
				t.Errorf("nobody skips: %d", skips)
			}
		})
	}
}

// fan is a connection that watches and what it makes of that.
type fan struct {
	c    *conn
	pen  *pen
	from int // the cast after which it comes
	*sight
}

func newFan(t testing.TB, server *Server, a *audience, sc *netcode.Schema) *fan {
	p := &pen{}
	c := &conn{server: server, watches: true, room: a.room, follow: &follower{audience: a}}
	c.Wire = door.Wire{Carrier: p, Pipe: door.NewPipe(p)}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range map[string]string{
		"Connection": "Upgrade", "Upgrade": "websocket", "Sec-Websocket-Version": "13", "Sec-Websocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
	} {
		req.Header.Set(k, v)
	}
	if c.WS, err = server.upgraders[""].UpgradeFromConn(p, bufio.NewReader(p), req); err != nil {
		t.Fatal(err)
	}
	p.buf = nil
	c.follow.greeting.Store(&proto.Welcome{Version: proto.Version, Room: "r", Schema: sc.Binary(), Rate: 20})
	return &fan{c: c, pen: p, sight: newSight(t, sc)}
}

// joined returns the tick from which on one who began at a tick follows.
func joined(casts []*match.Cast, began uint32) uint32 {
	for _, c := range casts {
		switch {
		case c.Tick == began && c.Begins && c.Entry == nil:
			return began
		case c.Tick >= began && c.Joins:
			return c.Tick
		}
	}
	return casts[len(casts)-1].Tick + 1
}

func follows(t *testing.T, rt *rapid.T, server *Server, g match.Game, casts []*match.Cast, ref *sight, far bool) (skips int) {
	a := &audience{server: server, room: still{schema: g.Schema()}}
	sh := newShard(a)
	var fans []*fan
	for i := range rapid.IntRange(1, 2).Draw(rt, "spectators") {
		f := newFan(t, server, a, g.Schema())
		f.from = rapid.IntRange(0, len(casts)-1).Draw(rt, fmt.Sprint("comes ", i))
		fans = append(fans, f)
	}
	slow := rapid.SampledFrom([]int{0, 3, 30, 90}).Draw(rt, "slow for")
	asks := rapid.Bool().Draw(rt, "asks for keyframes")
	until := make([]int, len(fans))
	for i, c := range casts {
		a.Cast(c)
		sh.ring, sh.heard, sh.holed = a.look(sh.ring)
		sh.used = 0
		for k, f := range fans {
			if i < f.from || i < until[k] {
				continue
			}
			if slow > 0 && rapid.IntRange(0, 9).Draw(rt, "slow") == 0 {
				until[k] = i + rapid.IntRange(1, slow).Draw(rt, "for")
			}
			if asks && f.c.welcomed.Load() && rapid.IntRange(0, 19).Draw(rt, "ask") == 0 {
				f.c.resync.Store(true)
			}
			for sh.serve(f.c) { // a burst has its bound
			}
			f.pen.messages(t, f.read)
		}
	}
	for _, f := range fans {
		if len(f.ticks) == 0 && f.from < len(casts)-slow-2 {
			t.Fatalf("who came after cast %d of %d saw nothing", f.from, len(casts))
		}
		exact, began := uint32(0), f.began
		for _, tick := range f.ticks {
			if len(began) > 0 && tick == began[0] {
				began = began[1:]
				if far {
					exact = joined(casts, tick)
				}
			}
			if tick >= exact && f.seen[tick] != ref.seen[tick] {
				t.Fatalf("at tick %d, begun at %v:\n%s\n%s", tick, f.began, f.seen[tick], ref.seen[tick])
			}
		}
		if want := ref.said[f.first:f.last]; fmt.Sprint(f.said) != fmt.Sprint(want) {
			t.Fatalf("heard %v\nwant  %v", f.said, want)
		}
	}
	return sh.skips
}
