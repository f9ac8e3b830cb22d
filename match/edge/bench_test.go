package edge

import (
	"bufio"
	"net"
	"net/http"
	"sync"
	"testing"

	"github.com/lxzan/gws"

	"muster/internal/door"
	"muster/internal/race"
	"muster/match"
	"muster/netcode"
	"muster/proto"
)

// tcpPipe returns a live pipe on loopback and the peer's end.
func tcpPipe(tb testing.TB) (p *door.Pipe, peer net.Conn) {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	if peer, err = net.Dial("tcp", l.Addr().String()); err != nil {
		tb.Fatal(err)
	}
	c, err := l.Accept()
	if err != nil {
		tb.Fatal(err)
	}
	var drained sync.WaitGroup
	p = door.NewPipe(c)
	p.GoLive(&drained, slowAfter, nil)
	tb.Cleanup(func() {
		p.End()
		_ = peer.Close()
		drained.Wait()
	})
	return p, peer
}

// wire is a connection on loopback whose peer reads everything, and the frames of a room for it.
type wire struct {
	t     testing.TB
	c     *conn
	world world
	enc   *netcode.Encoder
	frame match.Frame
	tick  uint32
}

func newWire(tb testing.TB) *wire {
	tb.Helper()
	return newWireTo(tb, func(peer net.Conn) { drainer(peer) })
}

// newWireTo makes a wire whose peer is read by another.
func newWireTo(tb testing.TB, read func(peer net.Conn)) *wire {
	tb.Helper()
	b := newBench(tb, grow{}, nil)
	room, err := b.host.Open(match.Spec{ID: "r", Game: "grow", Epoch: 5})
	if err != nil {
		tb.Fatal(err)
	}
	p, peer := tcpPipe(tb)
	read(peer)
	req, err := http.NewRequestWithContext(tb.Context(), http.MethodGet, "/", http.NoBody)
	if err != nil {
		tb.Fatal(err)
	}
	for k, v := range map[string]string{
		"Connection": "Upgrade", "Upgrade": "websocket", "Sec-Websocket-Version": "13", "Sec-Websocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
	} {
		req.Header.Set(k, v)
	}
	c := &conn{server: b.edge, Wire: door.Wire{Carrier: p, Pipe: p}, seat: 1, room: room}
	if c.WS, err = b.edge.upgraders[""].UpgradeFromConn(p, bufio.NewReader(p), req); err != nil {
		tb.Fatal(err)
	}
	c.welcomed.Store(true)
	w := &wire{t: tb, c: c, enc: netcode.NewEncoder(room.Schema(), netcode.EncoderConfig{})}
	for seat := range netcode.Seat(16) {
		w.world.Dots.Add(dot{Owner: seat + 1})
	}
	w.frame = match.Frame{Room: "r", Encoder: w.enc, Views: []match.View{{Viewer: c}}}
	for range 100 { // every buffer has its size
		w.write()
	}
	return w
}

// write makes a tick and writes its frame.
func (w *wire) write() {
	w.tick++
	for _, d := range w.world.Dots.All() {
		d.X += int32(w.tick % 7)
	}
	w.enc.Capture(w.tick, &w.world)
	w.frame.Views[0].Head = proto.Head{Epoch: 5, Tick: w.tick, Processed: w.tick, Durable: w.tick, Scopes: w.enc.Scopes(1)}
	w.c.server.Send(&w.frame)
}

// inputs are messages as a client sends them, one after the other.
func inputs(n int) (list [][]byte) {
	w := proto.NewWriter()
	for i := range n {
		w.Reset()
		seq := uint32(i + 3)
		(&proto.InputPacket{Epoch: 5, Last: 1, Inputs: []proto.Input{
			{Seq: seq, Tick: seq, Body: []byte{0x91, 1}}, {Seq: seq - 1, Tick: seq, Body: []byte{0x91, 1}}, {Seq: seq - 2, Tick: seq, Body: []byte{0x91, 1}},
		}}).Append(w)
		list = append(list, append([]byte(nil), w.Bytes()...))
	}
	return list
}

func (w *wire) read(msg []byte) {
	if err := w.c.receive(gws.OpcodeBinary, msg); err != nil {
		w.t.Fatal(err)
	}
}

func TestFrameIsWrittenWithoutAllocations(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector makes pools forget")
	}
	w := newWire(t)
	if n := testing.AllocsPerRun(500, w.write); n > 0 {
		t.Errorf("%v allocations a frame", n)
	}
	if w.c.ended.Load() {
		t.Error("the connection was closed")
	}
}

func TestInputIsReadWithoutAllocations(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector makes pools forget")
	}
	w := newWire(t)
	list := inputs(2000)
	for _, msg := range list[:1000] {
		w.read(msg)
	}
	i := 1000
	if n := testing.AllocsPerRun(900, func() { w.read(list[i]); i++ }); n > 0 {
		t.Errorf("%v allocations an input", n)
	}
}

func BenchmarkFrame(b *testing.B) {
	w := newWire(b)
	b.ReportAllocs()
	for b.Loop() {
		w.write()
	}
}

func BenchmarkInput(b *testing.B) {
	w := newWire(b)
	list := inputs(4096)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if i++; i == len(list) {
			i, w.c.lastSeq = 0, 0
		}
		w.read(list[i])
	}
}
