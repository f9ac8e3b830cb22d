package bridge

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"muster/client"
	"muster/match"
	"muster/netcode"
	"muster/proto"
	"muster/proto/token"
)

// parade is a game that everybody may watch: it counts, and says each number.
type parade struct{ teller }

type chime struct{ N uint32 }

func (p *parade) Step(s *netcode.Step[bank, order]) {
	p.teller.Step(s)
	if s.Tick%4 == 0 {
		s.Emit(netcode.Everyone(), chime{s.Tick})
	}
}

func paradeGame(p *parade, rules match.Rules) match.Game {
	rules.Seats, rules.Spectators = 16, 1000
	rules.Inputs, rules.InputsPerTick, rules.Events = proto.Commands, 8, []any{receipt{}, chime{}}
	return match.Define[bank, order]("bank", p, rules)
}

// onlooker watches a room by way of a process.
type onlooker struct {
	at    string
	conn  *client.Conn[bank, order]
	told  uint32
	first uint32
	wrong []string
	ticks []uint32
	when  []time.Time
	x     map[uint32]float32 // by tick, where the first account is
	err   error
	quick bool // it does not look at what it sees
}

// watch opens the onlooker's socket.
func (f *field) watch(ctx context.Context, name, at string) *onlooker {
	f.t.Helper()
	bearer, err := f.keys.SignWatch(token.Watch{Room: "r", Player: name, ID: name, PlayerExpires: time.Now().Add(24 * time.Hour)}, time.Minute)
	if err != nil {
		f.t.Fatal(err)
	}
	o := &onlooker{at: at, x: map[uint32]float32{}}
	o.conn, err = client.Dial[bank, order](ctx, client.Match{Room: "r", URL: "ws://server/v1/match/r", Token: bearer}, client.Options{
		HTTP: f.nodes[at].http, Events: []any{receipt{}, chime{}}, OnEvent: func(e client.Event) {
			n := e.Value.(*chime).N //nolint:forcetypeassert // the only one that is for everybody
			if o.told > 0 && n != o.told+4 {
				o.wrong = append(o.wrong, fmt.Sprintf("told %d after %d", n, o.told))
			}
			if o.told = n; o.first == 0 {
				o.first = n
			}
		},
	})
	if err != nil {
		f.t.Fatalf("%s watches: %v", name, err)
	}
	return o
}

// look watches until the socket ends.
func (o *onlooker) look(ctx context.Context) {
	for {
		if _, o.err = o.conn.Next(ctx); o.err != nil {
			return
		}
		tick := o.conn.Tick()
		if n := len(o.ticks); n == 0 || o.ticks[n-1] != tick {
			o.ticks, o.when = append(o.ticks, tick), append(o.when, time.Now())
		}
		if o.quick {
			continue
		}
		for _, a := range o.conn.State().Accounts.All() {
			if a.Owner == 1 {
				o.x[tick] = a.X
			}
		}
	}
}

// gallery is a match at n0 and those who watch it at n0, n1 and n2.
type gallery struct {
	*field
	player *player
	list   []*onlooker
	wg     sync.WaitGroup
	stop   context.CancelFunc
}

func newGallery(ctx context.Context, t *testing.T, p *parade, rules match.Rules, each int) *gallery {
	t.Helper()
	g := &gallery{field: newField(t, 1, paradeGame(p, rules), "n0", "n1", "n2")}
	g.events = []any{chime{}}
	ctx, g.stop = context.WithCancel(ctx)
	g.player = g.join(ctx, &player{room: "r", seat: 1, at: "n0"})
	g.wg.Go(func() { g.player.play(ctx) })
	for i := range 3 * each {
		o := g.watch(ctx, fmt.Sprint("w", i), fmt.Sprint("n", i%3))
		o.quick = i >= 6
		g.list = append(g.list, o)
		g.wg.Go(func() { o.look(ctx) })
	}
	return g
}

func (g *gallery) end() {
	g.stop()
	g.wg.Wait()
	_ = g.player.conn.Close()
	for _, o := range g.list {
		_ = o.conn.Close()
	}
	g.close()
}

