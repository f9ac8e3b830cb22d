package client

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"muster/netcode"
	"muster/proto"
)

func TestConnDecodesFramesIntoTypedState(t *testing.T) {
	n, c, fc := join(t, Options{})
	if fc.bearer != testToken {
		t.Errorf("the handshake's bearer is %q", fc.bearer)
	}
	if info := c.Info(); info.Room != "r1" || info.Game != "dots" || info.Rate != testRate || c.Seat() != testSeat {
		t.Errorf("info %+v", info)
	}
	if f := fc.shows(c, 0); f.Tick != 1 || f.Epoch != 7 || f.Bytes < 10 || f.At.IsZero() {
		t.Errorf("frame %+v", f)
	}
	if got := xs(c); !slices.Equal(got, []int16{10, 20}) {
		t.Errorf("dots at %v", got)
	}
	for _, d := range c.State().Dots.All() {
		if want := map[netcode.Seat]uint8{testSeat: 9, 4: 0}[d.Owner]; d.Ammo != want {
			t.Errorf("ammo of seat %d is %d, want %d", d.Owner, d.Ammo, want)
		}
	}
	n.state.Round.V.Left = 5
	n.state.Dots.Add(dot{X: 30})
	fc.shows(c, 0)
	if got := xs(c); !slices.Equal(got, []int16{10, 20, 30}) || c.State().Round.V.Left != 5 || c.Tick() != 2 {
		t.Errorf("dots at %v, round %+v, tick %d", got, c.State().Round.V, c.Tick())
	}
	if s := c.Stats(); s.Frames != 2 || s.BytesIn == 0 || s.DecodeErrors != 0 {
		t.Errorf("stats %+v", s)
	}
}

func TestSendNumbersStampsAndRepeatsInputs(t *testing.T) {
	n := startNode(t)
	n.welcome.Seq = 40
	began := time.Now()
	c, fc := n.join(Options{})
	fc.shows(c, 40)
	for dx := range 3 {
		if err := sendNow(c, input{DX: int8(dx)}); err != nil {
			t.Fatal(err)
		}
	}
	var p *proto.InputPacket
	for range 3 {
		p = wantsInputs(t, fc)
	}
	if p.Epoch != 7 || p.Last != 1 || len(p.Inputs) != 3 || p.Inputs[0].Seq != 43 || p.Inputs[2].Seq != 41 {
		t.Fatalf("packet %+v", p)
	}
	for i, in := range p.Inputs {
		var got input
		if err := n.schema.ReadInput(in.Body, &got); err != nil || got.DX != int8(2-i) {
			t.Errorf("input %d is %+v, error %v", in.Seq, got, err)
		}
		if in.View != 1 || in.Tick < 2 || int(in.Tick) > 6+int(time.Since(began)/(50*time.Millisecond)) {
			t.Errorf("input %d is for tick %d and was made at view %d", in.Seq, in.Tick, in.View)
		}
	}
	fc.shows(c, 42)
	c.SetView(1, 128)
	if err := sendNow(c, input{DX: 9}); err != nil {
		t.Fatal(err)
	}
	for p = wantsInputs(t, fc); p.Inputs[0].Seq != 44; p = wantsInputs(t, fc) {
	}
	if len(p.Inputs) != 2 || p.Inputs[0].View != 1 || p.Inputs[0].Frac != 128 {
		t.Errorf("packet %+v, want inputs 44 and 43", p)
	}
	if s := c.Stats(); s.Ack.Count != 2 || s.Ack.Max <= 0 || s.InputsSent != 4 || s.BytesOut == 0 {
		t.Errorf("stats %+v", s)
	}
}

func TestConnAcknowledgesWithoutInputs(t *testing.T) {
	_, _, fc := shown(t, Options{})
	if p := wants[*proto.InputPacket](t, fc); p.Last != 1 || len(p.Inputs) != 0 {
		t.Errorf("packet %+v", p)
	}
}

func TestPingMeasuresTheRoundTrip(t *testing.T) {
	n := startNode(t)
	var seen time.Duration
	c, fc := n.shown(Options{Observe: Observer{RTT: func(_ time.Time, d time.Duration) { seen = d }}})
	ping := wants[*proto.Ping](t, fc)
	fc.send(&proto.Pong{Stamp: ping.Stamp, Tick: 1})
	fc.send(&proto.Pong{Stamp: 1 << 62}) // not ours
	fc.shows(c, 0)
	if rtt := c.Stats().RTT; rtt <= 0 || rtt > waitLong || rtt != seen {
		t.Errorf("round trip %v, observed %v", rtt, seen)
	}
}

