package queuefile

import (
	"fmt"
	"slices"
	"time"

	"gopkg.in/yaml.v3"

	"muster/lobby/queue"
)

// steps reads a bound that widens: a list of {after, within} or {after, any}.
func (d *document) steps(to *[]queue.Step, high float64, unit string) func(*yaml.Node, string) {
	return func(n *yaml.Node, at string) {
		d.list(n, at, maxSteps, "a list of steps, as [{within: 100}, {after: 10s, within: 200}, {after: 60s, any: true}]", func(n *yaml.Node, at string) {
			before := len(d.mistakes)
			var s queue.Step
			within := false
			d.fields(n, at,
				field{"after", d.duration(&s.After, time.Second, maxWait)},
				field{"within", func(n *yaml.Node, at string) { within = true; d.number(&s.Within, high, unit)(n, at) }},
				field{"any", d.flag(&s.Any)},
			)
			if len(d.mistakes) > before {
				return
			}
			first := len(*to) == 0
			switch {
			case within == s.Any:
				d.add(n.Line, "%s wants either within or any: true", at)
			case first && s.After > 0:
				d.add(n.Line, "%s.after is %s: the first step counts from the beginning, so it has no after", at, brief(s.After))
			case !first && s.After <= (*to)[len(*to)-1].After:
				d.add(n.Line, "%s.after is %s, want more than the step before (%s)", at, brief(s.After), brief((*to)[len(*to)-1].After))
			case !first && (*to)[len(*to)-1].Any:
				d.add(n.Line, "%s comes after a step with any: nothing is wider", at)
			case !first && !s.Any && s.Within <= (*to)[len(*to)-1].Within:
				d.add(n.Line, "%s.within is %g, and the step before has %g: a bound widens with waiting", at, s.Within, (*to)[len(*to)-1].Within)
			default:
				*to = append(*to, s)
			}
		})
	}
}

// namesOf reads a list of names, all different.
func (d *document) namesOf(to *[]string, most int) func(*yaml.Node, string) {
	return func(n *yaml.Node, at string) {
		d.list(n, at, most, "a list of names, as [eu, us]", func(n *yaml.Node, at string) {
			switch {
			case !d.isName(n, at):
			case slices.Contains(*to, n.Value):
				d.add(n.Line, "%s: %s is here twice", at, n.Value)
			default:
				*to = append(*to, n.Value)
			}
		})
	}
}

// tags reads which tags the server of a match must have.
func (d *document) tags(r *queue.Rules) func(*yaml.Node, string) {
	return func(n *yaml.Node, at string) {
		d.list(n, at, maxTags, "a list of tags of servers, as [disk=fast]", func(n *yaml.Node, at string) {
			name, value, ok := queue.ParseTag(n.Value)
			if n.Kind != yaml.ScalarNode || !ok {
				d.wants(n, at, queue.WantTag)
				return
			}
			if _, twice := r.Tags[name]; twice {
				d.add(n.Line, "%s: %s is here twice, and a server has one value of it", at, name)
				return
			}
			if r.Tags == nil {
				r.Tags = map[string]string{}
			}
			r.Tags[name] = value
		})
	}
}

// roles reads how many players of a team have each role.
func (d *document) roles(r *queue.Rules) func(*yaml.Node, string) {
	return func(n *yaml.Node, at string) {
		d.named(n, at, maxRoles, "a map of roles and how many of a team have them, as {tank: 1, damage: 2}", func(key, n *yaml.Node, at string) {
			role := queue.Role{Name: key.Value}
			d.whole(&role.PerTeam, maxTeamSize)(n, at)
			r.Roles = append(r.Roles, role)
		})
	}
}

// kinds are the words of kinds of attributes.
var kinds = []struct {
	word string
	kind queue.AttributeKind
}{{"equal", queue.Equal}, {"any", queue.AnyOf}, {"within", queue.Within}}

// attributes reads what tickets say of themselves and must agree on.
func (d *document) attributes(r *queue.Rules) func(*yaml.Node, string) {
	return func(n *yaml.Node, at string) {
		d.named(n, at, maxAttributes, "a map of attributes, as {mode: {rule: equal}}", func(key, n *yaml.Node, at string) {
			a, before, ruled := queue.Attribute{Name: key.Value}, len(d.mistakes), false
			d.fields(n, at,
				field{"rule", func(n *yaml.Node, at string) {
					ruled = true
					for _, k := range kinds {
						if n.Kind == yaml.ScalarNode && n.Value == k.word {
							a.Kind = k.kind
							return
						}
					}
					d.wants(n, at, "equal, any or within")
				}},
				field{"required", d.flag(&a.Required)},
				field{"steps", d.steps(&a.Within, maxSpread, "")},
				field{"until", d.duration(&a.Until, time.Second, maxWait)},
			)
			switch {
			case len(d.mistakes) > before:
			case !ruled:
				d.add(key.Line, "%s has no rule: want equal, any or within", at)
			case a.Kind == queue.Within && len(a.Within) == 0:
				d.add(key.Line, "%s is of rule within and has no steps", at)
			case a.Kind != queue.Within && len(a.Within) > 0:
				d.add(key.Line, "%s has steps, which are for rule within alone", at)
			default:
				r.Attributes = append(r.Attributes, a)
			}
		})
	}
}

// conditions reads the queue's own rules.
func (d *document) conditions(r *queue.Rules) func(*yaml.Node, string) {
	return func(n *yaml.Node, at string) {
		d.list(n, at, maxConditions, "a list of rules, as [{name: same-clan, holds: 'a.attributes.clan == b.attributes.clan'}]", func(n *yaml.Node, at string) {
			var c queue.Condition
			before, line, text := len(d.mistakes), 0, ""
			d.fields(n, at,
				field{"name", d.name(&c.Name)},
				field{"holds", func(n *yaml.Node, at string) {
					line, text = n.Line, n.Value
					if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
						d.wants(n, at, "an expression, as 'a.attributes.clan != b.attributes.clan'")
					}
				}},
				field{"until", d.duration(&c.Until, time.Second, maxWait)},
			)
			switch {
			case len(d.mistakes) > before:
				return
			case c.Name == "":
				d.add(n.Line, "%s has no name", at)
				return
			case line == 0:
				d.add(n.Line, "%s has no holds", at)
				return
			case slices.ContainsFunc(r.Conditions, func(o queue.Condition) bool { return o.Name == c.Name }):
				d.add(n.Line, "%s: there are two rules %s", at, c.Name)
				return
			}
			holds, err := compile(text)
			if err != nil {
				d.add(line, "%s.holds: %v", at, err)
				return
			}
			c.Timeless = !holds.waited
			queueName, ruleName, failed := r.Name, c.Name, d.opts.Failed
			c.Holds = func(a, b *queue.Ticket, waited time.Duration) bool {
				ok, err := holds.run(a, b, waited)
				if err != nil && failed != nil {
					failed(queueName, ruleName, err)
				}
				return ok && err == nil
			}
			r.Conditions = append(r.Conditions, c)
		})
	}
}

// named reads a map from names, of at least one and at most most entries.
func (d *document) named(n *yaml.Node, at string, most int, want string, read func(key, value *yaml.Node, at string)) {
	if n.Kind == yaml.MappingNode && (len(n.Content) == 0 || len(n.Content)/2 > most) {
		d.add(n.Line, "%s has %d entries, want 1 to %d", at, len(n.Content)/2, most)
		return
	}
	d.each(n, at, want, func(key, value *yaml.Node, at string) {
		if d.isName(key, fmt.Sprintf("the name of %s", at)) {
			read(key, value, at)
		}
	})
}
