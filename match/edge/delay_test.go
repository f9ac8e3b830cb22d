package edge

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"muster/internal/simnet"
	"muster/match"
	"muster/proto"
)

// inPitch runs a test with a server of pitch in virtual time.
func inPitch(t *testing.T, p pitch, rules match.Rules, link simnet.Link, f func(t *testing.T, ctx context.Context, b *bench, g match.Game)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		g := pitchGame(t, p, rules)
		l := simnet.Listen(link)
		b := newBenchOf(t, g, nil, Listener{Listener: l})
		b.url, b.http = "ws://server", &http.Client{Transport: &http.Transport{DialContext: l.DialContext, DisableKeepAlives: true}}
		b.dialer = func() (net.Conn, error) { return l.Dial(t.Context()) }
		f(t, ctx, b, g)
	})
}

// watchSocket is a spectator's socket and what it shows.
type watchSocket struct {
	*websocket.Conn
	*sight
	welcome proto.Welcome
	bye     proto.Bye
	end     bool
	pong    proto.Pong
	msg     []byte
}

func (b *bench) watchAs(ctx context.Context, g match.Game, player string) *watchSocket {
	b.t.Helper()
	ws, _, err := b.dial(ctx, "r", b.watchToken("r", player))
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = ws.CloseNow() })
	return &watchSocket{Conn: ws, sight: newSight(b.t, g.Schema())}
}

// take reads a message; its kind is 0 at the end.
func (w *watchSocket) take(ctx context.Context) int {
	w.t.Helper()
	_, msg, err := w.Read(ctx)
	if err != nil {
		return 0
	}
	w.msg = msg
	r := proto.NewReader(msg)
	kind, n, err := proto.ServerKind(r)
	switch {
	case err != nil:
	case kind == proto.KindWelcome:
		err = w.welcome.Parse(r, n)
	case kind == proto.KindBye:
		err = w.bye.Parse(r, n)
	case kind == proto.KindPong:
		err = w.pong.Parse(r, n)
	case kind == proto.KindEnd:
		w.end = true
	}
	if err != nil {
		w.t.Fatal(err)
	}
	if kind != proto.KindBye && kind != proto.KindPong {
		w.sight.read(msg)
	}
	return kind
}

func (w *watchSocket) ping(ctx context.Context) {
	m := proto.NewWriter()
	(&proto.Ping{}).Append(m)
	_ = w.Write(ctx, websocket.MessageBinary, m.Bytes())
}

// Whatever a spectator is sent is as old as the delay: frames, events, the welcome's numbers and the clock.
func TestNothingNewerThanTheDelayReachesASpectator(t *testing.T) {
	const delay = 3 * time.Second
	rules := match.Rules{Spectators: 4, SpectatorDelay: delay, TickRate: 20}
	inPitch(t, pitch{bulk: 100, far: true}, rules, simnet.Link{Latency: 5 * time.Millisecond}, func(t *testing.T, ctx context.Context, b *bench, g match.Game) {
		player := b.join(ctx, "r", 1, "alice")
		player.until(ctx, proto.KindFrame)
		first, at := player.frame.Head.Tick, time.Now()
		go func() {
			for player.next(ctx) != 0 {
				player.ack(ctx)
			}
		}()
		watch := func(w *watchSocket, d time.Duration) {
			for began := time.Now(); time.Since(began) < d; {
				kind := w.take(ctx)
				newest := int(first) + int((time.Since(at)-delay)/(50*time.Millisecond)) + 1 // the tick that is old enough
				switch {
				case kind == 0:
					t.Fatalf("the socket ended: %+v", w.bye)
				case kind == proto.KindPong && int(w.pong.Tick) > max(0, newest):
					t.Fatalf("a pong says tick %d, and %d is old enough", w.pong.Tick, newest)
				case kind == proto.KindWelcome && int(w.welcome.Tick) > max(0, newest):
					t.Fatalf("the welcome says tick %d, and %d is old enough", w.welcome.Tick, newest)
				case kind >= proto.KindFrame && int(w.in.Head.Tick) > newest:
					t.Fatalf("tick %d is shown, and %d is old enough", w.in.Head.Tick, newest)
				}
				for n := newest + 1; n < newest+80; n++ {
					if n > 0 && holds(w.msg, fmt.Sprintf("openword %05d", n)) || n > 0 && holds(w.msg, fmt.Sprintf("ball %05d", n)) {
						t.Fatalf("something of tick %d is there, and %d is old enough", n, newest)
					}
				}
				if kind >= proto.KindFrame {
					w.ping(ctx)
				}
			}
		}
		early := b.watchAs(ctx, g, "walter")
		if kind := early.take(ctx); kind != proto.KindWelcome || early.welcome.Tick != 0 || time.Since(at) > time.Second {
			t.Fatalf("message %d after %v: %+v", kind, time.Since(at), early.welcome)
		}
		watch(early, 8*time.Second)
		late := b.watchAs(ctx, g, "wilma")
		came := time.Now()
		for late.take(ctx) < proto.KindFrame {
		}
		if d := time.Since(came); d > 300*time.Millisecond {
			t.Errorf("the late spectator waits %v for what is there", d)
		}
		go func() {
			for early.take(ctx) != 0 {
			}
		}()
		watch(late, 3*time.Second)
		if n := late.ticks[len(late.ticks)-1]; int(n) < int(first)+int((time.Since(at)-delay)/(50*time.Millisecond))-6 {
			t.Errorf("the late spectator is at tick %d after %v", n, time.Since(at))
		}
		if len(late.said) < 5 || len(early.said) < 10 || early.pong.Tick == 0 {
			t.Errorf("%d and %d events, a pong of tick %d", len(late.said), len(early.said), early.pong.Tick)
		}
		_, _ = player.CloseNow(), early.CloseNow()
		synctest.Wait()
	})
}

