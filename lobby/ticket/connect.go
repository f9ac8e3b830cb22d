package ticket

import (
	"context"
	"errors"
	"slices"
	"time"

	"muster/match/cluster"
)

// arrival is how the start of an attempt's match stands.
type arrival struct {
	state string        // cluster.Waiting, Started or Off, or over
	left  time.Duration // until it is decided, while it waits
	came  map[string]bool
	lost  bool // the server that had the match died, so that nobody could come
}

// over is a match that ended before all had the time to come, which is nobody's fault.
const over = "over"

// arrivals asks who came. A room that was made for the attempt decides for itself, once; one that runs already waits for
// nobody.
func (e *engine) arrivals(ctx context.Context, a *attempt) (arrival, error) {
	if a.Room == "" {
		s, err := e.s.cfg.Rooms.Settle(ctx, a.room)
		if err == nil {
			at := arrival{state: s.State, left: s.Left, came: map[string]bool{}}
			for _, p := range s.Came {
				at.came[p] = true
			}
			if s.State == cluster.Off {
				at.lost, err = e.lost(ctx, a.room)
			}
			return at, err
		}
		if !errors.Is(err, cluster.ErrNoRoom) {
			return arrival{}, err
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
	at := arrival{state: cluster.Started, left: a.deadline.Sub(a.now), came: map[string]bool{}}
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

// lost says whether a room's server is in the register no more, and no other has taken the room over.
func (e *engine) lost(ctx context.Context, room string) (bool, error) {
	r, err := e.s.cfg.Rooms.Room(ctx, room)
	if errors.Is(err, cluster.ErrNoRoom) {
		return false, nil
	}
	if err != nil {
		return false, err //nolint:wrapcheck // says what it did
	}
	live, err := e.s.cfg.Nodes.Live(ctx)
	_, there := live[r.Node]
	return !there, err //nolint:wrapcheck // says what it did
}

// connecting looks whether the players have come, and closes the attempt when they have, or when their time is over.
func (e *engine) connecting(ctx context.Context, a *attempt, had string) (more bool, err error) {
	if !a.told {
		e.tell(ctx, a, Matched, "") // whoever matched them may have died before
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
	return e.close(ctx, a, state, a.arrived(at))
}

// arrived are the verdicts on an attempt whose start is decided. A ticket of which nobody came is out, and where there is
// no match also one of which somebody did not come; unless an outage kept them from it, or the death of the match's
// server.
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
		if at.lost || a.disturbed(a.Connect+late) {
			v.faults = nil
			if here == 0 {
				v.action, v.reason = goBack, reasonAway
			} else if at.state == cluster.Off {
				v.action, v.reason = goBack, reasonOff
			}
			continue
		}
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
