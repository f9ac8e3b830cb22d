package queue

import (
	"fmt"
	"testing"
	"time"
)

func TestAPoolHoldsWhatWasPutAndNotRemoved(t *testing.T) {
	r := valid(t, Rules{TeamSize: 2})
	p := NewPool(&r)
	p.Put(solo("a", 0, 1))
	p.Put(solo("a", 5, 1)) // replaces
	p.Put(solo("b", 0, 1))
	if p.Len() != 2 || !p.Remove("b") || p.Remove("b") || p.Remove("c") || p.Len() != 1 {
		t.Fatalf("%d wait, want 1", p.Len())
	}
	if out := p.Match(nil, noon); len(out.Assignments) != 0 {
		t.Errorf("%v: the one that was replaced met itself", sets(out))
	}
	p.Put(solo("c", 0, 1))
	wantSets(t, p.Match(nil, noon), []string{"a", "c"})
	if p.Len() != 0 {
		t.Errorf("%d wait after the match", p.Len())
	}
	// An assignment that could not be carried out: its tickets come back, and meet again.
	p.Put(solo("a", 0, 1))
	p.Put(solo("c", 0, 1))
	wantSets(t, p.Match(nil, noon), []string{"a", "c"})
}

func TestOtherRulesHoldForThoseWhoWaitAlready(t *testing.T) {
	narrow := valid(t, Rules{TeamSize: 2, Rating: []Step{{Within: 10}}, Regions: []string{"eu"}, Latency: []Step{{Within: 50}}})
	wide := valid(t, Rules{TeamSize: 2, Rating: []Step{{Within: 100}}, Regions: []string{"us"}, Latency: []Step{{Within: 50}}})
	p := NewPool(&narrow)
	p.Put(solo("a", 0, 1, measured(ms{"eu": 20, "us": 30})))
	p.Put(solo("b", 50, 1, measured(ms{"eu": 20, "us": 40})))
	p.Put(solo("c", 500, 0, measured(ms{"eu": 20})))
	wantSets(t, p.Match(nil, noon))
	p.SetRules(&wide)
	if p.Len() != 3 {
		t.Fatalf("%d wait, want 3", p.Len())
	}
	out := p.Match(nil, noon)
	wantSets(t, out, []string{"a", "b"})
	if out.Assignments[0].Region != "us" {
		t.Errorf("played in %q", out.Assignments[0].Region)
	}
}

func TestAClockThatStandsBehindATicketsCreationIsNoWait(t *testing.T) {
	r := valid(t, Rules{TeamSize: 2, Rating: []Step{{Within: 10}, {After: time.Second, Within: 90}}})
	p := NewPool(&r)
	p.Put(solo("a", 0, -30))
	p.Put(solo("b", 50, -31))
	out := p.Match(nil, noon)
	wantSets(t, out)
	if want := noon.Add(31 * time.Second); !out.Next.Equal(want) {
		t.Errorf("next is %v, want %v", out.Next, want)
	}
	if out = p.Match(nil, noon.Add(31*time.Second)); len(out.Assignments) != 1 || out.Assignments[0].Waited != time.Second {
		t.Errorf("%+v", out)
	}
	// The time may go back as well: nothing of the later cycle is held against the earlier one.
	p.Put(solo("c", 0, 1))
	p.Put(solo("d", 50, 0))
	p.Match(nil, noon.Add(-time.Minute))
	wantSets(t, p.Match(nil, noon), []string{"c", "d"})
}

func TestHugeMatchesAreMadeToo(t *testing.T) {
	r := Rules{TeamSize: 1000, Min: 300}
	var many []*Ticket
	for i := range 350 {
		many = append(many, solo(fmt.Sprintf("t%03d", i), float64(i), 1))
	}
	if out := match(t, r, nil, many...); len(out.Assignments) != 1 || len(out.Assignments[0].Teams[0]) != 350 {
		t.Errorf("%d matches", len(out.Assignments))
	}
	r = Rules{Teams: 16, TeamSize: 4, Min: 30}
	many = many[:0]
	for i := range 40 {
		many = append(many, party(fmt.Sprintf("t%02d", i), 1, make([]float64, 1+i%3)))
	}
	out := match(t, r, nil, many...)
	if len(out.Assignments) != 1 {
		t.Fatalf("%d matches, want 1", len(out.Assignments))
	}
	for i, team := range out.Assignments[0].Teams {
		if len(team) == 0 {
			t.Errorf("nobody is in team %d", i)
		}
	}
}

// A file of queues that is read again may ask of texts what waits as lists.
func TestWhatWasSaidUnderOtherRulesSaysNothing(t *testing.T) {
	said := Rules{TeamSize: 2, Backfill: true, Attributes: []Attribute{{Name: "map", Kind: AnyOf}, {Name: "level", Kind: Equal}}}
	r := valid(t, said)
	p := NewPool(&r)
	p.Put(solo("a", 0, 2, says("map", []any{"dust"}), says("level", "ten")))
	said.Attributes = []Attribute{{Name: "map", Kind: Equal}, {Name: "level", Kind: Within, Within: []Step{{Within: 5}}}}
	r = valid(t, said)
	p.SetRules(&r)
	p.Put(solo("b", 0, 1, says("map", "dust"), says("level", 10.0)))
	room := Room{ID: "room", Version: 1, Free: []int{1}, Attributes: map[string]any{"map": []any{"ice"}, "level": "ten"}}
	wantSets(t, p.Match([]Room{room}, noon), []string{"a"})
	p.Put(solo("c", 0, 2, says("map", []any{"dust"}), says("level", "ten")))
	wantSets(t, p.Match(nil, noon), []string{"b", "c"})
}
