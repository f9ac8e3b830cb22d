package queue

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
)

// Bounds of what a ticket may say.
const (
	maxAttributes = 16
	maxName       = 32 // bytes
	maxText       = 64
	maxTexts      = 32  // in a list
	maxAvoid      = 500 // as many as a player may block
	maxMillis     = 10_000
)

// FieldError says what is wrong with a field of a ticket.
type FieldError struct {
	// Field is the field's path as a client writes it, as "attributes.mode" or "players[1].latency.eu".
	Field  string
	Reason string
}

func (e *FieldError) Error() string { return e.Field + ": " + e.Reason }

// FieldErrors are those of an error that Check returned.
func FieldErrors(err error) []*FieldError {
	var many interface{ Unwrap() []error }
	var list []*FieldError
	if errors.As(err, &many) {
		for _, err := range many.Unwrap() {
			list = append(list, FieldErrors(err)...)
		}
		return list
	}
	var one *FieldError
	if errors.As(err, &one) {
		list = append(list, one)
	}
	return list
}

// Check refuses a ticket which can never be matched by the rules, or is larger than a ticket may be. Its error joins a
// FieldError for each field that is at fault.
func (r *Rules) Check(t *Ticket) error {
	p := newChecker(r)
	p.party(t)
	p.attributes(t.Attributes)
	for i := range t.Players {
		p.player(fmt.Sprintf("players[%d].", i), &t.Players[i])
	}
	p.region(t)
	p.number("max_spread", t.MaxSpread, 0, math.MaxFloat64)
	p.number("max_latency", t.MaxLatency, 0, maxMillis)
	return errors.Join(p.errs...)
}

type checker struct {
	*Rules
	errs []error
}

func newChecker(r *Rules) *checker {
	rules := *r
	rules.fill()
	return &checker{Rules: &rules}
}

func (c *checker) that(ok bool, field, format string, args ...any) {
	if !ok {
		c.errs = append(c.errs, &FieldError{Field: field, Reason: fmt.Sprintf(format, args...)})
	}
}

func (c *checker) number(field string, v, low, high float64) {
	c.that(v >= low && v <= high, field, "is %v: it is %v to %v", v, low, high)
}

func (c *checker) party(t *Ticket) {
	n := len(t.Players)
	c.that(n >= c.PartyMin && n <= c.PartyMax, "players", "are %d: this queue takes parties of %d to %d", n, c.PartyMin, c.PartyMax)
	seen := map[string]bool{}
	for i := range t.Players {
		id := t.Players[i].ID
		c.that(id != "" && !seen[id], fmt.Sprintf("players[%d].id", i), "is empty, or there twice")
		seen[id] = true
	}
	if len(c.Roles) == 0 || n > c.TeamSize {
		return
	}
	p := newPlan(*c.Rules)
	masks := make([]uint64, 0, n)
	for i := range t.Players {
		masks = append(masks, p.roleMask(t.Players[i].Roles))
	}
	c.that(fill(masks, p.perTeam(), nil) != nil, "players", "come for roles of which a team does not have so many")
}

func (c *checker) attributes(said map[string]any) {
	c.that(len(said) <= maxAttributes, "attributes", "are %d: at most %d", len(said), maxAttributes)
	for _, name := range sortedNames(said) {
		field := "attributes." + name
		if !fitName(name) {
			c.that(false, "attributes", "have a name of %d bytes: it is 1 to %d", len(name), maxName)
			continue
		}
		c.value(field, said[name])
	}
	for _, a := range c.Attributes {
		v, ok := said[a.Name]
		field := "attributes." + a.Name
		if !ok || v == nil {
			c.that(!a.Required, field, "is missing: this queue needs it")
			continue
		}
		switch a.Kind {
		case Equal:
			_, text := v.(string)
			_, number := v.(float64)
			c.that(text || number, field, "is no text and no number")
		case AnyOf:
			list, ok := textsOf(v)
			c.that(ok && len(list) > 0, field, "is no list of texts with at least one")
		case Within:
			_, number := v.(float64)
			c.that(number, field, "is no number")
		}
	}
}

// value holds what stands in an attribute to its bounds, whether a rule looks at it or not.
func (c *checker) value(field string, v any) {
	switch v := v.(type) {
	case nil:
	case string:
		c.that(len(v) <= maxText, field, "has %d bytes: at most %d", len(v), maxText)
	case float64:
		c.that(!math.IsNaN(v) && !math.IsInf(v, 0), field, "is not finite")
	case []string, []any:
		list, ok := textsOf(v)
		c.that(ok, field, "is a list with something else than texts")
		c.that(len(list) <= maxTexts, field, "has %d texts: at most %d", len(list), maxTexts)
		for _, s := range list {
			c.that(len(s) <= maxText, field, "has a text of %d bytes: at most %d", len(s), maxText)
		}
	default:
		c.that(false, field, "is no text, no number and no list of texts")
	}
}

func (c *checker) player(at string, p *Player) {
	c.that(!math.IsNaN(p.Rating) && !math.IsInf(p.Rating, 0), at+"rating", "is not finite")
	c.that(p.Deviation >= 0 && !math.IsInf(p.Deviation, 0), at+"deviation", "is %v: it is a number from 0 up", p.Deviation)
	for _, name := range p.Roles {
		known := slices.ContainsFunc(c.Roles, func(r Role) bool { return r.Name == name })
		c.that(known || len(name) > maxName, at+"roles", "name %q: this queue has no such role", name)
		c.that(len(name) <= maxName, at+"roles", "have a name of %d bytes: at most %d", len(name), maxName)
	}
	c.that(len(p.Roles) <= maxRoles, at+"roles", "are %d: at most %d", len(p.Roles), maxRoles)
	c.that(len(p.Latency) <= maxRegions, at+"latency", "names %d regions: at most %d", len(p.Latency), maxRegions)
	for _, region := range sortedNames(p.Latency) {
		if !fitName(region) {
			c.that(false, at+"latency", "has a name of %d bytes: it is 1 to %d", len(region), maxName)
			continue
		}
		c.that(slices.Contains(c.Regions, region), at+"latency."+region, "is of no region of this queue")
		c.number(at+"latency."+region, p.Latency[region], 0, maxMillis)
	}
	c.that(len(p.Avoid) <= maxAvoid, at+"avoid", "names %d players: at most %d", len(p.Avoid), maxAvoid)
}

// region looks for one region that is good for the whole party, as wide as the rules ever get.
func (c *checker) region(t *Ticket) {
	if len(c.Regions) == 0 || len(t.Players) == 0 {
		return
	}
	widest := math.Inf(1)
	if n := len(c.Latency); n > 0 && !c.Latency[n-1].Any {
		widest = c.Latency[n-1].Within
	}
	ok := slices.ContainsFunc(c.Regions, func(r string) bool {
		ms := latencyTo(r, t)
		return ms <= widest && !math.IsInf(ms, 1)
	})
	c.that(ok, "players", "have no region that is near enough for all of them")
}

func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func fitName(s string) bool { return s != "" && len(s) <= maxName }