// codeOf is why a socket ended.
func codeOf(err error) proto.Code {
	var c *client.CloseError
	if errors.As(err, &c) {
		return c.Code
	}
	return 0
}

// check says what an onlooker saw that was not so.
func (o *onlooker) check(t *testing.T, ref *onlooker, least int) {
	t.Helper()
	s := o.conn.Stats()
	switch {
	case len(o.wrong) > 0 || s.EventGaps > 0:
		t.Errorf("at %s: %v, %d gaps of events", o.at, o.wrong, s.EventGaps)
	case len(o.ticks) < least:
		t.Errorf("at %s %d ticks were shown, want %d", o.at, len(o.ticks), least)
	case s.DecodeErrors > 0 || s.HashMismatches > 0:
		t.Errorf("at %s %d blocks could not be read, %d hashes differ", o.at, s.DecodeErrors, s.HashMismatches)
	}
	for tick, x := range o.x {
		if want, ok := ref.x[tick]; ok && x != want {
			t.Errorf("at %s the account is at %v at tick %d, not %v", o.at, x, tick, want)
			return
		}
	}
}

// However many watch at a node, it is sent one message a tick, and no other for each of them.
func TestAnEdgeIsSentOneMessageATickHoweverManyWatchThere(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := &parade{}
		g := newGallery(t.Context(), t, p, match.Rules{}, 40)
		defer g.end()
		time.Sleep(2 * time.Second)
		type count struct{ casts, others int }
		counts := map[string]*count{"n1": {}, "n2": {}}
		g.net.change(func() {
			g.net.seen = func(from, to string, kind int, _ []byte) {
				switch c := counts[to]; {
				case from != "n0" || c == nil || kind == kindPong:
				case kind == kindCast:
					c.casts++
				default:
					c.others++
				}
			}
		})
		time.Sleep(10 * time.Second)
		g.net.change(func() {
			g.net.seen = nil
			for to, c := range counts {
				if c.casts < 198 || c.casts > 202 || c.others > 0 {
					t.Errorf("%s, where 40 watch, is sent %d casts in 200 ticks, and %d other messages", to, c.casts, c.others)
				}
			}
		})
		g.stop()
		g.wg.Wait()
		for _, o := range g.list {
			o.check(t, g.list[0], 230)
			if o.told < 200 {
				t.Errorf("at %s the last event was of tick %d", o.at, o.told)
			}
		}
	})
}

// What the network loses is asked for again: nobody misses an event, and what is shown is right.
func TestWhoWatchesAtAnotherNodeMissesNothingThatTheNetworkLoses(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newGallery(t.Context(), t, &parade{}, match.Rules{}, 3)
		defer g.end()
		g.net.change(func() { g.net.loss, g.net.doubled = 0.1, 0.1 })
		time.Sleep(10 * time.Second)
		g.net.change(func() { g.net.cut = func(_, to string) bool { return to == "n1" } })
		time.Sleep(1500 * time.Millisecond)
		g.net.change(func() { g.net.cut = nil })
		time.Sleep(10 * time.Second)
		if n := g.nodes["n1"].gauge("muster_bridge_gaps_total"); n < 5 {
			t.Errorf("%v gaps", n)
		}
		g.stop()
		g.wg.Wait()
		for _, o := range g.list {
			o.check(t, g.list[0], 380)
			if o.told < 400 {
				t.Errorf("at %s the last event was of tick %d", o.at, o.told)
			}
		}
	})
}

