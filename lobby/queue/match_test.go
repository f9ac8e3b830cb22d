package queue

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"testing"
	"time"
)

// solo is a ticket of one player, who has waited for so many seconds.
func solo(id string, rating float64, waited int, more ...func(*Ticket)) *Ticket {
	return party(id, waited, []float64{rating}, more...)
}

func party(id string, waited int, ratings []float64, more ...func(*Ticket)) *Ticket {
	t := &Ticket{ID: id, Created: noon.Add(-time.Duration(waited) * time.Second), Attributes: map[string]any{}}
	for i, r := range ratings {
		t.Players = append(t.Players, Player{ID: fmt.Sprintf("%s.%d", id, i), Rating: r})
	}
	for _, change := range more {
		change(t)
	}
	return t
}

func head(t *Ticket)    { t.Head = true }
func newOnly(t *Ticket) { t.NewOnly = true }

func says(name string, v any) func(*Ticket) { return func(t *Ticket) { t.Attributes[name] = v } }

func measured(latency map[string]float64) func(*Ticket) {
	return func(t *Ticket) {
		for i := range t.Players {
			t.Players[i].Latency = latency
		}
	}
}

func comesFor(roles ...[]string) func(*Ticket) {
	return func(t *Ticket) {
		for i := range t.Players {
			t.Players[i].Roles = roles[i]
		}
	}
}

func shuns(ids ...string) func(*Ticket) { return func(t *Ticket) { t.Players[0].Avoid = ids } }

type ms = map[string]float64

// match runs one cycle at noon, and has the outcome checked by the referee.
func match(t *testing.T, r Rules, rooms []Room, tickets ...*Ticket) Outcome {
	t.Helper()
	r = valid(t, r)
	p := NewPool(&r)
	j := referee{r: r, tickets: map[string]*Ticket{}, rooms: map[string]Room{}, now: noon}
	for _, tk := range tickets {
		p.Put(tk)
		j.tickets[tk.ID] = tk
	}
	for _, room := range rooms {
		j.rooms[room.ID] = room
	}
	out := p.Match(rooms, noon)
	j.obeys(t, out)
	return out
}

// sets are the tickets of each assignment, sorted.
func sets(out Outcome) [][]string {
	list := [][]string{}
	for _, a := range out.Assignments {
		list = append(list, slices.Sorted(playing(a)))
	}
	return list
}

func wantSets(t *testing.T, out Outcome, want ...[]string) {
	t.Helper()
	if got := sets(out); len(got) != len(want) || len(want) > 0 && !reflect.DeepEqual(got, want) {
		t.Errorf("matched %v, want %v", got, want)
	}
}

func TestOneRegionIsGoodForAllPlayersOfAMatch(t *testing.T) {
	r := Rules{TeamSize: 3, Regions: []string{"ap", "eu", "us"}, Latency: []Step{{Within: 80}}}
	// Each two of them share a region, and all three share none.
	a, b := measured(ms{"ap": 20, "eu": 20}), measured(ms{"eu": 20, "us": 20})
	c := measured(ms{"us": 20, "ap": 20})
	wantSets(t, match(t, r, nil, solo("a", 0, 1, a), solo("b", 0, 1, b), solo("c", 0, 1, c)))
	out := match(t, r, nil, solo("a", 0, 1, a), solo("b", 0, 1, b), solo("c", 0, 1, c), solo("d", 0, 1, b))
	wantSets(t, out, []string{"a", "b", "d"})
	if out.Assignments[0].Region != "eu" {
		t.Errorf("played in %q, want eu", out.Assignments[0].Region)
	}
	// Who measured nothing is near everywhere.
	out = match(t, r, nil, solo("b", 0, 1, b), solo("c", 0, 1, c), solo("e", 0, 1))
	wantSets(t, out, []string{"b", "c", "e"})
	// A party's region is good for each of its players.
	two := party("p", 1, []float64{0, 0}, a)
	two.Players[1].Latency = ms{"eu": 300, "ap": 30}
	wantSets(t, match(t, r, nil, two, solo("b", 0, 1, b)))
	wantSets(t, match(t, r, nil, two, solo("c", 0, 1, c)), []string{"c", "p"})
}

