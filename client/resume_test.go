package client

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"muster/netcode"
	"muster/proto"
)

// drive calls Next on a goroutine of its own, which the connection's user is from now on.
func drive(c *Conn[world, input]) <-chan error {
	done := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), waitLong)
		defer cancel()
		_, err := c.Next(ctx)
		done <- err
	}()
	return done
}

func TestALostSocketIsResumedWithTheSecret(t *testing.T) {
	n, c, fc := shown(t, Options{Reconnect: true})
	for range 3 {
		if err := sendNow(c, input{DX: 1}); err != nil {
			t.Fatal(err)
		}
	}
	n.set(func() { n.welcome.Resume, n.welcome.Seq = "resume-2", 1 })
	_ = fc.ws.CloseNow()
	// What happens meanwhile comes with the keyframe.
	n.state.Dots.All()(func(id netcode.ID, _ *dot) bool { n.state.Dots.Remove(id); return false })
	done := drive(c)
	fc = n.next()
	if fc.bearer != "resume-1" {
		t.Errorf("the bearer is %q", fc.bearer)
	}
	n.step()
	fc.frame(1)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got := xs(c); !slices.Equal(got, []int16{20}) {
		t.Errorf("dots at %v", got)
	}
	if p := wantsInputs(t, fc); len(p.Inputs) != 2 || p.Inputs[0].Seq != 3 || p.Last != 2 {
		t.Errorf("packet %+v, want inputs 3 and 2 again", p)
	}
	if s := c.Stats(); s.Resumes != 1 || s.Frames != 2 {
		t.Errorf("stats %+v", s)
	}
	_ = fc.ws.CloseNow()
	done = drive(c)
	if fc = n.next(); fc.bearer != "resume-2" {
		t.Errorf("the second bearer is %q", fc.bearer)
	}
	n.step()
	fc.frame(3)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestCloseCodesSayWhetherToResume(t *testing.T) {
	for code, resumes := range map[proto.Code]bool{
		proto.CodeNodeLeaving: true, proto.CodeInternal: true, proto.CodeSlowReader: true, 4150: true,
		proto.CodeDone: false, proto.CodeMatchGone: false, proto.CodeKicked: false, proto.CodeReplaced: false, 4350: false,
	} {
		t.Run(code.Info().Meaning, func(t *testing.T) {
			n, c, fc := join(t, Options{Reconnect: true})
			done := drive(c)
			fc.send(&proto.Bye{Code: code, AfterMS: 1})
			if !resumes {
				var ce *CloseError
				if err := <-done; !errors.As(err, &ce) || ce.Code != code {
					t.Errorf("error %v", err)
				}
				return
			}
			fc = n.next()
			n.step()
			fc.frame(0)
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
}

func TestResumeTriesAgainWhileTheNodeIsAway(t *testing.T) {
	n, c, fc := join(t, Options{Reconnect: true})
	n.set(func() { n.refuse = 503 })
	done := drive(c)
	_ = fc.ws.CloseNow()
	time.AfterFunc(150*time.Millisecond, func() { n.set(func() { n.refuse = 0 }) })
	fc = n.next()
	n.step()
	fc.frame(0)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestResumeGivesUpAfterItsTime(t *testing.T) {
	n, c, fc := join(t, Options{Reconnect: true, ReconnectFor: 100 * time.Millisecond})
	n.set(func() { n.refuse = 503 })
	_ = fc.ws.CloseNow()
	_, err := c.Next(t.Context())
	var ce *CloseError
	var he *HandshakeError
	if !errors.As(err, &ce) || ce.Code != 1006 || !errors.As(err, &he) || he.Status != 503 {
		t.Errorf("error %v", err)
	}
}

func TestResumeStopsWhereItIsRefusedForGood(t *testing.T) {
	n, c, fc := join(t, Options{Reconnect: true})
	n.set(func() { n.refuse = 401 })
	_ = fc.ws.CloseNow()
	_, err := c.Next(t.Context())
	var he *HandshakeError
	if !errors.As(err, &he) || he.Status != 401 {
		t.Errorf("error %v", err)
	}
}

func TestResumeStopsAtATerminalBye(t *testing.T) {
	n, c, fc := join(t, Options{Reconnect: true})
	n.set(func() { n.bye = &proto.Bye{Code: proto.CodeNotYourSeat, Reason: "an older resume secret"} })
	_ = fc.ws.CloseNow()
	_, err := c.Next(t.Context())
	var ce *CloseError
	if !errors.As(err, &ce) || ce.Code != proto.CodeNotYourSeat {
		t.Errorf("error %v", err)
	}
}

func TestAnOlderEpochIsRefused(t *testing.T) {
	n, c, fc := join(t, Options{Reconnect: true, ReconnectFor: 150 * time.Millisecond})
	n.set(func() { n.welcome.Epoch = 6 })
	_ = fc.ws.CloseNow()
	if _, err := c.Next(t.Context()); !errors.Is(err, errEpoch) {
		t.Errorf("error %v", err)
	}
}

func TestAMovedMatchIsFollowedOnlyWhereTheCallerSays(t *testing.T) {
	moved := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { reply(w, 410, `{}`) }))
	t.Cleanup(moved.Close)
	t.Run("not by default", func(t *testing.T) {
		n, c, fc := join(t, Options{Reconnect: true})
		done := drive(c)
		fc.send(&proto.Bye{Code: proto.CodeMoved, URL: moved.URL})
		fc = n.next() // the first address again
		n.step()
		fc.frame(0)
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Run("allowed", func(t *testing.T) {
		_, c, fc := join(t, Options{Reconnect: true, Moved: func(url string) string { return url }})
		fc.send(&proto.Bye{Code: proto.CodeMoved, URL: moved.URL})
		_, err := c.Next(t.Context())
		var he *HandshakeError
		if !errors.As(err, &he) || he.Status != 410 {
			t.Errorf("error %v, want the other address's 410", err)
		}
	})
}

func TestNextsContextInterruptsAResumeThatGoesOnLater(t *testing.T) {
	n, c, fc := join(t, Options{Reconnect: true})
	n.set(func() { n.refuse = 503 })
	_ = fc.ws.CloseNow()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	if _, err := c.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("error %v", err)
	}
	if err := sendNow(c, input{DX: 5}); err != nil { // kept
		t.Fatal(err)
	}
	n.set(func() { n.refuse = 0 })
	done := drive(c)
	fc = n.next()
	n.step()
	fc.frame(0)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if p := wantsInputs(t, fc); p.Inputs[0].Seq != 1 {
		t.Errorf("packet %+v", p)
	}
}

func TestCloseInterruptsAResume(t *testing.T) {
	n, c, fc := join(t, Options{Reconnect: true})
	n.set(func() { n.refuse = 503 })
	_ = fc.ws.CloseNow()
	done := drive(c)
	time.AfterFunc(20*time.Millisecond, func() { _ = c.Close() })
	if err := <-done; !errors.Is(err, ErrClosed) {
		t.Errorf("error %v", err)
	}
}

func TestANewEpochBehindTheSameSocketTakesInputsBack(t *testing.T) {
	_, c, fc := shown(t, Options{})
	for range 3 {
		if err := sendNow(c, input{}); err != nil {
			t.Fatal(err)
		}
	}
	w := proto.NewWriter()
	head := &proto.Head{Epoch: 7, Tick: 2, Processed: 3, Durable: 1, Scopes: []proto.Watch{0, testSeat}}
	head.Append(w, nil, nil, 0)
	fc.write(w.Bytes())
	mustNext(t, c)
	w.Reset()
	(&proto.Head{Epoch: 8, Tick: 2, Processed: 1, Durable: 1, Scopes: []proto.Watch{0, testSeat}}).Append(w, head, nil, 0)
	fc.write(w.Bytes())
	if f := mustNext(t, c); f.Epoch != 8 {
		t.Fatalf("frame %+v", f)
	}
	if err := sendNow(c, input{}); err != nil {
		t.Fatal(err)
	}
	p := wantsInputs(t, fc)
	for p.Epoch != 8 {
		p = wantsInputs(t, fc)
	}
	if len(p.Inputs) != 3 || p.Inputs[0].Seq != 4 || p.Inputs[2].Seq != 2 {
		t.Errorf("packet %+v, want 4, 3 and 2", p)
	}
}

// Another process goes on with a room from its journal. What it kept of the events is told once, also where it has not
// heard that the client had it; what was taken back with the ticks after is told as it happens then.
func TestEventsOfANewEpochAreToldOnce(t *testing.T) {
	n := startNode(t)
	var told []uint16
	c, fc := n.join(Options{Reconnect: true, OnEvent: func(e Event) { told = append(told, e.Value.(*boom).N) }})
	say := func(fc *fakeConn, first uint32, list ...uint16) { fc.send(n.booms(1, first, list...)) }
	say(fc, 1, 10, 20, 30, 40)
	fc.shows(c, 0)
	n.set(func() { n.welcome.Epoch, n.welcome.Event, n.welcome.Kept = 8, 1, 3 }) // of four it kept three, and knows of one
	_ = fc.ws.CloseNow()
	done := make(chan struct{})
	go func() {
		defer close(done)
		next := n.next()
		say(next, 2, 20, 30)
		say(next, 4, 41)
		n.step()
		next.frame(0)
	}()
	mustNext(t, c)
	<-done
	if want := []uint16{10, 20, 30, 40, 41}; !slices.Equal(told, want) {
		t.Errorf("told %v, want %v", told, want)
	}
}

// A host that goes on from a checkpoint has the room as it was seconds ago. An input for a tick that it had before would
// wait there until that comes again.
func TestInputsOfANewEpochAreForItsTicks(t *testing.T) {
	n := startNode(t)
	n.tick, n.welcome.Tick = 1000, 1000
	c, fc := n.shown(Options{})
	for range 2 {
		if err := sendNow(c, input{}); err != nil {
			t.Fatal(err)
		}
	}
	if p := wantsInputs(t, fc); p.Inputs[0].Tick < 1001 {
		t.Fatalf("packet %+v", p)
	}
	n.tick, n.welcome.Epoch, fc.view = 100, 8, netcode.View{}
	n.enc = netcode.NewEncoder(n.schema, netcode.EncoderConfig{})
	fc.shows(c, 0)
	if err := sendNow(c, input{}); err != nil {
		t.Fatal(err)
	}
	p := wantsInputs(t, fc)
	for p.Epoch != 8 || len(p.Inputs) < 3 {
		p = wantsInputs(t, fc)
	}
	for _, in := range p.Inputs {
		if in.Tick < 102 || in.Tick > 110 {
			t.Errorf("input %d is for tick %d, the room is at 101", in.Seq, in.Tick)
		}
	}
}
