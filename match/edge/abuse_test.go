package edge

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"muster/internal/door"
	"muster/internal/door/doortest"
	"muster/internal/simnet"
	"muster/netcode"
	"muster/proto"
)

var clientFrame = doortest.Frame

const (
	finBinary      = doortest.FinBinary
	firstFragment  = doortest.FirstFragment
	middleFragment = doortest.MiddleFragment
	finPing        = doortest.FinPing
	finPong        = doortest.FinPong
)

// drainer reads a bare connection until it ends, by EOF or a reset.
func drainer(c net.Conn) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(io.Discard, c)
	}()
	return done
}

// A frame whose 64-bit length has its top bit set makes gws slice out of range, outside of its own recovery.
func TestNegativeLengthFrameDropsTheSeatOnceAndIsCounted(t *testing.T) {
	game := grow{drops: new(atomic.Int32), inputs: new(atomic.Int32)}
	b := newBench(t, game, nil)
	ctx := testContext(t)
	p := b.join(ctx, "r", 2, "bob")
	for n := int32(1); n <= 3; n++ {
		c := b.rawDial("r", b.seatToken("r", 1, "alice"))
		eventually(t, "both to be connected", func() bool { return b.metricValue("muster_connections") == 2 })
		if _, err := c.Write(doortest.NegativeLength()); err != nil {
			t.Fatal(err)
		}
		if end := goodbye(t, c); end.code != proto.CodeProtocol || end.bye.Code != proto.CodeProtocol || end.reason == "" {
			t.Errorf("closed with %+v, want 1002", end)
		}
		_ = c.Close()
		eventually(t, "the seat to be dropped", func() bool { return game.drops.Load() >= n })
		p.until(ctx, proto.KindFrame)
		p.until(ctx, proto.KindFrame) // a second report of the same end would be in by now
		if got := game.drops.Load(); got != n {
			t.Fatalf("dropped %d times after %d such frames", got, n)
		}
	}
	if b.metricValue("muster_reader_panics_total") != 3 || b.closes("protocol") != 3 {
		t.Errorf("%v panics and %v closes are counted, want 3", b.metricValue("muster_reader_panics_total"), b.closes("protocol"))
	}
}

