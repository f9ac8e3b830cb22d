package bridge

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"muster/internal/alone"
	"muster/internal/race"
	"muster/match"
	"muster/match/edge"
	"muster/netcode"
	"muster/proto"
	"muster/proto/token"
)

// stage is a room's states for so many viewers, of one edge: of this process, or of another.
type stage struct {
	t     testing.TB
	world bank
	enc   *netcode.Encoder
	tick  uint32
	frame match.Frame
	edge  match.Edge
}

func newStage(t testing.TB, game match.Game, viewers []match.Viewer) *stage {
	t.Helper()
	s := &stage{t: t, enc: netcode.NewEncoder(game.Schema(), netcode.EncoderConfig{}), edge: viewers[0].Edge()}
	s.frame = match.Frame{Room: "r", Encoder: s.enc}
	for _, v := range viewers {
		s.world.Accounts.Add(account{Owner: v.Seat(), X: float32(v.Seat())})
		s.frame.Views = append(s.frame.Views, match.View{Viewer: v})
	}
	for range 200 { // every buffer has its size
		s.next()
	}
	return s
}

// next makes a tick.
func (s *stage) next() {
	s.capture()
	s.edge.Send(&s.frame)
}

func (s *stage) capture() {
	s.tick++
	for _, a := range s.world.Accounts.All() {
		if a.X += 0.5 * float32(1+s.tick%3); a.X > 900 {
			a.X = 0
		}
		a.N++
		a.Pin += s.tick % 7
	}
	s.enc.Capture(s.tick, &s.world)
	for i := range s.frame.Views {
		v := &s.frame.Views[i]
		v.Head = proto.Head{Epoch: 1, Tick: s.tick, Processed: s.tick, Durable: s.tick, Scopes: s.enc.Scopes(v.Viewer.Seat())}
	}
}

// nothing is a network that takes everything.
type nothing struct{ bytes, messages atomic.Int64 }

func (n *nothing) Send(_ string, msg []byte) bool {
	n.messages.Add(1)
	n.bytes.Add(int64(len(msg)))
	return true
}

// remoteStage is a stage whose viewers are at another node.
func remoteStage(t testing.TB, n int) (*stage, *session, *nothing) {
	t.Helper()
	game := bankGame(&teller{}, match.Rules{Seats: 64})
	host, err := match.NewHost(match.HostConfig{Games: []match.Game{game}, Directory: alone.Directory{}})
	if err != nil {
		t.Fatal(err)
	}
	net := &nothing{}
	b := New(Config{Network: net, Find: func(context.Context, string, bool) (edge.Hosted, error) {
		return nil, &proto.Close{Code: proto.CodeMatchGone, Reason: "none"}
	}})
	t.Cleanup(func() {
		if err := host.Close(context.Background()); err != nil { //nolint:usetesting // the test's is over
			t.Error(err)
		}
		if err := b.Close(context.Background()); err != nil { //nolint:usetesting // the test's is over
			t.Error(err)
		}
	})
	e := &remoteEdge{b: b, id: "n1", sessions: map[uint64]*session{}}
	s := &session{b: b, edge: e, id: 1, writer: proto.NewWriter(), viewers: map[uint64]*viewer{}}
	s.want.Store(1)
	if s.inst, err = host.Open(match.Spec{ID: "r", Game: "bank", Epoch: 1}); err != nil {
		t.Fatal(err)
	}
	var viewers []match.Viewer
	for i := range n {
		v := &viewer{session: s, id: uint64(i + 1), seat: netcode.Seat(i + 1)} //nolint:gosec // a few
		s.viewers[v.id] = v
		viewers = append(viewers, v)
	}
	return newStage(t, game, viewers), s, net
}

// sockets are a room's viewers with sockets of this process, which others read.
type sockets struct {
	*match.Instance
	viewers chan match.Viewer
}

func (s *sockets) Attach(a match.Attach) bool {
	a.Viewer.Welcome(&proto.Welcome{Version: proto.Version, Rate: 20, Seat: uint16(a.Viewer.Seat())}, token.Resume{Room: "r", Seat: uint16(a.Viewer.Seat()), Player: a.Player.ID})
	s.viewers <- a.Viewer
	return true
}

func (*sockets) Detach(match.Viewer) {}

func (s *sockets) Open(context.Context, string) (edge.Room, error)    { return s, nil }
func (s *sockets) Running(context.Context, string) (edge.Room, error) { return s, nil }

func (*sockets) TakeSeat(context.Context, string, uint16, string, string) (uint16, error) {
	return 0, nil
}

