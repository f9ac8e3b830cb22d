package journal

import (
	"fmt"
	"slices"

	"muster/proto"
)

// OrderKind says what an order is.
type OrderKind uint8

// What a backend or an operator can have a room do.
const (
	OrderInput OrderKind = iota + 1 // what the game is fed
	OrderEvent                      // an event for players
	OrderEnd                        // the match ends
	OrderKick                       // a player is sent away
)

// String is the kind as the REST interface calls it.
func (k OrderKind) String() string {
	if !k.known() {
		return "unknown"
	}
	return [...]string{"input", "event", "end", "kick"}[k-OrderInput]
}

// Order is what somebody who does not play had the room do, by the lobby's REST interface.
type Order struct {
	ID     string // at most MaxOrderID bytes; it is done once
	Kind   OrderKind
	Player string // whom an event is for, or who is kicked; "" = an event is for everybody, or for the team
	Team   uint16 // whom an event is for; 0 = no team
	Text   string // the reason of an end or a kick
	Body   []byte // of an input or an event, as the schema writes it
}

const (
	// MaxOrderID bounds an order's id, in bytes.
	MaxOrderID = 64
	// maxOrders bounds those of one record.
	maxOrders = 1 << 8
	// maxOrderBody bounds an order's body, in bytes: an event has its type besides.
	maxOrderBody = maxBody + 8
)

func appendOrders(w *proto.Writer, list []Order) {
	w.Array(len(list))
	for i := range list {
		o := &list[i]
		w.Array(6)
		w.Str(cut(o.ID, MaxOrderID))
		w.Uint(uint64(o.Kind))
		w.Str(cut(o.Player, maxName))
		w.Uint(uint64(o.Team))
		w.Str(cut(o.Text, MaxText))
		w.Bin(o.Body)
	}
}

func (r *Record) parseOrders(rd *proto.Reader) {
	for range rd.Array("orders", maxOrders) {
		rd.Fixed("order", 6)
		o := Order{ID: rd.Str("id", MaxOrderID), Kind: OrderKind(rd.Uint8("kind"))}
		if !o.Kind.known() {
			rd.Fail("kind", fmt.Sprintf("%d is no kind of an order", o.Kind))
		}
		o.Player, o.Team = rd.Str("player", maxName), rd.Uint16("team")
		o.Text, o.Body = rd.Str("text", MaxText), bin(rd, "order's body", maxOrderBody)
		r.Orders = append(r.Orders, o)
		if rd.Err() != nil {
			return
		}
	}
}

func (k OrderKind) known() bool { return k >= OrderInput && k <= OrderKick }

// checkOrders says whether a record's orders can be read again.
func (r *Record) checkOrders() error {
	if len(r.Orders) > maxOrders {
		return fmt.Errorf("%w: tick %d has %d orders, at most %d allowed", ErrMalformed, r.Tick, len(r.Orders), maxOrders)
	}
	for i := range r.Orders {
		o := &r.Orders[i]
		if !o.Kind.known() || len(o.Body) > maxOrderBody {
			return fmt.Errorf("%w: an order of tick %d is of kind %d and has %d bytes, at most %d allowed", ErrMalformed, r.Tick,
				o.Kind, len(o.Body), maxOrderBody)
		}
	}
	return nil
}

// orderBodies says whether an order has a body.
func (r *Record) orderBodies() bool {
	return slices.ContainsFunc(r.Orders, func(o Order) bool { return len(o.Body) > 0 })
}
