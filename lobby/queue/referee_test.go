package queue

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"
)

// referee knows the rules as their documentation says them, and shares no code with the search.
type referee struct {
	r       Rules
	tickets map[string]*Ticket
	rooms   map[string]Room
	now     time.Time
}

func (j referee) step(steps []Step, waited time.Duration) float64 {
	b := math.MaxFloat64
	for _, s := range steps {
		if waited >= s.After {
			b = s.Within
			if s.Any {
				b = math.MaxFloat64
			}
		}
	}
	return b
}

func meanToBest(t *Ticket) float64 {
	sum, best := 0.0, t.Players[0].Rating
	for _, p := range t.Players {
		sum += p.Rating
		best = math.Max(best, p.Rating)
	}
	return (sum/float64(len(t.Players)) + best) / 2
}

// check returns what is wrong with an outcome.
func (j referee) check(out Outcome) []string {
	var wrong []string
	used, rooms := map[string]bool{}, map[string]bool{}
	for i, a := range out.Assignments {
		bad := func(format string, args ...any) {
			wrong = append(wrong, fmt.Sprintf("assignment %d %+v: ", i, a)+fmt.Sprintf(format, args...))
		}
		var all []*Ticket
		for _, team := range a.Teams {
			for _, id := range team {
				t := j.tickets[id]
				if t == nil || used[id] {
					bad("ticket %s is not there, or used twice", id)
					return wrong
				}
				used[id] = true
				all = append(all, t)
			}
		}
		if len(all) == 0 {
			bad("nobody is in it")
			continue
		}
		if a.Room != "" && rooms[a.Room] {
			bad("the room has two assignments")
		}
		rooms[a.Room] = true
		j.assignment(a, all, bad)
	}
	return wrong
}

func (j referee) assignment(a Assignment, all []*Ticket, bad func(string, ...any)) {
	waited := time.Duration(0)
	for _, t := range all {
		waited = max(waited, j.now.Sub(t.Created))
	}
	if a.Waited != waited {
		bad("waited %v, want %v", a.Waited, waited)
	}
	room, running := j.rooms[a.Room]
	j.sizes(a, room, running, waited, bad)
	j.ratings(a, all, room, running, waited, bad)
	j.latencies(a, all, waited, bad)
	j.roles(a, room, bad)
	j.attributes(a, all, room, waited, bad)
	for x, t := range all {
		for y, u := range all {
			if x != y {
				j.pair(t, u, waited, bad)
			}
		}
		if running {
			for _, u := range inside(room) {
				j.pair(t, u, waited, bad)
				j.pair(u, t, waited, bad)
			}
			if t.NewOnly {
				bad("%s wants new matches", t.ID)
			}
		}
	}
}

// inside are the tickets of a room, and one of those of whom no ticket is known.
func inside(room Room) []*Ticket {
	rest := Ticket{ID: room.ID, Attributes: room.Attributes}
	var list []*Ticket
	for i := range room.Tickets {
		list = append(list, &room.Tickets[i])
	}
	for _, p := range room.Players {
		if !slices.ContainsFunc(room.Tickets, func(t Ticket) bool {
			return slices.ContainsFunc(t.Players, func(q Player) bool { return q.ID == p.ID })
		}) {
			rest.Players = append(rest.Players, p)
		}
	}
	return append(list, &rest)
}

func (j referee) count(team []string) int {
	n := 0
	for _, id := range team {
		n += len(j.tickets[id].Players)
	}
	return n
}

func (j referee) sizes(a Assignment, room Room, running bool, waited time.Duration, bad func(string, ...any)) {
	if running {
		if a.Version != room.Version || a.Region != room.Region || len(a.Teams) != len(room.Free) {
			bad("not what the room %+v asked for", room)
			return
		}
		for i, team := range a.Teams {
			if j.count(team) > room.Free[i] {
				bad("team %d has no seats for all", i)
			}
		}
		return
	}
	total, inUse := 0, 0
	for i, team := range a.Teams {
		n := j.count(team)
		total += n
		if n > 0 {
			inUse++
		}
		if n > j.r.TeamSize {
			bad("team %d has %d players", i, n)
		}
	}
	bots := j.r.BotsAfter > 0 && waited >= j.r.BotsAfter
	switch {
	case len(a.Teams) != j.r.Teams:
		bad("%d teams", len(a.Teams))
	case total == j.r.Teams*j.r.TeamSize:
	case total < j.r.Min && !bots:
		bad("%d players, too few", total)
	case waited < j.r.Gather && !bots:
		bad("%d players, and it did not gather", total)
	case j.r.Teams > 1 && inUse < 2 && !bots:
		bad("all are in one team")
	}
	if a.Bots != max(0, j.r.Min-total) {
		bad("%d bots", a.Bots)
	}
}

func (j referee) ratings(a Assignment, all []*Ticket, room Room, running bool, waited time.Duration, bad func(string, ...any)) {
	low, high, limit := math.MaxFloat64, -math.MaxFloat64, j.step(j.r.Rating, waited)
	if running && (room.Low != 0 || room.High != 0 || len(room.Tickets) > 0) {
		low, high = room.Low, room.High
	}
	for _, t := range room.Tickets {
		if t.MaxSpread > 0 {
			limit = math.Min(limit, t.MaxSpread)
		}
	}
	for _, t := range all {
		low, high = math.Min(low, meanToBest(t)), math.Max(high, meanToBest(t))
		if t.MaxSpread > 0 {
			limit = math.Min(limit, t.MaxSpread)
		}
	}
	if high-low > limit+1e-9 {
		bad("ratings from %v to %v, limit %v", low, high, limit)
	}
	if math.Abs(a.Spread-(high-low)) > 1e-9 {
		bad("spread %v, want %v", a.Spread, high-low)
	}
}