// One that does not read for a while goes on with a keyframe, not with what it has missed, and hears every event.
func TestASlowSpectatorSkipsToAKeyframeAndHearsAll(t *testing.T) {
	rules := match.Rules{Spectators: 4, TickRate: 20}
	inPitch(t, pitch{bulk: 100}, rules, simnet.Link{Buffer: 8 << 10}, func(t *testing.T, ctx context.Context, b *bench, g match.Game) {
		player := b.join(ctx, "r", 1, "alice")
		go func() {
			for player.next(ctx) != 0 {
				player.ack(ctx)
			}
		}()
		ref := b.watchAs(ctx, g, "walter")
		go func() {
			for ref.take(ctx) != 0 {
			}
		}()
		slow := b.watchAs(ctx, g, "wilma")
		for range 40 {
			slow.take(ctx)
		}
		for range 2 {
			time.Sleep(8 * time.Second)
			for range 120 {
				if slow.take(ctx) == 0 {
					t.Fatalf("the socket ended: %+v", slow.bye)
				}
			}
		}
		_, _, _ = slow.CloseNow(), ref.CloseNow(), player.CloseNow()
		synctest.Wait()
		gaps := 0
		for i := 1; i < len(slow.ticks); i++ {
			if slow.ticks[i] > slow.ticks[i-1]+20 {
				gaps++
			}
			if tick := slow.ticks[i]; slow.seen[tick] != ref.seen[tick] {
				t.Fatalf("tick %d is another one for the slow one:\n%s\n%s", tick, slow.seen[tick], ref.seen[tick])
			}
		}
		if n := b.metricValue("muster_spectator_skips_total"); gaps < 2 || n < 2 || len(slow.began) < 3 {
			t.Errorf("%d gaps, %v skips, begun at %v", gaps, n, slow.began)
		}
	})
}

// A spectator that asks for a keyframe gets one at the next place where there is one.
func TestASpectatorThatAsksForAKeyframeGetsOne(t *testing.T) {
	inPitch(t, pitch{bulk: 100}, match.Rules{Spectators: 4}, simnet.Link{}, func(t *testing.T, ctx context.Context, b *bench, g match.Game) {
		player := b.join(ctx, "r", 1, "alice")
		go func() {
			for player.next(ctx) != 0 {
				player.ack(ctx)
			}
		}()
		w := b.watchAs(ctx, g, "walter")
		for len(w.ticks) < 10 {
			w.take(ctx)
		}
		m := proto.NewWriter()
		(&proto.Resync{Scope: 0}).Append(m)
		_ = w.Write(ctx, websocket.MessageBinary, m.Bytes())
		for len(w.ticks) < 60 {
			w.take(ctx)
		}
		if len(w.began) != 2 || w.ticks[len(w.ticks)-1] != w.ticks[0]+59 {
			t.Errorf("begun at %v, %d frames up to tick %d", w.began, len(w.ticks), w.ticks[len(w.ticks)-1])
		}
		_, _ = w.CloseNow(), player.CloseNow()
		synctest.Wait()
	})
}