// Where latencies have no bound, also by rules that widen to any.
func TestRegionThatATicketDoesNotNameIsNeverGoodForIt(t *testing.T) {
	for name, steps := range map[string][]Step{"no bound": nil, "any": {{Within: 10}, {After: time.Second, Any: true}}} {
		t.Run(name, func(t *testing.T) {
			r := Rules{TeamSize: 2, Regions: []string{"eu", "us"}, Latency: steps}
			out := match(t, r, nil, solo("old", 0, 50, measured(ms{"us": 20})), solo("new", 0, 40, measured(ms{"eu": 20})))
			if len(out.Assignments) > 0 {
				t.Errorf("matched: %+v", out.Assignments)
			}
			out = match(t, Rules{TeamSize: 2, Regions: []string{"eu"}, Latency: steps}, []Room{{ID: "r", Region: "eu", Free: []int{1}}},
				solo("old", 0, 50, measured(ms{"us": 20})))
			if len(out.Assignments) > 0 {
				t.Errorf("put into a running match: %+v", out.Assignments)
			}
		})
	}
}

func TestOneValueIsInEveryListOfAMatch(t *testing.T) {
	r := Rules{TeamSize: 3, Attributes: []Attribute{{Name: "maps", Kind: AnyOf}}}
	ab, bc, ca := says("maps", []string{"a", "b"}), says("maps", []string{"b", "c"}), says("maps", []any{"c", "a"})
	wantSets(t, match(t, r, nil, solo("x", 0, 1, ab), solo("y", 0, 1, bc), solo("z", 0, 1, ca)))
	r2 := r
	r2.Attributes = []Attribute{{Name: "maps", Kind: AnyOf, Until: 30 * time.Second}}
	wantSets(t, match(t, r2, nil, solo("x", 0, 30, ab), solo("y", 0, 1, bc), solo("z", 0, 1, says("maps", []string{"d"}))), []string{"x", "y", "z"})
	out := match(t, r, nil, solo("x", 0, 1, ab), solo("y", 0, 1, bc), solo("z", 0, 1))
	wantSets(t, out, []string{"x", "y", "z"})
	if got := out.Assignments[0].Attributes["maps"]; !reflect.DeepEqual(got, []string{"b"}) {
		t.Errorf("the match has maps %v, want b", got)
	}
}

func TestAttributesAgree(t *testing.T) {
	r := Rules{TeamSize: 2, Attributes: []Attribute{
		{Name: "mode", Kind: Equal, Required: true},
		{Name: "seed", Kind: Equal},
		{Name: "level", Kind: Within, Within: []Step{{Within: 5}, {After: 10 * time.Second, Within: 20}}},
	}}
	for name, c := range map[string]struct {
		a, b *Ticket
		want bool
	}{
		"the same":            {solo("a", 0, 1, says("mode", "x"), says("level", 1.0)), solo("b", 0, 1, says("mode", "x"), says("level", 6.0)), true},
		"a text":              {solo("a", 0, 1, says("mode", "x")), solo("b", 0, 1, says("mode", "y")), false},
		"a number":            {solo("a", 0, 1, says("mode", 1.0)), solo("b", 0, 1, says("mode", 2.0)), false},
		"number is not text":  {solo("a", 0, 1, says("mode", 1.0)), solo("b", 0, 1, says("mode", "1")), false},
		"too far":             {solo("a", 0, 1, says("mode", "x"), says("level", 1.0)), solo("b", 0, 1, says("mode", "x"), says("level", 7.0)), false},
		"the older one waits": {solo("a", 0, 10, says("mode", "x"), says("level", 1.0)), solo("b", 0, 1, says("mode", "x"), says("level", 7.0)), true},
		"silence agrees":      {solo("a", 0, 1, says("mode", "x"), says("seed", 7.0)), solo("b", 0, 1, says("mode", "x")), true},
		"optional differs":    {solo("a", 0, 1, says("mode", "x"), says("seed", 7.0)), solo("b", 0, 1, says("mode", "x"), says("seed", 8.0)), false},
		"required is missing": {solo("a", 0, 1), solo("b", 0, 1), false},
	} {
		t.Run(name, func(t *testing.T) {
			out := match(t, r, nil, c.a, c.b)
			if got := len(out.Assignments) == 1; got != c.want {
				t.Errorf("matched %v, want %v", got, c.want)
			}
			if c.want && out.Assignments[0].Attributes["mode"] != "x" {
				t.Errorf("the match has %v", out.Assignments[0].Attributes)
			}
		})
	}
}

