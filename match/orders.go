package match

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

// The way of an order: the host's workers read it from the book, make it what is recorded, and put it to the room
// (orders.put); the room puts it into a record (takeOrders), and when the record's tick is durable gives what came of it
// back (noteOrders); a worker tells the book. A room that has none pays one look at a number in a tick.

// orders is what a room has of orders.
type orders struct {
	came atomic.Int32 // how many wait in fresh
	held atomic.Int32 // how many are known
	turn atomic.Int32 // see turns
	anew atomic.Bool  // the book is to be read from its beginning

	mu    sync.Mutex
	known map[string]string // those of which the book does not know what came, with their places
	fresh []roomOrder       // for the room
	told  []OrderDone       // for the book

	after string // the place up to which the book was read; of the worker whose turn it is

	// What follows belongs to the room's goroutine.
	waiting []roomOrder
	asked   []string // ids of those who want to know the state
	done    []settledOrder
}

// roomOrder is an order for the room: one that is recorded, or one that asks for the state.
type roomOrder struct {
	rec  OrderRecord
	asks bool
}

// settledOrder waits for its tick to be durable.
type settledOrder struct {
	tick uint32
	done OrderDone
}

// What the turn of a room is: a worker has it at most once at a time.
const (
	turnNone int32 = iota
	turnQueued
	turnServed
	turnAgain // it is served, and wants another turn
)

const (
	// orderWorkers is how many rooms' orders are served at once.
	orderWorkers = 4
	// maxOrderTurns bounds the rooms that wait for it; others are served after their next renewal.
	maxOrderTurns = 4096
	// orderRetry is after how long it is tried again where the book does not answer.
	orderRetry = 250 * time.Millisecond
)

// Ordered says that orders wait for a room, if it runs here. It does not block. anew says that some may have been
// overlooked.
func (h *Host) Ordered(room string, anew bool) {
	if h.cfg.Orders == nil {
		return
	}
	if rm := h.Room(room); rm != nil {
		if anew {
			rm.orders.anew.Store(true)
		}
		h.serveOrders(rm)
	}
}

// serveOrders gives a room a turn.
func (h *Host) serveOrders(rm *Instance) {
	o := &rm.orders
	if o.turn.CompareAndSwap(turnServed, turnAgain) || !o.turn.CompareAndSwap(turnNone, turnQueued) {
		return
	}
	select {
	case h.turns <- rm:
	default: // its next renewal finds what waits
		o.turn.Store(turnNone)
	}
}

// workOrders is a worker.
func (h *Host) workOrders() {
	for {
		select {
		case <-h.ctx.Done():
			return
		case rm := <-h.turns:
			o := &rm.orders
			o.turn.Store(turnServed)
			if err := h.ordersOf(rm); err != nil && h.ctx.Err() == nil {
				if errors.Is(err, ErrFenced) {
					rm.Abandon("the match goes on elsewhere")
				} else {
					h.log.Warn("orders for a room are tried again", zap.String("room", rm.spec.ID), zap.Error(err))
					h.soon(orderRetry)
					o.turn.CompareAndSwap(turnServed, turnAgain)
				}
			}
			if !o.turn.CompareAndSwap(turnServed, turnNone) {
				o.turn.Store(turnNone)
				h.serveOrders(rm)
			}
		}
	}
}

// soon waits, or until the host ends.
func (h *Host) soon(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-h.ctx.Done():
	case <-timer.C:
	}
}

// ordersOf tells the book what a room has done, and gives the room what waits.
func (h *Host) ordersOf(rm *Instance) error {
	ctx, cancel := context.WithTimeout(h.ctx, callTimeout)
	defer cancel()
	o := &rm.orders
	if err := rm.tellOrders(ctx); err != nil {
		return err
	}
	if o.anew.Swap(false) {
		o.after = ""
	}
	for {
		list, err := h.cfg.Orders.Orders(ctx, rm.spec.ID, o.after, orderPage)
		if err != nil {
			o.anew.Store(true)
			return err //nolint:wrapcheck // logged with what was done
		}
		for i := range list {
			if !o.put(rm.game, &list[i]) { // it has as many as it may: when it has done some it has another turn
				return rm.wakeOrders(ctx)
			}
			o.after = list[i].Place
		}
		if len(list) < orderPage {
			return rm.wakeOrders(ctx)
		}
	}
}

// wakeOrders wakes a room that sleeps, and tells what was refused before it came to the room.
func (rm *Instance) wakeOrders(ctx context.Context) error {
	if rm.orders.came.Load() > 0 {
		rm.inbox.put(message{kind: msgOrder})
	}
	return rm.tellOrders(ctx)
}