// The delay is kept at every node, and the end comes as late.
func TestWhoWatchesAtAnotherNodeIsShownAllAfterTheDelay(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := &parade{}
		const delay = 15 * time.Second // longer than a client bears silence
		began := time.Now()
		g := newGallery(t.Context(), t, p, match.Rules{SpectatorDelay: delay}, 2)
		defer g.end()
		time.Sleep(20*time.Second - time.Since(began))
		p.teller.end.Store(true)
		over := time.Now()
		time.Sleep(time.Second)
		late := g.watch(t.Context(), "late", "n1")
		g.list = append(g.list, late)
		g.wg.Go(func() { late.look(t.Context()) })
		g.wg.Wait()
		if d := time.Since(over); d < delay || d > delay+time.Second {
			t.Errorf("the end was shown %v after it was", d)
		}
		for i, o := range g.list {
			o.check(t, g.list[0], map[bool]int{false: 380, true: 270}[o == late])
			for i, tick := range o.ticks {
				if at := o.when[i].Sub(began); at < time.Duration(tick)*50*time.Millisecond+delay-60*time.Millisecond {
					t.Errorf("at %s tick %d is shown after %v", o.at, tick, at)
					break
				}
			}
			if o.conn.End() == nil || codeOf(o.err) != proto.CodeDone {
				t.Errorf("onlooker %d at %s ends with %v, the end %v", i, o.at, o.err, o.conn.End())
			}
		}
	})
}

// Who watches is told to come again when the host is gone, and then sees the match where it goes on: nothing of it sooner
// than the delay.
func TestWhoWatchesComesAgainWhereTheMatchGoesOn(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		const delay = 2 * time.Second
		g := newGallery(t.Context(), t, &parade{}, match.Rules{SpectatorDelay: delay}, 2)
		defer g.end()
		time.Sleep(6 * time.Second)
		g.kill("n0")
		g.wg.Wait()
		for _, o := range g.list {
			if at := o.ticks[len(o.ticks)-1]; codeOf(o.err) != proto.CodeNodeLeaving || at > 85 {
				t.Errorf("at %s the socket ends with %v at tick %d", o.at, o.err, at)
			}
		}
		g.epoch.Store(2)
		g.mu.Lock()
		g.where["r"] = "n2"
		g.mu.Unlock()
		began := time.Now()
		g.player = g.join(t.Context(), &player{room: "r", seat: 1, at: "n1"})
		ctx, stop := context.WithCancel(t.Context())
		g.wg.Go(func() { g.player.play(ctx) })
		var again []*onlooker
		for i := range 4 {
			o := g.watch(ctx, fmt.Sprint("w", i), fmt.Sprint("n", 1+i%2))
			again = append(again, o)
			g.wg.Go(func() { o.look(ctx) })
		}
		time.Sleep(6 * time.Second)
		stop()
		g.wg.Wait()
		for _, o := range again {
			if d := o.when[0].Sub(began); d < delay || d > delay+time.Second || o.conn.Info().Epoch != 2 {
				t.Errorf("at %s the first frame is shown after %v, in epoch %d", o.at, d, o.conn.Info().Epoch)
			}
			o.check(t, again[0], 70)
		}
		g.list = append(g.list, again...)
	})
}

// A player has two sockets that watch at all nodes together, and whoever comes when all others of his node have left is
// shown the match at once.
func TestPlacesToWatchAreCountedOverAllNodes(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newGallery(t.Context(), t, &parade{}, match.Rules{}, 0)
		defer g.end()
		first, second := g.watch(t.Context(), "w", "n1"), g.watch(t.Context(), "w", "n2")
		g.list = append(g.list, first, second)
		bearer, err := g.keys.SignWatch(token.Watch{Room: "r", Player: "w", ID: "w", PlayerExpires: time.Now().Add(time.Hour)}, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		_, err = client.Dial[bank, order](t.Context(), client.Match{Room: "r", URL: "ws://server/v1/match/r", Token: bearer}, client.Options{
			HTTP: g.nodes["n1"].http, Events: []any{receipt{}, chime{}},
		})
		if codeOf(err) != proto.CodeMatchFull {
			t.Errorf("a third socket is answered by %v", err)
		}
		for range 3 {
			_ = first.conn.Close()
			time.Sleep(1300 * time.Millisecond)
			began := time.Now()
			first = g.watch(t.Context(), "w", "n1")
			if _, err := first.conn.Next(t.Context()); err != nil || time.Since(began) > 400*time.Millisecond {
				t.Errorf("the first frame comes after %v: %v", time.Since(began), err)
			}
			g.list = append(g.list, first)
		}
	})
}