func TestRulesRelaxByTheOldestWaitAndNeverPastAPlayersOwnLimit(t *testing.T) {
	r := Rules{
		Teams: 2, TeamSize: 1, Rating: []Step{{Within: 50}, {After: 10 * time.Second, Within: 200}, {After: 60 * time.Second, Any: true}},
		Regions: []string{"eu"}, Latency: []Step{{Within: 50}, {After: 10 * time.Second, Within: 150}},
	}
	capped := func(spread, latency float64) func(*Ticket) {
		return func(t *Ticket) { t.MaxSpread, t.MaxLatency = spread, latency }
	}
	near, far := measured(ms{"eu": 20}), measured(ms{"eu": 120})
	for name, c := range map[string]struct {
		a, b *Ticket
		want bool
	}{
		"both are new":               {solo("a", 0, 0, near), solo("b", 100, 0, near), false},
		"one is old":                 {solo("a", 0, 10, near), solo("b", 100, 0, near), true},
		"the other is old":           {solo("a", 0, 0, near), solo("b", 100, 10, near), true},
		"not as far yet":             {solo("a", 0, 59, near), solo("b", 201, 0, near), false},
		"any":                        {solo("a", 0, 60, near), solo("b", 9000, 0, near), true},
		"the old one's own limit":    {solo("a", 0, 99, near, capped(90, 0)), solo("b", 100, 0, near), false},
		"the young one's own limit":  {solo("a", 0, 99, near), solo("b", 100, 0, near, capped(90, 0)), false},
		"within the own limit":       {solo("a", 0, 99, near), solo("b", 90, 0, near, capped(90, 0)), true},
		"far from the region, young": {solo("a", 0, 9, near), solo("b", 0, 0, far), false},
		"far from the region, old":   {solo("a", 0, 10, near), solo("b", 0, 0, far), true},
		"own latency":                {solo("a", 0, 99, near), solo("b", 0, 0, far, capped(0, 100)), false},
		"own latency of the old one": {solo("a", 0, 99, far, capped(0, 100)), solo("b", 0, 0, near), false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := len(match(t, r, nil, c.a, c.b).Assignments) == 1; got != c.want {
				t.Errorf("matched %v, want %v", got, c.want)
			}
		})
	}
}

func TestAMatchStartsFullUntilItHasGathered(t *testing.T) {
	r := Rules{TeamSize: 4, Min: 2, Gather: 10 * time.Second}
	wantSets(t, match(t, r, nil, solo("a", 0, 9), solo("b", 0, 3), solo("c", 0, 1)))
	wantSets(t, match(t, r, nil, solo("a", 0, 10), solo("b", 0, 3), solo("c", 0, 1)), []string{"a", "b", "c"})
	wantSets(t, match(t, r, nil, solo("a", 0, 99)))
	wantSets(t, match(t, r, nil, solo("a", 0, 1), solo("b", 0, 1), solo("c", 0, 1), solo("d", 0, 1), solo("e", 0, 2)), []string{"a", "b", "c", "e"})
	r.Gather = 0
	wantSets(t, match(t, r, nil, solo("a", 0, 0), solo("b", 0, 0)), []string{"a", "b"})
	r.Min = 4
	wantSets(t, match(t, r, nil, solo("a", 0, 99), solo("b", 0, 99), solo("c", 0, 99)))
}

func TestBotsComeAfterATime(t *testing.T) {
	r := Rules{Teams: 2, TeamSize: 3, Min: 4, BotsAfter: 30 * time.Second}
	wantSets(t, match(t, r, nil, solo("a", 0, 29), solo("b", 0, 1)))
	out := match(t, r, nil, solo("a", 0, 30), solo("b", 0, 1), party("c", 1, []float64{0, 0, 0, 0}))
	wantSets(t, out, []string{"a", "b"})
	if out.Assignments[0].Bots != 2 {
		t.Errorf("%d bots, want 2", out.Assignments[0].Bots)
	}
	wantSets(t, match(t, r, nil, party("a", 30, []float64{0, 0})), []string{"a"})
}

