package client

import (
	"context"
	"errors"
	"testing"
	"time"

	"muster/proto"
)

// testBot plays dx = 7 and reports what it saw.
func testBot(saw chan<- BotView[world]) Bot {
	return NewBot("dots", func() Brain[world, input] {
		return func(v *BotView[world]) (input, bool) {
			select {
			case saw <- *v:
			default:
			}
			return input{DX: 7}, v.State.Dots.Len() > 0
		}
	}, boom{})
}

func TestABotPlaysAtTheMatchsRateAndLeaves(t *testing.T) {
	n := startNode(t)
	saw := make(chan BotView[world], 1)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	done := make(chan error, 1)
	var stats Stats
	var joined Info
	go func() {
		var err error
		stats, err = testBot(saw).Play(ctx, n.match(), Play{
			HTTP: n.srv.Client(), Seed: 5, Observe: Observer{Joined: func(i Info) { joined = i }},
		})
		done <- err
	}()
	fc := n.next()
	n.step()
	fc.frame(0)
	first := wantsInputs(t, fc)
	wantsInputs(t, fc)
	last := wantsInputs(t, fc)
	if got := last.Inputs[0].Seq - first.Inputs[0].Seq; got < 1 {
		t.Errorf("sequences %d to %d of three packets", first.Inputs[0].Seq, last.Inputs[0].Seq)
	}
	var in input
	if err := n.schema.ReadInput(last.Inputs[0].Body, &in); err != nil || in.DX != 7 {
		t.Errorf("input %+v, error %v", in, err)
	}
	if v := <-saw; v.Seat != testSeat || v.Tick != 1 || v.Rand == nil {
		t.Errorf("the brain saw %+v", v)
	}
	stop()
	wants[*proto.Leave](t, fc)
	fc.send(&proto.Bye{Code: proto.CodeDone, Reason: "you left the match"})
	if err := <-done; err != nil {
		t.Errorf("play: %v", err)
	}
	if stats.InputsSent < 2 || stats.Frames != 1 || joined.Seat != testSeat {
		t.Errorf("stats %+v, joined %+v", stats, joined)
	}
}

func TestABotGoesOnSendingWhileFramesAreMissing(t *testing.T) {
	n := startNode(t)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := testBot(nil).Play(ctx, n.match(), Play{HTTP: n.srv.Client()})
		done <- err
	}()
	fc := n.next()
	n.step()
	begin := time.Now()
	fc.frame(0) // the only one
	for range 5 {
		wantsInputs(t, fc)
	}
	if d := time.Since(begin); d < 3*time.Second/testRate {
		t.Errorf("five inputs within %v at %d a second", d, testRate)
	}
	stop()
	wants[*proto.Leave](t, fc)
	fc.close(proto.CodeDone, "")
	if err := <-done; err != nil {
		t.Errorf("play: %v", err)
	}
}

func TestABotsMatchThatEndsGivesItsCode(t *testing.T) {
	n := startNode(t)
	done := make(chan error, 1)
	go func() {
		_, err := testBot(nil).Play(t.Context(), n.match(), Play{HTTP: n.srv.Client(), Reconnect: true})
		done <- err
	}()
	n.next().send(&proto.Bye{Code: proto.CodeDone, Reason: "over"})
	var ce *CloseError
	if err := <-done; !errors.As(err, &ce) || ce.Action() != proto.ActionDone {
		t.Errorf("play: %v", err)
	}
}

func TestABotOfBadTypesSaysSo(t *testing.T) {
	type bad struct{ C chan int }
	bot := NewBot("bad", func() Brain[bad, input] { return nil })
	if _, err := bot.Play(t.Context(), Match{}, Play{}); err == nil {
		t.Error("it plays")
	}
	if _, err := (Bot{Game: "x"}).Play(t.Context(), Match{}, Play{}); err == nil {
		t.Error("a zero bot plays")
	}
}
