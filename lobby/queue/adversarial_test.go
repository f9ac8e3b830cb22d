package queue

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// Populations that are hard on a matchmaker, each through the referee.

// run runs cycles, and returns who waits still.
func (f *flow) run(t *testing.T, cycles int) map[string]*Ticket {
	t.Helper()
	for range cycles {
		f.cycle(t)
	}
	return f.waiting
}

// changed adds a ticket anew, as it was changed.
func (f *flow) changed(x *Ticket) { f.pool.Put(x) }

func TestFullPartiesAloneMeetAsFarAsTheyGo(t *testing.T) {
	f := newFlow(valid(t, Rules{Teams: 2, TeamSize: 5, Rating: []Step{{Within: 100}, {After: 30 * time.Second, Any: true}}}), 1)
	for range 41 {
		f.come(1000+400*f.rng.NormFloat64(), 5)
	}
	if n := len(f.run(t, 35)); n != 1 {
		t.Errorf("%d parties wait", n)
	}
}

func TestOfAnOddPopulationOneWaits(t *testing.T) {
	f := newFlow(valid(t, Rules{Teams: 2, TeamSize: 1, Rating: []Step{{Within: 100}, {After: 30 * time.Second, Any: true}}}), 1)
	for range 1001 {
		f.come(1000+400*f.rng.NormFloat64(), 1)
	}
	if n := len(f.run(t, 35)); n != 1 {
		t.Errorf("%d wait", n)
	}
}

// team takes parties out of what is there, by size, so that a team is full, in every way; then tells next.
func team(left, largest int, there []int, next func() bool) bool {
	if left == 0 {
		return next()
	}
	for size := min(left, largest); size > 0; size-- {
		if there[size] == 0 {
			continue
		}
		there[size]--
		ok := team(left-size, size, there, next)
		there[size]++
		if ok {
			return true
		}
	}
	return false
}

func TestPartiesOfOneRatingAreMatchedUntilNoneFillTwoTeams(t *testing.T) {
	for seed := range uint64(10) {
		f := newFlow(valid(t, Rules{Teams: 2, TeamSize: 5, Rating: []Step{{Within: 0}, {After: 30 * time.Second, Within: 1}}}), seed)
		for range 200 {
			f.come(1000, 1+f.rng.IntN(5))
		}
		there := make([]int, 6)
		for _, x := range f.run(t, 3) {
			there[len(x.Players)]++
		}
		if team(5, 5, there, func() bool { return team(5, 5, there, func() bool { return true }) }) {
			t.Errorf("seed %d: parties wait who fill a match, by size %v", seed, there)
		}
	}
}

func TestHugeSpreadAtNightIsNoObstacleOnceTheWindowIsOpen(t *testing.T) {
	f := newFlow(valid(t, Rules{
		Teams: 2, TeamSize: 2, Min: 2, Gather: 15 * time.Second, Rating: []Step{{Within: 50}, {After: 60 * time.Second, Within: 100_000}},
	}), 1)
	for _, rating := range []float64{0, 5000, 100, 9000, 44_000} {
		f.come(rating, 1)
	}
	f.come(77, 2)
	if n := len(f.run(t, 62)); n > 1 {
		t.Errorf("%d wait", n)
	}
}

func TestScarceRolesAreAllUsed(t *testing.T) {
	f := newFlow(valid(t, Rules{
		Teams: 2, TeamSize: 5, Roles: []Role{{"tank", 1}, {"healer", 1}, {"damage", 3}},
		Rating: []Step{{Within: 300}, {After: 30 * time.Second, Any: true}},
	}), 1)
	for i := range 600 {
		x := f.come(1000+200*f.rng.NormFloat64(), 1)
		x.Players[0].Roles = []string{"damage"}
		switch i % 60 {
		case 0:
			x.Players[0].Roles = []string{"tank"}
		case 1:
			x.Players[0].Roles = []string{"healer"}
		}
		f.changed(x)
	}
	if n, want := len(f.run(t, 35)), 600-5*10; n != want {
		t.Errorf("%d wait, want %d: there are ten tanks and ten healers", n, want)
	}
}

func TestWhereEverybodyAvoidsEverybodyTheyMeetOnceThatIsOver(t *testing.T) {
	f := newFlow(valid(t, Rules{Teams: 2, TeamSize: 5, AvoidFor: 30 * time.Second}), 1)
	var ids []string
	for range 20 {
		x := f.come(1000, 1)
		x.Players[0].Avoid = slices.Clone(ids)
		ids = append(ids, x.Players[0].ID)
		f.changed(x)
	}
	if n := len(f.run(t, 30)); n != 20 {
		t.Errorf("%d wait before it is over", n)
	}
	if n := len(f.run(t, 2)); n != 0 {
		t.Errorf("%d wait after it is over", n)
	}
}

// Of a hundred players some have always blocked others.
func TestLargeMatchesAreMadeAroundThoseWhoAvoidEachOther(t *testing.T) {
	for _, size := range []int{100, 1000} {
		for name, roles := range map[string][]Role{"anybody": nil, "roles": {{"a", size / 2}, {"b", size / 4}, {"c", size / 4}}} {
			for _, pairs := range []int{0, 3, 20} {
				t.Run(fmt.Sprint(size, " ", name, " ", pairs), func(t *testing.T) {
					f := newFlow(valid(t, Rules{TeamSize: size, Roles: roles}), 1)
					for i := range size + 2*pairs + 3 {
						x := f.come(1000+200*f.rng.NormFloat64(), 1)
						if i > 0 && i <= pairs {
							x.Players[0].Avoid = []string{fmt.Sprintf("t%d.0", size/2+i)}
							f.changed(x)
						}
					}
					if n := len(f.run(t, 1)); n != 2*pairs+3 {
						t.Errorf("%d wait", n)
					}
				})
			}
		}
	}
}

