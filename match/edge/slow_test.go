package edge

import (
	"context"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"muster/internal/door"
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
		if grown := int64(heap()) - int64(before); grown > stalled*(32<<10+2*door.MaxTail+64<<10)+encodings {
			t.Errorf("%d peers that do not read cost %d bytes", stalled, grown)
		}
		if n := b.closes("slow_reader"); n != 0 {
			t.Errorf("%v were closed too soon", n)
		}
		time.Sleep(2*time.Second + door.LastTimeout)
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
		time.Sleep(slowAfter + 700*time.Millisecond) // the last of what it is sent waits for door.LastTimeout
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
	// 20 KB a second into 8 KB a second: without classes 64 KiB, or 8 s, would stand in the queue.
	inBubble(t, grow{bulk: 1000}, simnet.Link{Latency: 50 * time.Millisecond, Bandwidth: 8000}, func(t *testing.T, ctx context.Context, b *bench) {
		p := b.join(ctx, "r", 1, "alice")
		frames, oldest := 0, uint32(0)
		for began := time.Now(); time.Since(began) < 32*time.Second; {
			p.until(ctx, proto.KindFrame)
			p.ack(ctx)
			if time.Since(began) > 7*time.Second { // until then it has found its class
				now, _ := b.host.Room("r").Clock()
				oldest = max(oldest, now-p.frame.Head.Tick)
				frames++
			}
		}
		if oldest > 25 {
			t.Errorf("a frame was %d ticks old, want at most 25", oldest)
		}
		if frames < 6*25 {
			t.Errorf("%d frames in 25 s, though the link carries about 8 a second", frames)
		}
		if n := b.closes("slow_reader"); n != 0 {
			t.Error("it was closed")
		}
	})
}

// count reads for a time and returns how many frames came.
func (p *peer) count(ctx context.Context, d time.Duration) (n int) {
	for began := time.Now(); time.Since(began) < d; n++ {
		p.until(ctx, proto.KindFrame)
	}
	return n
}

// One that says nothing of what it has for long still gets frames, or it could never say that it has caught up. Once it
// says so again it comes back to every tick, a class each two seconds.
func TestViewerThatStopsAcknowledgingGetsEverySixthFrame(t *testing.T) {
	inBubble(t, grow{bulk: 10}, simnet.Link{}, func(t *testing.T, ctx context.Context, b *bench) {
		p := b.join(ctx, "r", 1, "alice")
		p.until(ctx, proto.KindFrame)
		if b.viewers("1") != 1 {
			t.Error("it is not counted as a viewer of every tick")
		}
		p.ack(ctx)
		p.count(ctx, 7*time.Second)
		if n := p.count(ctx, 6*time.Second); n < 18 || n > 22 {
			t.Errorf("%d frames in 6 s, want every sixth of 120", n)
		}
		if p.frame.Head.Tick%6 != 0 {
			t.Errorf("the frame is of tick %d", p.frame.Head.Tick)
		}
		if b.viewers("1") != 0 || b.viewers("6") != 1 {
			t.Errorf("%v viewers of every tick and %v of every sixth", b.viewers("1"), b.viewers("6"))
		}
		for began := time.Now(); time.Since(began) < 7*time.Second; {
			p.until(ctx, proto.KindFrame)
			p.ack(ctx)
		}
		if n := p.count(ctx, 450*time.Millisecond); n < 9 {
			t.Errorf("%d frames in 9 ticks, 7 s after it has caught up", n)
		}
		_ = p.CloseNow()
		time.Sleep(time.Second)
		if n := b.viewers("1") + b.viewers("2") + b.viewers("3") + b.viewers("6"); n != 0 {
			t.Errorf("%v viewers are counted when it is gone", n)
		}
	})
}

func TestViewerOnALongButWideLinkGetsEveryFrame(t *testing.T) {
	inBubble(t, grow{bulk: 1000}, simnet.Link{Latency: 200 * time.Millisecond}, func(t *testing.T, ctx context.Context, b *bench) {
		p := b.join(ctx, "r", 1, "alice")
		p.until(ctx, proto.KindFrame)
		first, n := p.frame.Head.Tick, uint32(0)
		for began := time.Now(); time.Since(began) < time.Minute; n++ {
			p.until(ctx, proto.KindFrame)
			p.ack(ctx)
		}
		if ticks := p.frame.Head.Tick - first; n != ticks {
			t.Errorf("%d frames in %d ticks", n, ticks)
		}
	})
}

// Those of a class share what is encoded, so they get the same ticks.
func TestSlowViewersOfAClassGetTheSameTicks(t *testing.T) {
	inBubble(t, grow{bulk: 100}, simnet.Link{}, func(t *testing.T, ctx context.Context, b *bench) {
		var ticks [2][]uint32
		var wg sync.WaitGroup
		for i := range ticks {
			p := b.join(ctx, "r", uint16(i+1), "p"+string(rune('0'+i)))
			wg.Go(func() {
				p.until(ctx, proto.KindFrame)
				p.ack(ctx)
				p.count(ctx, 8*time.Second+time.Duration(i)*70*time.Millisecond)
				for range 20 {
					p.until(ctx, proto.KindFrame)
					ticks[i] = append(ticks[i], p.frame.Head.Tick)
				}
			})
		}
		wg.Wait()
		for _, list := range ticks {
			for _, tick := range list {
				if tick%6 != 0 {
					t.Fatalf("frames of ticks %v", ticks)
				}
			}
		}
	})
}

func TestSlowReaderIsClosedAfterTheConfiguredTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		const after = 45 * time.Second // longer than a drain waits by default
		b := newSimBench(t, grow{bulk: 8000}, simnet.Link{Buffer: 16 << 10}, func(c *Config) { c.SlowAfter, c.PingEvery = after, time.Hour })
		b.rawDial("r", b.seatToken("r", 1, "alice"))
		good := b.join(ctx, "r", 2, "bob")
		good.count(ctx, after-time.Second)
		if b.closes("slow_reader") != 0 || b.closes("lost") != 0 {
			t.Errorf("closed too soon: %v with 4003, %v lost", b.closes("slow_reader"), b.closes("lost"))
		}
		good.count(ctx, 4*time.Second)
		if b.closes("slow_reader") != 1 {
			t.Error("it was not closed")
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
					if p.frame.Head.Tick%netcode.HashTicks != 0 {
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
