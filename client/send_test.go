package client

import (
	"errors"
	"strings"
	"testing"
	"time"

	"muster/netcode"
	"muster/proto"
)

// A burst of commands must not cost the messages that a server stops listening to: those that have a whole packet before
// them wait for a frame.
func TestSendOfManyCommandsWritesNoMoreThanTheServerTakes(t *testing.T) {
	n := startNode(t)
	n.welcome.Inputs = proto.Commands
	c, fc := n.join(Options{})
	fc.shows(c, 0) // brings what is due at first
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
		fc.shows(c, processed)
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

func TestSamplesThatComeTooFastGiveWayToTheNewest(t *testing.T) {
	n, c, fc := shown(t, Options{})
	began := time.Now()
	for range 2 { // one may be before its time
		if err := sendNow(c, input{DX: 1}); err != nil {
			t.Fatal(err)
		}
	}
	c.sampleAt = began
	if err := c.Send(input{DX: 2}); err != nil {
		t.Fatal(err)
	}
	if spacing := c.sampleAt.Sub(began); c.Stats().InputsSent != 3 || spacing < 30*time.Millisecond { // 0.6 of a tick
		t.Fatalf("%d sent, the next in %v", c.Stats().InputsSent, spacing)
	}
	for about, then := range map[string]func(){
		"Poll": func() { _, _ = c.Poll() },
		"View": func() { _, _ = c.View(time.Now()) },
		"Next": func() { n.step(); fc.frame(0); mustNext(t, c) },
	} {
		sent := c.Stats().InputsSent
		c.sampleAt = time.Now().Add(time.Hour)
		for _, dx := range []int8{3, 4} {
			if err := c.Send(input{DX: dx}); err != nil {
				t.Fatal(err)
			}
		}
		then()
		if got := c.Stats().InputsSent; got != sent {
			t.Errorf("%s: %d inputs are sent before their time", about, got-sent)
		}
		c.sampleAt = time.Time{}
		then()
		then()
		if got := c.Stats().InputsSent; got != sent+1 {
			t.Errorf("%s: %d inputs are sent, want the newest", about, got-sent)
		}
		var in input
		if err := n.schema.ReadInput(c.out.at(c.out.n-1).Body, &in); err != nil || in.DX != 4 {
			t.Errorf("%s: %+v is sent, %v", about, in, err)
		}
	}
}

func TestCommandsDoNotWaitForEachOther(t *testing.T) {
	n := startNode(t)
	n.welcome.Inputs = proto.Commands
	c, _ := n.join(Options{})
	c.sampleAt = time.Now().Add(time.Hour)
	for range 3 {
		if err := c.Send(input{DX: 1}); err != nil {
			t.Fatal(err)
		}
	}
	if got := c.Stats().InputsSent; got != 3 {
		t.Errorf("%d commands are sent, want 3", got)
	}
}

// wordy is an input that may be too long.
type wordy struct {
	Words string `net:"max=4096"`
}

func TestASampleThatWaitsIsNotLostToOneThatCannotBeEncoded(t *testing.T) {
	schema, err := netcode.Compile[world, wordy](boom{})
	if err != nil {
		t.Fatal(err)
	}
	n := startNode(t)
	n.schema, n.enc = schema, netcode.NewEncoder(schema, netcode.EncoderConfig{})
	n.welcome.Schema = schema.Binary()
	c, err := Dial[world, wordy](t.Context(), n.match(), n.options(Options{}))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	tooLong := wordy{Words: strings.Repeat("x", proto.MaxInputBody)}
	for about, due := range map[string]bool{"it is due with Send": true, "it is due later": false} {
		sent := c.Stats().InputsSent
		c.sampleAt = time.Now().Add(time.Hour)
		if err := c.Send(wordy{Words: about}); err != nil {
			t.Fatal(err)
		}
		if due {
			c.sampleAt = time.Time{}
		}
		if err := c.Send(tooLong); err == nil {
			t.Fatalf("%s: an input that is too long is taken", about)
		}
		if got := c.Stats().InputsSent - sent; due != (got == 1) {
			t.Errorf("%s: %d are sent", about, got)
		}
		c.sampleAt = time.Time{}
		_, _ = c.Poll()
		if got := c.Stats().InputsSent - sent; got != 1 {
			t.Fatalf("%s: %d are sent in the end", about, got)
		}
		var in wordy
		if err := schema.ReadInput(c.out.at(c.out.n-1).Body, &in); err != nil || in.Words != about {
			t.Errorf("%s: %+v is sent, %v", about, in, err)
		}
	}
}
