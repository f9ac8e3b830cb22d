package simulate

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/lobby/queue"
)

// valid returns rules with defaults.
func valid(t testing.TB, r queue.Rules) *queue.Rules {
	t.Helper()
	r.Name, r.Game = "q", "g"
	r, err := r.Validate()
	if err != nil {
		t.Fatal(err)
	}
	return &r
}

// fives are the rules of most tests: five against five, with everything that a load fills in.
func fives(t testing.TB) *queue.Rules {
	t.Helper()
	return valid(t, queue.Rules{
		Teams: 2, TeamSize: 5, Regions: []string{"eu", "us", "asia"},
		Rating:  []queue.Step{{Within: 100}, {After: 10 * time.Second, Within: 400}, {After: 30 * time.Second, Any: true}},
		Latency: []queue.Step{{Within: 100}, {After: 20 * time.Second, Within: 250}},
		Roles:   []queue.Role{{Name: "tank", PerTeam: 1}, {Name: "damage", PerTeam: 4}},
		Attributes: []queue.Attribute{
			{Name: "mode", Kind: queue.Equal},
			{Name: "maps", Kind: queue.AnyOf},
			{Name: "level", Kind: queue.Within, Within: []queue.Step{{Within: 10}}, Until: 20 * time.Second},
		},
	})
}

func TestTheSameSeedGivesTheSamePlayers(t *testing.T) {
	t.Parallel()
	for _, l := range []Load{
		{Seed: 1, PerMinute: 20, For: time.Hour, DayShape: true, Regions: 5, Heavy: true, Parties: 0.3},
		{Seed: 1, PerMinute: 20, For: time.Hour, Parties: 0.5, Players: 200},
	} {
		a, b := l.Arrivals(fives(t)), l.Arrivals(fives(t))
		if diff := cmp.Diff(a, b); diff != "" || len(a) < 100 {
			t.Errorf("%d arrivals: %s", len(a), diff)
		}
		l.Seed++
		if cmp.Equal(a, l.Arrivals(fives(t))) {
			t.Error("another seed gives the same players")
		}
	}
}

func TestPlayersComeAsTheLoadSays(t *testing.T) {
	t.Parallel()
	r := fives(t)
	list := Load{Seed: 7, PerMinute: 20, For: 24 * time.Hour, DayShape: true, Heavy: true, Parties: 0.3}.Arrivals(r)
	if n := float64(len(list)); math.Abs(n/(20*60*24)-1) > 0.05 {
		t.Errorf("%v tickets came, want about %d", n, 20*60*24)
	}
	if !slices.IsSortedFunc(list, func(a, b Arrival) int { return int(a.At - b.At) }) {
		t.Error("they do not come in the order of time")
	}
	parties, evening, morning, ids := 0., 0., 0., map[string]bool{}
	var ratings []float64
	for i, a := range list {
		if len(a.Ticket.Players) > 1 {
			parties++
		}
		home := a.Ticket.Players[0].Latency["eu"] < 60
		switch hour := a.At.Hours(); {
		case home && hour >= 19 && hour < 21:
			evening++
		case home && hour >= 7 && hour < 9:
			morning++
		}
		if ids[a.Ticket.ID] {
			t.Fatalf("two tickets are called %s", a.Ticket.ID)
		}
		if i%20 == 0 { // it takes its time
			if err := r.Check(&a.Ticket); err != nil {
				t.Fatalf("ticket %+v: %v", a.Ticket, err)
			}
		}
		ids[a.Ticket.ID] = true
		ratings = append(ratings, a.Ticket.Players[0].Rating)
	}
	if part := parties / float64(len(list)); math.Abs(part-0.3) > 0.02 {
		t.Errorf("%.2f of them are parties, want 0.3", part)
	}
	if evening < 6*morning {
		t.Errorf("%v come in the evening and %v in the morning", evening, morning)
	}
	f := figures(ratings)
	// A normal distribution has its P90 at 1.28 standard deviations, and nobody of so many beyond 5.
	if math.Abs(f.Mean-1000) > 10 || f.P90 > 1000+1.1*333 || f.Max < 1000+5.2*333 || f.Max > 1000+6*333 {
		t.Errorf("ratings are %+v, want heavy tails about 1000", f)
	}
}

func TestAPlayerWhoCameDoesNotComeAgainForAWhile(t *testing.T) {
	t.Parallel()
	last := map[string]time.Duration{}
	list := Load{Seed: 3, PerMinute: 30, For: 3 * time.Hour, Parties: 0.4, Players: 600}.Arrivals(fives(t))
	for _, a := range list {
		for _, p := range a.Ticket.Players {
			if before, ok := last[p.ID]; ok && a.At-before < again {
				t.Fatalf("%s came at %v and at %v", p.ID, before, a.At)
			}
			last[p.ID] = a.At
		}
	}
	if len(last) > 600 || len(list) < 1000 {
		t.Errorf("%d players came in %d tickets", len(last), len(list))
	}
}
