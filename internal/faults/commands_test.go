package faults

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"muster/client"
	"muster/internal/testproxy"
	"muster/match"
	"muster/netcode"
	"muster/proto"
)

// spell lets a time pass.
func spell(t *testing.T, d time.Duration) {
	t.Helper()
	end := time.Now().Add(d)
	until(t, "the time is over", func() bool { return time.Now().After(end) })
}

// flooder is a connection that fills its room's inbox at once with what the limits let through.
type flooder struct {
	ws     *websocket.Conn
	packet []byte
}

func flood(t *testing.T, r *route, room string, seat netcode.Seat) *flooder {
	t.Helper()
	m := seatIn(t, room, seat, "flooder")
	ws, _, err := websocket.Dial(t.Context(), m.URL, &websocket.DialOptions{
		HTTPClient: r.http, HTTPHeader: http.Header{"Authorization": {"Bearer " + m.Token}}, Subprotocols: []string{proto.Subprotocol},
	})
	must(t, err)
	ws.SetReadLimit(proto.MaxServerMessage)
	f := &flooder{ws: ws}
	welcomed, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for n := 0; ; n++ {
			if _, _, err := ws.Read(context.Background()); err != nil {
				return
			}
			if n == 0 {
				close(welcomed)
			}
		}
	}()
	t.Cleanup(func() { _ = ws.CloseNow(); <-ended })
	<-welcomed
	w := proto.NewWriter()
	must(t, rushGame.Schema().WriteInput(w, &command{N: 1}))
	p := proto.InputPacket{Epoch: 1}
	for seq := uint32(1 + proto.MaxInputs); seq > 1; seq-- { // never the first: all of them are looked at and none counts
		p.Inputs = append(p.Inputs, proto.Input{Seq: seq, Tick: 1 << 30, Body: w.Bytes()})
	}
	out := proto.NewWriter()
	p.Append(out)
	f.packet = out.Bytes()
	return f
}

// pour sends a burst, half of it beyond the limit.
func (f *flooder) pour(ctx context.Context) {
	for range 150 {
		_ = f.ws.Write(ctx, websocket.MessageBinary, f.packet) // the server may have closed it
	}
}

// Commands that come faster than the limits allow, over a line that stalls and breaks, into a room whose inbox is full:
// each is applied once and in order, or its sender is told.
func TestCommandsUnderPressureAreAppliedOnceAndInOrder(t *testing.T) {
	var room door
	n := startNode(t, nodeConfig{games: []match.Game{rush(&room)}, epoch: 1, stall: time.Hour}) // what is held is no fault of the rules
	line := testproxy.Start(t, n.addr)
	way, direct := newRoute(t, line.Addr()), newRoute(t, n.addr)
	a, b := joins(t, way, "rush-1", 1, 64), joins(t, way, "rush-1", 2, 3)
	var floods []*flooder
	for seat := netcode.Seat(3); seat <= 8; seat++ {
		floods = append(floods, flood(t, direct, "rush-1", seat))
	}
	spell(t, time.Second)
	line.Slow(150 * time.Millisecond)
	spell(t, 500*time.Millisecond)
	open := line.BlackHole()
	spell(t, 300*time.Millisecond)
	open()
	line.Slow(10 * time.Millisecond)
	for cuts := range 2 {
		before := n.metric(t, "muster_inputs_dropped_total")
		room.Lock() // a tick as long as it takes until the inbox is full
		release := sync.OnceFunc(room.Unlock)
		t.Cleanup(release)
		until(t, "a tick is held", room.waiting.Load)
		var pours sync.WaitGroup
		for _, f := range floods {
			pours.Go(func() { f.pour(t.Context()) })
		}
		way.cut()
		until(t, "the inbox is full", func() bool { return n.metric(t, "muster_inputs_dropped_total") > before })
		release()
		pours.Wait()
		spell(t, 3500*time.Millisecond) // their limits recover meanwhile
		until(t, "both are back", func() bool { return min(a.welcomes(), b.welcomes()) > 1+cuts })
	}
	check(t, a, b)
	resumes := a.conn.Stats().Resumes + b.conn.Stats().Resumes
	limited, dropped := n.metric(t, "muster_messages_limited_total"), n.metric(t, "muster_inputs_dropped_total")
	t.Logf("%d and %d commands, %d resumes, %d times 256 were waiting; the edge dropped %.0f messages, the room %.0f inputs",
		a.sent.Load(), b.sent.Load(), resumes, a.backlogs.Load(), limited, dropped)
	if resumes < 4 || a.backlogs.Load() == 0 || limited == 0 || dropped == 0 {
		t.Errorf("the pressure was too low")
	}
}

// A second program takes the seat while commands of the first are under way: what the first is not told to be processed
// it can name, and the second goes on where the room is.
func TestCommandsOfAReplacedProgramAreAppliedOrNamed(t *testing.T) {
	n := startNode(t, nodeConfig{games: []match.Game{rushGame}, epoch: 1})
	way := newRoute(t, n.addr)
	rng := dice(t)
	for range 6 {
		room := "rush-" + string(rune('a'+rng.IntN(26))) + time.Now().Format("150405.000000")
		a := joins(t, way, room, 1, 8)
		spell(t, time.Duration(200+rng.IntN(150))*time.Millisecond)
		second, err := client.Dial[books, command](t.Context(), seatIn(t, room, 1, a.name), client.Options{HTTP: way.http, Events: ledgerEvents})
		must(t, err)
		<-a.done
		var ce *client.CloseError
		if !errors.As(a.ended, &ce) || ce.Code != proto.CodeReplaced {
			t.Fatalf("the first program ended with %v", a.ended)
		}
		sent, named := a.sent.Load(), a.conn.Unprocessed()
		for i, u := range named {
			if want := sent - uint32(len(named)-1-i); u.Input.N != want {
				t.Errorf("of %d commands number %d is named in the place of %d", sent, u.Input.N, want)
			}
		}
		var last account
		for range 6 { // what the room had taken is processed by then
			_, err := second.Next(t.Context())
			must(t, err)
			last = *second.State().of(1)
		}
		must(t, second.Leave(t.Context()))
		if told := sent - uint32(len(named)); last.Last < told || last.Last > sent || last.Wrong != 0 {
			t.Errorf("of %d commands %d were processed, as the first program knows; the room has %+v", sent, told, last)
		}
		must(t, second.Close())
	}
}