func (j referee) latencies(a Assignment, all []*Ticket, waited time.Duration, bad func(string, ...any)) {
	if len(j.r.Regions) == 0 || a.Region == "" && a.Room != "" {
		return
	}
	if !slices.Contains(j.r.Regions, a.Region) {
		bad("region %q", a.Region)
	}
	for _, t := range all {
		for _, p := range t.Players {
			if len(p.Latency) == 0 {
				continue
			}
			limit := j.step(j.r.Latency, waited)
			if t.MaxLatency > 0 {
				limit = math.Min(limit, t.MaxLatency)
			}
			if ms, ok := p.Latency[a.Region]; !ok || ms > limit {
				bad("%s has %v ms to %s, limit %v", p.ID, ms, a.Region, limit)
			}
		}
	}
}

func (j referee) roles(a Assignment, room Room, bad func(string, ...any)) {
	if len(j.r.Roles) == 0 {
		return
	}
	for i, team := range a.Teams {
		taken := map[string]int{}
		for _, id := range team {
			for _, p := range j.tickets[id].Players {
				role := a.Roles[p.ID]
				taken[role]++
				if len(p.Roles) > 0 && !slices.Contains(p.Roles, role) {
					bad("%s plays %q and comes for %q", p.ID, role, p.Roles)
				}
			}
		}
		for _, r := range j.r.Roles {
			places := r.PerTeam
			if room.Roles != nil {
				places = room.Roles[i][r.Name]
			}
			if taken[r.Name] > places {
				bad("team %d has %d of %s", i, taken[r.Name], r.Name)
			}
			delete(taken, r.Name)
		}
		if len(taken) > 0 {
			bad("team %d has roles %v", i, taken)
		}
	}
}

func (j referee) attributes(a Assignment, all []*Ticket, room Room, waited time.Duration, bad func(string, ...any)) {
	for _, rule := range j.r.Attributes {
		if rule.Until > 0 && waited >= rule.Until {
			continue
		}
		var said []any
		says := false
		if v := room.Attributes[rule.Name]; v != nil {
			said = append(said, v)
		}
		for _, t := range room.Tickets {
			if v := t.Attributes[rule.Name]; v != nil {
				said = append(said, v)
			}
		}
		for _, t := range all {
			if v := t.Attributes[rule.Name]; v != nil {
				said, says = append(said, v), true
			}
		}
		if !says { // none of those who come: they agree with whatever the others said
			continue
		}
		switch rule.Kind {
		case Equal:
			for _, v := range said {
				if v != said[0] || a.Attributes[rule.Name] != v {
					bad("%s: %v, match has %v", rule.Name, said, a.Attributes[rule.Name])
				}
			}
		case AnyOf:
			agreed, _ := a.Attributes[rule.Name].([]string)
			if len(agreed) == 0 {
				bad("%s: %v, match has none", rule.Name, said)
			}
			for _, v := range agreed {
				for _, list := range said {
					if !slices.Contains(texts(list), v) {
						bad("%s: %s is not in %v", rule.Name, v, list)
					}
				}
			}
		case Within:
			low, high := math.MaxFloat64, -math.MaxFloat64
			for _, v := range said {
				n, _ := v.(float64)
				low, high = math.Min(low, n), math.Max(high, n)
			}
			if high-low > j.step(rule.Within, waited) {
				bad("%s: %v", rule.Name, said)
			}
		}
	}
}

func texts(v any) []string {
	if list, ok := v.([]string); ok {
		return list
	}
	var list []string
	for _, item := range v.([]any) { //nolint:forcetypeassert // the tests make no other lists
		list = append(list, fmt.Sprint(item))
	}
	return list
}

func (j referee) pair(t, u *Ticket, waited time.Duration, bad func(string, ...any)) {
	for _, p := range t.Players {
		for _, q := range u.Players {
			if p.ID == q.ID {
				bad("%s is there twice", p.ID)
			}
			if slices.Contains(p.Avoid, q.ID) && (j.r.AvoidFor == 0 || waited < j.r.AvoidFor) {
				bad("%s avoids %s", p.ID, q.ID)
			}
		}
	}
	for _, c := range j.r.Conditions {
		if (c.Until == 0 || waited < c.Until) && len(t.Players) > 0 && len(u.Players) > 0 && !c.Holds(t, u, waited) {
			bad("%s does not hold for %s and %s", c.Name, t.ID, u.ID)
		}
	}
}

// obeys fails the test if an outcome breaks a rule.
func (j referee) obeys(t interface{ Fatalf(string, ...any) }, out Outcome) {
	if wrong := j.check(out); len(wrong) > 0 {
		t.Fatalf("%v\nrules %+v", wrong[0], j.r)
	}
}

var noon = time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)

func valid(t testing.TB, r Rules) Rules {
	t.Helper()
	r.Name, r.Game = "ranked", "arena"
	r, err := r.Validate()
	if err != nil {
		t.Fatal(err)
	}
	return r
}
