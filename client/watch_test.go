package client

import (
	"errors"
	"testing"

	"muster/proto"
)

func TestAWatcherSeesAndHasNoInputs(t *testing.T) {
	n := startNode(t)
	n.welcome.Seat, n.welcome.Resume, n.welcome.Event = 0, "", 40
	var heard []any
	c, fc := n.join(Options{Reconnect: true, OnEvent: func(e Event) { heard = append(heard, e) }})
	n.step()
	fc.send(&proto.Events{Tick: 1, First: 41, List: [][]byte{{0x92, 1, 7}}})
	fc.frame(0)
	mustNext(t, c)
	if got := xs(c); c.Seat() != 0 || len(got) != 2 || len(heard) != 1 {
		t.Errorf("seat %d, dots at %v, events %v", c.Seat(), got, heard)
	}
	for _, d := range c.State().Dots.All() {
		if d.Ammo != 0 {
			t.Errorf("the ammunition of seat %d is seen", d.Owner)
		}
	}
	if err := c.Send(input{DX: 1}); !errors.Is(err, ErrWatching) || len(c.Unprocessed()) != 0 {
		t.Errorf("sending: %v, %v", err, c.Unprocessed())
	}
	_ = fc.ws.CloseNow() // there is no secret to come back with
	for m := range fc.msgs {
		if p, ok := m.(*proto.InputPacket); ok {
			t.Errorf("it says that it has %+v, which nobody asks", p)
		}
	}
	var ce *CloseError
	if err := <-drive(c); !errors.As(err, &ce) {
		t.Errorf("after the socket's end: %v", err)
	}
	select {
	case <-n.conns:
		t.Error("it dialled again without a token")
	default:
	}
}
