package testproxy

import (
	"bufio"
	"io"
	"net"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// echo says back what it is told, line by line.
func echo(t *testing.T) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(c, c); _ = c.Close() }()
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-ended })
	return l.Addr().String()
}

// line is a connection through a proxy.
type line struct {
	net.Conn

	r *bufio.Reader
}

func dial(t *testing.T, p *Proxy) *line {
	t.Helper()
	c, err := net.Dial("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return &line{c, bufio.NewReader(c)}
}

// ask says a line and returns how long the answer took; an error is that of a read within a minute.
func (l *line) ask() (time.Duration, error) {
	began := time.Now()
	_ = l.SetDeadline(began.Add(time.Minute))
	if _, err := io.WriteString(l, "x\n"); err != nil {
		return 0, err
	}
	_, err := l.r.ReadString('\n')
	return time.Since(began), err
}

func TestProxyPassesBytesOnLaterWhenItIsSlow(t *testing.T) {
	p := Start(t, echo(t))
	l := dial(t, p)
	if _, err := l.ask(); err != nil {
		t.Fatal(err)
	}
	p.Slow(60 * time.Millisecond)
	took, err := l.ask()
	if err != nil || took < 60*time.Millisecond {
		t.Errorf("an answer took %v, %v, want 60ms or more", took, err)
	}
}

func TestBlackHoleHoldsBytesUntilItIsOpened(t *testing.T) {
	p := Start(t, echo(t))
	l := dial(t, p)
	open := p.BlackHole()
	if _, err := io.WriteString(l, "held\n"); err != nil {
		t.Fatal(err)
	}
	_ = l.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if s, err := l.r.ReadString('\n'); err == nil {
		t.Errorf("%q came through", s)
	}
	open()
	_ = l.SetReadDeadline(time.Now().Add(time.Minute))
	if s, err := l.r.ReadString('\n'); err != nil || s != "held\n" {
		t.Errorf("after it was opened %q came, %v", s, err)
	}
}

func TestCutEndsAndRefusesConnectionsUntilItIsMended(t *testing.T) {
	p := Start(t, echo(t))
	l := dial(t, p)
	if _, err := l.ask(); err != nil {
		t.Fatal(err)
	}
	p.Cut()
	if _, err := l.ask(); err == nil {
		t.Error("a connection outlives the cut")
	}
	if _, err := dial(t, p).ask(); err == nil {
		t.Error("a new connection is served while the line is cut")
	}
	p.Mend()
	if _, err := dial(t, p).ask(); err != nil {
		t.Errorf("after it was mended: %v", err)
	}
}
