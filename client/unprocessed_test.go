package client

import (
	"errors"
	"strings"
	"testing"
	"time"

	"muster/proto"
)

func TestLeaveOfASocketThatTheServerHasClosedSaysWhy(t *testing.T) {
	for _, test := range []struct {
		code proto.Code
		want proto.Code // 0: no error
	}{{proto.CodeMatchGone, proto.CodeMatchGone}, {proto.CodeDone, 0}} {
		_, c, fc := join(t, Options{})
		fc.send(&proto.Bye{Code: test.code, Reason: "so it is"})
		fc.close(test.code, "so it is")
		for { // until a write fails: the reader has seen the close
			select {
			case <-c.sock.ended:
			case <-time.After(waitLong):
				t.Fatal("the socket does not end")
			default:
				if len(c.sock.msgs) == 0 {
					continue
				}
			}
			break
		}
		<-c.sock.ended
		err := c.Leave(t.Context())
		var ce *CloseError
		if test.want == 0 && err != nil || test.want != 0 && (!errors.As(err, &ce) || ce.Code != test.want || ce.Reason != "so it is") {
			t.Errorf("after %d: %v", test.code, err)
		}
	}
}

// Commands that the server has not processed when a match is lost are not lost in silence.
func TestCommandsThatWereNotProcessedAreNamedAtTheEnd(t *testing.T) {
	n := startNode(t)
	n.welcome.Inputs = proto.Commands
	c, fc := n.join(Options{Reconnect: true})
	for dx := range int8(5) {
		if err := c.Send(input{DX: dx + 1}); err != nil {
			t.Fatal(err)
		}
	}
	fc.shows(c, 2)
	if got := c.Unprocessed(); len(got) != 3 || got[0] != (Unprocessed[input]{3, input{3}}) || got[2] != (Unprocessed[input]{5, input{5}}) {
		t.Errorf("while playing: %v", got)
	}
	fc.send(&proto.Bye{Code: proto.CodeKicked, Reason: "out"})
	fc.close(proto.CodeKicked, "out")
	var ce *CloseError
	if _, err := c.Next(t.Context()); !errors.As(err, &ce) || ce.Code != proto.CodeKicked {
		t.Fatalf("%v", err)
	}
	if err := c.Send(input{DX: 9}); !errors.As(err, &ce) {
		t.Errorf("a command after the end: %v", err)
	}
	if got := c.Unprocessed(); len(got) != 3 || got[0].Seq != 3 || got[2].Input.DX != 5 {
		t.Errorf("at the end: %v", got)
	}
}

// Another program took the seat and sent more commands than this one: what this one had waiting will not be sent.
func TestCommandsThatAnotherProgramOvertookAreNamedToo(t *testing.T) {
	n := startNode(t)
	n.welcome.Inputs = proto.Commands
	c, fc := n.join(Options{Reconnect: true})
	if err := c.Send(input{DX: 1}); err != nil {
		t.Fatal(err)
	}
	n.set(func() { n.welcome.Seq = 7 })
	_ = fc.ws.CloseNow()
	second := make(chan *fakeConn, 1)
	go func() {
		next := n.next()
		n.step()
		next.frame(7)
		second <- next
	}()
	mustNext(t, c)
	<-second
	if got := c.Unprocessed(); len(got) != 1 || got[0] != (Unprocessed[input]{1, input{1}}) {
		t.Errorf("%v", got)
	}
}

func TestServerOfAnotherProtocolStopsTheClientAndBothAreNamed(t *testing.T) {
	n := startNode(t)
	n.speaks = "muster.v9"
	n.bye = &proto.Bye{Code: proto.CodeVersion, Reason: "the server speaks muster.v9, the client offers muster.v1"}
	began := time.Now()
	_, err := Dial[world, input](t.Context(), n.match(), n.options(Options{Reconnect: true}))
	var ce *CloseError
	if !errors.As(err, &ce) || ce.Code != proto.CodeVersion || ce.Action() != proto.ActionStop ||
		!strings.Contains(ce.Reason, "muster.v9") || !strings.Contains(ce.Reason, proto.Subprotocol) {
		t.Errorf("error %v", err)
	}
	if time.Since(began) > waitLong {
		t.Errorf("after %v", time.Since(began))
	}
}
