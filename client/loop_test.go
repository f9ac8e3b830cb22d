package client

import (
	"testing"
	"time"

	"muster/internal/race"
	"muster/netcode"
	"muster/proto"
)

// passes makes what a game loop does once a frame: a frame is applied, rows are told, an input is sent and predicted, and
// the whole is shown. n is how many frames there are.
func passes(t testing.TB, n *fakeNode, c *Conn[world, input], fc *fakeConn, frames int) (pass func()) {
	t.Helper()
	if _, err := Predict(c, moves{}, PredictOptions{}); err != nil {
		t.Fatal(err)
	}
	told := 0
	RowsOf(c, dots).OnChange(func(_ netcode.ID, _, _ *dot) { told++ })
	start := time.Now()
	var msgs []message
	for i := range frames {
		n.state.Dots.All()(func(_ netcode.ID, d *dot) bool { d.X++; return true })
		n.step()
		head := &proto.Head{Epoch: 7, Tick: n.tick, Processed: uint32(i), Durable: uint32(i), Scopes: []proto.Watch{0, testSeat}}
		blocks := n.enc.Prepare(&fc.view, head.Scopes)
		w := proto.NewWriter()
		head.Append(w, fc.head, nil, len(blocks))
		for _, b := range blocks {
			b.Append(w)
		}
		fc.head = head
		msgs = append(msgs, message{data: w.Bytes(), at: start.Add(time.Duration(i) * 10 * time.Microsecond)})
	}
	next := 0
	return func() {
		if _, err := c.handle(msgs[next]); err != nil {
			t.Fatal(err)
		}
		next++
		if err := sendNow(c, input{DX: 1}); err != nil {
			t.Fatal(err)
		}
		if _, ok := c.View(time.Now()); !ok {
			t.Fatal("nothing is shown")
		}
		if next == frames && told == 0 {
			t.Error("no row was told")
		}
	}
}

func TestAPassOfAGameLoopAllocatesNothing(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector allocates")
	}
	n, c, fc := shown(t, Options{PingEvery: time.Hour})
	pass := passes(t, n, c, fc, 500)
	c.cause = &CloseError{} // packets are built and not written: the node's reader would allocate meanwhile
	defer func() { c.cause = nil }()
	for range 290 {
		pass()
	}
	if n := testing.AllocsPerRun(200, pass); n != 0 {
		t.Errorf("%v allocations a pass", n)
	}
}
