package client

import (
	"errors"
	"testing"
	"time"

	"muster/proto"
)

// A burst of commands must not cost the messages that a server stops listening to: those that have a whole packet before
// them wait for a frame.
func TestSendOfManyCommandsWritesNoMoreThanTheServerTakes(t *testing.T) {
	n := startNode(t)
	n.welcome.Inputs = proto.Commands
	c, fc := n.join(Options{})
	n.step()
	fc.frame(0)
	mustNext(t, c) // brings what is due at first
	for i := range 256 {
		if err := c.Send(input{DX: int8(i % 100)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Send(input{}); !errors.Is(err, ErrBacklog) {
		t.Errorf("command 257: %v, want ErrBacklog", err)
	}
	for i := range uint32(32) {
		if p := wantsInputs(t, fc); p.Inputs[0].Seq != i+1 || len(p.Inputs) != int(i)+1 {
			t.Fatalf("packet %d has %d inputs from %d", i, len(p.Inputs), p.Inputs[0].Seq)
		}
	}
	flushed := func(processed uint32, want ...uint32) { // the newest of each packet
		t.Helper()
		c.written = time.Time{}
		n.step()
		fc.frame(processed)
		mustNext(t, c)
		for _, seq := range want {
			if p := wantsInputs(t, fc); p.Inputs[0].Seq != seq {
				t.Errorf("a packet from %d, want from %d", p.Inputs[0].Seq, seq)
			}
		}
	}
	flushed(0, 32, 64)
	flushed(20, 52, 84)
	flushed(250, 256)
	if err := c.Send(input{DX: 1}); err != nil {
		t.Fatal(err)
	}
	if p := wantsInputs(t, fc); p.Inputs[0].Seq != 257 || len(p.Inputs) != 7 {
		t.Errorf("%d inputs from %d, want 7 from 257", len(p.Inputs), p.Inputs[0].Seq)
	}
}
