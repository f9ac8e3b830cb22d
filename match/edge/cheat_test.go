package edge

import (
	"context"
	"math"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"muster/internal/simnet"
	"muster/proto"
)

// right is the body of an input that moves by one.
var right = []byte{0x91, 1}

// packet sends an input packet of inputs that move by one, the newest first.
func (p *peer) packet(ctx context.Context, m proto.InputPacket) {
	for i := range m.Inputs {
		m.Inputs[i].Body = right
	}
	w := proto.NewWriter()
	m.Append(w)
	_ = p.Write(ctx, websocket.MessageBinary, w.Bytes()) // the end of the socket shows in next
}

// plays sends an input for each frame that it reads and returns how many frames its inputs took at most to be processed.
func (p *peer) plays(ctx context.Context, frames int) (slowest uint32) {
	for range frames {
		p.until(ctx, proto.KindFrame)
		slowest = max(slowest, p.played-p.frame.Head.Processed)
		p.played++
		tick := p.frame.Head.Tick
		p.packet(ctx, proto.InputPacket{
			Epoch: p.welcome.Epoch, Last: tick, Inputs: []proto.Input{{Seq: p.played, Tick: tick + 1, View: tick}},
		})
	}
	return slowest
}

// Ten thousand inputs a second: what is above the limit is dropped and counted, then the socket is closed; meanwhile
// the others' inputs count as ever.
func TestFloodOfInputsIsDroppedThenClosedAndOthersPlayOn(t *testing.T) {
	game := grow{inputs: new(atomic.Int32)}
	inBubble(t, game, simnet.Link{Latency: time.Millisecond}, func(t *testing.T, ctx context.Context, b *bench) {
		bob := b.join(ctx, "r", 2, "bob")
		bob.until(ctx, proto.KindFrame)
		if slowest := bob.plays(ctx, 40); slowest > 2 {
			t.Fatalf("alone, an input takes %d frames", slowest)
		}
		c := welcomed(t, b.rawDial("r", b.seatToken("r", 1, "alice")))
		gone := drainer(c)
		flood := make(chan struct{})
		go func() {
			defer close(flood)
			w := proto.NewWriter()
			for seq := uint32(1); ; {
				var burst []byte
				for range 10 {
					w.Reset()
					(&proto.InputPacket{Epoch: 5, Inputs: []proto.Input{{Seq: seq, Tick: seq, Body: right}}}).Append(w)
					burst = append(burst, clientFrame(finBinary, w.Bytes())...)
					seq++
				}
				if _, err := c.Write(burst); err != nil {
					return
				}
				time.Sleep(time.Millisecond)
			}
		}()
		if slowest := bob.plays(ctx, 100); slowest > 2 {
			t.Errorf("during the flood an input took %d frames", slowest)
		}
		<-gone
		_ = c.Close()
		<-flood
		if b.closes("rate") != 1 {
			t.Errorf("%v closes with 4429", b.closes("rate"))
		}
		if n := b.metricValue("muster_messages_limited_total"); n <= maxLimited || n > maxLimited+50 {
			t.Errorf("%v messages are counted as dropped, want a few more than %d", n, maxLimited)
		}
	})
}