func TestPartiesOfAllSizesArePackedAndNeverSplit(t *testing.T) {
	r := Rules{Teams: 2, TeamSize: 5}
	of := func(sizes ...int) []*Ticket {
		var list []*Ticket
		for i, n := range sizes {
			list = append(list, party(fmt.Sprintf("%c", 'a'+i), 9-i, make([]float64, n)))
		}
		return list
	}
	for _, sizes := range [][]int{{3, 3, 2, 2}, {2, 3, 2, 3}, {5, 1, 4}, {4, 4, 1, 1}, {1, 1, 1, 1, 1, 5}, {2, 2, 2, 2, 1, 1}, {3, 1, 1, 4, 1}} {
		if out := match(t, r, nil, of(sizes...)...); len(out.Assignments) != 1 || len(sets(out)[0]) != len(sizes) {
			t.Errorf("%v: %v", sizes, sets(out))
		}
	}
	for _, sizes := range [][]int{{3, 3, 3, 1}, {4, 4, 2}, {3, 3, 4}, {5, 4}} {
		wantSets(t, match(t, r, nil, of(sizes...)...))
	}
	// The first that are near do not pack; others must be taken instead.
	wantSets(t, match(t, r, nil, of(3, 3, 3, 3, 2, 2)...), []string{"a", "b", "e", "f"})
	wantSets(t, match(t, r, nil, of(4, 3, 3, 3, 2, 1)...), []string{"a", "b", "e", "f"})
}

func TestTeamsAreBalanced(t *testing.T) {
	r := Rules{Teams: 2, TeamSize: 3}
	out := match(t, r, nil, solo("a", 1600, 1), solo("b", 1500, 1), solo("c", 1400, 1), solo("d", 1600, 1), solo("e", 1500, 1), solo("f", 1400, 1))
	if a := out.Assignments[0]; math.Abs(a.Win-0.5) > 1e-9 || a.Spread != 200 {
		t.Errorf("%+v, want even teams", a)
	}
	// A strong pair meets the best of the others.
	out = match(t, r, nil, party("p", 1, []float64{1800, 1800}), solo("a", 1700, 1), solo("b", 1600, 1), solo("c", 1500, 1), solo("d", 1000, 1))
	for _, team := range out.Assignments[0].Teams {
		if slices.Contains(team, "p") && !slices.Contains(team, "d") {
			t.Errorf("teams %v: the strong pair has not the weakest", out.Assignments[0].Teams)
		}
	}
	// 2 × 50 are more than can be tried in all ways.
	var many []*Ticket
	for i := range 100 {
		many = append(many, solo(fmt.Sprintf("t%02d", i), float64(i*i), 1))
	}
	if a := match(t, Rules{Teams: 2, TeamSize: 50}, nil, many...).Assignments[0]; math.Abs(a.Win-0.5) > 0.01 {
		t.Errorf("the first of two large teams wins with %v", a.Win)
	}
	// With fewer than all seats filled the teams are as even in size as they can be.
	out = match(t, Rules{Teams: 2, TeamSize: 3, Min: 4}, nil, solo("a", 1, 1), solo("b", 1, 1), solo("c", 1, 1), solo("d", 1, 1))
	if a := out.Assignments[0]; len(a.Teams[0]) != 2 || len(a.Teams[1]) != 2 {
		t.Errorf("teams %v", a.Teams)
	}
	wantSets(t, match(t, Rules{Teams: 2, TeamSize: 3, Min: 2}, nil, party("a", 1, []float64{1, 1})))
}

