package queue

import (
	"testing"
	"time"
)

func TestARunningMatchIsFilledBeforeNewOnesAreMade(t *testing.T) {
	r := Rules{Teams: 2, TeamSize: 2, Backfill: true}
	room := Room{ID: "room", Version: 7, Free: []int{0, 1}}
	out := match(t, r, []Room{room}, solo("a", 0, 9), solo("b", 0, 8), solo("c", 0, 7), solo("d", 0, 6), solo("e", 0, 5))
	wantSets(t, out, []string{"a"}, []string{"b", "c", "d", "e"})
	if a := out.Assignments[0]; a.Room != "room" || a.Version != 7 || len(a.Teams) != 2 || len(a.Teams[1]) != 1 {
		t.Errorf("%+v", a)
	}
	r.Backfill = false
	wantSets(t, match(t, r, []Room{room}, solo("a", 0, 9)))
}

func TestWhoARunningMatchTakes(t *testing.T) {
	r := Rules{
		Teams: 2, TeamSize: 3, Backfill: true, Rating: []Step{{Within: 100}, {After: 10 * time.Second, Within: 300}},
		Regions: []string{"eu", "us"}, Latency: []Step{{Within: 80}},
		Attributes: []Attribute{{Name: "mode", Kind: Equal, Required: true}, {Name: "maps", Kind: AnyOf}},
	}
	room := Room{
		ID: "room", Version: 1, Region: "eu", Free: []int{1, 2}, Low: 1000, High: 1050,
		Attributes: map[string]any{"mode": "x", "maps": []any{"dust", "ice"}}, Players: []Player{{ID: "inside", Avoid: []string{"bad.0"}}},
	}
	x, here := says("mode", "x"), measured(ms{"eu": 20})
	for name, c := range map[string]struct {
		ticket *Ticket
		want   bool
	}{
		"fits":                    {solo("a", 1020, 1, x, here), true},
		"a party for one team":    {party("a", 1, []float64{1020, 1020}, x, here), true},
		"a party too large":       {party("a", 1, []float64{1020, 1020, 1020}, x, here), false},
		"too good":                {solo("a", 1101, 1, x, here), false},
		"too good, and waited":    {solo("a", 1101, 10, x, here), true},
		"too weak":                {solo("a", 949, 1, x, here), false},
		"another region":          {solo("a", 1020, 1, x, measured(ms{"us": 20})), false},
		"any region":              {solo("a", 1020, 1, x), true},
		"another mode":            {solo("a", 1020, 1, says("mode", "y"), here), false},
		"one map in common":       {solo("a", 1020, 1, x, here, says("maps", []string{"ice", "lava"})), true},
		"no map in common":        {solo("a", 1020, 1, x, here, says("maps", []string{"lava"})), false},
		"new matches alone":       {solo("a", 1020, 1, x, here, newOnly), false},
		"avoided by one inside":   {solo("bad", 1020, 1, x, here), false},
		"avoids one inside":       {solo("a", 1020, 1, x, here, shuns("inside")), false},
		"own limit of the spread": {solo("a", 1000, 1, x, here, func(t *Ticket) { t.MaxSpread = 40 }), false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := len(match(t, r, []Room{room}, c.ticket).Assignments) == 1; got != c.want {
				t.Errorf("taken %v, want %v", got, c.want)
			}
		})
	}
}