func TestEventsArriveOnceAndInOrder(t *testing.T) {
	n := startNode(t)
	n.welcome.Event = 10
	var got []uint16
	c, fc := n.join(Options{OnEvent: func(e Event) { got = append(got, e.Value.(*boom).N*100+uint16(e.Number)) }})
	events := func(first uint32, numbers ...uint16) { fc.send(n.booms(1, first, numbers...)) }
	events(11, 1, 2)
	events(12, 2, 3) // a repeat and a new one
	events(15, 5)    // a gap: not yet
	fc.shows(c, 0)
	if want := []uint16{111, 212, 313}; !slices.Equal(got, want) {
		t.Errorf("events %v, want %v", got, want)
	}
	if s := c.Stats(); s.Events != 3 || s.EventGaps != 1 {
		t.Errorf("stats %+v", s)
	}
	if p := wants[*proto.InputPacket](t, fc); p.Event != 13 {
		t.Errorf("event %d acknowledged, want 13", p.Event)
	}
}

func TestARefusedCommandReachesItsSender(t *testing.T) {
	n := startNode(t)
	var seq uint32
	var reason string
	c, fc := n.join(Options{OnRefused: func(s uint32, r string) { seq, reason = s, r }})
	w := proto.NewWriter()
	w.Array(3)
	w.Uint(proto.EventRefused)
	w.Uint(9)
	w.Str("not your turn")
	fc.send(&proto.Events{Tick: 1, First: 1, List: [][]byte{w.Bytes()}})
	fc.shows(c, 0)
	if seq != 9 || reason != "not your turn" {
		t.Errorf("refused %d: %q", seq, reason)
	}
}

func TestADifferentViewHashAsksForAKeyframe(t *testing.T) {
	n, c, fc := join(t, Options{})
	n.step()
	var sums netcode.View
	n.enc.Prepare(&sums, []proto.Watch{0, testSeat})
	fc.frame(0, n.enc.Hashes(&sums)...)
	mustNext(t, c)
	if s := c.Stats(); s.HashMismatches != 0 {
		t.Fatalf("stats %+v", s)
	}
	fc.shows(c, 0, proto.Hash{Scope: 0, Sum: 1})
	if m := wants[*proto.Resync](t, fc); m.Scope != 0 {
		t.Errorf("resync of scope %d", m.Scope)
	}
	fc.view.Resync(0)
	n.step()
	var all netcode.View
	n.enc.Prepare(&all, []proto.Watch{0, testSeat})
	fc.frame(0, n.enc.Hashes(&all)...)
	mustNext(t, c)
	if s := c.Stats(); s.HashMismatches != 1 || s.Resyncs != 1 || s.DecodeErrors != 0 {
		t.Errorf("stats %+v", s)
	}
	if got := xs(c); !slices.Equal(got, []int16{10, 20}) {
		t.Errorf("dots at %v after the keyframe", got)
	}
}

func TestABlockThatCannotBeAppliedIsCountedOnce(t *testing.T) {
	n, c, fc := shown(t, Options{})
	for range 3 {
		w := proto.NewWriter()
		n.tick++
		head := &proto.Head{Epoch: 7, Tick: n.tick, Scopes: fc.head.Scopes}
		head.Append(w, fc.head, nil, 1)
		(&proto.Block{Data: []byte{200, 1, 255}}).Append(w)
		fc.head = head
		fc.write(w.Bytes())
		mustNext(t, c)
	}
	wants[*proto.Resync](t, fc)
	if s := c.Stats(); s.DecodeErrors != 1 || s.Resyncs != 1 {
		t.Errorf("stats %+v", s)
	}
}

