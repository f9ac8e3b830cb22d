package match

import (
	"reflect"

	"muster/match/journal"
	"muster/netcode"
	"muster/proto"
)

// What a simulation does with orders. It remembers the newest ones, since whoever has them waiting may not have heard that
// they were done: after a failover they come again, and are told what came of them, and not done again. As many may wait
// as are remembered, and they are done in their order, so that none is forgotten before it was told.

// doneOrder is an order that was done, or refused.
type doneOrder struct {
	id      string
	outcome OrderOutcome
	why     string
}

// maxDoneOrders is how many are remembered.
const maxDoneOrders = maxOrdersHeld

// ordered is what came of an order; ok is false when it is not remembered.
func (c *core[S, In]) ordered(id string) (o doneOrder, ok bool) {
	for i := len(c.doneOrders) - 1; i >= 0; i-- {
		if c.doneOrders[i].id == id {
			return c.doneOrders[i], true
		}
	}
	return doneOrder{}, false
}

// order applies one recorded order.
func (c *core[S, In]) order(rec *TickRecord, o *journal.Order, out *effects) {
	d := doneOrder{id: o.ID}
	if rec.Skipped {
		d.outcome, d.why = OrderRefused, "the rules failed"
	} else {
		d.outcome, d.why = c.carryOutOrder(o, out)
	}
	if len(c.doneOrders) == maxDoneOrders {
		c.doneOrders = append(c.doneOrders[:0], c.doneOrders[1:]...)
	}
	c.doneOrders = append(c.doneOrders, d)
	out.ordered = append(out.ordered, d)
}

func (c *core[S, In]) carryOutOrder(o *journal.Order, out *effects) (outcome OrderOutcome, why string) {
	switch o.Kind {
	case journal.OrderInput:
		var zero In
		c.in = zero
		err := c.game.schema.ReadInput(o.Body, &c.in)
		if err == nil && c.hooks.feed == nil {
			return OrderRefused, "the game takes no inputs from backends"
		}
		if err == nil {
			err = c.hooks.feed.Feed(&c.room, c.in)
		}
		if err != nil {
			return OrderRefused, clip(err.Error())
		}
	case journal.OrderEvent:
		event, err := c.game.schema.ReadEvent(o.Body)
		if err != nil {
			return OrderRefused, clip(err.Error())
		}
		to := netcode.Everyone()
		switch {
		case o.Player != "":
			p, ok := c.playerCalled(o.Player)
			if !ok {
				return OrderNoPlayer, noPlayer
			}
			to = netcode.OnlyTo(p.Seat)
		case o.Team != 0:
			to = netcode.ToTeam(o.Team)
		}
		out.emitted = append(out.emitted, netcode.Emission{To: to, Event: reflect.ValueOf(event).Elem().Interface()})
	case journal.OrderKick:
		p, ok := c.playerCalled(o.Player)
		if !ok {
			return OrderNoPlayer, noPlayer
		}
		c.room.Kick(p.Seat, o.Text)
	case journal.OrderEnd:
		if !out.ended {
			out.endedFor = clip(o.Text)
			if out.endedFor == "" {
				out.endedFor = "the match was ended"
			}
		}
		c.room.End(nil)
	}
	return OrderIsDone, ""
}

const noPlayer = "the player is not in the room"

// playerCalled finds a player by his id.
func (c *core[S, In]) playerCalled(id string) (Player, bool) {
	for seat, taken := range c.room.taken {
		if taken && c.room.players[seat].ID == id {
			return c.room.players[seat], true
		}
	}
	return Player{}, false
}

func (c *core[S, In]) appendOrders(w *proto.Writer) {
	w.Array(len(c.doneOrders))
	for i := range c.doneOrders {
		o := &c.doneOrders[i]
		w.Array(3)
		w.Str(o.id)
		w.Uint(uint64(o.outcome))
		w.Str(o.why)
	}
}

func (c *core[S, In]) restoreOrders(r *proto.Reader) {
	for range r.Array("orders", maxDoneOrders) {
		r.Fixed("order", 3)
		o := doneOrder{id: r.Str("id", journal.MaxOrderID), outcome: OrderOutcome(r.Uint8("outcome")), why: r.Str("why", journal.MaxText)}
		if r.Err() != nil {
			return
		}
		if o.outcome > OrderNoPlayer {
			r.Fail("outcome", "unknown")
			return
		}
		c.doneOrders = append(c.doneOrders, o)
	}
}