func TestWhatIsMalformedIsCountedAndNothingAfterItReachesTheRoom(t *testing.T) {
	message := func(b ...byte) []byte { return clientFrame(finBinary, b) }
	input := func(dx int64, surplus ...byte) []byte {
		w := proto.NewWriter()
		w.Array(1)
		w.Int(dx)
		body := append([]byte(nil), w.Bytes()...)
		w.Reset()
		(&proto.InputPacket{Epoch: 5, Inputs: []proto.Input{{Seq: 1, Body: body}}}).Append(w)
		return clientFrame(finBinary, append(w.Bytes(), surplus...))
	}
	for name, c := range map[string]struct {
		bad  []byte
		want proto.Code
		gws  bool // it is the frame that is wrong: then there is no bye
	}{
		"empty":              {message(), proto.CodeBadPayload, false},
		"not MessagePack":    {message(0xc1), proto.CodeBadPayload, false},
		"not an array":       {message(1), proto.CodeBadPayload, false},
		"a map":              {message(0x81, 1, 1), proto.CodeBadPayload, false},
		"an extension":       {message(0xd4, 1, 1), proto.CodeBadPayload, false},
		"wrong shape":        {message(0x92, proto.KindInput, 1), proto.CodeBadPayload, false},
		"huge array":         {message(0xdd, 0xff, 0xff, 0xff, 0xff), proto.CodeBadPayload, false},
		"deep nesting":       {message(append([]byte{0x96, proto.KindInput, 0, 0, 0, 1, 0x91, 0x94, 0, 0, 0}, bytes.Repeat([]byte{0x91}, 4000)...)...), proto.CodeBadPayload, false},
		"NaN for a number":   {message(0x92, proto.KindPing, 0xcb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0), proto.CodeBadPayload, false},
		"trailing bytes":     {input(1, 0), proto.CodeBadPayload, false},
		"input out of range": {input(300), proto.CodeBadPayload, false},
		"unknown kind":       {message(0x91, 77), proto.CodeProtocol, false},
		"text":               {clientFrame(0x81, []byte("hello")), proto.CodeWrongType, false},
		"text, not UTF-8":    {clientFrame(0x81, []byte{0xff, 0xfe}), proto.CodeBadPayload, true},
		"too large":          {message(make([]byte, proto.MaxClientMessage+1)...), proto.CodeTooBig, true},
		"large by claim":     {[]byte{finBinary, 0x80 | 127, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0}, proto.CodeTooBig, true},
		"fragments":          {append(clientFrame(firstFragment, make([]byte, 8000)), clientFrame(middleFragment, make([]byte, 8000))...), proto.CodeTooBig, true},
		"stray fragment":     {clientFrame(middleFragment, []byte{1}), proto.CodeProtocol, true},
		"message in another": {append(clientFrame(firstFragment, []byte{1}), message(1)...), proto.CodeProtocol, true},
		"fragmented ping":    {clientFrame(0x09, nil), proto.CodeProtocol, true},
	} {
		t.Run(name, func(t *testing.T) {
			game := grow{inputs: new(atomic.Int32)}
			b := newBench(t, game, nil)
			c1 := welcomed(t, b.rawDial("r", b.seatToken("r", 1, "alice")))
			good := proto.NewWriter()
			(&proto.InputPacket{Epoch: 5, Inputs: []proto.Input{{Seq: 1, Body: []byte{0x91, 1}}}}).Append(good)
			// In one write, so that what is good lies behind what is bad whatever the server does meanwhile.
			if _, err := c1.Write(append(c.bad[:len(c.bad):len(c.bad)], clientFrame(finBinary, good.Bytes())...)); err != nil {
				t.Fatal(err)
			}
			end := goodbye(t, c1)
			_ = c1.Close()
			if end.code != c.want || end.reason == "" || len(end.reason) > 123 || !c.gws && (end.bye.Code != c.want || end.bye.Reason != end.reason) {
				t.Errorf("closed with %+v, want %d", end, c.want)
			}
			eventually(t, "the socket to be gone", func() bool { return b.metricValue("muster_connections") == 0 })
			if n := b.closes(c.want.Info().Name); n != 1 {
				t.Errorf("%v closes are counted as %s, want 1", n, c.want.Info().Name)
			}
			tick, _ := b.host.Room("r").Clock()
			eventually(t, "two more ticks", func() bool { now, _ := b.host.Room("r").Clock(); return now >= tick+2 })
			if n := game.inputs.Load(); n != 0 {
				t.Errorf("%d inputs reached the rules", n)
			}
		})
	}
}

// welcomed waits until the welcome is on its way.
func welcomed(t testing.TB, c net.Conn) net.Conn {
	t.Helper()
	head := make([]byte, 2)
	if _, err := io.ReadFull(c, head); err != nil {
		t.Fatal(err)
	}
	return &readConn{c, io.MultiReader(bytes.NewReader(head), c)}
}

// readConn reads from elsewhere.
type readConn struct {
	net.Conn
	r io.Reader
}

func (c *readConn) Read(b []byte) (int, error) { return c.r.Read(b) }

func TestMessageBeforeTheWelcomeIsAProtocolError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // no tick passes between the handshake and the message
		game := grow{inputs: new(atomic.Int32)}
		b := newSimBench(t, game, simnet.Link{}, nil)
		c := b.rawDial("r", b.seatToken("r", 1, "alice"))
		w := proto.NewWriter()
		(&proto.InputPacket{Epoch: 5, Inputs: []proto.Input{{Seq: 1, Body: []byte{0x91, 1}}}}).Append(w)
		if _, err := c.Write(clientFrame(finBinary, w.Bytes())); err != nil {
			t.Fatal(err)
		}
		if end := goodbye(t, c); end.code != proto.CodeProtocol || end.reason != "a message before the welcome" {
			t.Errorf("closed with %+v, want 1002", end)
		}
		time.Sleep(time.Second)
		if n := game.inputs.Load(); n != 0 || b.closes("protocol") != 1 {
			t.Errorf("%d inputs reached the rules; %v counted", n, b.closes("protocol"))
		}
	})
}