func TestEveryTeamFillsItsRoles(t *testing.T) {
	r := Rules{Teams: 2, TeamSize: 3, Roles: []Role{{"tank", 1}, {"healer", 1}, {"damage", 1}}}
	tank, healer, damage := []string{"tank"}, []string{"healer"}, []string{"damage"}
	six := func(last []string) []*Ticket {
		return []*Ticket{
			party("a", 9, []float64{0, 0}, comesFor(tank, healer)), solo("b", 0, 8, comesFor(healer)), solo("c", 0, 7, comesFor(damage)),
			solo("d", 0, 6, comesFor(damage)), solo("e", 0, 5, comesFor(last)),
		}
	}
	wantSets(t, match(t, r, nil, six(tank)...), []string{"a", "b", "c", "d", "e"})
	wantSets(t, match(t, r, nil, six(nil)...), []string{"a", "b", "c", "d", "e"})
	wantSets(t, match(t, r, nil, six([]string{"tank", "damage"})...), []string{"a", "b", "c", "d", "e"})
	wantSets(t, match(t, r, nil, six(healer)...))
	// Two tanks of one party cannot be in one team, nor in two.
	wantSets(t, match(t, r, nil, append(six(damage)[1:], party("p", 1, []float64{0, 0}, comesFor(tank, tank)))...))
	// Hundreds who come for what is not short hide nobody who does.
	var many []*Ticket
	for i := range 300 {
		many = append(many, solo(fmt.Sprintf("t%03d", i), float64(i), 20, comesFor(damage)))
	}
	for i := range 2 {
		many = append(many, solo(fmt.Sprintf("x%d", i), 900, 5, comesFor(tank)), solo(fmt.Sprintf("y%d", i), 900, 5, comesFor(healer)))
	}
	if out := match(t, r, nil, many...); len(out.Assignments) != 1 {
		t.Errorf("%d matches, want 1", len(out.Assignments))
	}
}

func TestWhoAvoidsSomebodyDoesNotMeetHim(t *testing.T) {
	r := Rules{TeamSize: 2, AvoidFor: 30 * time.Second}
	wantSets(t, match(t, r, nil, solo("a", 0, 9, shuns("b.0")), solo("b", 0, 1)))
	wantSets(t, match(t, r, nil, solo("a", 0, 9), solo("b", 0, 1, shuns("a.0"))))
	wantSets(t, match(t, r, nil, solo("a", 0, 30, shuns("b.0")), solo("b", 0, 1)), []string{"a", "b"})
	r.AvoidFor = 0
	wantSets(t, match(t, r, nil, solo("a", 0, 299, shuns("b.0")), solo("b", 0, 1)))
	wantSets(t, match(t, r, nil, solo("a", 0, 9, shuns("b.0")), solo("b", 0, 8), solo("c", 0, 1)), []string{"a", "c"})
}

func TestConditionsHoldInBothOrders(t *testing.T) {
	stronger := Condition{Name: "stronger", Until: 20 * time.Second, Holds: func(a, b *Ticket, _ time.Duration) bool {
		return a.Players[0].Rating <= b.Players[0].Rating
	}}
	r := Rules{TeamSize: 2, Conditions: []Condition{stronger}}
	wantSets(t, match(t, r, nil, solo("a", 1, 1), solo("b", 2, 2)))
	wantSets(t, match(t, r, nil, solo("a", 2, 1), solo("b", 2, 2)), []string{"a", "b"})
	wantSets(t, match(t, r, nil, solo("a", 1, 1), solo("b", 2, 20)), []string{"a", "b"})
}

func TestAConditionThatLooksAtTheWaitIsAskedAgain(t *testing.T) {
	r := valid(t, Rules{TeamSize: 2, Conditions: []Condition{{Name: "patient", Holds: func(_, _ *Ticket, waited time.Duration) bool {
		return waited >= 7*time.Second
	}}}})
	p := NewPool(&r)
	p.Put(solo("a", 0, 0))
	p.Put(solo("b", 0, 0))
	now, cycles := noon, 0
	for p.Len() > 0 && cycles < 20 {
		out := p.Match(nil, now)
		if p.Len() > 0 && !out.Next.After(now) {
			t.Fatalf("next is %v at %v", out.Next, now)
		}
		now = out.Next
		cycles++
	}
	if cycles != 8 {
		t.Errorf("matched after %d cycles, want 8, one a second", cycles)
	}
}

