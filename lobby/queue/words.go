package queue

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// refused explains a ticket that nothing can match.
func (v *view) refused() Explanation {
	return Explanation{
		Text:    "This ticket does not fit the queue's rules, so nobody can play with it.",
		Waiting: v.p.players - v.e.n, Needed: v.st.floor,
	}
}

// about is a number of players in words.
func (v *view) about(n int) string {
	s := fmt.Sprintf("%d players", n)
	if n == 1 {
		s = "1 player"
	}
	if v.scale > 1 && n > 0 {
		s = "about " + s
	}
	return s
}

// in is how long it is until a time.
func (v *view) in(at time.Time) string {
	d := at.Sub(v.now)
	if d >= time.Second {
		d = d.Round(time.Second)
	}
	return d.String()
}

// summary says in one to three sentences why the ticket waits.
func (v *view) summary(x *Explanation) string {
	if v.waiting == 0 {
		switch {
		case v.st.floor > v.e.n:
		case v.oneTeam():
			return "Nobody else waits in this queue, and a match needs somebody in a second team." + v.later()
		case v.finds():
			return "Nobody else waits in this queue; the match starts at the next round."
		default:
			return "Nobody else waits in this queue, and its rules allow no match of you alone yet." + v.later()
		}
		return fmt.Sprintf("Nobody else waits in this queue, and a match needs %d players.%s", x.Needed, v.later())
	}
	text := fmt.Sprintf("Of %d other players who wait, %s could play with you now; a match needs %d, you included.",
		v.waiting, v.about(x.Fitting), x.Needed)
	if reason := v.reason(x); reason != "" {
		return text + " " + reason
	}
	return text + " The next round should find a match."
}

// reason is what stands between the ticket and a match.
func (v *view) reason(x *Explanation) string {
	there := v.fitting + v.e.n
	if v.oneTeam() || there < v.p.plan.Min && there < v.st.floor {
		if len(x.Rules) == 0 {
			return "There are too few players." + v.later()
		}
		return x.Rules[0].Text + v.later()
	}
	if there < v.st.floor {
		at := v.e.t.Created.Add(v.p.plan.Gather)
		text := fmt.Sprintf("They are enough to start with %d, but the queue waits for a full match for another %s.", v.p.plan.Min, v.in(at))
		x.Rules = append(x.Rules, RuleEffect{Rule: "gather", Text: text, Widens: &at})
		return text
	}
	for _, lacks := range []struct {
		rule string
		text func() string
	}{{"party", v.parties}, {"roles", v.roles}, {"region", v.oneRegion}} {
		if text := lacks.text(); text != "" {
			x.put(RuleEffect{Rule: lacks.rule, Text: text})
			return text + v.fewer() + v.later()
		}
	}
	if !v.finds() {
		return "They may not all fit with each other: no match of them was found yet." + v.fewer() + v.later()
	}
	return ""
}

// oneTeam says that nobody is there to play against.
func (v *view) oneTeam() bool { return v.fitting == 0 && v.p.plan.Teams > 1 && !v.st.bots }

// fewer says from when on a match that is not full is enough.
func (v *view) fewer() string {
	plan := v.p.plan
	if v.st.floor <= plan.Min {
		return ""
	}
	return fmt.Sprintf(" In %s a match of %d is enough.", v.in(v.e.t.Created.Add(plan.Gather)), plan.Min)
}

// finds looks for a match with the ticket in it as the next cycle does: from the ticket, and from older ones that fit, whose
// bounds may be wider. The first of those is the oldest of a match that the ticket would find if it stood at the head.
func (v *view) finds() bool {
	s, now, spent := v.p.search, v.now.UnixNano(), 0
	from := func(x *entry) bool {
		x.stage, s.effort = v.p.plan.at(x.waited(now)), long
		found := s.find(x, now, math.Inf(1), v.p.plan.stages[x.stage].floor)
		spent += s.spent()
		return found && slices.Contains(s.found.set, v.e)
	}
	if from(v.e) {
		return true
	}
	if !v.e.head {
		v.e.head = true
		found := from(v.e)
		v.e.head = false
		if found && from(slices.MinFunc(s.found.set, older)) {
			return true
		}
	}
	for _, x := range v.elders {
		if spent > maxFinds {
			break
		}
		if from(x) {
			return true
		}
	}
	return false
}

// put adds an effect, or gives the one that is there its words.
func (x *Explanation) put(e RuleEffect) {
	for i := range x.Rules {
		if x.Rules[i].Rule == e.Rule {
			x.Rules[i].Text = e.Text
			return
		}
	}
	x.Rules = append(x.Rules, e)
}

