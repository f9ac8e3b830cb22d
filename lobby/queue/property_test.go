package queue

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// anyRules draws rules of all kinds, small enough that a few dozen tickets meet.
func anyRules(t *rapid.T) Rules {
	yes := func(name string) bool { return rapid.Bool().Draw(t, name) }
	r := Rules{
		Name: "ranked", Game: "arena",
		Teams: rapid.IntRange(1, 3).Draw(t, "teams"), TeamSize: rapid.IntRange(1, 5).Draw(t, "size"),
	}
	r.Min = rapid.IntRange(1, r.Max()).Draw(t, "min")
	if yes("full") {
		r.Min = r.Max()
	}
	seconds := func(low, high int, name string) time.Duration {
		return time.Duration(rapid.IntRange(low, high).Draw(t, name)) * time.Second
	}
	r.Gather = seconds(0, 10, "gather")
	if yes("rating") {
		r.Rating = []Step{{Within: 50}, {After: 5 * time.Second, Within: 150}, {After: 20 * time.Second, Any: yes("any")}}
		if !r.Rating[2].Any {
			r.Rating[2].Within = 400
		}
	}
	if yes("regions") {
		r.Regions = []string{"ap", "eu", "us"}
		r.Latency = []Step{{Within: 60}, {After: 8 * time.Second, Within: 120}}
	}
	if yes("roles") {
		r.Roles = []Role{{"tank", 1}}
		if r.TeamSize > 1 {
			r.Roles = append(r.Roles, Role{"any", r.TeamSize - 1})
		}
	}
	if yes("attributes") {
		r.Attributes = []Attribute{
			{Name: "mode", Kind: Equal, Required: yes("required")},
			{Name: "maps", Kind: AnyOf, Until: seconds(0, 15, "until")},
			{Name: "level", Kind: Within, Within: []Step{{Within: 5}, {After: 10 * time.Second, Within: 20}}},
		}
	}
	if yes("condition") {
		r.Conditions = []Condition{{
			Name: "parity", Until: seconds(0, 20, "lasts"), Timeless: yes("timeless"),
			Holds: func(a, b *Ticket, _ time.Duration) bool { return len(a.ID) < 3 || len(b.ID) < 3 || a.ID[1] != b.ID[1] },
		}}
	}
	r.Backfill = yes("backfill")
	if yes("bots") {
		r.BotsAfter = r.Gather + seconds(1, 20, "bots after")
	}
	r.AvoidFor = seconds(0, 15, "avoid for")
	r, err := r.Validate()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// anyTicket makes a ticket of a number, the same for the same number and seed.
func anyTicket(r *Rules, rng *rand.Rand, n int, now time.Time) *Ticket {
	tk := &Ticket{
		ID: fmt.Sprintf("t%d", n), Created: now.Add(-time.Duration(rng.IntN(25000)) * time.Millisecond),
		Head: rng.IntN(12) == 0, NewOnly: rng.IntN(6) == 0, Attributes: map[string]any{},
	}
	size := 1
	if rng.IntN(3) == 0 {
		size += rng.IntN(r.PartyMax)
	}
	size = min(size, r.PartyMax)
	for i := range size {
		p := Player{ID: fmt.Sprintf("p%d-%d", n, i), Rating: 1000 + 100*rng.NormFloat64(), Deviation: 50}
		if rng.IntN(3) > 0 {
			p.Roles = [][]string{{"tank"}, {"any"}, {"tank", "any"}}[rng.IntN(3)]
		}
		if len(r.Regions) > 0 && rng.IntN(6) > 0 {
			p.Latency = map[string]float64{}
			for _, region := range r.Regions {
				if rng.IntN(4) > 0 {
					p.Latency[region] = float64(20 + rng.IntN(120))
				}
			}
		}
		if rng.IntN(8) == 0 {
			p.Avoid = []string{fmt.Sprintf("p%d-0", rng.IntN(40))}
		}
		tk.Players = append(tk.Players, p)
	}
	if rng.IntN(5) == 0 {
		tk.MaxSpread = float64(20 + rng.IntN(200))
	}
	if rng.IntN(5) == 0 {
		tk.MaxLatency = float64(40 + rng.IntN(100))
	}
	for _, a := range r.Attributes {
		if !a.Required && rng.IntN(3) == 0 {
			continue
		}
		switch a.Kind {
		case Equal:
			tk.Attributes[a.Name] = []string{"solo", "duo"}[rng.IntN(2)]
		case AnyOf:
			tk.Attributes[a.Name] = [][]string{{"dust"}, {"dust", "ice"}, {"ice", "lava"}, {"dust", "lava"}}[rng.IntN(4)]
		case Within:
			tk.Attributes[a.Name] = float64(rng.IntN(20))
		}
	}
	return tk
}

func anyRooms(r *Rules, rng *rand.Rand) []Room {
	var rooms []Room
	for i := range rng.IntN(4) {
		room := Room{ID: fmt.Sprintf("r%d", i), Version: uint64(rng.IntN(9)), Players: []Player{{ID: fmt.Sprintf("p%d-0", rng.IntN(40))}}}
		for range r.Teams {
			room.Free = append(room.Free, rng.IntN(r.TeamSize+1))
		}
		if len(r.Regions) > 0 && rng.IntN(4) > 0 {
			room.Region = r.Regions[rng.IntN(len(r.Regions))]
		}
		if rng.IntN(3) > 0 {
			room.Low = 950 + float64(rng.IntN(50))
			room.High = room.Low + float64(rng.IntN(60))
		}
		if len(r.Roles) > 0 && rng.IntN(2) == 0 {
			for range r.Teams {
				room.Roles = append(room.Roles, map[string]int{"tank": rng.IntN(2), "any": rng.IntN(r.TeamSize)})
			}
		}
		if len(r.Attributes) > 0 && rng.IntN(2) == 0 {
			room.Attributes = map[string]any{"mode": "solo", "maps": []string{"dust", "ice"}}
		}
		if rng.IntN(3) > 0 {
			anyInside(r, rng, &room)
		}
		rooms = append(rooms, room)
	}
	return rooms
}

// anyInside puts tickets into a room, which need not fit to each other by the rules of now, and some of whose players may have
// left.
func anyInside(r *Rules, rng *rand.Rand, room *Room) {
	for i := range 1 + rng.IntN(3) {
		tk := anyTicket(r, rng, 10*(1+rng.IntN(9))+i, noon)
		tk.ID = "q" + tk.ID[1:]
		for k := range tk.Players {
			tk.Players[k].ID = "q" + tk.Players[k].ID[1:]
			tk.Players[k].Rating = 1000 + 20*rng.NormFloat64()
		}
		rating := tk.Rating()
		if i == 0 {
			room.Low, room.High = rating, rating
		}
		room.Low, room.High = min(room.Low, rating), max(room.High, rating)
		tk.Players = tk.Players[rng.IntN(len(tk.Players)):]
		room.Tickets, room.Players = append(room.Tickets, *tk), append(room.Players, tk.Players...)
	}
}

func TestEveryAssignmentObeysEveryRuleAndAPoolThatLivedLongAgreesWithAFreshOne(t *testing.T) {
	matched, backfilled := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		r := anyRules(t)
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		now, waiting, n := noon, map[string]*Ticket{}, 0
		pool := NewPool(&r)
		pool.effort = rapid.SampledFrom([]int{0, 40, maxEffort}).Draw(t, "effort")
		for range rapid.IntRange(1, 6).Draw(t, "cycles") {
			for range rng.IntN(25) {
				tk := anyTicket(&r, rng, n, now)
				n++
				waiting[tk.ID] = tk
				pool.Put(tk)
			}
			for id := range sortedKeys(waiting) {
				if rng.IntN(10) == 0 {
					delete(waiting, id)
					if !pool.Remove(id) {
						t.Fatalf("%s was not there", id)
					}
				}
			}
			for id := range sortedKeys(waiting) { // which is a look and no more
				if _, ok := pool.Explain(id, now); !ok {
					t.Fatalf("%s is not explained", id)
				}
			}
			rooms := anyRooms(&r, rng)
			fresh := NewPool(&r)
			fresh.effort = pool.effort
			ids := slices.Collect(sortedKeys(waiting))
			rng.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
			for _, id := range ids {
				fresh.Put(waiting[id])
			}
			explainsRooms(t, fresh, waiting, rooms, now)
			want, got := fresh.Match(rooms, now), pool.Match(rooms, now)
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("a fresh pool gives\n%+v\nthe old one\n%+v", want, got)
			}
			j := referee{r: r, tickets: waiting, rooms: map[string]Room{}, now: now}
			for _, room := range rooms {
				j.rooms[room.ID] = room
			}
			j.obeys(t, got)
			for _, a := range got.Assignments {
				if a.Room == "" {
					matched++
				} else {
					backfilled++
				}
				again := rng.IntN(8) == 0 // the assignment failed, and its tickets come back
				for id := range playing(a) {
					if again {
						back := *waiting[id]
						back.Head = true
						waiting[id] = &back
						pool.Put(&back)
						continue
					}
					delete(waiting, id)
				}
			}
			if pool.Len() != len(waiting) {
				t.Fatalf("%d wait, want %d", pool.Len(), len(waiting))
			}
			keepsPromises(t, fresh, now)
			now = now.Add(time.Duration(rng.IntN(6000)) * time.Millisecond)
		}
	})
	if matched < 100 || backfilled < 20 {
		t.Errorf("%d matches and %d backfills: the property looked at too few", matched, backfilled)
	}
}

