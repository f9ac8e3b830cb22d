package queuefile

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"muster/lobby/queue"
)

// Bounds of what a queue may say.
const (
	maxTeams      = 16
	maxTeamSize   = 1000
	maxPlayers    = 1000 // of a match
	maxSteps      = 16
	maxRegions    = 32
	maxRoles      = 16
	maxTags       = 8
	maxAttributes = 16
	maxConditions = 16
	maxSpread     = 1e6  // of ratings, and of attributes
	maxLatency    = 5000 // milliseconds
	maxWait       = time.Hour
	leastWait     = 10 * time.Second
	maxConfirm    = time.Minute
	leastConfirm  = 3 * time.Second
)

// lines remembers where a queue said what is looked at together with other things.
type lines map[string]int

// file reads the root.
func (d *document) file(root *yaml.Node) {
	some := false
	d.fields(root, "", field{"queues", func(n *yaml.Node, at string) {
		some = true
		if n.Kind == yaml.MappingNode && (len(n.Content) == 0 || len(n.Content)/2 > MaxQueues) {
			d.add(n.Line, "%s has %d entries, want 1 to %d", at, len(n.Content)/2, MaxQueues)
			return
		}
		d.each(n, at, "a map of queues by their names", func(key, value *yaml.Node, at string) {
			if d.isName(key, "the name of a queue") {
				d.queue(key, value, at)
			}
		})
	}})
	if !some && len(d.mistakes) == 0 {
		d.add(root.Line, "it has no key queues")
	}
}

// queue reads one queue.
func (d *document) queue(key, n *yaml.Node, at string) {
	r, said, before := queue.Rules{Name: key.Value}, lines{}, len(d.mistakes)
	d.fields(n, at, d.queueFields(&r, said)...)
	if n.Kind != yaml.MappingNode {
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		said[n.Content[i].Value] = n.Content[i].Line
	}
	said[""] = key.Line
	if len(d.mistakes) > before {
		return // what was not understood cannot be held against the rest
	}
	d.together(&r, said, at)
	if len(d.mistakes) > before {
		return
	}
	valid, err := r.Validate()
	if err != nil { // what is said here in the core's words only
		d.add(key.Line, "%s: %s", at, strings.ReplaceAll(err.Error(), "\n", " "))
		return
	}
	d.queues = append(d.queues, valid)
}

// queueFields are the keys of a queue.
func (d *document) queueFields(r *queue.Rules, said lines) []field {
	return []field{
		{"game", d.game(r)},
		{"teams", d.whole(&r.Teams, maxTeams)},
		{"team_size", d.whole(&r.TeamSize, maxTeamSize)},
		{"start", func(n *yaml.Node, at string) {
			d.fields(n, at, field{"min", func(n *yaml.Node, at string) {
				said["start.min"] = n.Line
				d.whole(&r.Min, maxPlayers)(n, at)
			}}, field{"wait_for_more", func(n *yaml.Node, at string) {
				said["start.wait_for_more"] = n.Line
				d.duration(&r.Gather, 0, maxWait)(n, at)
			}})
		}},
		{"party", func(n *yaml.Node, at string) {
			d.fields(n, at, field{"min", d.whole(&r.PartyMin, maxTeamSize)}, field{"max", d.whole(&r.PartyMax, maxTeamSize)})
		}},
		{"rating", d.steps(&r.Rating, maxSpread, "")},
		{"regions", d.namesOf(&r.Regions, maxRegions)},
		{"tags", d.tags(r)},
		{"latency", d.steps(&r.Latency, maxLatency, " (milliseconds)")},
		{"roles", d.roles(r)},
		{"attributes", d.attributes(r)},
		{"rules", d.conditions(r)},
		{"avoid", func(n *yaml.Node, at string) {
			d.fields(n, at, field{"for", d.duration(&r.AvoidFor, time.Second, maxWait)})
		}},
		{"confirm", d.duration(&r.Confirm, leastConfirm, maxConfirm)},
		{"connect", d.duration(&r.Connect, leastConfirm, maxConfirm)},
		{"backfill", d.flag(&r.Backfill)},
		{"bots", func(n *yaml.Node, at string) {
			d.fields(n, at, field{"after", d.duration(&r.BotsAfter, time.Second, maxWait)})
		}},
		{"watch", d.watch(r)},
		{"expires", d.duration(&r.MaxWait, leastWait, maxWait)},
	}
}

