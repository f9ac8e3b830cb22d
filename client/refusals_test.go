package client

import (
	"fmt"
	"slices"
	"testing"

	"muster/netcode"
	"muster/proto"
)

// refuse says that the rules refused commands.
func (c *fakeConn) refuse(tick, first uint32, seqs ...uint32) {
	m := &proto.Events{Tick: tick, First: first}
	for _, seq := range seqs {
		w := proto.NewWriter()
		w.Array(3)
		w.Uint(proto.EventRefused)
		w.Uint(uint64(seq))
		w.Str("too far")
		m.List = append(m.List, w.Bytes())
	}
	c.send(m)
}

func TestARefusalIsToldWithWhatWasGivenToSend(t *testing.T) {
	n := startNode(t)
	n.welcome.Inputs, n.welcome.Seq = proto.Commands, 40
	c, fc := n.join(Options{})
	send := func(dx int8) {
		t.Helper()
		if err := c.Send(input{DX: dx}); err != nil {
			t.Fatal(err)
		}
	}
	send(1) // before anybody listens
	var told []string
	off := c.OnRefusal(func(r Refusal[input]) {
		told = append(told, fmt.Sprintf("%d #%d: %d %q %d %v", r.Tick, r.Number, r.Seq, r.Reason, r.Input.DX, r.Known))
	})
	send(2)
	hear := func(first uint32, seqs ...uint32) {
		t.Helper()
		n.step()
		fc.refuse(n.tick, first, seqs...)
		fc.frame(42)
		mustNext(t, c)
	}
	hear(1, 41, 42, 7) // the last is another program's
	want := []string{`1 #1: 41 "too far" 1 true`, `1 #2: 42 "too far" 2 true`, `1 #3: 7 "too far" 0 false`}
	if !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
	off()
	if hear(4, 42); len(told) != 3 {
		t.Errorf("told %q after the end", told)
	}
}

func TestWhatAnotherHostCostIsCounted(t *testing.T) {
	n := startNode(t)
	n.tick, n.welcome.Tick = 1000, 1000
	c, fc := n.shown(Options{})
	if got := c.Stats().Takeover; got != (Takeover{}) {
		t.Errorf("with one host: %+v", got)
	}
	n.tick, n.welcome.Epoch, fc.view = 960, 8, netcode.View{}
	n.enc = netcode.NewEncoder(n.schema, netcode.EncoderConfig{})
	fc.shows(c, 0)
	if got := c.Stats().Takeover; got.Count != 1 || got.RolledBack != 40 || got.Paused <= 0 {
		t.Errorf("with the second: %+v", got)
	}
}
