package queue

import "time"

// Assignment is a set of tickets that play together.
type Assignment struct {
	Room    string // a running match; "" for a new one
	Version uint64 // of the running match's request
	Region  string // "" where the queue has no regions
	// Teams are the tickets of each team.
	Teams [][]string
	// Roles is the role of each player, where the queue has roles.
	Roles map[string]string
	// Bots is how many bots the match starts with.
	Bots int
	// Attributes are what the tickets agreed on: of a list what all have, of numbers nothing.
	Attributes map[string]any
	// Spread is the distance of the highest and the lowest ticket's rating; Win the first team's predicted chance against
	// all others, 0.5 where there are not two teams.
	Spread, Win float64
	// Waited is the oldest ticket's wait.
	Waited time.Duration
}

// Outcome is what a cycle worked out.
type Outcome struct {
	Assignments []Assignment
	// Next is when something changes by time alone; zero when nothing does.
	Next time.Time
}

// Explanation says why a ticket waits.
type Explanation struct {
	// Text is the explanation in words, of a few sentences.
	Text string `json:"text"`
	// Waiting is how many other players wait in the queue, Fitting how many of them could play with this ticket now.
	Waiting int `json:"waiting"`
	Fitting int `json:"fitting"`
	// Needed is how many players start a match.
	Needed int `json:"needed"`
	// Rules are those that keep others away, the one that removes most first.
	Rules []RuleEffect `json:"rules"`
}

// RuleEffect is what one rule does to a ticket's candidates.
type RuleEffect struct {
	Rule string `json:"rule"` // rating, region, latency, roles, party, avoid, attribute:NAME, condition:NAME, …
	Text string `json:"text"`
	// Removes is how many players the rule keeps away by itself; Alone how many of these no other rule keeps away.
	Removes int `json:"removes"`
	Alone   int `json:"alone"`
	// Widens is when the rule's bound moves next; nil where it does not.
	Widens *time.Time `json:"widens_at,omitempty"`
}
