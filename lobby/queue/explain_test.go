package queue

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func explain(t *testing.T, r Rules, of *Ticket, others ...*Ticket) Explanation {
	t.Helper()
	r = valid(t, r)
	p := NewPool(&r)
	for _, tk := range append(others, of) {
		p.Put(tk)
	}
	e, ok := p.Explain(of.ID, noon)
	if !ok {
		t.Fatal("the ticket is not there")
	}
	if _, ok := p.Explain("nobody", noon); ok {
		t.Error("who does not wait was explained")
	}
	return e
}

func (x *Explanation) effect(rule string) RuleEffect {
	for _, e := range x.Rules {
		if e.Rule == rule {
			return e
		}
	}
	return RuleEffect{}
}

func TestExplainCountsWhomEachRuleKeepsAway(t *testing.T) {
	r := Rules{
		Teams: 2, TeamSize: 2, Rating: []Step{{Within: 100}, {After: 20 * time.Second, Within: 300}},
		Regions: []string{"eu", "us"}, Latency: []Step{{Within: 50}, {After: 30 * time.Second, Within: 100}},
		Attributes: []Attribute{{Name: "mode", Kind: Equal, Until: time.Minute}},
	}
	eu, x := measured(ms{"eu": 20}), says("mode", "x")
	got := explain(t, r, solo("me", 1000, 5, eu, x),
		solo("fits", 1050, 1, eu, x),
		party("far", 1, []float64{1300, 1300}, eu, x),
		solo("far and another mode", 1400, 1, eu, says("mode", "y")),
		solo("another region", 1000, 1, measured(ms{"us": 20}), x),
		solo("slow", 1000, 1, measured(ms{"eu": 90}), x),
		solo("avoided", 1000, 1, eu, x, shuns("me.0")),
	)
	if got.Waiting != 7 || got.Fitting != 1 || got.Needed != 4 {
		t.Errorf("waiting %d fitting %d needed %d, want 7, 1 and 4", got.Waiting, got.Fitting, got.Needed)
	}
	for rule, want := range map[string][3]int{
		"rating": {3, 2, 15}, "attribute:mode": {1, 0, 55}, "region": {1, 1, -1}, "latency": {1, 1, 25}, "avoid": {1, 1, -1},
	} {
		e := got.effect(rule)
		if e.Removes != want[0] || e.Alone != want[1] || e.Text == "" {
			t.Errorf("%s: %+v, want %v", rule, e, want)
		}
		if widens := want[2]; (widens < 0) != (e.Widens == nil) || e.Widens != nil && !e.Widens.Equal(noon.Add(time.Duration(widens)*time.Second)) {
			t.Errorf("%s widens at %v, want in %d s", rule, e.Widens, widens)
		}
	}
	if got.Rules[0].Rule != "rating" || !strings.Contains(got.Text, "The rating window, ratings at most 100 apart, keeps 3 players away, and widens in 15s.") {
		t.Errorf("%q\nrules %+v", got.Text, got.Rules)
	}
}

