package edge

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"muster/internal/door"
	"muster/internal/simnet"
	"muster/proto"
)

// Handshakes go on coming while the server closes: those that are too late are refused or told, and none is left.
func TestServerClosesWhileHandshakesCome(t *testing.T) {
	b := newBench(t, grow{}, nil)
	ctx := testContext(t)
	var wg sync.WaitGroup
	var came, refused, told atomic.Int32
	var tokens [8][]string
	for n := range tokens {
		for range 200 {
			tokens[n] = append(tokens[n], b.seatToken("r", uint16(n+1), string(rune('a'+n))))
		}
	}
	late := b.seatToken("r", 9, "late")
	for _, list := range tokens {
		wg.Go(func() {
			for _, bearer := range list {
				ws, _, err := b.dial(ctx, "r", bearer)
				if err != nil {
					refused.Add(1)
					return
				}
				p := &peer{Conn: ws, t: t}
				if p.next(ctx) == proto.KindWelcome {
					came.Add(1)
				} else if p.bye.Code == proto.CodeNodeLeaving {
					told.Add(1)
				}
				_ = ws.CloseNow()
			}
		})
	}
	eventually(t, "some to come", func() bool { return came.Load() > 20 })
	if err := b.edge.Close(ctx); err != nil {
		t.Error(err)
	}
	wg.Wait()
	if n := b.metricValue("muster_connections"); n != 0 {
		t.Errorf("%v connections are left", n)
	}
	if ws, _, err := b.dial(ctx, "r", late); err == nil {
		_ = ws.CloseNow()
		t.Error("a handshake was not refused after the close")
	}
	t.Logf("%d came, %d were refused, %d were told", came.Load(), refused.Load(), told.Load())
}

// stuckRooms finds no room before its caller gives up.
type stuckRooms struct{}

func (stuckRooms) Open(ctx context.Context, _ string) (Room, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func (r stuckRooms) Running(ctx context.Context, room string) (Room, error) {
	return r.Open(ctx, room)
}

func (stuckRooms) TakeSeat(ctx context.Context, _ string, _ uint16, _, _ string) (uint16, error) {
	<-ctx.Done()
	return 0, ctx.Err()
}

func TestSocketWhoseRoomCannotBeFoundIsToldToComeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newSimBench(t, grow{}, simnet.Link{}, func(c *Config) { c.Rooms = stuckRooms{} })
		began := time.Now()
		e := goodbye(t, b.rawDial("r", b.seatToken("r", 1, "alice")))
		if e.code != proto.CodeOverloaded || e.bye.AfterMS == 0 || time.Since(began) != openTimeout {
			t.Errorf("closed with %+v after %v", e, time.Since(began))
		}
	})
}

func TestServerThatClosesDoesNotWaitForARoomToBeFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newSimBench(t, grow{}, simnet.Link{}, func(c *Config) { c.Rooms = stuckRooms{} })
		c := b.rawDial("r", b.seatToken("r", 1, "alice"))
		time.Sleep(time.Second)
		began := time.Now()
		if err := b.edge.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took > 2*door.LastTimeout {
			t.Errorf("closing took %v", took)
		}
		if e := goodbye(t, c); e.code != proto.CodeNodeLeaving {
			t.Errorf("closed with %+v", e)
		}
	})
}

// A client that neither answers the close frame nor goes away must not hold the server.
func TestServerClosesThoughClientsDoNotAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newSimBench(t, grow{bulk: 32_000}, simnet.Link{Buffer: 8 << 10}, nil)
		for seat := range uint16(4) {
			b.rawDial("r", b.seatToken("r", seat+1, "p")) // reads nothing
		}
		time.Sleep(3 * time.Second)
		began := time.Now()
		if err := b.edge.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took > 3*door.LastTimeout {
			t.Errorf("closing took %v", took)
		}
	})
}

// chatty refuses with more words than a close frame holds.
type chatty struct{ stuckRooms }

func (chatty) Open(context.Context, string) (Room, error) {
	return nil, &proto.Close{Code: proto.CodeMatchFull, Reason: strings.Repeat("é", 200)}
}

func TestReasonIsCutToWhatAByeAndACloseFrameHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newSimBench(t, grow{}, simnet.Link{}, func(c *Config) { c.Rooms = chatty{} })
		e := goodbye(t, b.rawDial("r", b.seatToken("r", 1, "alice")))
		if e.code != proto.CodeMatchFull || e.bye.Reason != e.reason || len(e.reason) < 100 || !utf8.ValidString(e.reason) {
			t.Errorf("closed with %+v", e)
		}
	})
}