// Floods of every kind of frame end with 4429, and what was above the limit is dropped meanwhile.
func TestFloodsEndWith4429(t *testing.T) {
	for name, frame := range map[string]func(b *bench) []byte{
		"inputs": func(*bench) []byte {
			w := proto.NewWriter()
			(&proto.InputPacket{Epoch: 5, Inputs: []proto.Input{{Seq: 1, Body: []byte{0x91, 1}}}}).Append(w)
			return clientFrame(finBinary, w.Bytes())
		},
		"refreshes": func(b *bench) []byte {
			w := proto.NewWriter()
			(&proto.Refresh{Token: b.playerToken("alice", time.Hour)}).Append(w)
			return clientFrame(finBinary, w.Bytes())
		},
		"pings":           func(*bench) []byte { return clientFrame(finPing, nil) },
		"pongs":           func(*bench) []byte { return clientFrame(finPong, nil) },
		"empty fragments": func(*bench) []byte { return clientFrame(middleFragment, nil) },
		"one byte":        func(*bench) []byte { return clientFrame(middleFragment, []byte{1}) },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, grow{}, simnet.Link{}, func(_ *testing.T, ctx context.Context, b *bench) { // no time passes before the limit is reached
				b.flooded(ctx, frame(b))
			})
		})
	}
}

// flooded has one client send a frame without end while another plays.
func (b *bench) flooded(ctx context.Context, frame []byte) {
	t := b.t
	t.Helper()
	other := b.join(ctx, "r", 2, "bob")
	c := welcomed(t, b.rawDial("r", b.seatToken("r", 1, "alice")))
	if frame[0] == middleFragment {
		if _, err := c.Write(clientFrame(firstFragment, nil)); err != nil {
			t.Fatal(err)
		}
	}
	flood := bytes.Repeat(frame, 200)
	writing := make(chan struct{})
	go func() {
		defer close(writing)
		for {
			if _, err := c.Write(flood); err != nil {
				return
			}
		}
	}()
	end := goodbye(t, c)
	_ = c.Close()
	<-writing
	if frame[0] == middleFragment && frame[1] != 0x80 { // 8 KiB of them are too large a message first
		if end.code != proto.CodeTooBig {
			t.Errorf("closed with %+v, want 1009", end)
		}
		return
	}
	if end.code != proto.CodeRate || end.bye.Code != proto.CodeRate || end.reason == "" {
		t.Errorf("closed with %+v, want 4429", end)
	}
	if b.closes("rate") != 1 {
		t.Errorf("%v closes are counted", b.closes("rate"))
	}
	if frame[0]&0x80 != 0 && b.metricValue("muster_messages_limited_total") == 0 {
		t.Error("nothing was counted as limited")
	}
	other.until(ctx, proto.KindFrame)
}

func TestHalfAHandshakeHoldsNothingAndDelaysNobody(t *testing.T) {
	inBubble(t, grow{}, simnet.Link{}, func(t *testing.T, ctx context.Context, b *bench) {
		bearer := b.seatToken("r", 1, "alice")
		var held []<-chan struct{}
		for _, part := range []string{
			"", "GET", "GET /v1/match/r HTTP/1.1\r\n", "GET /v1/match/r HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + bearer + "\r\n",
			"\x16\x03\x01 not HTTP at all",
		} {
			for range 20 {
				c, err := b.dialer()
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = c.Close() })
				if _, err := io.WriteString(c, part); err != nil {
					t.Fatal(err)
				}
				held = append(held, drainer(c))
			}
		}
		good := b.join(ctx, "r", 1, "alice")
		good.until(ctx, proto.KindFrame)
		if n := b.metricValue("muster_connections"); n != 1 {
			t.Errorf("%v connections", n)
		}
		time.Sleep(headerTimeout + time.Second)
		for _, end := range held {
			select {
			case <-end:
			default:
				t.Fatal("a half handshake is still held")
			}
		}
	})
}

