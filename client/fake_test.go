package client

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"muster/netcode"
	"muster/proto"
)

// The game that the tests play.
type (
	world struct {
		Dots  netcode.Table[dot] `net:"max=64"`
		Round netcode.Value[round]
	}
	dot struct {
		X     int16
		Owner netcode.Seat
		Ammo  uint8 `net:"owner"`
	}
	round struct{ Left uint16 }
	input struct{ DX int8 }
	boom  struct{ N uint16 }
)

const (
	testSeat  = 3
	testToken = "seat-token"
	testRate  = 20
	waitLong  = time.Minute // for what should come at once
)

// fakeNode is a match node with one room of one seat, which the test drives by hand.
type fakeNode struct {
	t      testing.TB
	srv    *httptest.Server
	schema *netcode.Schema
	state  world
	enc    *netcode.Encoder
	tick   uint32
	conns  chan *fakeConn

	mu      sync.Mutex
	refuse  int           // a status instead of a socket
	bye     *proto.Bye    // instead of a welcome
	speaks  string        // the subprotocol; "" = ours
	welcome proto.Welcome // what the next socket gets
}

// fakeConn is one socket, seen from the node.
type fakeConn struct {
	node   *fakeNode
	ws     *websocket.Conn
	bearer string
	view   netcode.View
	head   *proto.Head
	msgs   chan any // parsed messages; closed at the socket's end
}

func startNode(t testing.TB) *fakeNode {
	t.Helper()
	schema, err := netcode.Compile[world, input](boom{})
	if err != nil {
		t.Fatal(err)
	}
	n := &fakeNode{t: t, schema: schema, conns: make(chan *fakeConn, 16), enc: netcode.NewEncoder(schema, netcode.EncoderConfig{})}
	n.welcome = proto.Welcome{
		Version: proto.Version, Room: "r1", Game: "dots", Rules: "1", Seat: testSeat, Player: "p1", Epoch: 7, Rate: testRate,
		Schema: schema.Binary(), Resume: "resume-1",
	}
	n.srv = httptest.NewServer(http.HandlerFunc(n.serve))
	t.Cleanup(n.srv.Close)
	n.state.Dots.Add(dot{X: 10, Owner: testSeat, Ammo: 9})
	n.state.Dots.Add(dot{X: 20, Owner: 4, Ammo: 8})
	return n
}

// set changes what the next handshake meets.
func (n *fakeNode) set(f func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	f()
}

func (n *fakeNode) serve(w http.ResponseWriter, r *http.Request) {
	n.mu.Lock()
	refuse, bye, welcome, speaks := n.refuse, n.bye, n.welcome, n.speaks
	n.mu.Unlock()
	if speaks == "" {
		speaks = proto.Subprotocol
	}
	if refuse != 0 {
		reply(w, refuse, `{"detail":"no seat for you"}`)
		return
	}
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{speaks}})
	if err != nil {
		n.t.Errorf("accepting: %v", err)
		return
	}
	defer func() { _ = ws.CloseNow() }()
	bearer, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	c := &fakeConn{node: n, ws: ws, bearer: bearer, msgs: make(chan any, 1024)}
	if bye != nil {
		c.send(bye)
		return
	}
	c.send(&welcome)
	n.conns <- c
	c.read()
}

func (c *fakeConn) read() {
	defer close(c.msgs)
	r := proto.NewReader(nil)
	for {
		_, b, err := c.ws.Read(context.Background())
		if err != nil {
			return
		}
		r.Reset(b)
		kind, n, err := proto.ClientKind(r)
		var m any
		switch kind {
		case proto.KindInput:
			p := &proto.InputPacket{}
			err, m = p.Parse(r, n), p
		case proto.KindPing:
			p := &proto.Ping{}
			err, m = p.Parse(r, n), p
		case proto.KindResync:
			p := &proto.Resync{}
			err, m = p.Parse(r, n), p
		case proto.KindRefresh:
			p := &proto.Refresh{}
			err, m = p.Parse(r, n), p
		case proto.KindLeave:
			p := &proto.Leave{}
			err, m = p.Parse(r, n), p
		}
		if err != nil {
			c.node.t.Errorf("the client sent kind %d: %v", kind, err)
		}
		c.msgs <- m
	}
}

// wants returns the next message of type M, passing over others.
func wants[M any](t testing.TB, c *fakeConn) M {
	t.Helper()
	timeout := time.After(waitLong)
	for {
		select {
		case m, ok := <-c.msgs:
			if !ok {
				t.Fatalf("the socket ended before the client sent a %T", *new(M))
			}
			if m, ok := m.(M); ok {
				return m
			}
		case <-timeout:
			t.Fatalf("the client sent no %T", *new(M))
		}
	}
}

// wantsInputs returns the next packet that has inputs.
func wantsInputs(t testing.TB, c *fakeConn) *proto.InputPacket {
	t.Helper()
	for {
		if p := wants[*proto.InputPacket](t, c); len(p.Inputs) > 0 {
			return p
		}
	}
}

