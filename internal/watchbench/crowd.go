package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"muster/proto"
	"muster/proto/token"
)

// How one who is slow reads, and how many come at once.
const (
	readsFor  = time.Second
	sleepsFor = 25 * time.Second // the kernels on both sides hold twenty seconds of what one who watches is sent
	atOnce    = 64
	pingEvery = time.Second // as clients do
)

// crowd is the process of those who watch: it opens sockets, reads what comes, and sends pings as clients do.
func crowd(args []string, stdout io.Writer) error {
	var host, room string
	var from, n, slow int
	flags := flag.NewFlagSet("crowd", flag.ContinueOnError)
	flags.StringVar(&host, "host", "", "HOST:PORT of the server")
	flags.StringVar(&room, "room", "", "what is watched")
	flags.IntVar(&from, "from", 0, "the first one's number")
	flags.IntVar(&n, "n", 1, "how many")
	flags.IntVar(&slow, "slow", 0, "each so many-th is slow")
	if err := flags.Parse(args); err != nil {
		return err
	}
	keys, err := token.New([]byte(secret), nil)
	if err != nil {
		return err
	}
	fmt.Fprintln(stdout, "coming")
	ping := pingFrame()
	places, failed := make(chan struct{}, atOnce), make(chan error, n)
	for i := range n {
		after := time.Duration(-1)
		if slow > 0 && i%slow == 0 {
			after = sleepsFor * time.Duration(i) / time.Duration(n) // not all at the same time
		}
		go func() {
			for { // one that is too slow is closed, and comes again
				places <- struct{}{}
				w, err := dial(keys, host, room, fmt.Sprint("w", from+i))
				<-places
				if err != nil {
					failed <- err
					return
				}
				w.watch(ping, after)
			}
		}()
	}
	return <-failed // until the process is ended
}

// watcher is a socket.
type watcher struct {
	net.Conn
	in *bufio.Reader
}

func dial(keys *token.Keys, host, room, player string) (*watcher, error) {
	bearer, err := keys.SignWatch(token.Watch{Room: room, Player: player, ID: player, PlayerExpires: time.Now().Add(time.Hour)}, time.Minute)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", host)
	if err != nil {
		return nil, err
	}
	_, err = fmt.Fprintf(c, "GET /v1/match/%s HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: %s\r\nAuthorization: Bearer %s\r\n\r\n", room, host, proto.Subprotocol, bearer)
	w := &watcher{c, bufio.NewReaderSize(c, 1024)}
	if err == nil {
		var res *http.Response
		if res, err = http.ReadResponse(w.in, nil); err == nil {
			_ = res.Body.Close()
			if res.StatusCode != http.StatusSwitchingProtocols {
				err = fmt.Errorf("watching: status %d", res.StatusCode)
			}
		}
	}
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return w, nil
}

// pingFrame is a ping of ours as a client sends it.
func pingFrame() []byte {
	m := proto.NewWriter()
	(&proto.Ping{}).Append(m)
	return append([]byte{0x82, 0x80 | byte(m.Len()), 0, 0, 0, 0}, m.Bytes()...) //nolint:gosec // short; masked with zeros
}

// watch reads to the end; from a time on it is slow, if that is not negative.
func (w *watcher) watch(ping []byte, after time.Duration) {
	defer func() { _ = w.Close() }()
	slow := after >= 0
	if tcp, ok := w.Conn.(*net.TCPConn); ok && slow {
		_ = tcp.SetReadBuffer(4 << 10) // a hint
	}
	buf := make([]byte, 1024)
	now := time.Now()
	pinged, woke := now, now.Add(after-readsFor)
	for {
		if _, err := w.in.Read(buf); err != nil {
			return
		}
		if now = time.Now(); now.Sub(pinged) >= pingEvery {
			pinged = now
			if _, err := w.Write(ping); err != nil {
				return
			}
		}
		if slow && now.Sub(woke) >= readsFor {
			time.Sleep(sleepsFor)
			woke = time.Now()
		}
	}
}