func TestByeIsPreferredToTheCloseFrame(t *testing.T) {
	_, c, fc := join(t, Options{})
	fc.send(&proto.End{Tick: 4, Placements: []proto.Placement{{Seat: testSeat, Rank: 1, Score: 3}}})
	fc.send(&proto.Bye{Code: proto.CodeDone, Reason: "the round is over"})
	fc.close(proto.CodeInternal, "x")
	_, err := c.Next(t.Context())
	var ce *CloseError
	if !errors.As(err, &ce) || ce.Code != proto.CodeDone || ce.Reason != "the round is over" || ce.Action() != proto.ActionDone {
		t.Fatalf("error %v", err)
	}
	if c.End() == nil || c.End().Placements[0].Score != 3 {
		t.Errorf("end %+v", c.End())
	}
	if _, again := c.Next(t.Context()); again != err { //nolint:errorlint // the very same
		t.Errorf("then error %v", again)
	}
	if serr := c.Send(input{}); serr != err { //nolint:errorlint // the very same
		t.Errorf("send: %v", serr)
	}
}

func TestCloseFrameCodeReachesTheCaller(t *testing.T) {
	_, c, fc := join(t, Options{})
	fc.close(proto.CodeKicked, "bye bye")
	_, err := c.Next(t.Context())
	var ce *CloseError
	if !errors.As(err, &ce) || ce.Code != proto.CodeKicked || ce.Reason != "bye bye" || ce.Action() != proto.ActionStop {
		t.Errorf("error %v", err)
	}
}

func TestALostSocketIsA1006(t *testing.T) {
	_, c, fc := join(t, Options{})
	_ = fc.ws.CloseNow()
	_, err := c.Next(t.Context())
	var ce *CloseError
	if !errors.As(err, &ce) || ce.Code != 1006 || ce.Action() != proto.ActionReconnect {
		t.Errorf("error %v", err)
	}
}

func TestASilentSocketCountsAsLost(t *testing.T) {
	_, c, _ := join(t, Options{Silence: 50 * time.Millisecond})
	_, err := c.Next(t.Context())
	var ce *CloseError
	if !errors.As(err, &ce) || ce.Code != 1006 {
		t.Errorf("error %v", err)
	}
}

func TestALargeKeyframeArrives(t *testing.T) {
	_, c, fc := join(t, Options{})
	w := proto.NewWriter()
	w.Array(2)
	w.Uint(15) // a kind of a newer server, which is passed over
	w.Bin(make([]byte, proto.MaxServerMessage-100))
	fc.write(w.Bytes())
	fc.shows(c, 0)
	if s := c.Stats(); s.BytesIn < proto.MaxServerMessage-100 {
		t.Errorf("stats %+v", s)
	}
}

