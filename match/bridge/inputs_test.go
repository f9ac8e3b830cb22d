package bridge

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"muster/client"
	"muster/match"
	"muster/proto"
)

// cashier sends an order each tick, by a clock of its own.
var cashier = client.NewBot[bank, order]("bank", func() client.Brain[bank, order] {
	n := uint32(0)
	return func(*client.BotView[bank]) (order, bool) {
		n++
		return order{n}, true
	}
}, receipt{})

func TestInputsOfARoomGoTogetherAndAreUsedNoLaterForThat(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		game := &teller{}
		f := newField(t, 1, bankGame(game, match.Rules{}), "n0", "n1")
		defer f.close()
		inputs, ticks := 0, 0
		f.net.change(func() {
			f.net.delay = 500 * time.Microsecond
			f.net.seen = func(_, _ string, kind int, _ []byte) {
				switch kind {
				case kindInput:
					inputs++
				case kindTick:
					ticks++
				}
			}
		})
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		stats := make([]client.Stats, 16)
		var wg sync.WaitGroup
		for i := range stats { // every other one at the room's own node, at all phases of a tick
			time.Sleep(53 * time.Millisecond)
			wg.Go(func() {
				m := client.Match{Room: "r", URL: "ws://server/v1/match/r", Token: f.seatToken("r", uint16(i+1))} //nolint:gosec // a few
				var err error
				if stats[i], err = cashier.Play(ctx, m, client.Play{HTTP: f.nodes[fmt.Sprint("n", i%2)].http}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		var took [2]client.AckStats
		for i, s := range stats {
			took[i%2].Count += s.Ack.Count
			took[i%2].Sum += s.Ack.Sum
		}
		direct, bridged := took[0].Mean(), took[1].Mean()
		t.Logf("%d messages with inputs in %d ticks; inputs took %v, bridged ones %v", inputs, ticks, direct, bridged)
		if inputs > ticks*11/10 {
			t.Errorf("%d messages with inputs in %d ticks", inputs, ticks)
		}
		if bridged > direct+8*time.Millisecond || took[1].Count < 2000 { // each is one phase of eight, and the delay is there twice
			t.Errorf("bridged inputs took %v, others %v", bridged, direct)
		}
		if game.wrong.Load() > 0 {
			t.Errorf("%d orders not in their turn", game.wrong.Load())
		}
	})
}

func TestInputsOfManyRoomsGoAlongWithEachOther(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		f := newField(t, 1, bankGame(&teller{}, match.Rules{}), "n0", "n1")
		defer f.close()
		ticks, sent := 0, map[time.Time]bool{} // what is sent at one moment is one exchange with Redis
		f.net.change(func() {
			f.net.seen = func(_, _ string, kind int, _ []byte) {
				switch kind {
				case kindInput:
					sent[time.Now()] = true
				case kindTick:
					ticks++
				}
			}
		})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		var wg sync.WaitGroup
		for i := range 24 {
			time.Sleep(53 * time.Millisecond)
			wg.Go(func() {
				room := fmt.Sprint("r", i)
				m := client.Match{Room: room, URL: "ws://server/v1/match/" + room, Token: f.seatToken(room, 1)}
				if _, err := cashier.Play(ctx, m, client.Play{HTTP: f.nodes["n1"].http}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		t.Logf("inputs were sent at %d moments in %d ticks of 24 rooms", len(sent), ticks)
		if ticks < 2000 || len(sent) > ticks/2 {
			t.Errorf("inputs were sent at %d moments in %d ticks of 24 rooms", len(sent), ticks)
		}
	})
}

func TestInputsWaitOnlyAsLongAsTheyMay(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		c := clock{rate: 20, trip: 4 * time.Millisecond}
		wait := func(tick, gone uint32) (call, time.Duration) {
			l := c.lastCall(tick, gone, time.Millisecond)
			return l, l.wait
		}
		if _, d := wait(1, 0); d != 0 {
			t.Errorf("before anything is known they wait %v", d)
		}
		c.note(100, 1<<15, time.Now()) // half of a tick of 50 ms is over
		if l, d := wait(101, 0); l.next != 101 || l.tick != 101 || d > 20*time.Millisecond || d < 19*time.Millisecond {
			t.Errorf("in the middle of a tick they wait %v for tick %d, not 20 ms for the next one", d, l.tick)
		}
		if l, d := wait(102, 101); l.tick != 102 || d > 70*time.Millisecond || d < 69*time.Millisecond {
			t.Errorf("when what the next tick needs has gone, those for the one after wait %v for tick %d, not 70 ms", d, l.tick)
		}
		if l, d := wait(101, 101); l.tick != 101 || d > 20*time.Millisecond || d < 19*time.Millisecond {
			t.Errorf("when what the next tick needs has gone, others for it wait %v for tick %d, not 20 ms", d, l.tick)
		}
		c.note(101, 1<<16-1, time.Now())
		if l, d := wait(102, 0); l.tick != 102 || d != 0 {
			t.Errorf("at the end of a tick they wait %v", d)
		}
		if l, d := wait(103, 0); l.tick != 103 || d > 46*time.Millisecond || d < 44*time.Millisecond {
			t.Errorf("at the end of a tick those for a later one wait %v for tick %d, not 45 ms", d, l.tick)
		}
		if _, d := wait(1<<32-1, 1<<32-1); d > 150*time.Millisecond {
			t.Errorf("those for a tick that is far away wait %v", d)
		}
		c.took(50 * time.Millisecond)
		c.note(102, 10, time.Now())
		if _, d := wait(103, 0); d != 0 {
			t.Errorf("where the way takes as long as a tick they wait %v", d)
		}
		for range 40 {
			c.took(time.Millisecond)
		}
		c.note(103, 10, time.Now())
		if _, d := wait(104, 0); d < 30*time.Millisecond {
			t.Errorf("where it takes a millisecond again they wait %v", d)
		}
	})
}

// waitingRoom is a bridged room whose clock is in the middle of tick 100, of 50 ms, and a viewer at it.
func waitingRoom(t *testing.T, net Network, l *line) (*room, match.Viewer) {
	t.Helper()
	b := New(Config{Network: net})
	t.Cleanup(func() {
		if err := b.Close(context.Background()); err != nil { //nolint:usetesting // the test's is over
			t.Error(err)
		}
	})
	rm := newRoom(b, place{"n0", "r"}, 1, true)
	rm.line = l
	rm.ans.epoch = 1
	rm.clock.rate = 20
	rm.clock.trip = 4 * time.Millisecond
	rm.clock.note(100, 1<<15, time.Now())
	v := &viewer{}
	rm.guests[v] = &guest{id: 1, viewer: v}
	return rm, v
}

func inputFor(tick uint32) *proto.InputPacket {
	return &proto.InputPacket{Epoch: 1, Inputs: []proto.Input{{Seq: tick, Tick: tick, Body: []byte{0x91, 1}}}}
}

func TestAnInputForTheNextTickDoesNotWaitWithThoseForALaterOne(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		net := &nothing{}
		rm, v := waitingRoom(t, net, &line{})
		rm.batch.gone = 101 // what tick 101 needs went along with another room's, 15 ms before it had to
		rm.Input(v, inputFor(102))
		rm.Input(v, inputFor(101))
		time.Sleep(20 * time.Millisecond)
		if n := net.messages.Load(); n != 1 {
			t.Errorf("%d messages went before tick 101, not one", n)
		}
		time.Sleep(100 * time.Millisecond)
		if n := net.messages.Load(); n != 1 {
			t.Errorf("%d messages went for two inputs, not one", n)
		}
	})
}

