package queue

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// Bounds of what rules may say.
const (
	maxTeams      = 16
	maxPlayers    = 1024 // in a match
	maxRegions    = 32
	maxRoles      = 16
	maxTags       = 8
	maxRules      = 16 // attributes, and conditions
	maxSteps      = 16
	maxConnect    = time.Minute
	maxConfirm    = 2 * time.Minute
	maxWaitOfAll  = 24 * time.Hour
	defaultWait   = 5 * time.Minute
	defaultToOpen = 15 * time.Second
	defaultBeta   = 500.0 / 3
)

// fill puts the defaults in.
func (r *Rules) fill() {
	def(&r.Teams, 1)
	def(&r.Min, r.Max())
	def(&r.PartyMin, 1)
	def(&r.PartyMax, r.TeamSize)
	def(&r.MaxWait, defaultWait)
	def(&r.Connect, defaultToOpen)
	def(&r.Beta, defaultBeta)
}

func def[T comparable](v *T, to T) {
	var zero T
	if *v == zero {
		*v = to
	}
}

// Validate returns the rules with defaults filled in, or everything that is wrong with them.
func (r Rules) Validate() (Rules, error) {
	r.fill()
	var c checks
	c.that(names.MatchString(r.Name), "the queue's name is %q: it is 1 to 31 of a-z, 0-9, - and _, a letter first", r.Name)
	c.that(r.Game != "", "no game is named")
	r.checkSizes(&c)
	r.checkTimes(&c)
	r.checkRoles(&c)
	r.checkSteps(&c)
	r.checkOwn(&c)
	if err := errors.Join(c...); err != nil {
		return r, err
	}
	return r, nil
}

type checks []error

func (c *checks) that(ok bool, format string, args ...any) {
	if !ok {
		*c = append(*c, fmt.Errorf(format, args...))
	}
}

func (r *Rules) checkSizes(c *checks) {
	c.that(r.Teams >= 1 && r.Teams <= maxTeams, "teams is %d: it is 1 to %d", r.Teams, maxTeams)
	c.that(r.TeamSize >= 1 && r.TeamSize <= maxPlayers, "team_size is %d: it is 1 to %d", r.TeamSize, maxPlayers)
	c.that(r.Max() <= maxPlayers, "%d teams of %d are %d players: at most %d", r.Teams, r.TeamSize, r.Max(), maxPlayers)
	c.that(r.Min >= 1 && r.Min <= r.Max(), "min is %d: it is 1 to %d, which is teams times team_size", r.Min, r.Max())
	c.that(r.PartyMin >= 1 && r.PartyMin <= r.PartyMax, "party_min is %d and party_max is %d: party_min is 1 to party_max",
		r.PartyMin, r.PartyMax)
	c.that(r.PartyMax <= r.TeamSize, "party_max is %d and team_size is %d: a party is never split, so it fits into a team",
		r.PartyMax, r.TeamSize)
	c.that(r.Beta > 0 && !math.IsInf(r.Beta, 0), "beta is %v: it is above 0", r.Beta)
}

func (r *Rules) checkTimes(c *checks) {
	within := func(name string, d, low, high time.Duration) {
		c.that(d >= low && d <= high, "%s is %v: it is %v to %v", name, d, low, high)
	}
	within("max_wait", r.MaxWait, time.Second, maxWaitOfAll)
	within("gather", r.Gather, 0, r.MaxWait)
	within("bots_after", r.BotsAfter, 0, r.MaxWait)
	within("avoid_for", r.AvoidFor, 0, maxWaitOfAll)
	within("confirm", r.Confirm, 0, maxConfirm)
	within("connect", r.Connect, time.Second, maxConnect)
	c.that(r.BotsAfter == 0 || r.BotsAfter >= r.Gather, "bots_after is %v and gather is %v: bots do not come before players "+
		"were waited for", r.BotsAfter, r.Gather)
}

