package edge

import (
	"context"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"muster/internal/door"
	"muster/internal/simnet"
	"muster/proto"
)

// A client that is as slow as it can be must not hold what it has opened for ever: neither a connection without a
// handshake, nor a reader in the middle of a message.
func TestClientThatSendsAByteASecondIsClosed(t *testing.T) {
	trickle := func(c net.Conn, b []byte) {
		for i := range b {
			if _, err := c.Write(b[i : i+1]); err != nil {
				return
			}
			time.Sleep(time.Second)
		}
	}
	long := make([]byte, 4000)
	fragments := clientFrame(firstFragment, []byte{1})
	for range 500 { // pongs between them say that the client lives
		fragments = append(append(fragments, clientFrame(finPong, nil)...), clientFrame(middleFragment, []byte{1})...)
	}
	pings := clientFrame(firstFragment, []byte{1})
	for range 500 {
		pings = append(pings, clientFrame(finPing, nil)...)
	}
	for name, bytes := range map[string][]byte{
		"in a frame":                       clientFrame(finBinary, long),
		"in a frame's head":                {finBinary, 0x80 | 127, 0, 0, 0, 0, 0, 0, 15, 160, 0, 0, 0, 0, 0, 0},
		"in fragments, with pongs between": fragments,
		"in what has no next fragment":     pings,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newSimBench(t, grow{}, simnet.Link{}, nil)
				c := welcomed(t, b.rawDial("r", b.seatToken("r", 1, "alice")))
				began := time.Now()
				done := make(chan struct{})
				go func() {
					defer close(done)
					trickle(c, bytes)
				}()
				e := goodbyeWithin(t, c, time.Hour)
				if took := time.Since(began); e.code != proto.CodeIdle || took < door.PartialFor || took > door.PartialFor+5*time.Second {
					t.Errorf("closed with %+v after %v, want 4004 after %v", e, took, door.PartialFor)
				}
				<-done
			})
		})
	}
	t.Run("in the handshake", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newSimBench(t, grow{}, simnet.Link{}, nil)
			c, err := b.dialer()
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = c.Close() }()
			began := time.Now()
			gone := drainer(c)
			trickle(c, []byte("GET /v1/match/r HTTP/1.1\r\nHost: x\r\n"))
			<-gone
			if took := time.Since(began); took > headerTimeout+3*time.Second {
				t.Errorf("held for %v", took)
			}
		})
	})
}

// One that sends whole messages, however slowly, is none of those.
func TestClientThatSendsAMessageNowAndThenIsNotClosed(t *testing.T) {
	inTime(t, func(_ *testing.T, ctx context.Context, b *bench) {
		p := b.join(ctx, "r", 1, "alice")
		for range 100 {
			p.until(ctx, proto.KindFrame)
			p.ack(ctx)
		}
		p.count(ctx, time.Minute) // it answers pings, which are whole
	})
}

// A narrow line cuts messages anywhere: whoever finishes some is not slow because a read never ends with one.
func TestClientWhoseReadsAllEndInAMessageIsNotClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newSimBench(t, grow{}, simnet.Link{}, nil)
		c := welcomed(t, b.rawDial("r", b.seatToken("r", 1, "alice")))
		closed := make(chan struct{})
		go func() {
			defer close(closed)
			_, _ = io.Copy(io.Discard, c)
		}()
		pong := clientFrame(finPong, make([]byte, 100))
		two := append(append([]byte{}, pong...), pong...)
		if _, err := c.Write(two[:50]); err != nil {
			t.Fatal(err)
		}
		for range 60 { // the rest of one and the beginning of the next
			time.Sleep(500 * time.Millisecond)
			if _, err := c.Write(two[50 : 50+len(pong)]); err != nil {
				t.Fatal(err)
			}
		}
		select {
		case <-closed:
			t.Error("the socket was closed")
		default:
		}
		_ = c.Close()
		<-closed
	})
}