func TestExplainSaysWhatHoldsATicketBack(t *testing.T) {
	tank, healer := []string{"tank"}, []string{"healer"}
	roles := Rules{Teams: 2, TeamSize: 2, Roles: []Role{{"tank", 1}, {"healer", 1}}}
	regions := Rules{TeamSize: 3, Regions: []string{"ap", "eu", "us"}, Latency: []Step{{Within: 80}}}
	for name, c := range map[string]struct {
		rules  Rules
		me     *Ticket
		others []*Ticket
		want   string
	}{
		"nobody": {Rules{TeamSize: 2}, solo("me", 0, 1), nil, "Nobody else waits in this queue, and a match needs 2 players."},
		"few":    {Rules{TeamSize: 3}, solo("me", 0, 1), []*Ticket{solo("a", 0, 1)}, "There are too few players."},
		"bots": {
			Rules{TeamSize: 3, BotsAfter: 30 * time.Second},
			solo("me", 0, 10),
			[]*Ticket{solo("a", 0, 1)},
			"In 20s it starts with bots.",
		},
		"gather": {
			Rules{TeamSize: 4, Min: 2, Gather: 30 * time.Second},
			solo("me", 0, 10),
			[]*Ticket{solo("a", 0, 1)},
			"They are enough to start with 2, but the queue waits for a full match for another 20s.",
		},
		"own limit": {
			Rules{TeamSize: 2, Rating: []Step{{Within: 100}, {After: time.Minute, Any: true}}},
			solo("me", 0, 1, func(t *Ticket) { t.MaxSpread = 50 }),
			[]*Ticket{solo("a", 60, 1)},
			"Your own limit, ratings at most 50 apart, keeps 1 player away; it does not widen.",
		},
		"packing": {
			Rules{Teams: 2, TeamSize: 5},
			party("me", 1, make([]float64, 3)),
			[]*Ticket{party("a", 1, make([]float64, 3)), party("b", 1, make([]float64, 4))},
			"The parties who fit cannot be seated: your party has 3, the others are 1 of 3, 1 of 4",
		},
		"seats": {
			Rules{TeamSize: 4},
			party("me", 1, make([]float64, 3)),
			[]*Ticket{party("a", 1, make([]float64, 2))},
			"they have no seats beside your 3",
		},
		"role": {
			roles, solo("me", 0, 1, comesFor(tank)),
			[]*Ticket{solo("a", 0, 1, comesFor(tank)), solo("b", 0, 1, comesFor(healer)), solo("c", 0, 1, comesFor([]string{"tank"}))},
			"Too few come for the role healer: 1 player with you, and a match needs 2.",
		},
		"region": {
			regions, solo("me", 0, 1, measured(ms{"eu": 20, "us": 20})),
			[]*Ticket{solo("a", 0, 1, measured(ms{"eu": 20})), solo("b", 0, 1, measured(ms{"us": 20}))},
			"No one region is good for enough of them: ap for 0, eu for 1, us for 1.",
		},
		"refused": {Rules{TeamSize: 2, PartyMax: 1}, party("me", 1, []float64{0, 0}), nil, "does not fit the queue's rules"},
		"soon":    {Rules{TeamSize: 2}, solo("me", 0, 1), []*Ticket{solo("a", 0, 1)}, "The next round should find a match."},
	} {
		t.Run(name, func(t *testing.T) {
			if got := explain(t, c.rules, c.me, c.others...); !strings.Contains(got.Text, c.want) {
				t.Errorf("%q\nlacks %q", got.Text, c.want)
			}
		})
	}
}

// Who can play with enough others by what Explain says is matched by the next cycle, and whom a cycle left alone has too
// few.
func TestExplainAgreesWithMatch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := Rules{
			Name: "ranked", Game: "arena", Teams: 2, TeamSize: 1,
			Rating:  []Step{{Within: 50}, {After: 10 * time.Second, Within: 150}},
			Regions: []string{"eu", "us"}, Latency: []Step{{Within: 60}, {After: 8 * time.Second, Within: 120}},
			Attributes: []Attribute{{Name: "mode", Kind: Equal}, {Name: "maps", Kind: AnyOf, Until: 12 * time.Second}},
		}
		r, err := r.Validate()
		if err != nil {
			t.Fatal(err)
		}
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 5))
		p := NewPool(&r)
		var ids []string
		for i := range rapid.IntRange(1, 12).Draw(t, "tickets") {
			tk := anyTicket(&r, rng, i, noon)
			p.Put(tk)
			ids = append(ids, tk.ID)
		}
		before := map[string]Explanation{}
		for _, id := range ids {
			before[id], _ = p.Explain(id, noon)
		}
		matched := slices.Concat(sets(p.Match(nil, noon))...)
		for _, id := range ids {
			after, waits := p.Explain(id, noon)
			switch {
			case waits && after.Fitting > 0:
				t.Fatalf("%s waits, and could play: %+v", id, after)
			case !waits && before[id].Fitting == 0:
				t.Fatalf("%s was matched, and could not play: %+v", id, before[id])
			case waits == slices.Contains(matched, id):
				t.Fatalf("%s is matched and waits", id)
			}
		}
	})
}

func TestExplainOfManyTicketsSaysAbout(t *testing.T) {
	r := valid(t, Rules{Teams: 2, TeamSize: 5, Rating: []Step{{Within: 100}}})
	p := NewPool(&r)
	for i := range 3 * maxLook {
		p.Put(solo(fmt.Sprintf("t%06d", i), float64(i), 1))
	}
	e, _ := p.Explain("t000000", noon)
	if e.Waiting != 3*maxLook-1 || e.Fitting < 80 || e.Fitting > 120 || !strings.Contains(e.Text, "about ") {
		t.Errorf("%+v", e)
	}
}

func BenchmarkExplain(b *testing.B) {
	r := busy(b)
	p := NewPool(&r)
	c := &crowd{rng: rand.New(rand.NewPCG(1, 2)), apart: 350}
	for p.Len() < 100_000 {
		p.Put(c.ticket(noon.Add(-time.Duration(c.rng.IntN(30_000)) * time.Millisecond)))
	}
	id := p.added[len(p.added)/2].t.ID
	p.settle()
	for b.Loop() {
		p.Explain(id, noon)
	}
}