// localStage is a stage whose viewers have sockets of this process.
func localStage(t testing.TB, n int) *stage {
	t.Helper()
	game := bankGame(&teller{}, match.Rules{Seats: 64})
	f := &field{t: t}
	var err error
	if f.keys, err = token.New([]byte(fmt.Sprintf("%032d", 1)), nil); err != nil {
		t.Fatal(err)
	}
	host, err := match.NewHost(match.HostConfig{Games: []match.Game{game}, Directory: alone.Directory{}})
	if err != nil {
		t.Fatal(err)
	}
	inst, err := host.Open(match.Spec{ID: "r", Game: "bank", Epoch: 1})
	if err != nil {
		t.Fatal(err)
	}
	rooms := &sockets{inst, make(chan match.Viewer, n)}
	server := edge.New(edge.Config{Rooms: rooms, Keys: f.keys})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /v1/match/{room}", server)
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = srv.Serve(edge.Listener{Listener: l}) // until Close
	}()
	t.Cleanup(func() {
		if err := host.Close(context.Background()); err != nil { //nolint:usetesting // the test's is over
			t.Error(err)
		}
		if err := server.Close(context.Background()); err != nil { //nolint:usetesting // the test's is over
			t.Error(err)
		}
		_ = srv.Close()
		<-served
	})
	var viewers []match.Viewer
	for i := range n {
		c, _, err := websocket.Dial(t.Context(), "ws://"+l.Addr().String()+"/v1/match/r", &websocket.DialOptions{
			HTTPHeader:   http.Header{"Authorization": {"Bearer " + f.seatToken("r", uint16(i+1))}}, //nolint:gosec // a few
			Subprotocols: []string{proto.Subprotocol},
		})
		if err != nil {
			t.Fatal(err)
		}
		c.SetReadLimit(1 << 20)
		go func() { // ends with the server
			for {
				_, r, err := c.Reader(context.Background())
				if err != nil {
					return
				}
				_, _ = io.Copy(io.Discard, r)
			}
		}()
		viewers = append(viewers, <-rooms.viewers)
	}
	return newStage(t, game, viewers)
}

func TestTheTicksOfABridgedRoomAreSentWithoutAllocations(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector makes pools forget")
	}
	s, _, _ := remoteStage(t, 16)
	if n := testing.AllocsPerRun(500, s.next); n > 0 {
		t.Errorf("%v allocations a tick", n)
	}
}

func TestTheInputsOfABridgedRoomAreTakenWithoutAllocations(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector makes pools forget")
	}
	_, s, _ := remoteStage(t, 1)
	s.register()
	msg := inputMessage()
	if n := testing.AllocsPerRun(500, func() { s.b.Receive("n1", msg) }); n > 0.1 { // the room's mailbox grows
		t.Errorf("%v allocations an input", n)
	}
}

// register makes the bridge know a session.
func (s *session) register() {
	s.b.mu.Lock()
	defer s.b.mu.Unlock()
	s.b.edges[s.edge.id] = s.edge
	s.edge.sessions[s.id] = s
}

// inputMessage is a packet of the first viewer's with an order and two repeats.
func inputMessage() []byte {
	w, packet := proto.NewWriter(), proto.NewWriter()
	(&proto.InputPacket{Epoch: 1, Last: 1, Inputs: []proto.Input{
		{Seq: 3, Tick: 3, Body: []byte{0x91, 1}}, {Seq: 2, Tick: 2, Body: []byte{0x91, 1}}, {Seq: 1, Tick: 1, Body: []byte{0x91, 1}},
	}}).Append(packet)
	begin(w, 8, kindInput, 1)
	w.Uint(0)
	w.Uint(0)
	w.Uint(1)
	w.Uint(1)
	w.Uint(1)
	w.Bin(packet.Bytes())
	return slices.Clone(w.Bytes())
}

// BenchmarkHost compares what a tick costs a room's host: with the sockets of all its clients, and with one message to
// the node that has them. A tick's capture is measured by itself, and is in all of them.
func BenchmarkHost(b *testing.B) {
	for _, n := range []int{16, 50} {
		b.Run(fmt.Sprintf("capture-%d", n), func(b *testing.B) {
			s, _, _ := remoteStage(b, n)
			b.ReportAllocs()
			for b.Loop() {
				s.capture()
			}
		})
		b.Run(fmt.Sprintf("direct-%d", n), func(b *testing.B) {
			s := localStage(b, n)
			b.ReportAllocs()
			for b.Loop() {
				s.next()
			}
		})
		b.Run(fmt.Sprintf("bridged-%d", n), func(b *testing.B) {
			s, _, net := remoteStage(b, n)
			net.bytes.Store(0)
			net.messages.Store(0)
			b.ReportAllocs()
			for b.Loop() {
				s.next()
			}
			b.ReportMetric(float64(net.bytes.Load())/float64(net.messages.Load()), "bytes/tick")
		})
	}
}

func BenchmarkHostInput(b *testing.B) {
	_, s, _ := remoteStage(b, 1)
	s.register()
	msg := inputMessage()
	b.ReportAllocs()
	for b.Loop() {
		s.b.Receive("n1", msg)
	}
}
