package simnet_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"muster/internal/simnet"
)

const ms = time.Millisecond

// bubble runs a test in a bubble with a connection from a to b that has this link in both directions.
func bubble(t *testing.T, link simnet.Link, test func(t *testing.T, a, b *simnet.Conn)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		a, b := simnet.Pipe(link, link)
		test(t, a, b)
		_, _ = a.Close(), b.Close()
	})
}

func write(t *testing.T, c *simnet.Conn, s string) {
	t.Helper()
	if n, err := c.Write([]byte(s)); n != len(s) || err != nil {
		t.Fatalf("writing %q: %d, %v", s, n, err)
	}
}

func wantRead(t *testing.T, c *simnet.Conn, s string) {
	t.Helper()
	b := make([]byte, len(s))
	if _, err := io.ReadFull(c, b); err != nil || string(b) != s {
		t.Fatalf("read %q, %v; want %q", b, err, s)
	}
}

func TestBytesArriveInOrderAfterTheLatency(t *testing.T) {
	bubble(t, simnet.Link{Latency: 40 * ms}, func(t *testing.T, a, b *simnet.Conn) {
		start := time.Now()
		write(t, a, "one")
		time.Sleep(5 * ms)
		write(t, a, "two")
		if d := time.Since(start); d != 5*ms {
			t.Errorf("writing took %v", d)
		}
		wantRead(t, b, "one")
		if d := time.Since(start); d != 40*ms {
			t.Errorf("the first arrived after %v", d)
		}
		wantRead(t, b, "two")
		if d := time.Since(start); d != 45*ms {
			t.Errorf("the second arrived after %v", d)
		}
	})
}

// arrivals writes n messages 1 ms apart and returns when each arrived.
func arrivals(t *testing.T, link simnet.Link, n int) (times []time.Duration) {
	t.Helper()
	bubble(t, link, func(t *testing.T, a, b *simnet.Conn) {
		start := time.Now()
		var wg sync.WaitGroup
		wg.Go(func() {
			for i := range n {
				write(t, a, string(rune('a'+i%26)))
				time.Sleep(ms)
			}
		})
		for i := range n {
			wantRead(t, b, string(rune('a'+i%26)))
			times = append(times, time.Since(start))
		}
		wg.Wait()
	})
	return times
}

func TestJitterFollowsTheSeedAndKeepsTheOrder(t *testing.T) {
	link := simnet.Link{Latency: 20 * ms, Jitter: 30 * ms, Seed: 7}
	first, again := arrivals(t, link, 50), arrivals(t, link, 50)
	link.Seed = 8
	other := arrivals(t, link, 50)
	same, differ := true, false
	for i, d := range first {
		same, differ = same && d == again[i], differ || d != other[i]
		if sent := time.Duration(i) * ms; d < sent+20*ms || d > sent+50*ms {
			t.Errorf("message %d took %v", i, d-sent)
		}
	}
	if !same || !differ {
		t.Errorf("equal seeds give equal delays: %v; other seeds other ones: %v", same, differ)
	}
}

func TestALostSegmentComesLateAndHoldsUpTheOthers(t *testing.T) {
	bubble(t, simnet.Link{Latency: 40 * ms, Loss: 0.02, Seed: 3}, func(t *testing.T, a, b *simnet.Conn) {
		const n = 400
		go func() {
			for i := range n {
				write(t, a, string(rune('a'+i%26)))
				time.Sleep(10 * ms)
			}
		}()
		start := time.Now()
		late := map[time.Duration]int{}
		for i := range n {
			wantRead(t, b, string(rune('a'+i%26)))
			late[time.Since(start)-time.Duration(i)*10*ms]++
		}
		if late[40*ms] < n/4 || late[320*ms] == 0 || late[320*ms] > n/20 { // 40, and 200 and a round trip of 80
			t.Errorf("delays: %v", late)
		}
		if late[310*ms] == 0 {
			t.Errorf("a lost byte holds nothing up: %v", late)
		}
	})
}

func TestBandwidthSpreadsALargeWrite(t *testing.T) {
	link := simnet.Link{Latency: 10 * ms, Bandwidth: 14_000, Buffer: 1 << 20}
	bubble(t, link, func(t *testing.T, a, b *simnet.Conn) {
		start := time.Now()
		write(t, a, string(make([]byte, 14_000)))
		if d := time.Since(start); d != 0 {
			t.Errorf("the write took %v though the buffer had room", d)
		}
		wantRead(t, b, string(make([]byte, 1400)))
		if d := time.Since(start); d != 110*ms {
			t.Errorf("the first segment took %v", d)
		}
		wantRead(t, b, string(make([]byte, 12_600)))
		if d := time.Since(start); d != 1010*ms {
			t.Errorf("all of it took %v", d)
		}
	})
}

