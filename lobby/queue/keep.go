package queue

import "math"

// A pool keeps no more of a ticket than the rules look at: the maps of latencies alone would be half of what it holds.
// Only a queue with conditions keeps tickets whole, since a condition may look at all of them.

// known is the latency to a region of that player of a ticket who is worst off there.
type known struct {
	region string
	ms     float64
}

// strip takes out of a copy of a ticket what no search looks at. The latencies are those to regions that all players
// know who know any; a list that is empty and not nil says that there is none of these.
func strip(t *Ticket) (*Ticket, []known) {
	less := *t
	less.Players = make([]Player, len(t.Players))
	for i, p := range t.Players {
		p.Name, p.Latency = "", nil
		less.Players[i] = p
	}
	free := Ticket{Players: t.Players}
	for _, p := range t.Players {
		if len(p.Latency) == 0 {
			continue
		}
		list := make([]known, 0, len(p.Latency))
		for _, region := range sortedNames(p.Latency) {
			if ms := latencyTo(region, &free); !math.IsInf(ms, 1) {
				list = append(list, known{region, ms})
			}
		}
		return &less, list
	}
	return &less, nil
}

// ticket is the entry's ticket as far as it was kept. Each of its players has the latencies of the one who is worst off.
func (e *entry) ticket() *Ticket {
	if e.known == nil {
		return e.t
	}
	t := *e.t
	t.Players = append([]Player(nil), t.Players...)
	latency := map[string]float64{"": 0} // no region is called so: it says that others are known
	for _, k := range e.known {
		latency[k.region] = k.ms
	}
	for i := range t.Players {
		t.Players[i].Latency = latency
	}
	return &t
}
