package queue

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// entry is a ticket that waits, made ready for searching. What every cycle looks at stands first.
type entry struct {
	created int64 // in nanoseconds
	rating  float64
	most    float64 // the widest spread that it wants
	t       *Ticket
	bucket  *bucket // nil where nothing can match the ticket
	lack    uint64  // see failed
	n       int     // players
	stage   int     // of the rules, by its wait in this cycle
	at      int     // see failed
	gone    bool    // removed, or assigned
	done    bool    // searched for in this cycle as wide as the rules allow
	head    bool
	// failed says that a search with this ticket as the oldest one proved in stage at that no match can be made, and that
	// only further tickets of the kinds in lack could change that.
	failed bool

	sum      float64   // of the players' ratings
	variance float64   // of that sum
	latency  []float32 // by the rules' regions, of the player who is worst off
	values   []value   // by the rules' attributes
	roles    []uint64  // by players
	ids      []uint32  // digests of its players
	avoided  []uint32  // digests of those whom they avoid, sorted
	known    []known   // what t said of latencies, if it was taken out of it
}

// value is what a ticket says of an attribute.
type value struct {
	one  any      // a text or a number
	list []string // sorted
}

func (v value) set() bool { return v.one != nil || v.list != nil }

func (p *plan) entry(t *Ticket) *entry {
	e := &entry{
		t: t, n: len(t.Players), rating: t.Rating(), most: math.Inf(1),
		created: t.Created.UnixNano(), head: t.Head, at: -1,
	}
	if t.MaxSpread > 0 {
		e.most = t.MaxSpread
	}
	e.ids, e.avoided = digests(t.Players)
	for _, player := range t.Players {
		e.sum += player.Rating
		e.variance += player.Deviation * player.Deviation
		if len(p.Roles) > 0 {
			e.roles = append(e.roles, p.roleMask(player.Roles))
		}
	}
	for _, region := range p.Regions {
		e.latency = append(e.latency, up(latencyTo(region, t)))
	}
	e.values = p.values(t.Attributes)
	if len(p.Conditions) == 0 {
		e.t, e.known = strip(t)
	}
	return e
}

// roleMask has a bit for each role that a player comes for.
func (p *plan) roleMask(names []string) uint64 {
	if len(names) == 0 {
		return 1<<len(p.Roles) - 1
	}
	var mask uint64
	for _, name := range names {
		if i, ok := p.roles[name]; ok {
			mask |= 1 << i
		}
	}
	return mask
}

// latencyTo is the highest latency that one of a ticket's players has to a region; infinite where one does not know it
// or would not play with it.
func latencyTo(region string, t *Ticket) float64 {
	worst := 0.0
	for _, player := range t.Players {
		if len(player.Latency) == 0 {
			continue
		}
		ms, ok := player.Latency[region]
		if !ok || t.MaxLatency > 0 && ms > t.MaxLatency {
			return math.Inf(1)
		}
		worst = max(worst, ms)
	}
	return worst
}

// up rounds up, so that what was above a bound stays above it.
func up(v float64) float32 {
	f := float32(v)
	if float64(f) < v {
		f = math.Nextafter32(f, float32(math.Inf(1)))
	}
	return f
}

func (p *plan) values(of map[string]any) []value {
	if len(p.Attributes) == 0 {
		return nil
	}
	list := make([]value, len(p.Attributes))
	for i, a := range p.Attributes {
		v := of[a.Name]
		_, text := v.(string)
		_, number := v.(float64)
		switch { // what was said under other rules says nothing: a list could not be compared
		case a.Kind == AnyOf:
			list[i].list, _ = textsOf(v)
		case number, text && a.Kind == Equal:
			list[i].one = v
		}
	}
	return list
}

// textsOf is a list of texts as it may stand in a ticket, sorted. A ticket that was read from JSON has a list of anything.
func textsOf(v any) ([]string, bool) {
	switch v := v.(type) {
	case string:
		return []string{v}, true
	case []string:
		if !slices.IsSorted(v) {
			v = slices.Sorted(slices.Values(v))
		}
		return v, v != nil
	case []any:
		list := make([]string, 0, len(v))
		for _, item := range v {
			s, ok := item.(string)
			if !ok {
				return nil, false
			}
			list = append(list, s)
		}
		slices.Sort(list)
		return list, true
	}
	return nil, false
}

// older orders tickets by their age, then by their ids.
func older(a, b *entry) int {
	if a.created != b.created {
		return cmp.Compare(a.created, b.created)
	}
	return cmp.Compare(a.t.ID, b.t.ID)
}

// byRating orders tickets by their ratings, then by their age.
func byRating(a, b *entry) int {
	if a.rating != b.rating {
		return cmp.Compare(a.rating, b.rating)
	}
	return older(a, b)
}

// waited is for how long a ticket has waited at a time in nanoseconds.
func (e *entry) waited(now int64) time.Duration { return time.Duration(max(0, now-e.created)) }