type appender interface{ Append(*proto.Writer) }

func (c *fakeConn) send(m appender) {
	w := proto.NewWriter()
	m.Append(w)
	c.write(w.Bytes())
}

func (c *fakeConn) write(b []byte) {
	ctx, cancel := context.WithTimeout(context.Background(), waitLong)
	defer cancel()
	_ = c.ws.Write(ctx, websocket.MessageBinary, b) // tests end sockets while they are written
}

func (c *fakeConn) close(code proto.Code, reason string) {
	_ = c.ws.Close(websocket.StatusCode(code), reason)
}

// step captures the state as the next tick.
func (n *fakeNode) step() {
	n.tick++
	n.enc.Capture(n.tick, &n.state)
}

// frame sends the newest tick.
func (c *fakeConn) frame(processed uint32, hashes ...proto.Hash) {
	c.blocks(c.node.tick, processed, c.node.enc.Prepare(&c.view, c.node.scopes()), hashes...)
}

// blocks sends a frame with these blocks.
func (c *fakeConn) blocks(tick, processed uint32, blocks []proto.Block, hashes ...proto.Hash) {
	head := &proto.Head{
		Epoch: c.node.welcome.Epoch, Tick: tick, Processed: processed, Durable: processed,
		Scopes: append([]proto.Watch(nil), c.node.scopes()...),
	}
	w := proto.NewWriter()
	head.Append(w, c.head, hashes, len(blocks))
	for _, b := range blocks {
		b.Append(w)
	}
	c.head = head
	c.write(w.Bytes())
}

// shows makes a tick, sends it as frame does, and has the client read it.
func (c *fakeConn) shows(to *Conn[world, input], processed uint32, hashes ...proto.Hash) *Frame {
	c.node.t.Helper()
	c.node.step()
	c.frame(processed, hashes...)
	return mustNext(c.node.t, to)
}

func (n *fakeNode) match() Match {
	return Match{Room: "r1", URL: "ws" + strings.TrimPrefix(n.srv.URL, "http"), Token: testToken}
}

// options are the test's own, so that no connection outlives it.
func (n *fakeNode) options(o Options) Options {
	o.HTTP, o.Events = n.srv.Client(), []any{boom{}}
	return o
}

// join dials and returns both ends.
func (n *fakeNode) join(o Options) (*Conn[world, input], *fakeConn) {
	n.t.Helper()
	c, err := Dial[world, input](n.t.Context(), n.match(), n.options(o))
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { _ = c.Close() })
	return c, n.next()
}

// shown is join, and shows the first frame.
func (n *fakeNode) shown(o Options) (*Conn[world, input], *fakeConn) {
	n.t.Helper()
	c, fc := n.join(o)
	fc.shows(c, 0)
	return c, fc
}

// join starts a node that the test changes nothing of, and joins it; shown shows the first frame, too.
func join(t testing.TB, o Options) (*fakeNode, *Conn[world, input], *fakeConn) {
	t.Helper()
	n := startNode(t)
	c, fc := n.join(o)
	return n, c, fc
}

func shown(t testing.TB, o Options) (*fakeNode, *Conn[world, input], *fakeConn) {
	t.Helper()
	n := startNode(t)
	c, fc := n.shown(o)
	return n, c, fc
}

// next returns the next socket that was accepted.
func (n *fakeNode) next() *fakeConn {
	n.t.Helper()
	select {
	case c := <-n.conns:
		return c
	case <-time.After(waitLong):
		n.t.Fatal("the client opened no socket")
		return nil
	}
}

// mustNext returns the next frame.
func mustNext(t testing.TB, c *Conn[world, input]) *Frame {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), waitLong)
	defer cancel()
	f, err := c.Next(ctx)
	if err != nil {
		t.Fatalf("next frame: %v", err)
	}
	return f
}

// xs returns the state's dots, in the order of ids.
func xs(c *Conn[world, input]) (list []int16) {
	for _, d := range c.State().Dots.All() {
		list = append(list, d.X)
	}
	return list
}

// scopes are those of the seat that the welcome names.
func (n *fakeNode) scopes() []proto.Watch {
	if n.welcome.Seat == 0 {
		return n.enc.PublicScopes()
	}
	return n.enc.Scopes(netcode.Seat(n.welcome.Seat))
}

// booms is a message of events, from a number on.
func (n *fakeNode) booms(tick, first uint32, values ...uint16) *proto.Events {
	n.t.Helper()
	m := &proto.Events{Tick: tick, First: first}
	for _, v := range values {
		w := proto.NewWriter()
		if err := n.schema.WriteEvent(w, boom{v}); err != nil {
			n.t.Fatal(err)
		}
		m.List = append(m.List, w.Bytes())
	}
	return m
}

// sendNow sends an input, a sample too soon after others as well.
func sendNow(c *Conn[world, input], in input) error {
	c.sampleAt = time.Time{}
	return c.Send(in)
}