func TestALargeMatchOfPartiesTakesAsManyAsFit(t *testing.T) {
	f := newFlow(valid(t, Rules{TeamSize: 100, Min: 20, Gather: 20 * time.Second, PartyMax: 8}), 1)
	for n := 0; n < 350; {
		size := 1 + f.rng.IntN(8)
		f.come(1000+200*f.rng.NormFloat64(), size)
		n += size
	}
	left := 0
	for _, x := range f.run(t, 25) {
		left += len(x.Players)
	}
	if left >= 20 {
		t.Errorf("%d players wait, of whom 20 are enough", left)
	}
}

// Whoever sets himself narrow limits waits, and nobody else because of him.
func TestPlayersWithLimitsOfTheirOwnHoldUpNobodyElse(t *testing.T) {
	for _, c := range []struct{ teams, size, tickets, every int }{
		{2, 1, 10, 2}, {2, 3, 14, 2}, {2, 5, 14, 4}, {2, 5, 30, 2}, {2, 5, 60, 2}, {1, 100, 150, 10}, {1, 100, 300, 4},
	} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			r := valid(t, Rules{Teams: c.teams, TeamSize: c.size, Rating: []Step{{Within: 100}, {After: 30 * time.Second, Any: true}}})
			f := newFlow(r, 1)
			for i := range c.tickets {
				x := f.come(float64(f.rng.IntN(3000)), 1)
				if i%c.every == 1 {
					x.MaxSpread = 50
					f.changed(x)
				}
			}
			left := 0
			for _, x := range f.run(t, 40) {
				if x.MaxSpread == 0 {
					left++
				}
			}
			if left >= r.Max() {
				t.Errorf("%d wait who have no limit, and %d make a match", left, r.Max())
			}
		})
	}
}

func TestGatheringWithPartiesOfTwoStartsWithFourOfSix(t *testing.T) {
	f := newFlow(valid(t, Rules{Teams: 2, TeamSize: 3, Min: 4, Gather: 20 * time.Second}), 1)
	first := f.come(1000, 2)
	f.come(1000, 2)
	last := f.come(1000, 2)
	if n := len(f.run(t, 19)); n != 3 {
		t.Errorf("%d wait while it gathers", n)
	}
	wantText(t, f, first, "The parties who fit cannot be seated", "In 1s a match of 4 is enough.")
	if n := len(f.run(t, 3)); n != 1 || f.waiting[last.ID] == nil {
		t.Errorf("%d wait after it has gathered", n)
	}
	wantText(t, f, last, "Nobody else waits in this queue, and a match needs 4 players.")
}

// wantText fails the test if the explanation of a ticket lacks something, or promises a match.
func wantText(t *testing.T, f *flow, x *Ticket, parts ...string) {
	t.Helper()
	why, ok := f.pool.Explain(x.ID, f.now)
	if !ok || strings.Contains(why.Text, "next round") {
		t.Errorf("%v %q promises a match", ok, why.Text)
	}
	for _, p := range parts {
		if !strings.Contains(why.Text, p) {
			t.Errorf("%q lacks %q", why.Text, p)
		}
	}
}

func TestExplainPromisesAPartyNoMatchAgainstNobody(t *testing.T) {
	f := newFlow(valid(t, Rules{Teams: 2, TeamSize: 2, Min: 2, Rating: []Step{{Within: 10}}, BotsAfter: time.Minute}), 1)
	party := f.come(1000, 2)
	f.run(t, 2)
	wantText(t, f, party, "Nobody else waits in this queue, and a match needs somebody in a second team. In 58s it starts with bots.")
	f.come(5000, 1)
	f.run(t, 2)
	wantText(t, f, party, "The rating window, ratings at most 10 apart, keeps 1 player away.")
}

func TestExplainPromisesNoMatchOfPlayersWhoDoNotFitToEachOther(t *testing.T) {
	f := newFlow(valid(t, Rules{TeamSize: 3, Rating: []Step{{Within: 100}}}), 1)
	f.come(900, 1)
	between := f.come(1000, 1)
	f.come(1100, 1)
	f.run(t, 2)
	wantText(t, f, between, "They may not all fit with each other: no match of them was found yet.")
}

func TestExplainPromisesAMatchThatAnOlderTicketFinds(t *testing.T) {
	f := newFlow(valid(t, Rules{Teams: 2, TeamSize: 1, Rating: []Step{{Within: 100}, {After: 10 * time.Second, Within: 500}}}), 1)
	f.come(1000, 1)
	f.run(t, 12)
	young := f.come(1400, 1)
	if why, _ := f.pool.Explain(young.ID, f.now); !strings.Contains(why.Text, "The next round should find a match.") {
		t.Error(why.Text)
	}
	if n := len(f.run(t, 1)); n != 0 {
		t.Errorf("%d wait", n)
	}
}

func TestExplainPromisesNoMatchOfOneWhoIsTooFarAway(t *testing.T) {
	f := newFlow(valid(t, Rules{
		TeamSize: 2, Min: 1, Regions: []string{"eu"}, Latency: []Step{{Within: 50}, {After: 20 * time.Second, Within: 200}},
	}), 1)
	far := f.come(1000, 1)
	far.Players[0].Latency = map[string]float64{"eu": 100}
	f.changed(far)
	f.run(t, 2)
	wantText(t, f, far, "Nobody else waits in this queue, and its rules allow no match of you alone yet.")
	if n := len(f.run(t, 20)); n != 0 {
		t.Errorf("%d wait once the bound is wider", n)
	}
}
