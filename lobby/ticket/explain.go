package ticket

import (
	"errors"
	"time"

	"muster/lobby/queue"
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
	if e.blocked != nil {
		return plain(e.blocked)
	}
	now := s.clock.now()
	had, ok := e.reasons[id]
	last := e.reasons[""].at
	if ok && now.Sub(had.at) < sayAgain || !last.IsZero() && now.Sub(last) < sayApart && now.After(last) {
		return had.text
	}
	x, ok := e.pool.Explain(id, now)
	if !ok {
		return ""
	}
	e.reasons[id], e.reasons[""] = said{x.Text, now}, said{at: now}
	return x.Text
}

// plain is an error in words for players.
func plain(err error) string {
	for _, known := range []error{ErrNoNode, ErrCrowded} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	return reasonSeats
}

// Explain says why a ticket waits, and how long players like its own have waited lately. ok is false where it does not
// wait as far as is known here.
func (s *Service) Explain(t *Ticket) (x queue.Explanation, ok bool) {
	e := s.engine(t.Queue)
	if e == nil {
		return x, false
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if x, ok = e.pool.Explain(t.ID, s.clock.now()); ok && e.blocked != nil {
		x.Text = plain(e.blocked)
	}
	return x, ok
}
