package edge

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"muster/internal/door"
	"muster/internal/door/doortest"
	"muster/internal/simnet"
	"muster/proto"
)

// answer opens a socket and returns 0 when it was welcomed, else the code of the bye. The socket stays open until the
// test's end.
func (b *bench) answer(ctx context.Context, bearer string) proto.Code {
	ws, _, err := b.dial(ctx, "r", bearer)
	if err != nil {
		b.t.Error(err)
		return 1
	}
	b.t.Cleanup(func() { _ = ws.CloseNow() })
	p := &peer{Conn: ws, t: b.t}
	if p.next(ctx) == proto.KindWelcome {
		return 0
	}
	return p.bye.Code
}

// answers opens a socket for each token at once and counts what becomes of them.
func (b *bench) answers(ctx context.Context, bearers []string) map[proto.Code]int {
	var mu sync.Mutex
	var wg sync.WaitGroup
	start := make(chan struct{})
	got := map[proto.Code]int{}
	for _, bearer := range bearers {
		wg.Go(func() {
			<-start
			code := b.answer(ctx, bearer)
			mu.Lock()
			got[code]++
			mu.Unlock()
		})
	}
	close(start)
	wg.Wait()
	return got
}

func TestSocketsThatRaceForSeatsNeverGetOneTooMany(t *testing.T) {
	const seats, players = 64, 256
	b := newBench(t, grow{}, nil)
	var bearers []string
	for n := range players { // four for each seat
		bearers = append(bearers, b.seatToken("r", uint16(n%seats+1), fmt.Sprint("player", n, "-")))
	}
	got := b.answers(testContext(t), bearers)
	if got[0] != seats || got[proto.CodeNotYourSeat] != players-seats {
		t.Errorf("answers %v, want %d welcomes and the rest 4403", got, seats)
	}
}

// A secret is good until its successor was used: a welcome may be lost. After that it is nobody's.
func TestResumeSecretIsGoodUntilItsSuccessorWasUsed(t *testing.T) {
	b := newBench(t, grow{}, nil)
	ctx := testContext(t)
	first := b.join(ctx, "r", 1, "alice").welcome.Resume
	lost, _, err := b.dial(ctx, "r", first) // its welcome is not read
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the first socket to be replaced", func() bool { return b.closes("replaced") == 1 })
	_ = lost.CloseNow()
	second := b.connect(ctx, "r", first).welcome.Resume
	newest := b.connect(ctx, "r", second)
	for _, stale := range []string{first, first} {
		if code := b.answer(ctx, stale); code != proto.CodeNotYourSeat {
			t.Errorf("a stale secret is answered with %d, want 4403", code)
		}
	}
	newest.until(ctx, proto.KindFrame) // they did not disturb it
	if code := b.answer(ctx, second); code != 0 {
		t.Errorf("the newest secret that was used is answered with %d", code)
	}
}

// A network that is gone without a word: the seat is held, and its player comes back to it.
func TestHalfOpenSocketIsNoticedAndItsSeatResumed(t *testing.T) {
	game := grow{drops: new(atomic.Int32)}
	inBubble(t, game, simnet.Link{Latency: 20 * time.Millisecond}, func(t *testing.T, ctx context.Context, b *bench) {
		var client *simnet.Conn
		b.http = &http.Client{Transport: &http.Transport{
			DisableKeepAlives: true,
			DialContext: func(context.Context, string, string) (net.Conn, error) {
				c, err := b.dialer()
				client, _ = c.(*simnet.Conn)
				return c, err
			},
		}}
		p := b.join(ctx, "r", 1, "alice")
		p.count(ctx, time.Second)
		client.BlackHole()
		client.Peer().BlackHole()
		began := time.Now()
		for b.closes("idle")+b.closes("slow_reader") == 0 && time.Since(began) < time.Minute {
			time.Sleep(100 * time.Millisecond)
		}
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("noticed after %v, want within two pings of 10 s", took)
		}
		time.Sleep(2 * door.LastTimeout)
		if n := game.drops.Load(); n != 1 {
			t.Errorf("the seat was dropped %d times", n)
		}
		again := b.connect(ctx, "r", p.welcome.Resume)
		again.until(ctx, proto.KindFrame)
		if again.welcome.Seat != 1 {
			t.Errorf("it is seat %d", again.welcome.Seat)
		}
	})
}

func TestSocketsThatReplaceEachOtherLeaveNothing(t *testing.T) {
	game := grow{drops: new(atomic.Int32)}
	inBubble(t, game, simnet.Link{Latency: time.Millisecond}, func(t *testing.T, ctx context.Context, b *bench) {
		p := b.join(ctx, "r", 1, "alice")
		rest := func() (goroutines int, memory uint64) {
			time.Sleep(2 * door.LastTimeout)
			return runtime.NumGoroutine(), heap()
		}
		goroutines, before := rest()
		for i := range 100 {
			ws, _, err := b.dial(ctx, "r", p.welcome.Resume)
			if err != nil {
				t.Fatal(err)
			}
			fresh := &peer{Conn: ws, t: t}
			fresh.until(ctx, proto.KindWelcome)
			if _, frame := p.closed(ctx); frame != proto.CodeReplaced {
				t.Fatalf("swap %d: close frame %d, want 4406", i, frame)
			}
			_ = p.CloseNow()
			p = fresh
		}
		now, after := rest() // a few goroutines are of the runtime and of tests beside this one; each swap would leave one
		if now > goroutines+20 || int64(after)-int64(before) > 1<<20 {
			t.Errorf("%d goroutines after %d, %d bytes after %d", now, goroutines, after, before)
		}
		if b.closes("replaced") != 100 || game.drops.Load() != 0 || b.metricValue("muster_connections") != 1 {
			t.Errorf("%v were replaced, %d drops, %v connections", b.closes("replaced"), game.drops.Load(), b.metricValue("muster_connections"))
		}
		_ = p.Close(websocket.StatusNormalClosure, "")
	})
}

func TestOthersHearOnceOfEachSocketOfASeat(t *testing.T) {
	heard := make(chan string, 100)
	b := newBench(t, grow{}, func(c *Config) {
		c.Seated = func(player string, begins bool) { heard <- fmt.Sprint(player, " ", begins) }
	})
	ctx := testContext(t)
	next := func(want string) {
		t.Helper()
		select {
		case got := <-heard:
			if got != want {
				t.Errorf("heard %q, want %q", got, want)
			}
		case <-ctx.Done():
			t.Fatalf("%q was not heard", want)
		}
	}
	p := b.join(ctx, "r", 1, "alice")
	next("alice true")
	again := b.connect(ctx, "r", p.welcome.Resume)
	next2 := map[string]bool{<-heard: true, <-heard: true} // the newer may begin before the older has ended
	if !next2["alice true"] || !next2["alice false"] {
		t.Errorf("heard %v", next2)
	}
	c := b.rawDial("r", b.seatToken("r", 2, "bob"))
	next("bob true")
	if _, err := welcomed(t, c).Write(doortest.NegativeLength()); err != nil { // whatever becomes of it
		t.Fatal(err)
	}
	next("bob false")
	refused, _, err := b.dial(ctx, "gone", b.seatToken("gone", 3, "carol"))
	if err != nil {
		t.Fatal(err)
	}
	(&peer{Conn: refused, t: t}).closed(ctx)
	_ = again.CloseNow()
	next("alice false")
	if len(heard) > 0 {
		t.Errorf("heard %q as well", <-heard)
	}
}