func TestAFullBufferHoldsTheWriterUntilItIsRead(t *testing.T) {
	bubble(t, simnet.Link{Buffer: 1000}, func(t *testing.T, a, b *simnet.Conn) {
		start := time.Now()
		var wg sync.WaitGroup
		wg.Go(func() {
			write(t, a, string(make([]byte, 1500)))
			if d := time.Since(start); d != time.Second {
				t.Errorf("the write took %v", d)
			}
		})
		time.Sleep(time.Second)
		wantRead(t, b, string(make([]byte, 1500)))
		wg.Wait()
	})
}

func TestConcurrentWritesStayWhole(t *testing.T) {
	bubble(t, simnet.Link{Buffer: 10, Latency: ms}, func(t *testing.T, a, b *simnet.Conn) {
		var wg sync.WaitGroup
		for _, s := range []string{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"} {
			wg.Go(func() { write(t, a, s) })
		}
		got := make([]byte, 60)
		if _, err := io.ReadFull(b, got); err != nil {
			t.Fatal(err)
		}
		wg.Wait()
		if n := bytes.Count(got[:30], got[:1]); n != 30 {
			t.Errorf("mixed: %s", got)
		}
	})
}

func TestDeadlinesEndReadsAndWrites(t *testing.T) {
	bubble(t, simnet.Link{Buffer: 10}, func(t *testing.T, a, b *simnet.Conn) {
		for name, op := range map[string]func([]byte) (int, error){"read": a.Read, "write": a.Write} {
			start := time.Now()
			if err := a.SetDeadline(start.Add(time.Second)); err != nil {
				t.Fatal(err)
			}
			_, err := op(make([]byte, 100))
			var netErr net.Error
			if !errors.Is(err, os.ErrDeadlineExceeded) || !errors.As(err, &netErr) || !netErr.Timeout() {
				t.Errorf("%s: %v", name, err)
			}
			if d := time.Since(start); d != time.Second {
				t.Errorf("%s ended after %v", name, d)
			}
		}
		if n, err := b.Read(make([]byte, 100)); n != 10 || err != nil {
			t.Errorf("what fitted before the deadline: %d bytes, %v", n, err)
		}
	})
}

func TestADeadlineThatIsSetWhileWaitingCounts(t *testing.T) {
	bubble(t, simnet.Link{}, func(t *testing.T, a, _ *simnet.Conn) {
		start := time.Now()
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := a.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("%v", err)
			}
		})
		synctest.Wait()
		if err := errors.Join(a.SetReadDeadline(start.Add(time.Hour)), a.SetReadDeadline(start.Add(ms))); err != nil {
			t.Error(err)
		}
		wg.Wait()
		if d := time.Since(start); d != ms {
			t.Errorf("the read ended after %v", d)
		}
	})
}

func TestCloseDeliversWhatWasWrittenThenEOF(t *testing.T) {
	bubble(t, simnet.Link{Latency: 10 * ms}, func(t *testing.T, a, b *simnet.Conn) {
		start := time.Now()
		write(t, a, "last words")
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
		wantRead(t, b, "last words")
		if _, err := b.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("%v", err)
		}
		if d := time.Since(start); d != 10*ms {
			t.Errorf("the end arrived after %v", d)
		}
		if _, err := b.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
			t.Errorf("writing to one that has gone: %v", err)
		}
		for _, err := range []error{a.Close(), a.SetDeadline(time.Time{})} {
			if !errors.Is(err, net.ErrClosed) {
				t.Errorf("using a closed end: %v", err)
			}
		}
		if _, err := a.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("reading from a closed end: %v", err)
		}
		if _, err := a.Write(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("writing to a closed end: %v", err)
		}
	})
}

func TestCloseWriteEndsOneDirectionAlone(t *testing.T) {
	bubble(t, simnet.Link{Latency: 10 * ms}, func(t *testing.T, a, b *simnet.Conn) {
		write(t, a, "bye")
		for range 2 {
			if err := a.CloseWrite(); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := a.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
			t.Errorf("a write after it: %v", err)
		}
		if _, err := a.TryWrite([]byte("x")); !errors.Is(err, syscall.EPIPE) {
			t.Errorf("an attempt to write after it: %v", err)
		}
		wantRead(t, b, "bye")
		if _, err := b.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("the peer reads %v, want EOF", err)
		}
		write(t, b, "goodbye")
		wantRead(t, a, "goodbye")
		_ = a.Close()
		if err := a.CloseWrite(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	})
}

func TestTryWriteTakesWhatThereIsRoomFor(t *testing.T) {
	bubble(t, simnet.Link{Latency: 10 * ms, Buffer: 2000}, func(t *testing.T, a, b *simnet.Conn) {
		sent := bytes.Repeat([]byte("x"), 3000)
		start := time.Now()
		for i, want := range []int{2000, 0} {
			if n, err := a.TryWrite(sent); n != want || err != nil {
				t.Errorf("attempt %d writes %d, %v; want %d", i, n, err, want)
			}
		}
		wantRead(t, b, string(sent[:1500]))
		if n, err := a.TryWrite(sent); n != 1500 || err != nil {
			t.Errorf("after 1500 were read: %d, %v", n, err)
		}
		wantRead(t, b, string(sent[:2000]))
		if d := time.Since(start); d != 20*ms {
			t.Errorf("it took %v: an attempt waited", d)
		}
		a.Cut()
		if _, err := a.TryWrite(sent); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("after a cut: %v", err)
		}
	})
}

