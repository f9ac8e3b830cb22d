package proto_test

import (
	"testing"

	"muster/proto"
)

func TestEveryMessageSurvivesARoundTrip(t *testing.T) {
	for _, s := range samples() {
		got, err := parse(s.from, encode(s.msg))
		if err != nil {
			t.Errorf("%s: %v", s.name, err)
			continue
		}
		if g, w := show(t, got), show(t, s.msg); g != w {
			t.Errorf("%s:\n got %s\nwant %s", s.name, g, w)
		}
	}
}

func TestFramesSurviveARoundTripInSequence(t *testing.T) {
	var got proto.Frame
	var prev *proto.Head
	for _, s := range frameSamples() {
		if err := parseFrame(encodeFrame(&s.frame, prev), &got); err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		if g, w := show(t, got), show(t, s.frame); g != w {
			t.Errorf("%s:\n got %s\nwant %s", s.name, g, w)
		}
		head := s.frame.Head
		prev = &head
	}
}

func TestReusedTargetsKeepNothingOfTheMessageBefore(t *testing.T) {
	long, short := samples()[0].msg, samples()[1].msg
	var m proto.InputPacket
	for _, want := range []message{long, short, long} {
		r := proto.NewReader(encode(want))
		_, n, err := proto.ClientKind(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Parse(r, n); err != nil {
			t.Fatal(err)
		}
		if g, w := show(t, &m), show(t, want); g != w {
			t.Errorf("got %s, want %s", g, w)
		}
	}
}

func TestSteadyFrameHeadIsAtMostSixBytes(t *testing.T) {
	prev := proto.Head{Epoch: 1 << 40, Tick: 90_000, Processed: 80_000, Durable: 80_000, Lead: 2, Scopes: []proto.Watch{0, 3}}
	head := prev
	head.Tick, head.Processed, head.Durable = 90_001, 80_001, 80_001
	w := proto.NewWriter()
	head.Append(w, &prev, nil, 0)
	if w.Len() > 6 {
		t.Errorf("a steady head has %d bytes: %x", w.Len(), w.Bytes())
	}
}

func TestHeadIsAbsoluteWheneverADifferenceWouldNotDo(t *testing.T) {
	prev := proto.Head{Epoch: 5, Tick: 100, Processed: 10, Durable: 10}
	for name, c := range map[string]struct {
		head     proto.Head
		absolute bool
	}{
		"one tick later":      {proto.Head{Epoch: 5, Tick: 101, Processed: 10, Durable: 10}, false},
		"the same tick":       {proto.Head{Epoch: 5, Tick: 100, Processed: 10, Durable: 10}, true},
		"an earlier tick":     {proto.Head{Epoch: 5, Tick: 99, Processed: 10, Durable: 10}, true},
		"a newer epoch":       {proto.Head{Epoch: 6, Tick: 101, Processed: 10, Durable: 10}, true},
		"processed goes back": {proto.Head{Epoch: 5, Tick: 101, Processed: 9, Durable: 9}, true},
	} {
		w := proto.NewWriter()
		c.head.Append(w, &prev, nil, 0)
		kind, _, err := proto.ServerKind(proto.NewReader(w.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		if got := kind&proto.FlagAbsolute != 0; got != c.absolute {
			t.Errorf("%s: absolute = %v", name, got)
		}
	}
}
