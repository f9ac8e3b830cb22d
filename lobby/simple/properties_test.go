package simple_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"muster/lobby/simple"
)

// question is what Match is asked.
type question struct {
	rules   simple.Rules
	tickets []simple.Ticket
	rooms   []simple.Room
}

func drawQuestion(t *rapid.T) question {
	var q question
	q.rules.Min = rapid.IntRange(1, 5).Draw(t, "min")
	q.rules.Max = rapid.IntRange(q.rules.Min, 8).Draw(t, "max")
	q.rules.Gather = time.Duration(rapid.IntRange(0, 10).Draw(t, "gather")) * time.Second
	q.rules.Backfill = rapid.Bool().Draw(t, "backfill")
	for i := range rapid.IntRange(0, 30).Draw(t, "tickets") {
		age := time.Duration(rapid.IntRange(-3, 15).Draw(t, "age")) * time.Second // clocks differ: some are of the future
		q.tickets = append(q.tickets, simple.Ticket{ID: fmt.Sprintf("t%02d", i), Created: now.Add(-age)})
	}
	for i := range rapid.IntRange(0, 5).Draw(t, "rooms") {
		q.rooms = append(q.rooms, simple.Room{ID: fmt.Sprint("r", i), Free: rapid.IntRange(0, 8).Draw(t, "free")})
	}
	return q
}

func (q question) ask() simple.Outcome { return simple.Match(q.rules, q.tickets, q.rooms, now) }

func TestMatchKeepsItsPromisesWhateverIsAsked(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := drawQuestion(t)
		tickets, rooms := slices.Clone(q.tickets), slices.Clone(q.rooms)
		out := q.ask()
		if diff := cmp.Diff(out, q.ask()); diff != "" {
			t.Fatalf("asked twice it answers differently:\n%s", diff)
		}
		if !slices.Equal(tickets, q.tickets) || !slices.Equal(rooms, q.rooms) {
			t.Fatal("the arguments were changed")
		}
		checkPlaces(t, q, out)
		checkSizes(t, q, out)
		checkOrder(t, q, out)
		checkNext(t, q, out)

		slices.Reverse(q.tickets)
		if diff := cmp.Diff(out, q.ask()); diff != "" {
			t.Fatalf("the order of the tickets matters:\n%s", diff)
		}
	})
}

// checkPlaces: each ticket is in exactly one place.
func checkPlaces(t *rapid.T, q question, out simple.Outcome) {
	places := map[string]int{}
	for _, a := range out.Assignments {
		for _, id := range a.Tickets {
			places[id]++
		}
	}
	for _, w := range out.Waiting {
		places[w.Ticket]++
		if w.Reason == "" {
			t.Fatalf("ticket %s waits without a reason", w.Ticket)
		}
	}
	for _, ticket := range q.tickets {
		if places[ticket.ID] != 1 {
			t.Fatalf("ticket %s is in %d places", ticket.ID, places[ticket.ID])
		}
	}
	if len(places) != len(q.tickets) {
		t.Fatalf("%d tickets came out of %d", len(places), len(q.tickets))
	}
}

// checkSizes: new matches have Min to Max players, running ones no more than they have seats, and one assignment each.
func checkSizes(t *rapid.T, q question, out simple.Outcome) {
	free := map[string]int{}
	for _, r := range q.rooms {
		free[r.ID] = r.Free
	}
	for _, a := range out.Assignments {
		n := len(a.Tickets)
		if a.Room == "" && (n < q.rules.Min || n > q.rules.Max) {
			t.Fatalf("a new match of %d, want %d to %d", n, q.rules.Min, q.rules.Max)
		}
		if a.Room != "" && (n < 1 || n > free[a.Room] || !q.rules.Backfill) {
			t.Fatalf("%d players to room %s with %d free seats, backfill %v", n, a.Room, free[a.Room], q.rules.Backfill)
		}
		free[a.Room] = 0
	}
}

// checkOrder: nobody who waits is older than somebody who was assigned.
func checkOrder(t *rapid.T, q question, out simple.Outcome) {
	created := map[string]time.Time{}
	for _, ticket := range q.tickets {
		created[ticket.ID] = ticket.Created
	}
	var order []string
	for _, a := range out.Assignments {
		order = append(order, a.Tickets...)
	}
	for _, w := range out.Waiting {
		order = append(order, w.Ticket)
	}
	for i := 1; i < len(order); i++ {
		a, b := order[i-1], order[i]
		if created[a].After(created[b]) || created[a].Equal(created[b]) && a > b {
			t.Fatalf("%s (%v) comes before %s (%v)", a, created[a], b, created[b])
		}
	}
}

// checkNext: at Next, and not before, there is something to do although nothing has changed.
func checkNext(t *rapid.T, q question, out simple.Outcome) {
	if out.Next.IsZero() != (len(out.Waiting) < q.rules.Min) {
		t.Fatalf("%d of %d wait and Next is %v", len(out.Waiting), q.rules.Min, out.Next)
	}
	if out.Next.IsZero() {
		return
	}
	rest := q
	rest.rooms = nil
	rest.tickets = slices.DeleteFunc(slices.Clone(q.tickets), func(x simple.Ticket) bool {
		return !slices.ContainsFunc(out.Waiting, func(w simple.Waiting) bool { return w.Ticket == x.ID })
	})
	before := simple.Match(rest.rules, rest.tickets, nil, out.Next.Add(-1))
	at := simple.Match(rest.rules, rest.tickets, nil, out.Next)
	if len(before.Assignments) != 0 || len(at.Assignments) != 1 || len(at.Waiting) != 0 || !out.Next.After(now) {
		t.Fatalf("Next is %v; just before it %+v, then %+v", out.Next, before, at)
	}
}