// put puts an order to the room, unless the room knows it. It is false where the room has too many.
func (o *orders) put(g *Game, order *Order) bool {
	if fresh, ok := o.note(order); !fresh {
		return ok
	}
	asks := order.Kind == stateOrder
	rec, err := OrderRecord{ID: order.ID}, error(nil)
	if !asks {
		rec, err = order.record(g) // without the lock, for which the room's tick would wait
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if err != nil {
		o.told = append(o.told, OrderDone{ID: order.ID, Outcome: OrderRefused, Why: err.Error()})
		return true
	}
	o.fresh = append(o.fresh, roomOrder{rec, asks})
	o.came.Add(1)
	return true
}

// note makes an order known. ok is false where the room has too many.
func (o *orders) note(order *Order) (fresh, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, known := o.known[order.ID]; known {
		return false, true
	}
	if len(o.known) >= maxOrdersHeld {
		return false, false
	}
	if o.known == nil {
		o.known = map[string]string{}
	}
	o.known[order.ID] = order.Place
	o.held.Store(int32(len(o.known))) //nolint:gosec // at most maxOrdersHeld
	return true, true
}

// tellOrders tells the book what came of orders. Any goroutine may call it.
func (rm *Instance) tellOrders(ctx context.Context) error {
	o := &rm.orders
	o.mu.Lock()
	list := slices.Clone(o.told)
	for i := range list {
		list[i].Place = o.known[list[i].ID]
	}
	o.mu.Unlock()
	if len(list) == 0 {
		return nil
	}
	if err := rm.host.cfg.Orders.OrdersDone(ctx, rm.spec.ID, rm.spec.Epoch, list); err != nil {
		return err //nolint:wrapcheck // logged with what was done
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	told := map[string]bool{}
	for i := range list {
		if _, ok := o.known[list[i].ID]; ok {
			delete(o.known, list[i].ID)
			rm.metrics.orders.WithLabelValues(list[i].Outcome.String()).Inc()
		}
		told[list[i].ID] = true
	}
	o.told = slices.DeleteFunc(o.told, func(d OrderDone) bool { return told[d.ID] })
	o.held.Store(int32(len(o.known))) //nolint:gosec // at most maxOrdersHeld
	return nil
}

// takeOrders moves orders into the record of this tick. One that the simulation remembers was done before the room came
// here: it is told again.
func (rm *Instance) takeOrders() {
	o := &rm.orders
	if o.came.Load() > 0 {
		o.mu.Lock()
		o.waiting = append(o.waiting, o.fresh...)
		o.fresh = o.fresh[:0]
		o.came.Store(0)
		o.mu.Unlock()
	}
	n, size := 0, 0
	for ; n < len(o.waiting) && len(rm.record.Orders) < maxOrdersTick; n++ {
		w := &o.waiting[n]
		if w.asks {
			o.asked = append(o.asked, w.rec.ID)
			continue
		}
		if d, ok := rm.sim.ordered(w.rec.ID); ok {
			rm.settleOrder(&d)
			continue
		}
		if size += len(w.rec.Body); size > maxOrderBytes {
			break
		}
		rm.record.Orders = append(rm.record.Orders, w.rec)
	}
	o.waiting = slices.Delete(o.waiting, 0, n)
}

// settleOrder notes what came of an order; it is told when the present tick is durable.
func (rm *Instance) settleOrder(d *doneOrder) {
	rm.orders.done = append(rm.orders.done, settledOrder{rm.tick, OrderDone{ID: d.id, Outcome: d.outcome, Why: d.why}})
}

// noteOrders gives those to the host of which the outcome is durable, and of those who want to know the state one.
func (rm *Instance) noteOrders() {
	o := &rm.orders
	for i := range rm.fx.ordered {
		rm.settleOrder(&rm.fx.ordered[i])
	}
	n, durable := 0, rm.orderedUpTo()
	for n < len(o.done) && o.done[n].tick <= durable {
		n++
	}
	if n == 0 && len(o.asked) == 0 {
		return
	}
	o.mu.Lock()
	for i := range o.done[:n] {
		o.told = append(o.told, o.done[i].done)
	}
	if len(o.asked) > 0 {
		o.told = append(o.told, rm.answerState(o.asked[0]))
		o.asked = slices.Delete(o.asked, 0, 1)
	}
	o.mu.Unlock()
	o.done = slices.Delete(o.done, 0, n)
	rm.host.serveOrders(rm)
}

// orderedUpTo is the newest tick whose orders may be called done: in a room with a journal, what no failover takes back.
func (rm *Instance) orderedUpTo() uint32 {
	if rm.journal == nil || rm.game.rules.Durability != Journal {
		return rm.tick
	}
	return rm.durable
}

// stateTree is the room's state as JSON.
func (rm *Instance) stateTree() ([]byte, error) {
	text := fmt.Appendf(nil, `{"tick":%d,"tables":`, rm.tick)
	text, err := rm.game.schema.AppendTree(text, rm.sim.world(), maxTreeRows, maxTree)
	return append(text, '}'), err
}

// answerState is the answer to who wants to know the state.
func (rm *Instance) answerState(id string) OrderDone {
	text, err := rm.stateTree()
	if err != nil {
		rm.log.Error("the state cannot be shown", zap.Error(err))
		return OrderDone{ID: id, Outcome: OrderRefused, Why: "the state cannot be shown"}
	}
	return OrderDone{ID: id, Answer: text}
}

// endOrders tells what came of orders when the room has ended: all that it did is as durable as it will be.
func (rm *Instance) endOrders(ctx context.Context) {
	o := &rm.orders
	o.mu.Lock()
	for i := range o.done {
		o.told = append(o.told, o.done[i].done)
	}
	o.mu.Unlock()
	o.done = nil
	if rm.host.cfg.Orders != nil && o.held.Load() > 0 {
		rm.retry(ctx, "telling what came of orders", rm.tellOrders)
	}
}

// String is how metrics call it.
func (o OrderOutcome) String() string { return [...]string{"done", "refused", "no_player"}[o] }