// Whatever the handshake lacks, the answer is HTTP and no socket, and the place that was reserved is free again.
func TestHandshakesThatAreNoneGiveTheirPlaceBack(t *testing.T) {
	b := newBench(t, grow{}, func(c *Config) { c.MaxConnections = 1 })
	for name, head := range map[string]string{
		"version":            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 8\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n",
		"no connection head": "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n",
		"data too early":     "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n",
	} {
		c, err := b.dialer()
		if err != nil {
			t.Fatal(err)
		}
		request := "GET /v1/match/r HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + b.seatToken("r", 1, "alice") + "\r\n" + head + "\r\n"
		if name == "data too early" {
			request += "surplus"
		}
		if _, err := io.WriteString(c, request); err != nil {
			t.Fatal(err)
		}
		_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
		answer, _ := io.ReadAll(c)
		if strings.Contains(string(answer), " 101 ") {
			t.Errorf("%s: %s", name, answer)
		}
		_ = c.Close()
	}
	eventually(t, "the last place is given back", func() bool { // which its client need not wait for
		sockets, _ := b.edge.guard.Places.Taken()
		return sockets == 0
	})
	ctx := testContext(t)
	b.join(ctx, "r", 1, "alice").until(ctx, proto.KindFrame)
}

func TestForeignOriginIsRefusedBeforeTheTokenIsLookedAt(t *testing.T) {
	b := newBench(t, grow{}, func(c *Config) { c.Origins = []string{"App.example"} })
	ctx := testContext(t)
	for origin, want := range map[string]int{
		"https://evil-app.example": 403, "https://app.example.evil": 403, "https://evil.example/app.example": 403,
		"https://app.example@evil.example": 403, "https://app.example:8443": 403, "null": 403, "app.example": 403, "file://": 403,
		"https://app.example": 101, "https://APP.EXAMPLE": 101,
	} {
		for _, bearer := range []string{b.seatToken("r", 1, "alice"), "garbage"} {
			ws, res, _ := websocket.Dial(ctx, b.url+"/v1/match/r", &websocket.DialOptions{
				HTTPClient: b.http, HTTPHeader: http.Header{"Origin": {origin}, "Authorization": {"Bearer " + bearer}},
			})
			expected := want
			if want == http.StatusSwitchingProtocols && bearer == "garbage" {
				expected = http.StatusUnauthorized
			}
			if res == nil || res.StatusCode != expected {
				t.Errorf("%s with token %.7s: %v, want %d", origin, bearer, res, expected)
			}
			if ws != nil {
				_ = ws.CloseNow()
			}
		}
	}
}

func TestSecondSocketOfAPlayerReplacesTheFirst(t *testing.T) {
	game := grow{drops: new(atomic.Int32)}
	b := newBench(t, game, nil)
	ctx := testContext(t)
	old := b.join(ctx, "r", 1, "alice")
	for i := range 30 {
		fresh := b.join(ctx, "r", 1, "alice")
		if bye, frame := old.closed(ctx); bye != proto.CodeReplaced || frame != proto.CodeReplaced {
			t.Fatalf("swap %d: bye %d, close frame %d, want 4406", i, bye, frame)
		}
		_ = old.CloseNow()
		fresh.until(ctx, proto.KindFrame)
		old = fresh
	}
	eventually(t, "the old sockets to be gone", func() bool { return b.metricValue("muster_connections") == 1 })
	old.until(ctx, proto.KindFrame)
	if n := game.drops.Load(); n != 0 {
		t.Errorf("the seat was dropped %d times", n)
	}
	if b.closes("replaced") != 30 {
		t.Errorf("%v closes are counted", b.closes("replaced"))
	}
}

