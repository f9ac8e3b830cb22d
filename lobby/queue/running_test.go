package queue

import (
	"testing"
	"time"
)

func TestItIsSaidWhichRulesKeepATicketOutOfRunningMatches(t *testing.T) {
	r := valid(t, Rules{
		Teams: 1, TeamSize: 4, Min: 4, Backfill: true, Rating: []Step{{Within: 100}},
		Regions: []string{"eu", "us"}, Latency: []Step{{Within: 80}},
		Roles:      []Role{{"tank", 1}, {"other", 3}},
		Attributes: []Attribute{{Name: "level", Kind: Within, Within: []Step{{Within: 5}}}},
		Conditions: []Condition{{Name: "parity", Holds: func(a, b *Ticket, _ time.Duration) bool {
			return a.Attributes["odd"] != true || b.Attributes["odd"] != true
		}}},
	})
	room := func(id string, more ...func(*Ticket)) Room {
		in := solo("in-"+id, 1000, 99, more...)
		return Room{
			ID: id, Version: 1, Region: "eu", Free: []int{2}, Low: 1000, High: 1000, Players: in.Players, Tickets: []Ticket{*in},
			Roles: []map[string]int{{"other": 2}},
		}
	}
	near := measured(ms{"eu": 20})
	most := func(spread float64) func(*Ticket) { return func(t *Ticket) { t.MaxSpread = spread } }
	level := func(n float64) func(*Ticket) { return says("level", n) }
	plain, ten := room("r"), room("s", level(10))
	full := room("full")
	full.Free = []int{0}
	for name, c := range map[string]struct {
		me    *Ticket
		rooms []Room
		want  string
	}{
		"none runs":       {solo("me", 1000, 1, near), nil, ""},
		"none asks":       {solo("me", 1000, 1, near), []Room{full}, ""},
		"one takes it":    {solo("me", 1000, 1, near, level(50)), []Room{plain, ten}, ""},
		"level":           {solo("me", 1000, 1, near, level(50)), []Room{ten}, "the queue's rule about level"},
		"window":          {solo("me", 1200, 1, near), []Room{plain}, "the rating window"},
		"its own limit":   {solo("me", 1060, 1, near, most(50)), []Room{plain}, "your own limit to the distance of ratings"},
		"another's limit": {solo("me", 1060, 1, near), []Room{room("r", most(50))}, "the limit that a player in it sets to the distance of ratings"},
		"latency":         {solo("me", 1000, 1, measured(ms{"us": 20})), []Room{plain}, "your latency to its region"},
		"roles":           {solo("me", 1000, 1, near, comesFor([]string{"tank"})), []Room{plain}, "the roles that are taken in it"},
		"party":           {party("me", 1, []float64{1000, 1000, 1000}, near), []Room{plain}, "the seats that it has in a team, which are too few for your party"},
		"new alone":       {solo("me", 1000, 1, near, newOnly), []Room{plain}, "your wish for a new match"},
		"avoided":         {solo("me", 1000, 1, near), []Room{room("r", shuns("me.0"))}, "players who do not want to meet"},
		"condition":       {solo("me", 1000, 1, near, says("odd", true)), []Room{room("r", says("odd", true))}, "the queue's condition parity"},
		"in it":           {solo("in-r", 1000, 1, near), []Room{plain}, "your seat in it, which you have already"},
	} {
		t.Run(name, func(t *testing.T) {
			p := NewPool(&r)
			p.Put(c.me)
			want := c.want
			if want != "" {
				want = "The match that runs and has free seats does not take you because of " + want + "."
			}
			if got := p.ExplainRooms(c.me.ID, c.rooms, noon); got != want {
				t.Errorf("it is said %q, want %q", got, want)
			}
		})
	}
	p := NewPool(&r)
	p.Put(solo("me", 1060, 1, near, level(50)))
	got := p.ExplainRooms("me", []Room{room("r", most(50)), ten, full, room("t", level(20))}, noon)
	if want := "None of the 3 matches that run and have free seats takes you: 2 because of the queue's rule about level, " +
		"1 because of the limit that a player in it sets to the distance of ratings."; got != want {
		t.Errorf("it is said %q, want %q", got, want)
	}
	if got := p.ExplainRooms("nobody", []Room{ten}, noon); got != "" {
		t.Errorf("of one who does not wait it is said %q", got)
	}
}
