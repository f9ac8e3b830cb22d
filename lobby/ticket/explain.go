package ticket

import (
	"cmp"
	"context"
	"time"

	"muster/lobby/queue"
	"muster/match/cluster"
)

// said is why a ticket waits, as it was worked out a while ago.
type said struct {
	text string
	at   time.Time
}

const (
	// sayAgain is how long an explanation serves.
	sayAgain = 2 * time.Second
	// sayApart is the least time between two that are worked out in passing, so that those who wait in great numbers do
	// not take the processor from the matchmaker.
	sayApart = 20 * time.Millisecond
)

// Reason says in words why a ticket waits; "" where that is not known here, or there is no time to find out.
func (s *Service) Reason(id string) string {
	name, _ := QueueOf(id)
	e := s.engine(name)
	if e == nil || !e.mu.TryLock() {
		return ""
	}
	defer e.mu.Unlock()
	if e.servers.none != nil {
		return plain(e.servers.none)
	}
	now := s.clock.now()
	had, ok := e.reasons[id]
	last := e.reasons[""].at
	if ok && now.Sub(had.at) < sayAgain || !last.IsZero() && now.Sub(last) < sayApart && now.After(last) {
		return had.text
	}
	x, ok := e.explained(id, now)
	if !ok {
		return ""
	}
	e.reasons[id], e.reasons[""] = said{x.Text, now}, said{at: now}
	return x.Text
}

// plain is an error in words for players.
func plain(err error) string { return cmp.Or(cluster.NoPlace(err), reasonSeats) }

// explained is the pool's explanation, and what it does not know of the servers. e.mu is held.
func (e *engine) explained(id string, now time.Time) (x queue.Explanation, ok bool) {
	if x, ok = e.pool.Explain(id, now); !ok {
		return x, false
	}
	switch away, only := e.unserved(id); {
	case e.servers.none != nil:
		x.Text = plain(e.servers.none)
	case only:
		x.Text = away
	case away != "":
		x.Text += " " + away
	}
	return x, true
}

// Explain says why a ticket waits, and how long players like its own have waited lately. ok is false where it does not
// wait as far as is known here. One at a time is worked out, so that the matchmaker waits for one at most.
func (s *Service) Explain(ctx context.Context, t *Ticket) (x queue.Explanation, ok bool) {
	e := s.engine(t.Queue)
	if e == nil {
		return x, false
	}
	select {
	case e.explain <- struct{}{}:
	case <-ctx.Done():
		return x, false
	}
	defer func() { <-e.explain }()
	rooms, err := e.roomsNow(ctx)
	s.failed(t.Queue, err) // the rest can be said all the same
	e.mu.Lock()
	defer e.mu.Unlock()
	now := s.clock.now()
	if x, ok = e.explained(t.ID, now); ok {
		if why := e.pool.ExplainRooms(t.ID, rooms, now); why != "" {
			x.Text += " " + why
		}
	}
	return x, ok
}

// roomsNow returns the rooms to which the queue may bring players: also where this process does not lead it.
func (e *engine) roomsNow(ctx context.Context) ([]queue.Room, error) {
	rules := e.current()
	if !rules.Backfill {
		return nil, nil
	}
	live, err := e.s.cfg.Nodes.Live(ctx)
	if err != nil {
		return nil, err //nolint:wrapcheck // says what it did
	}
	return e.openRooms(ctx, rules, live)
}