// later says when bots fill a match.
func (v *view) later() string {
	plan := v.p.plan
	if plan.BotsAfter == 0 || v.st.bots {
		return ""
	}
	return fmt.Sprintf(" In %s it starts with bots.", v.in(v.e.t.Created.Add(plan.BotsAfter)))
}

// parties says that the sizes of the parties who fit do not add up to full teams.
func (v *view) parties() string {
	if v.seatable(v.sizes) {
		return ""
	}
	var list []string
	for size, n := range v.sizes {
		if n > 0 {
			list = append(list, fmt.Sprintf("%d of %d", n, size))
		}
	}
	return fmt.Sprintf("The parties who fit cannot be seated: your party has %d, the others are %s, and a match has %d teams of %d that must be full.",
		v.e.n, strings.Join(list, ", "), v.p.plan.Teams, v.p.plan.TeamSize)
}

// seatable says whether the parties, by size, can be enough for a match with the ticket.
func (v *view) seatable(sizes []int) bool {
	s := v.p.search
	copy(s.count, sizes)
	copy(s.supply, s.slots) // roles are another matter
	s.a, s.floor, s.lack = v.e, v.st.floor, 0
	return s.enough()
}

// roles says which role is short of players.
func (v *view) roles() string {
	plan := v.p.plan
	if v.st.floor < plan.Max() {
		return ""
	}
	for i, r := range plan.Roles {
		have := v.supply[i]
		for _, mask := range v.e.roles {
			if mask&(1<<i) != 0 {
				have++
			}
		}
		if need := r.PerTeam * plan.Teams; have < need {
			return fmt.Sprintf("Too few come for the role %s: %s with you, and a match needs %d.", r.Name, v.about(have), need)
		}
	}
	return ""
}

// oneRegion says that no one region is good for enough players.
func (v *view) oneRegion() string {
	plan := v.p.plan
	if len(plan.Regions) == 0 {
		return ""
	}
	var list []string
	for r, name := range plan.Regions {
		if float64(v.e.latency[r]) <= v.st.latency && v.seatable(v.regions[r]) {
			return ""
		}
		n := 0
		for size, tickets := range v.regions[r] {
			n += size * tickets
		}
		list = append(list, fmt.Sprintf("%s for %d", name, n))
	}
	return "No one region is good for enough of them: " + strings.Join(list, ", ") + "."
}

// ruleText says what a rule does to the ticket.
func (v *view) ruleText(rule *ruleView) string {
	away := "keeps " + v.about(rule.removes) + " away"
	until := ""
	if at := v.widens(rule); at != nil {
		until = ", and widens in " + v.in(*at)
	}
	plan := v.p.plan
	switch {
	case rule.name == "rating":
		return v.ratingText(rule, away, until)
	case rule.name == "region":
		own := ""
		if v.e.t.MaxLatency > 0 {
			own = fmt.Sprintf(" Your own limit is %.0f ms.", v.e.t.MaxLatency)
		}
		return "That one region must be good for all " + away + "." + own
	case rule.name == "latency":
		own := ""
		if v.latencyCapped() {
			own = fmt.Sprintf(" Your own limit of %.0f ms does not widen.", v.e.t.MaxLatency)
		}
		return fmt.Sprintf("The highest latency of %.0f ms %s%s.%s", v.st.latency, away, until, own)
	case rule.name == "roles":
		return "That they come for roles which your party takes already " + away + "."
	case rule.name == "party":
		return fmt.Sprintf("That parties are not split %s: they have no seats beside your %d.", away, v.e.n)
	case rule.name == "avoid":
		return "Players who do not want to meet: this " + away + until + "."
	case rule.is(attributePrefix):
		return fmt.Sprintf("The queue's rule about %s %s%s.", plan.Attributes[rule.index].Name, away, until)
	}
	return fmt.Sprintf("The queue's condition %s %s%s.", plan.Conditions[rule.index].Name, away, until)
}

func (v *view) ratingText(rule *ruleView, away, until string) string {
	if rule.own > 0 && v.e.most <= v.st.spread {
		return fmt.Sprintf("Your own limit, ratings at most %.0f apart, %s; it does not widen.", v.e.most, away)
	}
	if math.IsInf(v.st.spread, 1) {
		return "The limits that other players set to the distance of ratings: this " + away + "."
	}
	return fmt.Sprintf("The rating window, ratings at most %.0f apart, %s%s.", v.st.spread, away, until)
}
