package edge

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"muster/proto"
)

// tcpPipe returns a live pipe on loopback and the peer's end.
func tcpPipe(t testing.TB, patience time.Duration) (p *pipe, peer net.Conn, drained *sync.WaitGroup) {
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
	p, drained = c.(*pipe), &sync.WaitGroup{}
	p.patience = patience
	p.goLive(drained)
	t.Cleanup(func() {
		p.end()
		_ = peer.Close()
		drained.Wait()
	})
	return p, peer, drained
}

// congest writes until a tail exists and returns what was written.
func congest(t *testing.T, p *pipe) (sent []byte) {
	t.Helper()
	for i := byte(0); !p.isCongested(); i++ {
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
	p, peer, drained := tcpPipe(t, 50*time.Millisecond)
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
	if took := time.Since(began); took > 3*lastTimeout {
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
	if !errors.Is(err, errSlow) {
		t.Errorf("%d bytes, then %v", n, err)
	}
	if p.fits(1) {
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

func TestGoodbyeBehindATailIsReadOverTLS(t *testing.T) {
	cert := selfSigned(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := newBenchOn(t, grow{bulk: 20_000}, nil, tls.NewListener(Listener{l}, &tls.Config{Certificates: []tls.Certificate{cert}}))
	roots := x509.NewCertPool()
	roots.AddCert(cert.Leaf)
	b.url = "wss://" + l.Addr().String()
	b.http = &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots}, DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, addr string) (net.Conn, error) {
			var d net.Dialer
			c, err := d.DialContext(ctx, "tcp", addr)
			if err == nil {
				_ = c.(*net.TCPConn).SetReadBuffer(16 << 10)
			}
			return c, err
		},
	}}
	ctx := testContext(t)
	p := b.join(ctx, "r", 1, "alice")
	eventually(t, "a tail", func() bool { return b.metricValue("muster_frames_skipped_total") > 3 })
	b.edge.all()[0].Close(proto.Close{Code: proto.CodeKicked, Reason: "enough"})
	if bye, frame := p.closed(ctx); bye != proto.CodeKicked || frame != proto.CodeKicked {
		t.Errorf("bye %d, close frame %d, want 4410", bye, frame)
	}
}

func selfSigned(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}