// However a client stamps and repeats its inputs, at most one of them counts in a tick.
func TestCheatersInputsCountOnceATick(t *testing.T) {
	for name, cheat := range map[string]func(tick, n uint32) []proto.Input{
		"two for each tick": func(tick, n uint32) []proto.Input {
			return []proto.Input{{Seq: 2 * n, Tick: tick + 1}, {Seq: 2*n - 1, Tick: tick + 1}}
		},
		"thirty-two for each tick": func(tick, n uint32) (list []proto.Input) {
			for i := range uint32(proto.MaxInputs) {
				list = append(list, proto.Input{Seq: proto.MaxInputs*n - i, Tick: tick + 1})
			}
			return list
		},
		"each twice": func(tick, n uint32) []proto.Input {
			return []proto.Input{{Seq: (n + 1) / 2, Tick: tick + 1}}
		},
		"of the past": func(_, n uint32) []proto.Input {
			return []proto.Input{{Seq: 2 * n, Tick: 1}, {Seq: 2*n - 1, Tick: 0}}
		},
		"of the far future": func(_, n uint32) []proto.Input {
			return []proto.Input{{Seq: 2 * n, Tick: math.MaxUint32}, {Seq: 2*n - 1, Tick: 1 << 31}}
		},
		"for ticks back and forth": func(tick, n uint32) []proto.Input {
			return []proto.Input{{Seq: 3 * n, Tick: tick - 5}, {Seq: 3*n - 1, Tick: tick + 10}, {Seq: 3*n - 2, Tick: tick + 2}}
		},
		"with gaps": func(tick, n uint32) []proto.Input {
			return []proto.Input{{Seq: 1000 * n, Tick: tick + 1}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			game := grow{inputs: new(atomic.Int32)}
			inBubble(t, game, simnet.Link{}, func(t *testing.T, ctx context.Context, b *bench) {
				p := b.join(ctx, "r", 1, "alice")
				p.until(ctx, proto.KindFrame)
				first := p.frame.Head.Tick
				for n := uint32(1); n <= 100; n++ {
					p.until(ctx, proto.KindFrame)
					p.packet(ctx, proto.InputPacket{
						Epoch: p.welcome.Epoch, Last: p.frame.Head.Tick, Inputs: cheat(p.frame.Head.Tick, n),
					})
				}
				p.until(ctx, proto.KindFrame)
				ticks := p.frame.Head.Tick - first
				least := ticks / 2
				if name == "of the far future" { // they give way to newer ones before they are due
					least = 0
				}
				if n := uint32(game.inputs.Load()); n > ticks || n < least { //nolint:gosec // it counts up
					t.Errorf("%d inputs counted in %d ticks", n, ticks)
				}
				if b.metricValue("muster_connections") != 1 {
					t.Error("the socket was closed")
				}
			})
		})
	}
}

// What is stamped as no honest client would is brought near, and disturbs neither its sender's socket nor others.
func TestPacketsOfAnotherTimeDisturbNobody(t *testing.T) {
	inBubble(t, grow{inputs: new(atomic.Int32)}, simnet.Link{}, func(t *testing.T, ctx context.Context, b *bench) {
		alice, bob := b.join(ctx, "r", 1, "alice"), b.join(ctx, "r", 2, "bob")
		played := make(chan uint32)
		go func() {
			bob.until(ctx, proto.KindFrame)
			played <- bob.plays(ctx, 150)
		}()
		alice.until(ctx, proto.KindFrame)
		epoch := alice.welcome.Epoch
		far := func(seq uint32) []proto.Input {
			return []proto.Input{{Seq: seq, Tick: math.MaxUint32, View: math.MaxUint32, Frac: 255}}
		}
		for _, m := range []proto.InputPacket{
			{Epoch: epoch, Last: math.MaxUint32, Event: math.MaxUint32, Inputs: far(5)},
			{Epoch: epoch, Last: 1, Inputs: far(3)}, // out of order
			{Epoch: epoch, Last: 0, Inputs: far(4)},
			{Epoch: epoch + 1, Last: 7, Event: 9, Inputs: far(6)},
			{Epoch: 0, Inputs: far(7)},
			{Epoch: math.MaxUint64, Last: math.MaxUint32, Event: math.MaxUint32, Inputs: far(8)},
		} {
			alice.packet(ctx, m)
		}
		last := alice.frame.Head.Tick
		for range 100 {
			alice.until(ctx, proto.KindFrame)
			if now := alice.frame.Head.Tick; now != last+1 {
				t.Fatalf("a frame of tick %d follows one of %d", now, last)
			}
			last++
		}
		if got := alice.frame.Head.Processed; got != 8 {
			t.Errorf("input %d is processed, want 8 after a second", got)
		}
		if slowest := <-played; slowest > 2 {
			t.Errorf("the other's inputs took %d frames", slowest)
		}
	})
}
