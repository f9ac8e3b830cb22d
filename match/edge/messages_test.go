package edge

import (
	"bytes"
	"runtime"
	"testing"
	"time"

	"github.com/coder/websocket"

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

func TestMalformedMessagesCloseTheSocketWithTheirCode(t *testing.T) {
	b := newBench(t, grow{}, nil)
	ctx := testContext(t)
	bystander := b.join(ctx, "r", 64, "bystander")
	seat := uint16(0)
	for name, c := range map[string]struct {
		msg  func(p *peer) []byte
		text bool
		want proto.Code
	}{
		"empty":              {func(*peer) []byte { return nil }, false, proto.CodeBadPayload},
		"not MessagePack":    {func(*peer) []byte { return []byte{0xc1} }, false, proto.CodeBadPayload},
		"not an array":       {func(*peer) []byte { return []byte{1} }, false, proto.CodeBadPayload},
		"unknown kind":       {func(*peer) []byte { return []byte{0x91, 77} }, false, proto.CodeProtocol},
		"wrong shape":        {func(*peer) []byte { return []byte{0x92, proto.KindInput, 1} }, false, proto.CodeBadPayload},
		"huge array":         {func(*peer) []byte { return []byte{0xdd, 0xff, 0xff, 0xff, 0xff} }, false, proto.CodeBadPayload},
		"trailing bytes":     {func(p *peer) []byte { return append(inputMessage(t, p, 1, 1), 0) }, false, proto.CodeBadPayload},
		"input out of range": {func(p *peer) []byte { return inputMessage(t, p, 1, 300) }, false, proto.CodeBadPayload},
		"text":               {func(*peer) []byte { return []byte("hello") }, true, proto.CodeWrongType},
		"too large":          {func(*peer) []byte { return bytes.Repeat([]byte{0}, proto.MaxClientMessage+1) }, false, proto.CodeTooBig},
	} {
		seat++
		p := b.join(ctx, "r", seat, name)
		kind := websocket.MessageBinary
		if c.text {
			kind = websocket.MessageText
		}
		if err := p.Write(ctx, kind, c.msg(p)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		bye, frame := p.closed(ctx)
		if frame != c.want || bye != c.want && c.want != proto.CodeTooBig {
			t.Errorf("%s: bye %d, close frame %d, want %d", name, bye, frame, c.want)
		}
		if bye != 0 && p.bye.Reason == "" {
			t.Errorf("%s: no reason", name)
		}
	}
	bystander.until(ctx, proto.KindFrame)
}

// A frame whose 64-bit length has its top bit set makes gws slice out of range, outside of its own recovery.
func TestNegativeLengthFrameEndsOneSocketAndFreesTheSeat(t *testing.T) {
	b := newBench(t, grow{}, nil)
	ctx := testContext(t)
	bystander := b.join(ctx, "r", 2, "bob")
	c := b.rawDial("r", b.seatToken("r", 1, "alice"))
	eventually(t, "both to be connected", func() bool { return b.metricValue("muster_connections") == 2 })
	frame := []byte{0x82, 0x80 | 127, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4}
	if _, err := c.Write(frame); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the socket to be gone", func() bool { return b.metricValue("muster_connections") == 1 })
	if b.metricValue("muster_reader_panics_total") != 1 {
		t.Error("the panic is not counted")
	}
	bystander.until(ctx, proto.KindFrame)
	again := b.join(ctx, "r", 1, "alice") // the seat is held for its player, and free for nobody else
	again.until(ctx, proto.KindFrame)
}

func TestHugeDeclaredLengthsAllocateNothing(t *testing.T) {
	b := newBench(t, grow{}, nil)
	ctx := testContext(t)
	for seat, msg := range [][]byte{
		{0xdd, 0xff, 0xff, 0xff, 0xff}, {0xdf, 0xff, 0xff, 0xff, 0xff}, {0xc6, 0xff, 0xff, 0xff, 0xff}, {0xdb, 0xff, 0xff, 0xff, 0xff},
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
}

func TestFloodIsDroppedThenClosed4429(t *testing.T) {
	b := newBench(t, grow{}, nil)
	ctx := testContext(t)
	p := b.join(ctx, "r", 1, "alice")
	done := make(chan struct{})
	go func() {
		defer close(done)
		msg := inputMessage(t, p, 1, 1)
		for range 2000 {
			if p.Write(ctx, websocket.MessageBinary, msg) != nil {
				return
			}
		}
	}()
	if bye, frame := p.closed(ctx); bye != proto.CodeRate && frame != proto.CodeRate {
		t.Errorf("bye %d, close frame %d", bye, frame)
	}
	<-done
	if b.metricValue("muster_messages_limited_total") == 0 {
		t.Error("nothing was counted as limited")
	}
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

// A peer that does not read is passed over, costs no more than its tail and buffers, and is closed.
func TestPeerThatNeverReadsIsBoundedAndDelaysNobody(t *testing.T) {
	b := newBench(t, grow{bulk: 4000}, nil)
	ctx := testContext(t)
	good := b.join(ctx, "r", 2, "bob")
	c := b.rawDial("r", b.seatToken("r", 1, "alice"))
	eventually(t, "both to be connected", func() bool { return b.metricValue("muster_connections") == 2 })
	eventually(t, "frames to be skipped", func() bool {
		good.until(ctx, proto.KindFrame)
		return b.metricValue("muster_frames_skipped_total") > 20
	})
	worst := time.Duration(0)
	for range 20 {
		began := time.Now()
		good.until(ctx, proto.KindFrame)
		worst = max(worst, time.Since(began))
	}
	if worst > 500*time.Millisecond {
		t.Errorf("the other player waited %v for a frame", worst)
	}
	for conn := range b.edge.conns {
		if n := maxTail - conn.pipe.room(); n > maxTail {
			t.Errorf("%d bytes wait for a connection", n)
		}
	}
	_ = c.Close()
}

func TestPingFrameFloodIsLimited(t *testing.T) {
	b := newBench(t, grow{}, nil)
	c := b.rawDial("r", b.seatToken("r", 1, "alice"))
	go func() {
		buf := make([]byte, 4096)
		for {
			if _, err := c.Read(buf); err != nil {
				return
			}
		}
	}()
	ping := []byte{0x89, 0x80, 0, 0, 0, 0}
	flood := bytes.Repeat(ping, 100)
	eventually(t, "the socket to be closed", func() bool {
		_, err := c.Write(flood)
		return err != nil
	})
}

func TestReservedBitsAndUnmaskedFramesAreRefused(t *testing.T) {
	b := newBench(t, grow{}, nil)
	for name, frame := range map[string][]byte{
		"unmasked":          {0x82, 0x01, 0x00},
		"reserved bits":     {0xf2, 0x81, 0, 0, 0, 0, 0},
		"control too large": append([]byte{0x89, 0x80 | 126, 0, 200, 0, 0, 0, 0}, make([]byte, 200)...),
	} {
		c := b.rawDial("r", b.seatToken("r", 1, "alice"))
		if _, err := c.Write(frame); err != nil {
			t.Fatal(err)
		}
		if code := closeFrame(t, c); code != proto.CodeProtocol {
			t.Errorf("%s: closed with %d, want 1002", name, code)
		}
	}
}
