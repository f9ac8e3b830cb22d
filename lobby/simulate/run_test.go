package simulate

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"muster/lobby/queue"
)

// alone is a ticket of one player who comes after some seconds.
func alone(id string, seconds, rating float64) Arrival {
	return Arrival{At: time.Duration(seconds * float64(time.Second)), Ticket: queue.Ticket{
		ID: id, Players: []queue.Player{{ID: "of-" + id, Rating: rating, Deviation: deviation}},
	}}
}

func TestWaitsAreFromComingToTheMatch(t *testing.T) {
	t.Parallel()
	r := valid(t, queue.Rules{Teams: 2, TeamSize: 1, Rating: []queue.Step{{Within: 100}, {After: 10 * time.Second, Within: 300}}, MaxWait: time.Minute})
	got, err := Run(t.Context(), r, []Arrival{alone("a", 0, 1000), alone("b", 2, 1050), alone("c", 5, 1000), alone("d", 6, 1200), alone("e", 7, 3000)}, queue.NewPool(r), Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := []Fate{
		{At: 0, Players: 1, Rating: 1000, Wait: 2 * time.Second, Match: 0},
		{At: 2 * time.Second, Players: 1, Rating: 1050, Match: 0},
		{At: 5 * time.Second, Players: 1, Rating: 1000, Wait: 10 * time.Second, Match: 1},
		{At: 6 * time.Second, Players: 1, Rating: 1200, Wait: 9 * time.Second, Match: 1},
		{At: 7 * time.Second, Players: 1, Rating: 3000, Wait: time.Minute, Match: -1, Expired: true},
	}
	if diff := cmp.Diff(want, got.Fates, cmpopts.IgnoreFields(Fate{}, "Latency")); diff != "" {
		t.Error(diff)
	}
	if len(got.Matches) != 2 || got.Matches[1].Spread != 200 || got.Matches[1].Players != 2 {
		t.Errorf("the matches are %+v", got.Matches)
	}
	// 200 points between two well-known players are seven of ten matches.
	if s := got.Matches[1].Strength; math.Abs(s-0.7) > 0.02 {
		t.Errorf("the better one wins %.3f of their matches, want 0.7", s)
	}
}

func TestWhoStillWaitsAtTheEndIsNeitherMatchedNorExpired(t *testing.T) {
	t.Parallel()
	r := valid(t, queue.Rules{Teams: 2, TeamSize: 1})
	got, err := Run(t.Context(), r, []Arrival{alone("a", 1, 0), alone("late", 100, 0)}, queue.NewPool(r), Options{Until: 30 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Fates) != 1 || got.Fates[0].Match != -1 || got.Fates[0].Expired || got.Fates[0].Wait != 29*time.Second {
		t.Errorf("got %+v", got.Fates)
	}
	if rep := NewReport(r, got); rep.Waiting != 1 || rep.All.Wait.N != 0 {
		t.Errorf("the report is %+v", rep)
	}
}

func TestMatchesThatGoOnAreFilledWhereTheRulesSayBackfill(t *testing.T) {
	t.Parallel()
	for backfill, want := range map[bool]int{true: 1, false: 0} {
		r := valid(t, queue.Rules{Teams: 2, TeamSize: 2, Min: 2, Backfill: backfill})
		list := []Arrival{alone("a", 1, 1000), alone("b", 1, 1000), alone("c", 30, 1000), alone("d", 700, 1000)}
		got, err := Run(t.Context(), r, list, queue.NewPool(r), Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got.Matches[0].Joined != want || got.Fates[3].Match == 0 {
			t.Errorf("backfill %v: %+v, %+v", backfill, got.Matches, got.Fates)
		}
	}
}

// As on a server: see the tests of package ticket.
func TestRulesOfThoseWhoAreInAMatchHoldForWhoJoinsIt(t *testing.T) {
	t.Parallel()
	with := func(a Arrival, most float64, level any, maps ...string) Arrival {
		a.Ticket.MaxSpread, a.Ticket.Attributes = most, map[string]any{"level": level}
		if len(maps) > 0 {
			a.Ticket.Attributes["maps"] = maps
		}
		return a
	}
	for name, list := range map[string][]Arrival{
		"level": {with(alone("a", 1, 1000), 0, 10.), with(alone("b", 30, 1000), 0, 14.), with(alone("c", 60, 1000), 0, 50.), with(alone("d", 90, 1000), 0, 8.)},
		"limit": {with(alone("a", 1, 1000), 50, nil), with(alone("b", 30, 1040), 60, nil), with(alone("c", 60, 1150), 0, nil), with(alone("d", 90, 985), 60, nil)},
		"list": {
			with(alone("a", 1, 1000), 0, nil, "dust", "ice"), with(alone("b", 30, 1000), 0, nil, "dust"),
			with(alone("c", 60, 1000), 0, nil, "ice"), with(alone("d", 90, 1000), 0, nil, "ice", "lava"),
		},
	} {
		r := valid(t, queue.Rules{Teams: 1, TeamSize: 8, Min: 1, Backfill: true, Attributes: []queue.Attribute{
			{Name: "level", Kind: queue.Within, Within: []queue.Step{{Within: 5}}}, {Name: "maps", Kind: queue.AnyOf},
		}})
		got, err := Run(t.Context(), r, list, queue.NewPool(r), Options{})
		if err != nil {
			t.Fatal(err)
		}
		if f := got.Fates; f[1].Match != 0 || f[2].Match == 0 || f[3].Match == 0 {
			t.Errorf("%s: b, c and d are in matches %d, %d and %d, want b alone in 0", name, f[1].Match, f[2].Match, f[3].Match)
		}
	}
}

// The rating that reports speak of is the one by which the core matches.
func TestTheRatingIsTheCores(t *testing.T) {
	t.Parallel()
	r := fives(t)
	r.Rating = nil
	seen := 0
	m := spreads{queue.NewPool(r), map[string]*queue.Ticket{}, func(a queue.Assignment, tickets map[string]*queue.Ticket) {
		low, high := math.Inf(1), math.Inf(-1)
		for _, team := range a.Teams {
			for _, id := range team {
				low, high = min(low, tickets[id].Rating()), max(high, tickets[id].Rating())
			}
		}
		if seen++; math.Abs(high-low-a.Spread) > 1e-9 {
			t.Errorf("the core's spread is %v, want %v", a.Spread, high-low)
		}
	}}
	if _, err := Run(t.Context(), r, Load{Seed: 1, PerMinute: 20, For: time.Hour, Parties: 0.5}.Arrivals(r), m, Options{}); err != nil || seen < 50 {
		t.Errorf("%d matches: %v", seen, err)
	}
}

// spreads shows assignments to a check.
type spreads struct {
	*queue.Pool
	tickets map[string]*queue.Ticket
	check   func(queue.Assignment, map[string]*queue.Ticket)
}

func (s spreads) Put(t *queue.Ticket) { s.tickets[t.ID] = t; s.Pool.Put(t) }

func (s spreads) Match(rooms []queue.Room, now time.Time) queue.Outcome {
	out := s.Pool.Match(rooms, now)
	for _, a := range out.Assignments {
		s.check(a, s.tickets)
	}
	return out
}

func TestASimulationEndsWhenItIsToldTo(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := valid(t, queue.Rules{Teams: 2, TeamSize: 1})
	if _, err := Run(ctx, r, []Arrival{alone("a", 0, 0)}, queue.NewPool(r), Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// wrong is a matcher that makes a mistake.
type wrong struct {
	*queue.Pool
	out queue.Assignment
}

func (w wrong) Match([]queue.Room, time.Time) queue.Outcome {
	return queue.Outcome{Assignments: []queue.Assignment{w.out}}
}

func TestAMatchersMistakeIsAnError(t *testing.T) {
	t.Parallel()
	r := valid(t, queue.Rules{Teams: 2, TeamSize: 1})
	for name, a := range map[string]queue.Assignment{
		"does not wait": {Teams: [][]string{{"a"}, {"z"}}}, "asks for nobody": {Room: "m0", Teams: [][]string{{"a"}}},
		"at most 1 fit": {Teams: [][]string{{"a", "b"}, {}}}, "3 teams": {Teams: [][]string{{"a"}, {"b"}, {}}},
	} {
		_, err := Run(t.Context(), r, []Arrival{alone("a", 0, 0), alone("b", 0, 0)}, wrong{queue.NewPool(r), a}, Options{})
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := Run(t.Context(), r, []Arrival{alone("a", 0, 0), alone("a", 0, 0)}, queue.NewPool(r), Options{}); err == nil {
		t.Error("two tickets of one id were taken")
	}
}

// Whatever comes: every ticket ends once, matches hold whole teams, and the same run gives the same result.
func TestEveryTicketEndsOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		r := fives(t)
		r.Min = rapid.IntRange(2, 10).Draw(rt, "min")
		r.Backfill = rapid.Bool().Draw(rt, "backfill")
		l := Load{
			Seed: rapid.Uint64().Draw(rt, "seed"), PerMinute: rapid.Float64Range(1, 40).Draw(rt, "rate"), For: 4 * time.Minute,
			Heavy: rapid.Bool().Draw(rt, "heavy"), Parties: rapid.Float64Range(0, 1).Draw(rt, "parties"),
		}
		arrivals := l.Arrivals(r)
		got, err := Run(t.Context(), r, arrivals, queue.NewPool(r), Options{})
		if err != nil {
			rt.Fatal(err)
		}
		again, err := Run(t.Context(), r, arrivals, queue.NewPool(r), Options{})
		if diff := cmp.Diff(got, again, cmpopts.EquateNaNs()); err != nil || diff != "" {
			rt.Fatalf("%v: %s", err, diff)
		}
		players := map[int]int{}
		for i, f := range got.Fates {
			if (f.Match >= 0) == f.Expired || f.Wait < 0 || f.Wait > r.MaxWait+time.Second {
				rt.Fatalf("the fate of ticket %d is %+v", i, f)
			}
			if f.Match >= 0 {
				players[f.Match] += f.Players
			}
		}
		for i, m := range got.Matches {
			if m.Players != players[i] || m.Players-m.Joined < r.Min || m.Players > r.Max() || m.Joined > 0 && !r.Backfill {
				rt.Fatalf("match %d is %+v, and %d players were put into it", i, m, players[i])
			}
		}
		if rep := NewReport(r, got); rep.Waiting != 0 || rep.Matched+rep.Expired != len(arrivals) {
			rt.Fatalf("the report is %+v", rep)
		}
	})
}

// broken is a writer that takes nothing.
type broken struct{}

var errBroken = errors.New("broken")

func (broken) Write([]byte) (int, error) { return 0, errBroken }