func (r *Rules) checkRoles(c *checks) {
	seen, sum := map[string]bool{}, 0
	for _, role := range r.Roles {
		c.that(fitName(role.Name), "a role's name is %q: it is 1 to %d bytes", role.Name, maxName)
		c.that(!seen[role.Name], "the role %q is there twice", role.Name)
		c.that(role.PerTeam >= 1, "the role %q has %d places in a team: it has at least 1", role.Name, role.PerTeam)
		seen[role.Name], sum = true, sum+role.PerTeam
	}
	c.that(len(r.Roles) == 0 || sum == r.TeamSize, "the roles have %d places and team_size is %d: they are the same", sum, r.TeamSize)
	c.that(len(r.Roles) <= maxRoles, "there are %d roles: at most %d", len(r.Roles), maxRoles)
	seen = map[string]bool{}
	for _, region := range r.Regions {
		c.that(fitName(region), "a region's name is %q: it is 1 to %d bytes", region, maxName)
		c.that(!seen[region], "the region %q is there twice", region)
		seen[region] = true
	}
	c.that(len(r.Regions) <= maxRegions, "there are %d regions: at most %d", len(r.Regions), maxRegions)
	for name, value := range r.Tags {
		_, _, ok := ParseTag(name + "=" + value)
		c.that(ok, "the tag %q is no %s", name+"="+value, WantTag)
	}
	c.that(len(r.Tags) <= maxTags, "there are %d tags: at most %d", len(r.Tags), maxTags)
	c.that(len(r.Latency) == 0 || len(r.Regions) > 0, "latency has %d steps and there are no regions", len(r.Latency))
}

func (r *Rules) checkSteps(c *checks) {
	c.steps("rating", r.Rating)
	c.steps("latency", r.Latency)
	for _, a := range r.Attributes {
		if a.Kind == Within {
			c.that(len(a.Within) > 0, "the attribute %q is of numbers that lie within a bound, and has no steps", a.Name)
			c.steps(fmt.Sprintf("the attribute %q", a.Name), a.Within)
		} else {
			c.that(len(a.Within) == 0, "the attribute %q has steps, which only numbers that lie within a bound have", a.Name)
		}
	}
}

// steps checks that bounds widen with the wait, and that the first holds from the beginning.
func (c *checks) steps(what string, steps []Step) {
	c.that(len(steps) <= maxSteps, "%s has %d steps: at most %d", what, len(steps), maxSteps)
	for i, s := range steps {
		c.that(s.Any || s.Within >= 0 && !math.IsInf(s.Within, 0), "%s: step %d is within %v: it is a number from 0 up", what, i+1, s.Within)
		if i == 0 {
			c.that(s.After == 0, "%s: the first step is after %v: it is after 0s", what, s.After)
			continue
		}
		before := steps[i-1]
		c.that(s.After > before.After, "%s: step %d is after %v and the one before it after %v: waits ascend", what, i+1, s.After, before.After)
		c.that(!before.Any, "%s: step %d follows one that allows any", what, i+1)
		c.that(s.Any || s.Within > before.Within, "%s: step %d is within %v and the one before it within %v: steps only widen",
			what, i+1, s.Within, before.Within)
	}
}

// checkOwn checks the queue's own attributes and conditions.
func (r *Rules) checkOwn(c *checks) {
	seen := map[string]bool{}
	for _, a := range r.Attributes {
		c.that(fitName(a.Name), "an attribute's name is %q: it is 1 to %d bytes", a.Name, maxName)
		c.that(!seen[a.Name], "the attribute %q is there twice", a.Name)
		c.that(a.Kind <= Within, "the attribute %q is of kind %d, which is none", a.Name, a.Kind)
		c.that(a.Until >= 0, "the attribute %q counts until %v: it is 0s or more", a.Name, a.Until)
		seen[a.Name] = true
	}
	seen = map[string]bool{}
	for _, k := range r.Conditions {
		c.that(fitName(k.Name), "a condition's name is %q: it is 1 to %d bytes", k.Name, maxName)
		c.that(!seen[k.Name], "the condition %q is there twice", k.Name)
		c.that(k.Until >= 0, "the condition %q counts until %v: it is 0s or more", k.Name, k.Until)
		c.that(k.Holds != nil, "the condition %q says nothing", k.Name)
		seen[k.Name] = true
	}
	c.that(len(r.Attributes) <= maxRules, "there are %d attributes: at most %d", len(r.Attributes), maxRules)
	c.that(len(r.Conditions) <= maxRules, "there are %d conditions: at most %d", len(r.Conditions), maxRules)
}