func TestAMalformedMessageEndsTheConnection(t *testing.T) {
	for name, msg := range map[string][]byte{
		"empty":          {},
		"not an array":   {0xc0},
		"huge array":     {0xdd, 0xff, 0xff, 0xff, 0xff},
		"frame cut":      {0x94, 0xcc, 17, 1},
		"event count":    {0x91, 2},
		"huge binary":    {0x96, 16, 1, 0, 0, 0, 0xc6, 0xff, 0xff, 0xff, 0xff},
		"trailing bytes": {0x94, 3, 1, 1, 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			_, c, fc := join(t, Options{Reconnect: true})
			fc.write(msg)
			ctx, cancel := context.WithTimeout(t.Context(), waitLong)
			defer cancel()
			if _, err := c.Next(ctx); !errors.Is(err, proto.ErrMalformed) {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestATextMessageEndsTheConnection(t *testing.T) {
	_, c, fc := join(t, Options{})
	if err := fc.ws.Write(t.Context(), websocket.MessageText, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	_, err := c.Next(t.Context())
	var ce *CloseError
	if !errors.As(err, &ce) || ce.Code != proto.CodeWrongType {
		t.Errorf("error %v", err)
	}
}

func TestNextReturnsWithItsContextAndLosesNothing(t *testing.T) {
	_, c, fc := join(t, Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := c.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("error %v", err)
	}
	if f := fc.shows(c, 0); f.Tick != 1 {
		t.Errorf("frame %+v", f)
	}
}

func TestLeaveTellsTheServerAndWaitsForIt(t *testing.T) {
	_, c, fc := join(t, Options{Reconnect: true})
	go func() {
		for m := range fc.msgs {
			if _, ok := m.(*proto.Leave); ok {
				fc.send(&proto.Bye{Code: proto.CodeDone, Reason: "you left the match"})
				fc.close(proto.CodeDone, "")
			}
		}
	}()
	if err := c.Leave(t.Context()); err != nil {
		t.Errorf("leave: %v", err)
	}
	if _, err := c.Next(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("then next: %v", err)
	}
	if err := c.Leave(t.Context()); err != nil {
		t.Errorf("leaving again: %v", err)
	}
}

func TestLeaveEndsWithItsContext(t *testing.T) {
	_, c, _ := join(t, Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := c.Leave(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("leave: %v", err)
	}
}

func TestCloseFromAnotherGoroutineEndsNext(t *testing.T) {
	_, c, fc := join(t, Options{Reconnect: true})
	done := make(chan error)
	go func() {
		_, err := c.Next(context.Background())
		done <- err
	}()
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if err := <-done; !errors.Is(err, ErrClosed) {
		t.Errorf("next: %v", err)
	}
	for range fc.msgs { // the node sees the end
	}
}

func TestDialRefusesAnotherSchema(t *testing.T) {
	type otherInput struct{ DX, DY int8 }
	n := startNode(t)
	_, err := Dial[world, otherInput](t.Context(), n.match(), n.options(Options{}))
	var se *SchemaError
	if !errors.As(err, &se) || se.Server != n.schema.Fingerprint() || se.Local == se.Server {
		t.Fatalf("error %v", err)
	}
	if !strings.Contains(err.Error(), "fingerprint") {
		t.Errorf("error %v", err)
	}
}

func TestDialReportsARefusedHandshake(t *testing.T) {
	n := startNode(t)
	n.refuse = 401
	_, err := Dial[world, input](t.Context(), n.match(), n.options(Options{}))
	var he *HandshakeError
	if !errors.As(err, &he) || he.Status != 401 || he.Detail != "no seat for you" || he.Temporary() {
		t.Fatalf("error %v", err)
	}
	if strings.Contains(err.Error(), testToken) {
		t.Errorf("the error names the token: %v", err)
	}
}

func TestDialReportsAByeInsteadOfTheWelcome(t *testing.T) {
	n := startNode(t)
	n.bye = &proto.Bye{Code: proto.CodeSeatExpired, Reason: "too late"}
	_, err := Dial[world, input](t.Context(), n.match(), n.options(Options{}))
	var ce *CloseError
	if !errors.As(err, &ce) || ce.Code != proto.CodeSeatExpired || ce.Action() != proto.ActionRequeue {
		t.Errorf("error %v", err)
	}
}

func TestDialRefusesAnotherVersion(t *testing.T) {
	n := startNode(t)
	n.welcome.Version = 9
	_, err := Dial[world, input](t.Context(), n.match(), n.options(Options{}))
	var ce *CloseError
	if !errors.As(err, &ce) || ce.Code != proto.CodeVersion || !strings.Contains(ce.Reason, "9") {
		t.Errorf("error %v", err)
	}
}

func TestDialEndsWithItsContext(t *testing.T) {
	n := startNode(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Dial[world, input](ctx, n.match(), n.options(Options{})); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestSteadyFramesAllocateNothing(t *testing.T) {
	n, c, fc := join(t, Options{PingEvery: time.Hour})
	var msgs []message
	at := time.Now()
	for range 400 {
		n.state.Dots.All()(func(_ netcode.ID, d *dot) bool { d.X++; return true })
		n.step()
		head := &proto.Head{Epoch: 7, Tick: n.tick, Scopes: []proto.Watch{0, testSeat}}
		blocks := n.enc.Prepare(&fc.view, head.Scopes)
		w := proto.NewWriter()
		head.Append(w, fc.head, nil, len(blocks))
		for _, b := range blocks {
			b.Append(w)
		}
		fc.head = head
		msgs = append(msgs, message{data: w.Bytes(), at: at})
	}
	next := 0
	step := func() {
		if _, err := c.handle(msgs[next]); err != nil {
			t.Fatal(err)
		}
		next++
	}
	for range 190 {
		step()
	}
	if n := testing.AllocsPerRun(200, step); n != 0 {
		t.Errorf("%v allocations a frame", n)
	}
}

func TestSendAllocatesNothing(t *testing.T) {
	_, c, _ := shown(t, Options{})
	c.cause = &CloseError{} // packets are built and not written: the node's reader would allocate meanwhile
	defer func() { c.cause = nil }()
	send := func() {
		if err := sendNow(c, input{DX: 3}); err != nil {
			t.Fatal(err)
		}
	}
	for range 100 {
		send()
	}
	if n := testing.AllocsPerRun(200, send); n != 0 {
		t.Errorf("%v allocations an input", n)
	}
}