func TestARoomIsNotForgottenWhoseTimeComesWhileAnotherLooksAtTheLine(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		net, l := &nothing{}, &line{}
		rm, v := waitingRoom(t, net, l)
		rm.Input(v, inputFor(101)) // it may wait 15 ms
		list := l.take(nil)        // another room's flush has it from here, and is slow
		time.Sleep(16 * time.Millisecond)
		for _, other := range list {
			other.goAlong()
		}
		if n := net.messages.Load(); n != 1 {
			t.Errorf("%d messages went, not one", n)
		}
	})
}

func TestARoomThatEndsLeavesTheLine(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		net, l := &nothing{}, &line{}
		rm, v := waitingRoom(t, net, l)
		other, w := waitingRoom(t, net, l)
		rm.Input(v, inputFor(101))
		other.Input(w, inputFor(101))
		rm.Detach(v)
		rm.end(elsewhere)
		if list := l.take(nil); len(list) != 1 || list[0] != other {
			t.Errorf("%d rooms are in the line, not the other one alone", len(list))
		}
	})
}

// kinds is a network that notes what kinds of messages go.
type kinds struct{ list []int }

func (k *kinds) Send(_ string, msg []byte) bool {
	h, err := readHead(proto.NewReader(msg))
	if err == nil {
		k.list = append(k.list, h.kind)
	}
	return true
}

// Who bets and leaves in one moment has bet.
func TestWhatAPlayerHasSentGoesBeforeHisLeaveAndHisEnd(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		net := &kinds{}
		rm, v := waitingRoom(t, net, &line{})
		rm.Input(v, inputFor(103))
		rm.Leave(v)
		rm.Input(v, inputFor(104))
		rm.Detach(v)
		if want := []int{kindInput, kindLeave, kindInput, kindDetach}; !slices.Equal(net.list, want) {
			t.Errorf("messages of kinds %v went, want %v", net.list, want)
		}
		time.Sleep(time.Second)
		if n := len(net.list); n != 4 {
			t.Errorf("%d messages in the end", n)
		}
	})
}

// An input that was made for another host's ticks is for the next one here, whatever tick it names.
func TestInputsOfAnotherEpochWaitForNoLaterTick(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		net := &nothing{}
		rm, v := waitingRoom(t, net, &line{})
		p := inputFor(5000)
		p.Epoch = 7
		time.Sleep(20 * time.Millisecond) // the last call for tick 101 was 5 ms ago
		rm.Input(v, p)
		if n := net.messages.Load(); n != 1 {
			t.Errorf("%d messages have gone at once, want one", n)
		}
	})
}
