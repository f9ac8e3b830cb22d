package node

import (
	"context"

	"muster/match"
	"muster/match/cluster"
)

// Orders is the cluster's orders for the host of one process: a [match.OrderBook]. Any goroutine may use it.
type Orders struct{ Dir *cluster.Directory }

var _ match.OrderBook = Orders{}

// Orders implements match.OrderBook.
func (o Orders) Orders(ctx context.Context, room, after string, limit int) ([]match.Order, error) {
	read, err := o.Dir.Orders(ctx, room, after, int64(limit))
	if err != nil {
		return nil, err //nolint:wrapcheck // says what it did
	}
	list := make([]match.Order, len(read))
	for i := range read {
		r := &read[i]
		list[i] = match.Order{
			ID: r.ID, Place: r.Place, Kind: r.Kind, Player: r.Player, Team: r.Team, Event: r.Event, Text: r.Text, Body: r.Body,
		}
	}
	return list, nil
}

// OrdersDone implements match.OrderBook.
func (o Orders) OrdersDone(ctx context.Context, room string, epoch uint64, done []match.OrderDone) error {
	list := make([]cluster.Done, len(done))
	for i := range done {
		d := &done[i]
		list[i] = cluster.Done{ID: d.ID, Place: d.Place, Outcome: cluster.Outcome{State: stateOf(d.Outcome), Why: d.Why, Answer: d.Answer}}
	}
	return words(o.Dir.OrdersDone(ctx, room, epoch, list))
}

// stateOf is how the cluster calls what came of an order.
func stateOf(o match.OrderOutcome) string {
	switch o {
	case match.OrderRefused:
		return cluster.OrderRefused
	case match.OrderNoPlayer:
		return cluster.OrderAbsent
	default:
		return cluster.OrderDone
	}
}
