package edge

import (
	"context"
	"runtime"
	"testing"

	"github.com/coder/websocket"

	"muster/internal/simnet"
	"muster/proto"
)

func inputMessage(t *testing.T, p *peer, seq uint32, dx int64) []byte {
	t.Helper()
	w := proto.NewWriter()
	w.Array(1)
	w.Int(dx)
	body := append([]byte(nil), w.Bytes()...)
	w.Reset()
	m := proto.InputPacket{
		Epoch: p.welcome.Epoch, Last: p.frame.Head.Tick,
		Inputs: []proto.Input{{Seq: seq, Tick: p.frame.Head.Tick + 1, View: p.frame.Head.Tick, Body: body}},
	}
	m.Append(w)
	return w.Bytes()
}

func TestInputIsAcknowledgedInAFrame(t *testing.T) {
	b := newBench(t, grow{}, nil)
	ctx := testContext(t)
	p := b.join(ctx, "r", 1, "alice")
	p.until(ctx, proto.KindFrame)
	if err := p.Write(ctx, websocket.MessageBinary, inputMessage(t, p, 1, 1)); err != nil {
		t.Fatal(err)
	}
	for p.frame.Head.Processed < 1 {
		p.until(ctx, proto.KindFrame)
	}
}

func TestPingIsAnsweredWithTheTickTime(t *testing.T) {
	b := newBench(t, grow{}, nil)
	ctx := testContext(t)
	p := b.join(ctx, "r", 1, "alice")
	w := proto.NewWriter()
	(&proto.Ping{Stamp: 1 << 60}).Append(w)
	if err := p.Write(ctx, websocket.MessageBinary, w.Bytes()); err != nil {
		t.Fatal(err)
	}
	for {
		_, msg, err := p.Read(ctx)
		if err != nil {
			t.Fatal(err)
		}
		r := proto.NewReader(msg)
		if kind, n, _ := proto.ServerKind(r); kind == proto.KindPong {
			var pong proto.Pong
			if err := pong.Parse(r, n); err != nil || pong.Stamp != 1<<60 {
				t.Errorf("pong %+v, %v", pong, err)
			}
			return
		}
	}
}

func TestHugeDeclaredLengthsAllocateNothing(t *testing.T) {
	inBubble(t, grow{}, simnet.Link{}, func(t *testing.T, ctx context.Context, b *bench) {
		for seat, msg := range [][]byte{
			{0xdd, 0xff, 0xff, 0xff, 0xff},
			{0xdf, 0xff, 0xff, 0xff, 0xff},
			{0xc6, 0xff, 0xff, 0xff, 0xff},
			{0xdb, 0xff, 0xff, 0xff, 0xff},
			{0x96, 1, 0, 0, 0, 1, 0xdd, 0xff, 0xff, 0xff, 0xff},
		} {
			p := b.join(ctx, "r", uint16(seat+1), "p")
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			if err := p.Write(ctx, websocket.MessageBinary, msg); err != nil {
				t.Fatal(err)
			}
			p.closed(ctx)
			runtime.ReadMemStats(&after)
			if grown := after.TotalAlloc - before.TotalAlloc; grown > 1<<20 { // the whole process, both ends and a few ticks
				t.Errorf("%x: %d bytes allocated", msg, grown)
			}
		}
	})
}

func TestLeaveClosesDone(t *testing.T) {
	b := newBench(t, grow{}, nil)
	ctx := testContext(t)
	p := b.join(ctx, "r", 1, "alice")
	w := proto.NewWriter()
	(&proto.Leave{}).Append(w)
	if err := p.Write(ctx, websocket.MessageBinary, w.Bytes()); err != nil {
		t.Fatal(err)
	}
	if bye, _ := p.closed(ctx); bye != proto.CodeDone {
		t.Errorf("bye %d", bye)
	}
}

func TestResumeSecretOpensTheNextSocket(t *testing.T) {
	b := newBench(t, grow{}, nil)
	ctx := testContext(t)
	p := b.join(ctx, "r", 1, "alice")
	_ = p.CloseNow()
	again := b.connect(ctx, "r", p.welcome.Resume)
	again.until(ctx, proto.KindFrame)
	if again.welcome.Seat != 1 || again.welcome.Resume == p.welcome.Resume {
		t.Errorf("seat %d, same secret %v", again.welcome.Seat, again.welcome.Resume == p.welcome.Resume)
	}
}

func TestReservedBitsAndUnmaskedFramesAreRefused(t *testing.T) {
	b := newBench(t, grow{}, nil)
	seat := uint16(0)
	for name, frame := range map[string][]byte{
		"unmasked":          {0x82, 0x01, 0x00},
		"reserved bits":     {0xf2, 0x81, 0, 0, 0, 0, 0},
		"reserved opcode":   {0x8b, 0x80, 0, 0, 0, 0},
		"control too large": append([]byte{0x89, 0x80 | 126, 0, 200, 0, 0, 0, 0}, make([]byte, 200)...),
	} {
		seat++ // of its own: a newer socket of the same would be what closes this one
		c := b.rawDial("r", b.seatToken("r", seat, "alice"))
		if _, err := c.Write(frame); err != nil {
			t.Fatal(err)
		}
		if end := goodbye(t, c); end.code != proto.CodeProtocol || end.reason == "" {
			t.Errorf("%s: closed with %+v, want 1002", name, end)
		}
	}
	eventually(t, "all to be counted", func() bool { return b.closes("protocol") == 4 && b.closes("lost") == 0 })
}
