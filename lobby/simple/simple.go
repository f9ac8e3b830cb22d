// Package simple is the matchmaker's pure core: from waiting tickets, open rooms and a time it works out who plays with
// whom, and why the others wait. It reads no clock, keeps nothing between calls and knows no Redis, so that a test or a
// simulation runs it as the lobby does.
//
//	out := simple.Match(rules, tickets, rooms, now)
//	for _, a := range out.Assignments { … }   // reserve seats, then mark the tickets
//	for _, w := range out.Waiting { … }       // tell them why
package simple

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"
)

// Rules say how a queue makes matches.
type Rules struct {
	// Name is the queue's name, which clients ask for.
	Name string
	// Game is the game that its matches play.
	Game string
	// Min is how many players start a match, at least 1.
	Min int
	// Max is how many players a match holds, at least Min.
	Max int
	// Gather is how long the player who has waited longest waits for more than Min before the match starts all the
	// same. 0 starts at Min.
	Gather time.Duration
	// Backfill puts players into matches that run and have free seats, before new ones are made.
	Backfill bool
	// MaxWait is how long a ticket may wait before it expires. Default 5 min.
	MaxWait time.Duration
}

var name = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,30}$`)

// Validate returns the rules with defaults filled in, or what is wrong with them.
func (r Rules) Validate() (Rules, error) {
	if r.MaxWait == 0 {
		r.MaxWait = 5 * time.Minute
	}
	var errs []error
	if !name.MatchString(r.Name) {
		errs = append(errs, fmt.Errorf("queue %q: a name is a lower-case letter and up to 30 of a-z, 0-9, _ and -", r.Name))
	}
	if r.Min < 1 || r.Max < r.Min {
		errs = append(errs, fmt.Errorf("queue %q: Min is %d and Max is %d, want 1 ≤ Min ≤ Max", r.Name, r.Min, r.Max))
	}
	if r.Gather < 0 || r.MaxWait < 0 {
		errs = append(errs, fmt.Errorf("queue %q: Gather is %v and MaxWait is %v, neither may be negative", r.Name, r.Gather, r.MaxWait))
	}
	return r, errors.Join(errs...)
}

// Ticket is one player who waits.
type Ticket struct {
	ID      string
	Created time.Time
}

// Room is a running match with free seats.
type Room struct {
	ID   string
	Free int
}

// Assignment is a set of tickets that play together.
type Assignment struct {
	Room    string // a running match; "" for a new one
	Tickets []string
}

// Waiting is a ticket that found no match, and why.
type Waiting struct {
	Ticket string
	Reason string
}

// Outcome is what Match worked out. Each ticket is in exactly one place.
type Outcome struct {
	Assignments []Assignment
	Waiting     []Waiting
	// Next is when a waiting ticket should be looked at again although nothing has changed; zero when never.
	Next time.Time
}

// Match assigns tickets, those first that have waited longest (equal ones by id). rooms are filled in their order. It
// does not change its arguments, and equal arguments give equal outcomes.
func Match(r Rules, tickets []Ticket, rooms []Room, now time.Time) Outcome {
	left := slices.Clone(tickets)
	slices.SortFunc(left, func(a, b Ticket) int {
		return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID))
	})
	var out Outcome
	if r.Backfill {
		for _, room := range rooms {
			if n := min(room.Free, len(left)); n > 0 {
				out.Assignments = append(out.Assignments, Assignment{Room: room.ID, Tickets: ids(left[:n])})
				left = left[n:]
			}
		}
	}
	for len(left) >= r.Max {
		out.Assignments = append(out.Assignments, Assignment{Tickets: ids(left[:r.Max])})
		left = left[r.Max:]
	}
	if len(left) >= r.Min {
		start := left[0].Created.Add(r.Gather)
		if !start.After(now) {
			out.Assignments = append(out.Assignments, Assignment{Tickets: ids(left)})
			return out
		}
		out.Next = start
	}
	for _, t := range left {
		reason := fmt.Sprintf("%d of at least %d players are here", len(left), r.Min)
		if len(left) >= r.Min {
			reason = fmt.Sprintf("%d of at most %d players are here; the match starts without more at %s",
				len(left), r.Max, out.Next.UTC().Format(time.RFC3339))
		}
		out.Waiting = append(out.Waiting, Waiting{t.ID, reason})
	}
	return out
}

func ids(tickets []Ticket) []string {
	list := make([]string, len(tickets))
	for i, t := range tickets {
		list[i] = t.ID
	}
	return list
}
