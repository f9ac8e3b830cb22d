package queue

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// ExplainRooms says in words which rules keep a ticket that waits out of running matches with free seats; "" where one takes
// it, or there are none. Like Explain it takes the pool's time, so no other call may run.
func (p *Pool) ExplainRooms(id string, rooms []Room, now time.Time) string {
	e, ok := p.entries[id]
	if !ok || e.bucket == nil || !p.plan.Backfill {
		return ""
	}
	f := newFiller(&cycle{Pool: p, now: now.UnixNano(), time: now})
	e.stage = p.plan.at(e.waited(f.now))
	var why []string
	for i := range rooms {
		if !rooms[i].asks() || !f.enter(&rooms[i]) {
			continue
		}
		if f.alone(e) {
			return ""
		}
		why = append(why, f.why(e))
	}
	switch len(why) {
	case 0:
		return ""
	case 1:
		return "The match that runs and has free seats does not take you because of " + why[0] + "."
	}
	return fmt.Sprintf("None of the %d matches that run and have free seats takes you: %s.", len(why), counted(why))
}

// counted says how often each of several reasons is there, the most frequent first.
func counted(why []string) string {
	n := map[string]int{}
	for _, w := range why {
		n[w]++
	}
	slices.SortFunc(why, func(a, b string) int { return cmp.Or(cmp.Compare(n[b], n[a]), cmp.Compare(a, b)) })
	why = slices.Compact(why)
	for i, w := range why {
		why[i] = fmt.Sprintf("%d because of %s", n[w], w)
	}
	return strings.Join(why, ", ")
}

// why is the first rule by which the match does not take a ticket, if nobody else comes.
func (f *filler) why(e *entry) string {
	st := &f.plan.stages[e.stage]
	f.start(e.stage)
	apart := max(f.high, e.rating) - min(f.low, e.rating)
	switch {
	case e.t.NewOnly:
		return "your wish for a new match"
	case slices.Max(f.room.Free) < e.n:
		return "the seats that it has in a team, which are too few for your party"
	case apart > e.most && e.most <= st.spread:
		return "your own limit to the distance of ratings"
	case apart > st.spread:
		return "the rating window"
	case apart > f.limit:
		return "the limit that a player in it sets to the distance of ratings"
	case f.region >= 0 && float64(e.latency[f.region]) > st.latency:
		return "your latency to its region"
	}
	for i := range e.values {
		next := f.base[i]
		if v := &e.values[i]; v.set() && st.attributes[i] && !next.add(&f.plan.Attributes[i], v, st.within[i]) {
			return "the queue's rule about " + f.plan.Attributes[i].Name
		}
	}
	for _, other := range f.inside {
		if !f.accepts(st, other, e) {
			return f.whyNot(st, other, e)
		}
	}
	return "the roles that are taken in it"
}

// whyNot is why two tickets do not accept each other, of which one was asked a moment ago.
func (f *filler) whyNot(st *stage, a, b *entry) string {
	if a.shares(b) {
		return "your seat in it, which you have already"
	}
	for i := range f.plan.Conditions {
		if c := &f.plan.Conditions[i]; st.conditions[i] && !f.search.holds(c, a, b) {
			return "the queue's condition " + c.Name
		}
	}
	return "players who do not want to meet"
}
