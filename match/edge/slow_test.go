package edge

import (
	"context"
	"net"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"muster/internal/simnet"
	"muster/netcode"
	"muster/proto"
)

// inBubble runs a test with a server on a network in memory, in virtual time.
func inBubble(t *testing.T, game grow, link simnet.Link, f func(t *testing.T, ctx context.Context, b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		f(t, ctx, newSimBench(t, game, link, nil))
	})
}

// ack tells the server what has arrived.
func (p *peer) ack(ctx context.Context) {
	w := proto.NewWriter()
	(&proto.InputPacket{Epoch: p.welcome.Epoch, Last: p.frame.Head.Tick}).Append(w)
	_ = p.Write(ctx, websocket.MessageBinary, w.Bytes()) // the end of the socket shows in next
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// A peer that does not read is passed over, costs no more than its tail, and is closed after slowAfter.
func TestPeersThatNeverReadAreBoundedAndClosedAndDelayNobody(t *testing.T) {
	const stalled = 8
	game := grow{bulk: 32_000, drops: new(atomic.Int32)}
	inBubble(t, game, simnet.Link{Latency: 10 * time.Millisecond, Buffer: 32 << 10}, func(t *testing.T, ctx context.Context, b *bench) {
		good := b.join(ctx, "r", 20, "bob")
		var worst time.Duration
		done := make(chan struct{})
		go func() {
			defer close(done)
			good.until(ctx, proto.KindFrame)
			for last := time.Now(); good.next(ctx) == proto.KindFrame; last = time.Now() {
				worst = max(worst, time.Since(last))
			}
		}()
		time.Sleep(time.Second)
		before := heap()
		var conns []net.Conn
		for seat := range stalled {
			conns = append(conns, b.rawDial("r", b.seatToken("r", uint16(seat+1), "slow"+string(rune('0'+seat)))))
		}
		time.Sleep(slowAfter - time.Second)
		const encodings = 1 << 20 // what the room has encoded for them, which all viewers share
		if grown := int64(heap()) - int64(before); grown > stalled*(32<<10+2*maxTail+64<<10)+encodings {
			t.Errorf("%d peers that do not read cost %d bytes", stalled, grown)
		}
		if n := b.closes("slow_reader"); n != 0 {
			t.Errorf("%v were closed too soon", n)
		}
		time.Sleep(2*time.Second + lastTimeout)
		if b.closes("slow_reader") != stalled || b.closes("lost") != 0 || b.metricValue("muster_connections") != 1 {
			t.Errorf("%v closed with 4003, %v lost, %v still there", b.closes("slow_reader"), b.closes("lost"), b.metricValue("muster_connections")-1)
		}
		if n := game.drops.Load(); n != stalled {
			t.Errorf("%d seats were dropped, want %d, each once", n, stalled)
		}
		if n := b.metricValue("muster_frames_skipped_total"); n < stalled*100 {
			t.Errorf("%v frames were skipped", n)
		}
		for _, c := range conns {
			_ = c.Close()
		}
		_ = good.CloseNow()
		<-done
		if worst > 60*time.Millisecond {
			t.Errorf("the other player waited %v for a frame", worst)
		}
	})
}

// A slow reader that begins to read again in time goes on, and one that was given up can read why.
func TestSlowReaderThatReadsAgainGoesOn(t *testing.T) {
	inBubble(t, grow{bulk: 8000}, simnet.Link{Buffer: 16 << 10}, func(t *testing.T, ctx context.Context, b *bench) {
		p := b.join(ctx, "r", 1, "alice")
		time.Sleep(slowAfter / 2)
		for range 30 {
			p.until(ctx, proto.KindFrame)
			p.ack(ctx)
		}
		time.Sleep(slowAfter + 700*time.Millisecond) // the last of what it is sent waits for lastTimeout
		if bye, frame := p.closed(ctx); bye != proto.CodeSlowReader || frame != proto.CodeSlowReader {
			t.Errorf("bye %d, close frame %d, want 4003", bye, frame)
		}
	})
}

// A keyframe is as large as the state: it must fit though the tail is small.
func TestLargeKeyframeReachesASlowReader(t *testing.T) {
	inBubble(t, grow{once: 64_000}, simnet.Link{Buffer: 8 << 10, Bandwidth: 32 << 10}, func(t *testing.T, ctx context.Context, b *bench) {
		p := b.join(ctx, "r", 1, "alice")
		size, got := 1, 0
		for got < size {
			p.until(ctx, proto.KindFrame)
			for _, block := range p.frame.Blocks {
				if block.Part.Size > 0 {
					if block.Part.From == 0 {
						got = 0
					}
					got, size = got+len(block.Data), block.Part.Size
				}
			}
		}
		if size < 64_000 {
			t.Errorf("the keyframe has %d bytes", size)
		}
		p.until(ctx, proto.KindFrame)
	})
}

// What the network's queues hold is old when it arrives, so a viewer that lags is passed over though its socket takes
// bytes.
func TestViewerBehindASlowLinkSeesRecentState(t *testing.T) {
	// 20 KB a second into 8 KB a second: without the rule 64 KiB, or 8 s, would stand in the queue.
	inBubble(t, grow{bulk: 1000}, simnet.Link{Latency: 50 * time.Millisecond, Bandwidth: 8000}, func(t *testing.T, ctx context.Context, b *bench) {
		p := b.join(ctx, "r", 1, "alice")
		frames, oldest := 0, uint32(0)
		for began := time.Now(); time.Since(began) < 30*time.Second; {
			p.until(ctx, proto.KindFrame)
			p.ack(ctx)
			if time.Since(began) > 5*time.Second {
				now, _ := b.host.Room("r").Clock()
				oldest = max(oldest, now-p.frame.Head.Tick)
				frames++
			}
		}
		if oldest > 36 {
			t.Errorf("a frame was %d ticks old, want at most 36", oldest)
		}
		if frames < 6*25 {
			t.Errorf("%d frames in 25 s, though the link carries about 8 a second", frames)
		}
		if n := b.closes("slow_reader"); n != 0 {
			t.Error("it was closed")
		}
	})
}

// One that says nothing of what it has for long still gets frames, or it could never say that it has caught up.
func TestViewerThatStopsAcknowledgingGetsTwoFramesASecond(t *testing.T) {
	inBubble(t, grow{bulk: 10}, simnet.Link{}, func(t *testing.T, ctx context.Context, b *bench) {
		p := b.join(ctx, "r", 1, "alice")
		p.until(ctx, proto.KindFrame)
		p.ack(ctx)
		count := func(d time.Duration) (n int) {
			for began := time.Now(); time.Since(began) < d; n++ {
				p.until(ctx, proto.KindFrame)
			}
			return n
		}
		count(2 * time.Second)
		if n := count(10 * time.Second); n < 18 || n > 22 {
			t.Errorf("%d frames in 10 s, want two a second", n)
		}
		p.ack(ctx)
		count(100 * time.Millisecond)
		if n := count(900 * time.Millisecond); n < 13 {
			t.Errorf("%d frames in 0.9 s after it has caught up", n)
		}
	})
}

func TestAcksOfTheFutureChangeNothing(t *testing.T) {
	inBubble(t, grow{bulk: 10}, simnet.Link{}, func(t *testing.T, ctx context.Context, b *bench) {
		p := b.join(ctx, "r", 1, "alice")
		p.until(ctx, proto.KindFrame)
		tick := p.frame.Head.Tick
		p.frame.Head.Tick = 1 << 31
		p.ack(ctx)
		p.frame.Head.Tick = tick
		for range 100 {
			p.until(ctx, proto.KindFrame)
		}
		if got := p.frame.Head.Tick - tick; got != 100 {
			t.Errorf("%d ticks passed in 100 frames", got)
		}
	})
}

func TestFramesCarryViewHashesThatAgree(t *testing.T) {
	inBubble(t, grow{bulk: 10}, simnet.Link{}, func(t *testing.T, ctx context.Context, b *bench) {
		a, other := b.join(ctx, "r", 1, "alice"), b.join(ctx, "r", 2, "bob")
		for _, p := range []*peer{a, other} {
			schema, err := netcode.ParseSchema(p.welcome.Schema)
			if err != nil {
				t.Fatal(err)
			}
			dec, hashes := netcode.NewDecoder(schema), 0
			for range 100 {
				p.until(ctx, proto.KindFrame)
				if err := dec.Apply(&p.frame); err != nil {
					t.Fatalf("tick %d: %v", p.frame.Head.Tick, err)
				}
				if len(p.frame.Hashes) > 0 {
					hashes++
					if p.frame.Head.Tick%hashTicks != 0 {
						t.Errorf("hashes at tick %d", p.frame.Head.Tick)
					}
				}
			}
			if hashes < 3 {
				t.Errorf("%d of 100 frames had hashes", hashes)
			}
		}
	})
}

func TestKeyframesThatAClientAsksForAreOneASecond(t *testing.T) {
	inBubble(t, grow{bulk: 10}, simnet.Link{}, func(t *testing.T, ctx context.Context, b *bench) {
		p := b.join(ctx, "r", 1, "alice")
		p.until(ctx, proto.KindFrame)
		w := proto.NewWriter()
		(&proto.Resync{Scope: 0}).Append(w)
		keyframes := 0
		for range 100 { // 5 s
			if err := p.Write(ctx, websocket.MessageBinary, w.Bytes()); err != nil {
				t.Fatal(err)
			}
			p.until(ctx, proto.KindFrame)
			for _, block := range p.frame.Blocks {
				if block.Scope == 0 && block.Data[0]&1 == 1 {
					keyframes++
				}
			}
		}
		if keyframes < 5 || keyframes > 6 {
			t.Errorf("%d keyframes in 5 s", keyframes)
		}
	})
}
