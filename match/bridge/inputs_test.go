package bridge

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"muster/client"
	"muster/match"
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
		if inputs > 2*ticks {
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

func TestInputsWaitOnlyAsLongAsTheyMay(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		c := clock{rate: 20, trip: 4 * time.Millisecond}
		if d := c.untilTick(0); d != 0 {
			t.Errorf("before anything is known they wait %v", d)
		}
		now := time.Now()
		c.note(100, 1<<15, now) // half of a tick of 50 ms is over
		if d := c.untilTick(time.Millisecond); d > 20*time.Millisecond || d < 10*time.Millisecond {
			t.Errorf("in the middle of a tick they wait %v, not a little less than 20 ms", d)
		}
		c.note(101, 1<<16-1, time.Now())
		if d := c.untilTick(time.Millisecond); d != 0 {
			t.Errorf("at the end of a tick they wait %v", d)
		}
		c.took(50 * time.Millisecond)
		c.note(102, 10, time.Now())
		if d := c.untilTick(time.Millisecond); d != 0 {
			t.Errorf("where the way takes as long as a tick they wait %v", d)
		}
		for range 40 {
			c.took(time.Millisecond)
		}
		c.note(103, 10, time.Now())
		if d := c.untilTick(time.Millisecond); d < 30*time.Millisecond {
			t.Errorf("where it takes a millisecond again they wait %v", d)
		}
	})
}
