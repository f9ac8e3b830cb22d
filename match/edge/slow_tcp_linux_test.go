package edge

import (
	"context"
	"io"
	"net"
	"net/http"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"muster/internal/door"
	"muster/netcode"
	"muster/proto"
)

// mostHeld is what a connection that is not read may cost, in bytes.
const mostHeld = 64 << 10

// held returns what waits for a peer in the kernel, unsent or unacknowledged, and the memory of the tail, in bytes.
func held(t *testing.T, p *door.Pipe) (kernel, tail int) {
	t.Helper()
	var n int32
	raw, err := p.Conn.(*net.TCPConn).SyscallConn()
	if err == nil {
		err = raw.Control(func(fd uintptr) {
			_, _, _ = syscall.Syscall(syscall.SYS_IOCTL, fd, syscall.TIOCOUTQ, uintptr(unsafe.Pointer(&n))) //nolint:gosec // how the call is made
		})
	}
	if err != nil {
		n = 0 // it is closed
	}
	return int(n), p.Waiting()
}

// dialSmall makes the bench's clients ask for a receive buffer of 4 KiB.
func (b *bench) dialSmall() {
	small := func(ctx context.Context, network, addr string) (net.Conn, error) {
		var d net.Dialer
		c, err := d.DialContext(ctx, network, addr)
		if err == nil {
			_ = c.(*net.TCPConn).SetReadBuffer(4 << 10)
		}
		return c, err //nolint:wrapcheck // the test's own
	}
	addr := b.url[len("ws://"):]
	b.dialer = func() (net.Conn, error) { return small(b.t.Context(), "tcp", addr) }
	b.http = &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: small}}
}

// other returns the server's connection that is not of this seat.
func (b *bench) other(seat netcode.Seat) *conn {
	for _, c := range b.edge.all() {
		if c.seat != seat {
			return c
		}
	}
	return nil
}

func TestSlowReaderOnTCPCostsLittleDelaysNobodyAndIsClosed(t *testing.T) {
	const after = time.Second
	for name, c := range map[string]struct {
		perSecond int // bytes that it reads
		bulk      int // bytes of a frame
	}{
		"reads nothing":                     {0, 1000},
		"reads nothing of large frames":     {0, 15_000},
		"reads 1 KB a second":               {1000, 1000},
		"reads 1 KB a second, large frames": {1000, 15_000},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, grow{bulk: c.bulk}, func(c *Config) { c.SlowAfter = after })
			ctx := testContext(t)
			good := b.join(ctx, "r", 1, "bob")
			good.until(ctx, proto.KindFrame)
			b.dialSmall()
			peer := b.rawDial("r", b.seatToken("r", 2, "alice"))
			eventually(t, "the slow one to be there", func() bool { return b.other(1) != nil })
			slow := b.other(1)

			stop := make(chan struct{})
			done := make(chan struct{})
			go func() { // reads as slowly as it does, ten times a second
				defer close(done)
				every := time.NewTicker(100 * time.Millisecond)
				defer every.Stop()
				for {
					select {
					case <-stop:
						return
					case <-every.C:
					}
					if _, err := io.CopyN(io.Discard, peer, int64(c.perSecond/10)); err != nil {
						return
					}
				}
			}()

			var most, mostKernel, mostTail int
			var clear, closed time.Time // when it was last seen that nothing waits for it, and that it is closed
			last, hole := good.frame.Head.Tick, uint32(0)
			for closed.IsZero() && ctx.Err() == nil {
				good.until(ctx, proto.KindFrame)
				good.ack(ctx)
				hole = max(hole, good.frame.Head.Tick-last)
				last = good.frame.Head.Tick
				kernel, tail := held(t, slow.Pipe)
				most, mostKernel, mostTail = max(most, kernel+tail), max(mostKernel, kernel), max(mostTail, tail)
				if now := time.Now(); !slow.Pipe.Congested() {
					clear = now
				}
				if b.closes("slow_reader") > 0 {
					closed = time.Now()
				}
			}
			close(stop)
			_ = peer.Close()
			<-done
			t.Logf("%d bytes in the kernel at most, %d in the tail, %d together", mostKernel, mostTail, most)
			if most > mostHeld || mostTail == 0 {
				t.Errorf("it costs %d bytes, want some in the tail and %d in all at most", most, mostHeld)
			}
			if hole > 10 { // half a second; a busy machine sends fewer frames, and a room that waits for the slow one none
				t.Errorf("the other viewer waited %d ticks for a frame", hole)
			}
			if took := closed.Sub(clear); took < after || took > slowAfter-after { // the bench's own is slowAfter
				t.Errorf("closed after %v, want %v", took, after)
			}
		})
	}
}

func TestSlowReaderOnTCPThatDrainsGetsTheNewestState(t *testing.T) {
	b := newBench(t, grow{bulk: 3000}, nil)
	b.dialSmall()
	ctx := testContext(t)
	p := b.join(ctx, "r", 1, "alice")
	schema, err := netcode.ParseSchema(p.welcome.Schema)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "frames to be passed over", func() bool { return b.metricValue("muster_frames_skipped_total") > 20 })
	now, _ := b.host.Room("r").Clock()
	dec := netcode.NewDecoder(schema)
	jump, hashes := uint32(0), 0
	for last := uint32(0); hashes < 2; last = p.frame.Head.Tick {
		p.until(ctx, proto.KindFrame)
		if last > 0 {
			jump = max(jump, p.frame.Head.Tick-last)
		}
		if err := dec.Apply(&p.frame); err != nil { // it compares the hashes
			t.Fatalf("tick %d: %v", p.frame.Head.Tick, err)
		}
		if p.frame.Head.Tick >= now {
			hashes += len(p.frame.Hashes)
		}
	}
	if jump < 20 {
		t.Errorf("the longest step is %d ticks, want one over what was passed over", jump)
	}
}
