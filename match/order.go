package match

import (
	"context"
	"fmt"

	"muster/match/journal"
)

// Order is what a backend or an operator wants of a room, as it comes.
type Order struct {
	ID     string // it is done once
	Place  string // where it stands among the others; rises
	Kind   string // "input", "event", "end", "kick" or "state"
	Player string // whom an event is for, or who is kicked
	Team   uint16 // whom an event is for; 0 is none
	Event  string // its type
	Text   string // why, of an end or a kick
	Body   []byte // the fields of an input or an event, as JSON
}

// OrderBook is where orders wait for rooms. Its calls may take as long as their context allows and are never made from a
// tick.
type OrderBook interface {
	// Orders returns those that a room has not done, the oldest first, at most limit, after the Place after; "" is the
	// beginning.
	Orders(ctx context.Context, room, after string, limit int) ([]Order, error)
	// OrdersDone says what a room has done with orders, which then wait no longer. Repeated, it changes nothing. ErrFenced
	// says that the room is another's by now.
	OrdersDone(ctx context.Context, room string, epoch uint64, done []OrderDone) error
}

// OrderDone is what a room has done with an order.
type OrderDone struct {
	ID, Place string
	Outcome   OrderOutcome
	Why       string // for people, where it was not done
	Answer    []byte // of "state": JSON
}

// OrderOutcome says what came of an order.
type OrderOutcome uint8

// What can come of an order.
const (
	OrderIsDone   OrderOutcome = iota
	OrderRefused               // by the rules, or it is none of the game's
	OrderNoPlayer              // the player is not in the room
)

const (
	// maxOrdersHeld bounds the orders that a room has, those included of which it is not told yet what came of them.
	maxOrdersHeld = 256
	// maxOrdersTick and maxOrderBytes bound those of one tick; the others wait for the next.
	maxOrdersTick = 64
	maxOrderBytes = 256 << 10
	// orderPage is how many are read at once.
	orderPage = 64
	// maxTreeRows and maxTree bound what is told of a state: rows of a table, bytes in all.
	maxTreeRows = 200
	maxTree     = 128 << 10
)

// stateOrder is the kind of an order that asks for the state: nothing of it is recorded.
const stateOrder = "state"

// record makes an order what a room's record has of it. An error says why it is none of this game's.
func (o *Order) record(g *Game) (rec journal.Order, err error) {
	rec = journal.Order{ID: o.ID, Player: o.Player, Team: o.Team, Text: o.Text}
	switch o.Kind {
	case "input":
		rec.Kind = journal.OrderInput
		if !g.feeds {
			return rec, fmt.Errorf("the game %s takes no inputs from backends", g.name)
		}
		rec.Body, err = g.schema.InputFromJSON(o.Body)
	case "event":
		rec.Kind = journal.OrderEvent
		rec.Body, err = g.schema.EventFromJSON(o.Event, o.Body)
	case "end":
		rec.Kind = journal.OrderEnd
	case "kick":
		rec.Kind = journal.OrderKick
	default:
		err = fmt.Errorf("there is no order of kind %q", o.Kind)
	}
	return rec, err
}