func TestHeadTicketsPickFirst(t *testing.T) {
	r := Rules{Teams: 2, TeamSize: 1, Rating: []Step{{Within: 300}}}
	wantSets(t, match(t, r, nil, solo("old", 1000, 60), solo("head", 1200, 5, head), solo("mid", 1100, 1)), []string{"head", "mid"})
	wantSets(t, match(t, r, nil, solo("old", 1000, 60), solo("head", 1200, 5), solo("mid", 1100, 1)), []string{"mid", "old"})
}

func TestTheBetterMatchGoesFirstAndAgeDecidesOnceATicketWaitedLong(t *testing.T) {
	r := Rules{Teams: 2, TeamSize: 1, Rating: []Step{{Within: 100}, {After: 20 * time.Second, Within: 500}}}
	close := []*Ticket{solo("x", 1000, 5), solo("y", 1010, 5)}
	wantSets(t, match(t, r, nil, append(close, solo("old", 1090, 19))...), []string{"x", "y"})
	wantSets(t, match(t, r, nil, append(close, solo("old", 1090, 20))...), []string{"old", "y"})
}

func TestASmallPopulationStillMeets(t *testing.T) {
	r := Rules{Teams: 2, TeamSize: 1, Rating: []Step{{Within: 50}, {After: 10 * time.Second, Within: 200}, {After: 30 * time.Second, Within: 1000}}}
	wantSets(t, match(t, r, nil, solo("a", 900, 31), solo("b", 1800, 2)), []string{"a", "b"})
	wantSets(t, match(t, r, nil, solo("a", 900, 29), solo("b", 1800, 2)))
	r.TeamSize, r.Min, r.Gather = 3, 2, 30*time.Second
	wantSets(t, match(t, r, nil, solo("a", 900, 31), solo("b", 1800, 2)), []string{"a", "b"})
	out := match(t, r, nil, solo("a", 900, 31), solo("b", 1800, 2), solo("c", 1200, 9), party("d", 5, []float64{1500, 1600}), solo("e", 1100, 3))
	wantSets(t, out, []string{"a", "b", "c", "d", "e"})
}

func TestNextIsWhenTimeAloneChangesSomething(t *testing.T) {
	r := Rules{Teams: 2, TeamSize: 1, Rating: []Step{{Within: 50}, {After: 10 * time.Second, Within: 200}}}
	if out := match(t, r, nil); !out.Next.IsZero() {
		t.Errorf("next is %v and nobody waits", out.Next)
	}
	if out := match(t, r, nil, solo("a", 0, 4), solo("b", 900, 7)); !out.Next.Equal(noon.Add(3 * time.Second)) {
		t.Errorf("next is %v, want the older one's step in 3 s", out.Next)
	}
	if out := match(t, r, nil, solo("a", 0, 10), solo("b", 900, 17)); !out.Next.IsZero() {
		t.Errorf("next is %v, and all is as wide as it gets", out.Next)
	}
}

func TestAFairerMatchIsWorthAFartherPlayer(t *testing.T) {
	r := Rules{Teams: 2, TeamSize: 2, Rating: []Step{{Within: 200}}}
	pair := party("pair", 4, []float64{1600, 1600})
	out := match(t, r, nil, solo("a", 1500, 5), pair, solo("b", 1500, 3), solo("strong", 1690, 2))
	wantSets(t, out, []string{"a", "pair", "strong"})
	if w := out.Assignments[0].Win; math.Abs(w-0.5) > 0.02 {
		t.Errorf("the first team wins with %v", w)
	}
	// Not past the window, nor past a limit of one of them.
	wantSets(t, match(t, r, nil, solo("a", 1500, 5), pair, solo("b", 1500, 3), solo("strong", 1701, 2)), []string{"a", "b", "pair"})
	limited := solo("strong", 1690, 2, func(t *Ticket) { t.MaxSpread = 150 })
	wantSets(t, match(t, r, nil, solo("a", 1500, 5), pair, solo("b", 1500, 3), limited), []string{"a", "b", "pair"})
	wantSets(t, match(t, r, nil, solo("a", 1500, 5), pair, solo("b", 1500, 3), solo("strong", 1690, 2, shuns("pair.1"))), []string{"a", "b", "pair"})
}