// game reads the game, which the server must have.
func (d *document) game(r *queue.Rules) func(*yaml.Node, string) {
	return func(n *yaml.Node, at string) {
		if n.Kind != yaml.ScalarNode || n.Tag != "!!str" || n.Value == "" {
			d.wants(n, at, "the name of a game")
			return
		}
		if _, ok := d.opts.Seats[n.Value]; !ok && d.opts.Seats != nil {
			games := make([]string, 0, len(d.opts.Seats))
			for name := range d.opts.Seats {
				games = append(games, name)
			}
			slices.Sort(games)
			d.wants(n, at, "one of the server's games: "+strings.Join(games, ", "))
			return
		}
		r.Game = n.Value
	}
}

// watch reads who may watch the matches, in the words in which players say who may see them.
func (d *document) watch(r *queue.Rules) func(*yaml.Node, string) {
	return func(n *yaml.Node, at string) {
		if n.Kind != yaml.ScalarNode || n.Value != "everyone" && n.Value != "nobody" {
			d.wants(n, at, "everyone or nobody")
			return
		}
		r.Watch = n.Value == "everyone"
	}
}

// together holds what a queue says in one place against what it says in others.
func (d *document) together(r *queue.Rules, said lines, at string) {
	if r.Game == "" {
		d.add(said[""], "%s has no game", at)
	}
	if r.TeamSize == 0 {
		d.add(said[""], "%s has no team_size", at)
		return
	}
	most := max(r.Teams, 1) * r.TeamSize
	if most > maxPlayers {
		d.add(said["team_size"], "%s: a match has %d players, at most %d allowed", at, most, maxPlayers)
	}
	players := fmt.Sprintf("%d teams of %d", max(r.Teams, 1), r.TeamSize)
	if seats, ok := d.opts.Seats[r.Game]; ok && most > seats {
		d.add(said["team_size"], "%s: a match has %d players (%s), and a room of %s has %d seats", at, most, players, r.Game, seats)
	}
	if r.Watch && d.opts.Watched != nil && !d.opts.Watched[r.Game] {
		d.add(said["watch"], "%s.watch is everyone, and the rules of %s let nobody watch", at, r.Game)
	}
	_, waits := said["start.wait_for_more"]
	switch {
	case r.Min > most:
		d.add(said["start.min"], "%s.start.min is %d, and a match has %d players (%s)", at, r.Min, most, players)
	case r.Min > 0 && r.Min < most && !waits:
		d.add(said["start"], "%s.start says min and no wait_for_more: want for how long %d players wait for up to %d, 0s for not at all", at, r.Min, most)
	case waits && (r.Min == 0 || r.Min == most):
		d.add(said["start.wait_for_more"], "%s.start.wait_for_more without a min below %d: a match that starts full waits for nobody", at, most)
	}
	if wait := said["expires"]; r.MaxWait > 0 && r.Gather >= r.MaxWait {
		d.add(wait, "%s.expires is %s, which is no more than start.wait_for_more (%s)", at, brief(r.MaxWait), brief(r.Gather))
	}
	if r.MaxWait > 0 && r.BotsAfter >= r.MaxWait {
		d.add(said["bots"], "%s.bots.after is %s, and tickets expire after %s", at, brief(r.BotsAfter), brief(r.MaxWait))
	}
	if r.BotsAfter > 0 && r.BotsAfter < r.Gather {
		d.add(said["bots"], "%s.bots.after is %s, which is before start.wait_for_more ends (%s)", at, brief(r.BotsAfter), brief(r.Gather))
	}
	if r.PartyMax > r.TeamSize {
		d.add(said["party"], "%s.party.max is %d, and a team has %d: a party is never split", at, r.PartyMax, r.TeamSize)
	}
	if r.PartyMax > 0 && r.PartyMin > r.PartyMax || r.PartyMin > r.TeamSize {
		d.add(said["party"], "%s.party.min is %d, above its max", at, r.PartyMin)
	}
	if len(r.Latency) > 0 && len(r.Regions) == 0 {
		d.add(said["latency"], "%s has latency and no regions: say which regions matches may be in", at)
	}
	if len(r.Roles) > 0 {
		sum := 0
		for _, role := range r.Roles {
			sum += role.PerTeam
		}
		if sum != r.TeamSize {
			d.add(said["roles"], "%s.roles are of %d players, and a team has %d", at, sum, r.TeamSize)
		}
	}
}