func TestCloseEndsWaitingCalls(t *testing.T) {
	bubble(t, simnet.Link{Buffer: 1}, func(t *testing.T, a, b *simnet.Conn) {
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := a.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
				t.Errorf("read: %v", err)
			}
		})
		wg.Go(func() {
			if _, err := a.Write(make([]byte, 2)); !errors.Is(err, net.ErrClosed) {
				t.Errorf("write: %v", err)
			}
		})
		synctest.Wait()
		if err := a.Close(); err != nil {
			t.Error(err)
		}
		wg.Wait()
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestAStallHoldsOneDirectionAndLosesNothing(t *testing.T) {
	bubble(t, simnet.Link{Latency: 10 * ms}, func(t *testing.T, a, b *simnet.Conn) {
		start := time.Now()
		write(t, a, "before")
		a.Stall()
		write(t, a, "after")
		write(t, b, "back")
		wantRead(t, a, "back")
		if err := b.SetReadDeadline(start.Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("read through a stall: %v", err)
		}
		if err := b.SetReadDeadline(time.Time{}); err != nil {
			t.Fatal(err)
		}
		a.Resume()
		wantRead(t, b, "beforeafter")
		if d := time.Since(start); d != time.Second {
			t.Errorf("it arrived after %v", d)
		}
	})
}

func TestABlackHoleTakesBytesAndTellsNobody(t *testing.T) {
	bubble(t, simnet.Link{Buffer: 10}, func(t *testing.T, a, b *simnet.Conn) {
		a.BlackHole()
		write(t, a, "far more than the buffer holds")
		write(t, b, "far more than the buffer holds")
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		write(t, a, "after the close")
		if err := a.SetReadDeadline(time.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		if _, err := a.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%v", err)
		}
	})
}

func TestACutEndsBothEndsAtOnce(t *testing.T) {
	bubble(t, simnet.Link{Latency: time.Second}, func(t *testing.T, a, b *simnet.Conn) {
		write(t, a, "lost")
		start := time.Now()
		var wg sync.WaitGroup
		for _, c := range []*simnet.Conn{a, b} {
			wg.Go(func() {
				if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
					t.Errorf("read: %v", err)
				}
			})
		}
		synctest.Wait()
		a.Cut()
		wg.Wait()
		if _, err := b.Write([]byte("x")); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("write: %v", err)
		}
		if d := time.Since(start); d != 0 {
			t.Errorf("noticed after %v", d)
		}
	})
}

func TestSetLinkChangesWhatIsWrittenFromThenOn(t *testing.T) {
	bubble(t, simnet.Link{}, func(t *testing.T, a, b *simnet.Conn) {
		a.SetLink(simnet.Link{Latency: 300 * ms})
		start := time.Now()
		write(t, a, "slow")
		a.SetLink(simnet.Link{})
		write(t, a, "fast")
		wantRead(t, b, "slowfast")
		if d := time.Since(start); d != 300*ms {
			t.Errorf("%v: what is on the way is not overtaken", d)
		}
	})
}

// Whatever sizes are written and read, and whatever happens on the way, the stream is the same.
func TestTheStreamIsKeptThroughStallsAndJitter(t *testing.T) {
	link := simnet.Link{Latency: 5 * ms, Jitter: 20 * ms, Bandwidth: 200_000, Buffer: 5000, Seed: 3}
	bubble(t, link, func(t *testing.T, a, b *simnet.Conn) {
		rng := rand.New(rand.NewPCG(1, 2))
		want := make([]byte, 100_000)
		for i := range want {
			want[i] = byte(rng.Uint32())
		}
		var wg sync.WaitGroup
		wg.Go(func() {
			for rest := want; len(rest) > 0; {
				n := min(len(rest), 1+int(rand.New(rand.NewPCG(9, uint64(len(rest)))).Uint32N(4000)))
				write(t, a, string(rest[:n]))
				rest = rest[n:]
			}
			if err := a.Close(); err != nil {
				t.Error(err)
			}
		})
		wg.Go(func() {
			for range 10 {
				time.Sleep(30 * ms)
				a.Stall()
				time.Sleep(20 * ms)
				a.Resume()
			}
		})
		var got []byte
		for {
			buf := make([]byte, 1+rng.Uint32N(3000))
			n, err := b.Read(buf)
			got = append(got, buf[:n]...)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		wg.Wait()
		if !bytes.Equal(got, want) {
			t.Errorf("%d bytes read, %d written, or they differ", len(got), len(want))
		}
	})
}
