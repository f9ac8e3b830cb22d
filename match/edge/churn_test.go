package edge

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"muster/internal/simnet"
	"muster/proto"
	"muster/proto/token"
)

// Ten thousand connections that come and go in every way leave nothing behind: no goroutine, no memory, no seat.
func TestTenThousandConnectionsThatComeAndGoLeaveNothing(t *testing.T) {
	const batches, batch = 100, 100
	synctest.Test(t, func(t *testing.T) {
		b := newSimBench(t, grow{}, simnet.Link{Latency: time.Millisecond}, nil)
		leave := proto.NewWriter()
		(&proto.Leave{}).Append(leave)
		visit := func(n int) {
			bearer, err := b.keys.SignSeat(token.Seat{
				Room: "r", Seat: uint16(n%64 + 1), Player: fmt.Sprint("p", n%64), ID: fmt.Sprint(n), PlayerExpires: time.Now().Add(time.Hour),
			}, time.Minute)
			if err != nil {
				t.Error(err)
			}
			nc, err := b.dialer()
			if err != nil {
				t.Error(err)
				return
			}
			c := nc.(*simnet.Conn)
			defer func() { _ = c.Close() }()
			head := "GET /v1/match/r HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
				"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nAuthorization: Bearer " + bearer + "\r\n\r\n"
			if n%5 == 0 {
				head = head[:len(head)/2] // half a handshake
			}
			_, _ = io.WriteString(c, head)
			if n%5 < 2 { // gone before the answer
				return
			}
			r := bufio.NewReader(c)
			res, err := http.ReadResponse(r, nil)
			if err != nil || res.StatusCode != http.StatusSwitchingProtocols {
				t.Errorf("%v, %v", res, err)
				return
			}
			_ = res.Body.Close()
			if _, err := io.CopyN(io.Discard, r, 2); err != nil { // of the welcome, or of why there is none
				t.Error(err)
			}
			switch n % 5 {
			case 2: // a reset
				c.Cut()
			case 3:
				_, _ = c.Write(clientFrame(finBinary, leave.Bytes()))
				_, _ = io.Copy(io.Discard, r) // until the server closes
			}
		}
		rest := func() {
			time.Sleep(3 * time.Minute) // seats are given up, the room ends as nobody is left
			synctest.Wait()
		}
		run := func(from, to int) {
			for ; from < to; from++ {
				var wg sync.WaitGroup
				for i := range batch {
					wg.Go(func() { visit(from*batch + i) })
				}
				wg.Wait()
			}
			rest()
		}
		run(0, 5)
		goroutines, before := runtime.NumGoroutine(), heap()
		run(5, batches)
		if n := runtime.NumGoroutine(); n > goroutines {
			t.Errorf("%d goroutines, %d before", n, goroutines)
		}
		// The bench itself remembers the used tokens' ids.
		if grown := int64(heap()) - int64(before); grown > 200*batches*batch {
			t.Errorf("the heap has grown by %d bytes", grown)
		}
		if n := b.metricValue("muster_connections"); n != 0 {
			t.Errorf("%v connections", n)
		}
		if rm := b.host.Room("r"); rm != nil {
			t.Error("the room still runs")
		}
		if sockets, addresses := b.edge.guard.Places.Taken(); sockets != 0 || addresses != 0 {
			t.Errorf("%d places of %d addresses are taken", sockets, addresses)
		}
	})
}
