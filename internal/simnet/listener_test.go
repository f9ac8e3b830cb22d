package simnet_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"muster/internal/simnet"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestDialTakesARoundTripAndMeetsAccept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := simnet.Listen(simnet.Link{Latency: 25 * ms})
		start := time.Now()
		client, err := l.Dial(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if d := time.Since(start); d != 50*ms {
			t.Errorf("the dial took %v", d)
		}
		server, err := l.Accept()
		if err != nil || server != net.Conn(client.Peer()) {
			t.Fatalf("accepted %v, %v", server, err)
		}
		write(t, client, "hi")
		wantRead(t, client.Peer(), "hi")
		if client.RemoteAddr().String() != "server" || server.RemoteAddr().String() != "client-1" {
			t.Errorf("addresses %v and %v", client.RemoteAddr(), server.RemoteAddr())
		}
		_, _, _ = client.Close(), server.Close(), l.Close()
	})
}

func TestAClosedListenerEndsAcceptAndDialAndCutsWhoWaited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := simnet.Listen(simnet.Link{})
		waiting, err := l.Dial(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := waiting.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("a connection that nobody accepted: %v", err)
		}
		if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("accept: %v", err)
		}
		if c, err := l.DialContext(t.Context(), "", ""); c != nil || !errors.Is(err, net.ErrClosed) {
			t.Errorf("dial: %v, %v", c, err)
		}
		if err := l.Close(); err != nil {
			t.Errorf("closing again: %v", err)
		}
	})
}

func TestCloseEndsAWaitingAccept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := simnet.Listen(simnet.Link{})
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
				t.Errorf("%v", err)
			}
		})
		synctest.Wait()
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		wg.Wait()
	})
}

func TestDialFollowsItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := simnet.Listen(simnet.Link{Latency: time.Minute})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		if _, err := l.Dial(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
	})
}

func TestHTTPRunsOverItInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := simnet.Listen(simnet.Link{Latency: 50 * ms, Jitter: 5 * ms, Seed: 1})
		server := &http.Server{ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(w, r.Body)
		})}
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				t.Errorf("serving: %v", err)
			}
		})
		transport := &http.Transport{DialContext: l.DialContext}
		client := &http.Client{Transport: transport}
		start := time.Now()
		resp, err := client.Post("http://server/", "text/plain", io.LimitReader(zeros{}, 10_000))
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(resp.Body)
		if err != nil || len(b) != 10_000 {
			t.Errorf("%d bytes, %v", len(b), err)
		}
		_ = resp.Body.Close()
		if d := time.Since(start); d < 200*ms || d > 300*ms {
			t.Errorf("two round trips of 100 ms took %v", d)
		}
		// A server that hears nothing of half a header gives up, in no real time.
		slow, err := l.Dial(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		write(t, slow, "GET / HT")
		start = time.Now()
		_, _ = io.ReadAll(slow)
		if d := time.Since(start); d < time.Second || d > 1200*ms {
			t.Errorf("half a request was held for %v", d)
		}
		_ = slow.Close()
		transport.CloseIdleConnections()
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		wg.Wait()
	})
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}