func TestWhatThoseInARunningMatchSaidAndWantHoldsForWhoComes(t *testing.T) {
	r := Rules{
		Teams: 1, TeamSize: 9, Min: 9, Backfill: true,
		Attributes: []Attribute{
			{Name: "mode", Kind: Equal, Until: 10 * time.Second},
			{Name: "maps", Kind: AnyOf},
			{Name: "level", Kind: Within, Within: []Step{{Within: 5}, {After: 10 * time.Second, Within: 20}}},
		},
	}
	in := func(id string, more ...func(*Ticket)) Ticket { return *solo(id, 0, 99, more...) }
	most := func(spread float64) func(*Ticket) { return func(t *Ticket) { t.MaxSpread = spread } }
	level := func(n float64) func(*Ticket) { return says("level", n) }
	for name, c := range map[string]struct {
		inside []Ticket
		comes  *Ticket
		want   bool
	}{
		"near in level":              {[]Ticket{in("x", level(10))}, solo("a", 0, 1, level(15)), true},
		"far in level":               {[]Ticket{in("x", level(10))}, solo("a", 0, 1, level(16)), false},
		"far in level, and waited":   {[]Ticket{in("x", level(10))}, solo("a", 0, 10, level(30)), true},
		"far from one of two levels": {[]Ticket{in("x", level(10)), in("y", level(14))}, solo("a", 0, 1, level(16)), false},
		"levels far apart inside":    {[]Ticket{in("x", level(10)), in("y", level(25))}, solo("a", 0, 1, level(17)), false},
		"no level":                   {[]Ticket{in("x", level(10)), in("y", level(25))}, solo("a", 0, 1), true},
		"a limit of one inside":      {[]Ticket{in("x", most(50)), in("y")}, solo("a", 51, 99), false},
		"within that limit":          {[]Ticket{in("x", most(50)), in("y")}, solo("a", -50, 1), true},
		"two modes inside":           {[]Ticket{in("x", says("mode", "x")), in("y", says("mode", "y"))}, solo("a", 0, 1, says("mode", "x")), false},
		"two modes, and waited":      {[]Ticket{in("x", says("mode", "x")), in("y", says("mode", "y"))}, solo("a", 0, 10, says("mode", "x")), true},
		"a map of all": {
			[]Ticket{in("x", says("maps", []string{"dust", "ice"})), in("y", says("maps", []any{"ice"}))},
			solo("a", 0, 1, says("maps", []string{"ice", "lava"})), true,
		},
		"a map of one": {
			[]Ticket{in("x", says("maps", []string{"dust", "ice"})), in("y", says("maps", []any{"ice"}))},
			solo("a", 0, 1, says("maps", []string{"dust"})), false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			room := Room{ID: "room", Version: 1, Free: []int{4}, Tickets: c.inside}
			for _, tk := range c.inside {
				room.Players = append(room.Players, tk.Players...)
			}
			if got := len(match(t, r, []Room{room}, c.comes).Assignments) == 1; got != c.want {
				t.Errorf("taken %v, want %v", got, c.want)
			}
		})
	}
}

func TestARoomGetsOneAssignmentOfAllThatFitTogether(t *testing.T) {
	r := Rules{Teams: 2, TeamSize: 3, Backfill: true}
	room := Room{ID: "room", Version: 1, Free: []int{1, 3}}
	out := match(t, r, []Room{room}, solo("a", 0, 9), party("b", 8, []float64{0, 0, 0}), solo("c", 0, 7))
	wantSets(t, out, []string{"a", "b"})
	out = match(t, r, []Room{room, room, {ID: "other", Version: 1, Free: []int{0, 0}}, {ID: "none"}}, solo("a", 0, 9), solo("b", 0, 8))
	wantSets(t, out, []string{"a", "b"})
}

func TestAPlayerWhoReturnsToHisMatchDoesNotBreakItsBackfill(t *testing.T) {
	r := Rules{Teams: 1, TeamSize: 4, Backfill: true, Min: 2}
	room := Room{ID: "room", Version: 3, Free: []int{1}, Players: []Player{{ID: "a.0"}, {ID: "z"}}}
	// He is in the match as far as it knows: another takes the seat, and he is not put there a second time.
	wantSets(t, match(t, r, []Room{room}, solo("a", 0, 9), solo("b", 0, 8)), []string{"b"})
	// He took the last free seat: nothing is asked for any more.
	room.Free, room.Version = []int{0}, 4
	wantSets(t, match(t, r, []Room{room}, solo("b", 0, 8)))
}

func TestRolesThatAreFreeInARunningMatch(t *testing.T) {
	r := Rules{Teams: 2, TeamSize: 2, Backfill: true, Roles: []Role{{"tank", 1}, {"healer", 1}}}
	room := Room{ID: "room", Version: 1, Free: []int{1, 1}, Roles: []map[string]int{{"tank": 1}, {"healer": 1}}}
	out := match(t, r, []Room{room}, solo("a", 0, 9, comesFor([]string{"healer"})), solo("b", 0, 8, comesFor([]string{"healer"})), solo("c", 0, 7))
	wantSets(t, out, []string{"a", "c"})
	if a := out.Assignments[0]; a.Roles["a.0"] != "healer" || a.Roles["c.0"] != "tank" || a.Teams[1][0] != "a" {
		t.Errorf("%+v", a)
	}
}
