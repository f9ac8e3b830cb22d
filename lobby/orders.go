package lobby

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"muster/internal/pause"
	"muster/match/cluster"
)

const (
	// orderWait is how long a request waits for a room to do what it was given; then it is told that the order waits.
	orderWait = 3 * time.Second
	// firstLook and lastLook are how long after each look the next one is: a room answers within a tick or two, one whose
	// journal is away when that is back.
	firstLook = 15 * time.Millisecond
	lastLook  = 200 * time.Millisecond
)

// Ordered says what came of something that a room was to do.
type Ordered struct {
	ID    string `json:"id" example:"q2gc3zkqav6ohzd3uqp6tmy4ra" doc:"The order's. The same request with the same Idempotency-Key has the same."`
	State string `json:"state" enum:"done,waiting" example:"done" doc:"done: in a room with a journal it is durable. waiting: it will be done when the room can; asked again with the same Idempotency-Key, it is told."`
}

type orderedOutput struct {
	Status int
	Body   Ordered
}

// order gives a room an order, tells its host, and waits for what comes of it. Its errors are for clients. With an error that
// leaves open whether the room does it, the outcome is that it waits.
func (l *Lobby) order(ctx context.Context, doing, room string, o cluster.Order) (cluster.Outcome, error) {
	if err := l.rooms.Order(ctx, room, o); err != nil {
		return unsure(err), l.orderProblem(doing, err)
	}
	l.publish(ctx, cluster.Notice{Kind: cluster.NoticeOrder, ID: room})
	got, err := l.outcome(ctx, room, o.ID)
	if err != nil {
		return unsure(err), l.orderProblem(doing, err)
	}
	switch got.State {
	case cluster.OrderDone, cluster.OrderWaits:
		return got, nil
	case cluster.OrderAbsent:
		return got, huma.Error404NotFound(got.Why)
	case cluster.OrderGone:
		return got, huma.Error409Conflict("the room ended before it could do that")
	}
	return got, huma.Error422UnprocessableEntity(got.Why)
}

// outcome waits for what comes of an order.
func (l *Lobby) outcome(ctx context.Context, room, id string) (cluster.Outcome, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(l.closing, cancel)()
	end := time.Now().Add(orderWait)
	for wait := firstLook; ; wait = min(2*wait, lastLook) {
		got, err := l.rooms.Outcome(ctx, room, id)
		if err != nil || got.State != cluster.OrderWaits || time.Now().After(end) {
			return got, err //nolint:wrapcheck // says what it did
		}
		if pause.For(ctx, wait) != nil { // the lobby is leaving, or nobody listens any more
			return got, nil
		}
	}
}

// unsure is the outcome of an order of which nobody has heard: none where it was refused, and otherwise that it waits.
func unsure(err error) cluster.Outcome {
	for _, refusal := range []error{cluster.ErrNoRoom, cluster.ErrUnopened, cluster.ErrManyOrders, cluster.ErrOtherOrder} {
		if errors.Is(err, refusal) {
			return cluster.Outcome{}
		}
	}
	return cluster.Outcome{State: cluster.OrderWaits}
}

func (l *Lobby) orderProblem(doing string, err error) error {
	switch {
	case errors.Is(err, cluster.ErrNoRoom):
		return huma.Error404NotFound(noRoomNow)
	case errors.Is(err, cluster.ErrUnopened):
		return huma.Error409Conflict(cluster.ErrUnopened.Error())
	case errors.Is(err, cluster.ErrManyOrders):
		return huma.ErrorWithHeaders(huma.Error429TooManyRequests(cluster.ErrManyOrders.Error()), http.Header{"Retry-After": {"1"}})
	case errors.Is(err, cluster.ErrOtherOrder):
		return otherRequest()
	}
	return l.problem(doing, err)
}

const noRoomNow = "there is no such room now"

// ordered is the answer to an order that is done or waits.
func ordered(id string, got cluster.Outcome) *orderedOutput {
	out := &orderedOutput{Status: http.StatusOK, Body: Ordered{ID: id, State: got.State}}
	if got.State == cluster.OrderWaits {
		out.Status = http.StatusAccepted
	}
	return out
}
