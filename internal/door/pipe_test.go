package door

import (
	"bytes"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// tcpPipe returns a live pipe on loopback and the peer's end.
func tcpPipe(t testing.TB, patience time.Duration) (p *Pipe, peer net.Conn, drained *sync.WaitGroup) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	if peer, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	c, err := Listener{l}.Accept()
	if err != nil {
		t.Fatal(err)
	}
	p, drained = c.(*Pipe), &sync.WaitGroup{}
	p.GoLive(drained, patience, nil)
	t.Cleanup(func() {
		p.End()
		_ = peer.Close()
		drained.Wait()
	})
	return p, peer, drained
}

// congest writes until a tail exists and returns what was written.
func congest(t *testing.T, p *Pipe) (sent []byte) {
	t.Helper()
	for i := byte(0); !p.Congested(); i++ {
		b := bytes.Repeat([]byte{i}, 30_000)
		if _, err := p.Write(b); err != nil {
			t.Fatal(err)
		}
		sent = append(sent, b...)
	}
	return sent
}

// The drain sets a write deadline for itself; a direct write after it must not meet that.
func TestPipeThatWasCongestedWritesOnForEver(t *testing.T) {
	t.Parallel()
	p, peer, drained := tcpPipe(t, time.Second) // in which the peer begins to read
	for range 2 {
		sent := congest(t, p)
		got := make([]byte, len(sent))
		if _, err := io.ReadFull(peer, got); err != nil || !bytes.Equal(got, sent) {
			t.Fatalf("the peer reads %v", err)
		}
		drained.Wait()
		<-time.After(2 * p.patience)
		if _, err := p.Write([]byte("more")); err != nil {
			t.Fatalf("long after the tail was drained: %v", err)
		}
		if _, err := io.ReadFull(peer, got[:4]); err != nil {
			t.Fatal(err)
		}
	}
}

func TestClosedPipeStillDrainsItsTail(t *testing.T) {
	p, peer, _ := tcpPipe(t, time.Minute)
	sent := congest(t, p)
	_ = p.Close()
	if _, err := p.Write([]byte("late")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("a write after Close: %v", err)
	}
	got, err := io.ReadAll(peer)
	if err != nil || !bytes.Equal(got, sent) {
		t.Errorf("the peer reads %d of %d bytes, then %v", len(got), len(sent), err)
	}
}

func TestClosedPipeDoesNotWaitLongForItsPeer(t *testing.T) {
	p, _, drained := tcpPipe(t, time.Minute)
	congest(t, p)
	_ = p.Close()
	began := time.Now()
	if _, err := p.Read(make([]byte, 1)); err == nil {
		t.Error("something was read")
	}
	drained.Wait()
	if took := time.Since(began); took > 20*LastTimeout { // the pipe's patience is a minute
		t.Errorf("the connection ended after %v", took)
	}
}

func TestPipeThatIsNeverReadRefusesMore(t *testing.T) {
	p, _, _ := tcpPipe(t, time.Minute)
	var err error
	n := 0
	for ; err == nil && n < 10*mostTail; n += 30_000 {
		_, err = p.Write(make([]byte, 30_000))
	}
	if !errors.Is(err, ErrSlow) {
		t.Errorf("%d bytes, then %v", n, err)
	}
	if p.Fits(1) {
		t.Error("there is place behind a full tail")
	}
}

// TLS sets a write deadline that is over when it closes; the tail that lies below it must not be cut off by that.
func TestDeadlineOfAnUpperLayerDoesNotCutTheTailOff(t *testing.T) {
	p, peer, drained := tcpPipe(t, time.Minute)
	sent := congest(t, p)
	<-time.After(20 * time.Millisecond) // the drain waits for the peer now
	if err := errors.Join(p.SetWriteDeadline(time.Now()), p.SetDeadline(time.Now())); err != nil {
		t.Fatal(err)
	}
	<-time.After(20 * time.Millisecond)
	got := make([]byte, len(sent))
	if _, err := io.ReadFull(peer, got); err != nil || !bytes.Equal(got, sent) {
		t.Errorf("the peer reads %v", err)
	}
	drained.Wait()
}