// A server that closes on bytes that it has not read makes a reset of it, which can take the bye and the close frame
// with it. So it reads on for a while.
func TestClientThatGoesOnSendingReadsWhyItWasClosed(t *testing.T) {
	b := newBench(t, grow{}, nil)
	ctx := testContext(t)
	for range 10 {
		c := welcomed(t, b.rawDial("r", b.seatToken("r", 1, "alice")))
		stop := make(chan struct{})
		writing := make(chan struct{})
		go func() {
			defer close(writing)
			ping := clientFrame(finPing, nil)
			for {
				select {
				case <-stop:
					return
				case <-time.After(time.Millisecond):
				}
				if _, err := c.Write(ping); err != nil {
					return
				}
			}
		}()
		b.join(ctx, "r", 1, "alice")
		if end := goodbye(t, c); end.code != proto.CodeReplaced {
			t.Errorf("closed with %+v, want 4406", end)
		}
		if _, err := io.Copy(io.Discard, c); errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("after the close frame: %v", err)
		}
		close(stop)
		<-writing
		_ = c.Close()
	}
}

// A browser's tab that hangs, or a network that is gone: the socket is closed as idle, which clients take up again, and
// not with 1000, which would tell them that the match is over.
func TestPeerThatIsGoneIsNoticedWithinTwoPings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		game := grow{drops: new(atomic.Int32)}
		b := newSimBench(t, game, simnet.Link{Latency: 20 * time.Millisecond}, nil)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		live := b.join(ctx, "r", 2, "bob")
		go func() {
			for live.next(ctx) != 0 {
			}
		}()
		c := b.rawDial("r", b.seatToken("r", 1, "alice")).(*simnet.Conn)
		gone := drainer(c)
		time.Sleep(time.Second)
		c.Stall() // what it sends does not arrive; it sends nothing anyway
		began := time.Now()
		<-gone
		if took := time.Since(began); took > 20*time.Second || took < 10*time.Second {
			t.Errorf("noticed after %v, want within two pings of 10 s", took)
		}
		time.Sleep(3 * time.Second)
		if b.closes("idle") != 1 || game.drops.Load() != 1 {
			t.Errorf("%v idle closes, %d drops, want 1 and 1", b.closes("idle"), game.drops.Load())
		}
		if b.metricValue("muster_connections") != 1 {
			t.Error("the other, which says nothing but pongs, was closed as well")
		}
		_ = live.CloseNow()
	})
}

// The limits are part of the protocol: clients are written by them.
func TestTheProtocolsPageNamesTheLimits(t *testing.T) {
	page, err := os.ReadFile("../../proto/PROTOCOL.md")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(strings.Fields(string(page)), " ")
	for _, s := range []string{
		fmt.Sprintf("%d for each tick and at least %d a second, in bursts of at most %d.", messagesPerTick, leastPerSecond, burstTicks*messagesPerTick),
		fmt.Sprintf("when %d more were dropped", maxLimited),
		fmt.Sprintf("a socket that sends more than %d is closed with 1008", maxRefused),
		fmt.Sprintf("Bytes: %d a second in bursts of at most %d;", door.BytesPerSecond, door.BurstBytes),
		"takes no frame for 10 s is closed with 4003",
		fmt.Sprintf("takes more than %.0f s to send a message", door.PartialFor.Seconds()),
		fmt.Sprintf("About every %d ticks a frame has the hash", netcode.HashTicks),
	} {
		if !strings.Contains(text, s) {
			t.Errorf("the page lacks %q", s)
		}
	}
	if slowAfter != 10*time.Second {
		t.Errorf("slowAfter is %v, the page says 10 s", slowAfter)
	}
}
