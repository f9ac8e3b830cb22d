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
	"syscall"
	"time"

	"muster/proto"
	"muster/proto/token"
)

const (
	atOnce    = 64          // come at once
	pingEvery = time.Second // as clients do
)

// crowd is the process of those who watch: it opens sockets, reads what comes, and sends pings as clients do.
func crowd(args []string, stdout io.Writer) error {
	var host, room string
	var from, n, rate int
	flags := flag.NewFlagSet("crowd", flag.ContinueOnError)
	flags.StringVar(&host, "host", "", "HOST:PORT of the server")
	flags.StringVar(&room, "room", "", "what is watched")
	flags.IntVar(&from, "from", 0, "the first one's number")
	flags.IntVar(&n, "n", 1, "how many")
	flags.IntVar(&rate, "rate", 0, "bytes a second that each reads; 0: whatever comes")
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
	lag := &lags{}
	if rate > 0 {
		go lag.tell(stdout)
	}
	for i := range n {
		go func() {
			for { // one that is too slow is closed, and comes again
				places <- struct{}{}
				w, err := dial(keys, host, room, fmt.Sprint("w", from+i), rate > 0)
				<-places
				if err != nil {
					failed <- err
					return
				}
				switch {
				case rate == 0:
					w.watch(ping)
				case i == 0:
					w.follow(ping, 0, lag) // to whom the others are compared
				default:
					w.follow(ping, rate, lag)
				}
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

// slowBuffer is the receive buffer of one who is slow, in bytes, so that what it does not read is the server's affair. It is
// set before there is a connection, when its window has not been told yet.
const slowBuffer = 4 << 10

func dial(keys *token.Keys, host, room, player string, slow bool) (*watcher, error) {
	bearer, err := keys.SignWatch(token.Watch{Room: room, Player: player, ID: player, PlayerExpires: time.Now().Add(time.Hour)}, time.Minute)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	var d net.Dialer
	if slow {
		d.Control = func(_, _ string, c syscall.RawConn) error {
			var failed error
			err := c.Control(func(fd uintptr) {
				failed = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, slowBuffer)
			})
			return errors.Join(err, failed)
		}
	}
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

// watch reads to the end.
func (w *watcher) watch(ping []byte) {
	defer func() { _ = w.Close() }()
	buf := make([]byte, 1024)
	pinged := time.Now()
	for {
		if _, err := w.in.Read(buf); err != nil {
			return
		}
		if now := time.Now(); now.Sub(pinged) >= pingEvery {
			pinged = now
			if _, err := w.Write(ping); err != nil {
				return
			}
		}
	}
}
