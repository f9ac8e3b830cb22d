package queue

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"time"
)

// entry is a ticket that waits, made ready for searching.
type entry struct {
	t        *Ticket
	n        int     // players
	rating   float64 // of the ticket; see ratingOf
	sum      float64 // of the players' ratings
	variance float64 // of that sum
	most     float64 // the widest spread that it wants
	created  int64   // in nanoseconds
	latency  []float32
	values   []value // by the rules' attributes
	roles    []uint64
	avoids   bool
	bucket   *bucket

	gone  bool // removed, or assigned
	done  bool // searched for in this cycle as wide as the rules allow
	stage int  // of the rules, by its wait in this cycle
	// failed says that a search with this ticket as the oldest one proved in stage at that no match can be made, and that
	// only further tickets of the sizes in lack could change that.
	failed bool
	at     int
	lack   uint64
}

// value is what a ticket says of an attribute.
type value struct {
	one  any      // a text or a number
	list []string // sorted
}

func (v value) set() bool { return v.one != nil || v.list != nil }

// ratingOf is the rating by which a party is matched: halfway from its players' mean to the best of them, because one
// strong player tells more of a party than its average.
func ratingOf(players []Player) float64 {
	sum, best := 0.0, math.Inf(-1)
	for _, p := range players {
		sum += p.Rating
		best = max(best, p.Rating)
	}
	return (sum/float64(len(players)) + best) / 2
}

func (p *plan) entry(t *Ticket) *entry {
	e := &entry{t: t, n: len(t.Players), rating: ratingOf(t.Players), most: math.Inf(1), created: t.Created.UnixNano()}
	if t.MaxSpread > 0 {
		e.most = t.MaxSpread
	}
	for _, player := range t.Players {
		e.sum += player.Rating
		e.variance += player.Deviation * player.Deviation
		e.avoids = e.avoids || len(player.Avoid) > 0
		if len(p.Roles) > 0 {
			e.roles = append(e.roles, p.roleMask(player.Roles))
		}
	}
	for _, region := range p.Regions {
		e.latency = append(e.latency, latencyTo(region, t))
	}
	e.values = p.values(t.Attributes)
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
func latencyTo(region string, t *Ticket) float32 {
	worst := 0.0
	for _, player := range t.Players {
		if len(player.Latency) == 0 {
			continue
		}
		ms, ok := player.Latency[region]
		if !ok || t.MaxLatency > 0 && ms > t.MaxLatency {
			return float32(math.Inf(1))
		}
		worst = max(worst, ms)
	}
	return float32(worst)
}

func (p *plan) values(of map[string]any) []value {
	if len(p.Attributes) == 0 {
		return nil
	}
	list := make([]value, len(p.Attributes))
	for i, a := range p.Attributes {
		v := of[a.Name]
		if a.Kind != AnyOf {
			list[i].one = v
			continue
		}
		if texts, ok := textsOf(v); ok {
			list[i].list = texts
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

// key is the values of those attributes that tickets must share to meet at all; ok is false where one is not said.
func (p *plan) key(values []value) (key string, ok bool) {
	if len(p.keyed) == 0 {
		return "", true
	}
	var b []byte
	for _, i := range p.keyed {
		switch v := values[i].one.(type) {
		case string:
			b = append(strconv.AppendQuote(b, v), ';')
		case float64:
			b = append(strconv.AppendFloat(b, v, 'g', -1, 64), ';')
		default:
			return "", false
		}
	}
	return string(b), true
}

// older orders tickets by their age, then by their ids.
func older(a, b *entry) int {
	return cmp.Or(cmp.Compare(a.created, b.created), cmp.Compare(a.t.ID, b.t.ID))
}

// nearer orders tickets by their ratings.
func byRating(a, b *entry) int { return cmp.Or(cmp.Compare(a.rating, b.rating), older(a, b)) }

func (e *entry) waited(now time.Time) time.Duration { return max(0, now.Sub(e.t.Created)) }
