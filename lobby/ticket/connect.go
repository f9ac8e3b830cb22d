package ticket

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"muster/match/cluster"
)

// arrival is how the start of an attempt's match stands.
type arrival struct {
	state string        // cluster.Waiting, Started or Off, or over
	left  time.Duration // until it is decided, while it waits
	came  map[string]bool
}

// over is a match that ended before all had the time to come, which is nobody's fault.
const over = "over"

// arrivals asks who came. A room that was made for the attempt decides for itself, once; one that runs already waits for
// nobody.
func (e *engine) arrivals(ctx context.Context, a *attempt) (arrival, error) {
	if a.Room == "" {
		s, err := e.s.cfg.Rooms.Settle(ctx, a.room)
		if err == nil {
			at := arrival{s.State, s.Left, map[string]bool{}}
			for _, p := range s.Came {
				at.came[p] = true
			}
			return at, nil
		}
		if !errors.Is(err, cluster.ErrNoRoom) {
			return arrival{}, err //nolint:wrapcheck // says what it did
		}
	}
	claims, tokens := e.claims(a), []string(nil)
	for _, c := range claims {
		tokens = append(tokens, c.Token)
	}
	used, err := e.s.cfg.Rooms.Came(ctx, a.room, tokens)
	if err != nil {
		return arrival{}, err //nolint:wrapcheck // says what it did
	}
	at := arrival{cluster.Started, a.deadline.Sub(a.now), map[string]bool{}}
	for i, c := range claims {
		at.came[c.Player] = used[i]
	}
	if !slices.Contains(used, false) {
		return at, nil
	}
	room, err := e.s.cfg.Rooms.Room(ctx, a.room)
	gone := errors.Is(err, cluster.ErrNoRoom)
	switch {
	case err != nil && !gone:
		return arrival{}, err //nolint:wrapcheck // says what it did
	case at.left > 0 && (gone || room.Off):
		at.state = over
	case at.left > 0:
		at.state = cluster.Waiting
	case a.Room == "":
		at.state = cluster.Off // the room is gone, and nobody settled it
	}
	return at, nil
}

// connecting looks whether the players have come, and closes the attempt when they have, or when their time is over.
func (e *engine) connecting(ctx context.Context, a *attempt, had string) (more bool, err error) {
	if err := e.brought(ctx, a); err != nil { // whoever matched them may have died before
		return false, err
	}
	at, err := e.arrivals(ctx, a)
	if err != nil {
		return false, err
	}
	if at.state == cluster.Waiting {
		next := max(firstLook, at.left/2)
		if next > at.left {
			next = max(at.left, time.Millisecond)
		}
		return false, e.again(ctx, a.id, had, a.now.Add(next))
	}
	return true, e.settle(ctx, a, at)
}

// settle closes an attempt whose start is decided.
func (e *engine) settle(ctx context.Context, a *attempt, at arrival) error {
	state := attemptStarted
	if at.state == cluster.Off {
		state = attemptFailed
	}
	verdicts := a.arrived(at)
	if slices.ContainsFunc(verdicts, func(v verdict) bool { return len(v.faults) > 0 }) {
		lost, err := e.lost(ctx, a)
		if err != nil {
			return err
		}
		switch {
		case lost:
			forgive(verdicts, reasonLost)
		case a.disturbed(a.Connect + late):
			forgive(verdicts, reasonAway)
		}
	}
	if err := e.moved(ctx, a, verdicts); err != nil {
		return err
	}
	return e.close(ctx, a, state, verdicts)
}

// lost says whether the node is gone that had the attempt's match, so that nobody could come.
func (e *engine) lost(ctx context.Context, a *attempt) (bool, error) {
	live, err := e.s.cfg.Nodes.Live(ctx)
	if err != nil {
		return false, err //nolint:wrapcheck // says what it did
	}
	for i := range a.Tickets {
		if a.live(i) && a.tickets[i].Match != nil {
			_, ok := live[a.tickets[i].Match.Node]
			return !ok, nil
		}
	}
	return false, nil
}

// forgive lets those wait again who would be out, since it was not their fault.
func forgive(verdicts []verdict, reason string) {
	for i := range verdicts {
		v := &verdicts[i]
		if v.faults = nil; v.action == goOut {
			v.action, v.reason = goBack, reason
		}
	}
}

// moved keeps tickets from waiting again one of whose players has come, left, and found another match meanwhile: he would
// be brought to a second one. A busy mark that is gone says so as long as it would be there otherwise.
func (e *engine) moved(ctx context.Context, a *attempt, verdicts []verdict) error {
	pipe := e.s.cfg.Redis.Pipeline()
	marks := map[string]*redis.StringCmd{}
	for i := range verdicts {
		if verdicts[i].action == goBack {
			for _, p := range planPlayers(&a.Tickets[i]) {
				marks[p] = pipe.Get(ctx, playerOf(e.s.cfg.Namespace, p).busy())
			}
		}
	}
	if len(marks) == 0 {
		return nil
	}
	if err := answers(ctx, pipe); err != nil {
		return wrap(err, "reading who has found another match")
	}
	ref, fresh := busyRef(e.keys.queue, a.id), a.now.Before(a.deadline.Add(busyTTL/2))
	for i := range verdicts {
		for _, p := range planPlayers(&a.Tickets[i]) {
			if m := marks[p]; m != nil && m.Val() != ref && (m.Val() != "" || fresh) {
				verdicts[i].action, verdicts[i].reason = goOut, reasonElsewhere
			}
		}
	}
	return nil
}

// arrived are the verdicts on an attempt whose start is decided. A ticket of which nobody came is out, and where there is
// no match also one of which somebody did not come.
func (a *attempt) arrived(at arrival) []verdict {
	verdicts := make([]verdict, len(a.Tickets))
	for i := range a.Tickets {
		v, here := &verdicts[i], 0
		for _, p := range planPlayers(&a.Tickets[i]) {
			if at.came[p] {
				here++
			} else {
				v.faults = append(v.faults, p)
			}
		}
		v.action, v.reason = goFinal, reasonNoShow
		switch {
		case at.state == over:
			v.faults = nil
			if here == 0 {
				v.action, v.reason = goBack, reasonOver
			}
		case here == 0, at.state == cluster.Off && len(v.faults) > 0:
			v.action = goOut
		case at.state == cluster.Off:
			v.action, v.reason = goBack, reasonOff
		}
	}
	return verdicts
}