// explainsRooms says that a ticket is told why a match does not take it if and only if the match, with nobody else waiting,
// does not.
func explainsRooms(t *rapid.T, pool *Pool, waiting map[string]*Ticket, rooms []Room, now time.Time) {
	r := &pool.plan.Rules
	alone, n := NewPool(r), 0
	for id := range sortedKeys(waiting) {
		if r.Check(waiting[id]) != nil { // it waits in vain
			continue
		}
		if n++; n > 6 {
			return
		}
		for i := range rooms {
			alone.Put(waiting[id])
			out := alone.Match(rooms[i:i+1], now).Assignments
			alone.Remove(id)
			want := r.Backfill && slices.Max(rooms[i].Free) > 0 && (len(out) == 0 || out[0].Room == "")
			why := pool.ExplainRooms(id, rooms[i:i+1], now)
			if (why != "") != want || len(r.Roles) == 0 && strings.Contains(why, "roles") {
				t.Fatalf("it is said %q of %+v and room %+v, is not taken: %v", why, waiting[id], rooms[i], want)
			}
		}
	}
}

// keepsPromises says that where an explanation tells of a match in the next round, that makes one.
func keepsPromises(t *rapid.T, pool *Pool, now time.Time) {
	promised := ""
	for id := range pool.entries {
		if why, _ := pool.Explain(id, now); strings.Contains(why.Text, "next round") {
			promised = why.Text
		}
	}
	if promised == "" || pool.effort < maxEffort {
		return
	}
	if out := pool.Match(nil, now); len(out.Assignments) == 0 {
		t.Fatalf("no match is made, and one is told: %s", promised)
	}
}

func sortedKeys(m map[string]*Ticket) func(func(string) bool) {
	return func(yield func(string) bool) {
		keys := make([]string, 0, len(m))
		for k := range m {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		for _, k := range keys {
			if !yield(k) {
				return
			}
		}
	}
}

// playing are the ids of an assignment's tickets.
func playing(a Assignment) func(func(string) bool) {
	return func(yield func(string) bool) {
		for _, id := range slices.Concat(a.Teams...) {
			if !yield(id) {
				return
			}
		}
	}
}
