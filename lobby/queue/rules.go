package queue

import (
	"regexp"
	"time"
)

// Rules say how a queue makes matches. Validate fills in defaults. They are read only once a Pool has them.
//
// What is said in steps widens with waiting: a match is held to the steps by the wait of its oldest ticket, and never
// goes past what one of its players allows himself.
type Rules struct {
	// Name is the queue's name, which clients ask for.
	Name string
	// Game is the game that its matches play.
	Game string

	// Teams is how many teams a match has, 1 to 16. One team is everybody together, or everybody alone. Default 1.
	Teams int
	// TeamSize is how many players a team holds at most, at least 1.
	TeamSize int
	// Min is how many players start a match, bots not counted. Default Max(), so that a match starts full.
	Min int
	// Gather is how long the oldest ticket waits for more players than Min. 0 starts at Min at once. It means nothing
	// where Min is Max().
	Gather time.Duration

	// PartyMin and PartyMax bound how many players one ticket has. Defaults 1 and TeamSize: a party is never split.
	PartyMin, PartyMax int

	// Rating is how far the tickets' ratings in a match may lie apart. None is any distance.
	Rating []Step
	// Regions are where matches are played. A match has one, and it is good for all its players. None is no rule.
	Regions []string
	// Tags are what the server of a match must have, all of them, by their names. The pool does not look at them.
	Tags map[string]string
	// Latency is how many milliseconds a player may measure to the match's region.
	Latency []Step
	// Roles are what a team needs. A player comes for one or more of them; none named means any.
	Roles []Role
	// Attributes are what tickets say of themselves and must agree on.
	Attributes []Attribute
	// Conditions are the queue's own rules.
	Conditions []Condition
	// AvoidFor is for how long of the oldest ticket's wait players whom somebody avoids are kept out of his match.
	// 0 is for ever.
	AvoidFor time.Duration

	// Confirm is how long players have to confirm a match that was found; 0 asks nobody.
	Confirm time.Duration
	// Connect is how long players have to open their match's socket. Default 15 s, at most a minute. Who does not come
	// is out, and the others go back to the queue, with their age, where Min is not reached without him.
	Connect time.Duration
	// Backfill puts players into matches that run and have free seats, before new ones are made.
	Backfill bool
	// BotsAfter is the wait of the oldest ticket from which a match starts with fewer than Min players, and bots in the
	// other seats up to Min; 0 is never.
	BotsAfter time.Duration

	// Watch lets anybody watch its matches, as far as the game's rules do and as much later as these say.
	Watch bool

	// Beta is the standard deviation of one player's performance about his rating, for predictions alone. Default 500/3,
	// which is the rating model's where ratings are in its points (package rating).
	Beta float64

	// MaxWait is how long a ticket may wait before it expires. Default 5 min.
	MaxWait time.Duration
}

// Step is a bound from a wait on.
type Step struct {
	After time.Duration // of the oldest ticket's waiting
	// Within is the bound, in the rule's unit. Any, if set, says that there is none any more.
	Within float64
	Any    bool
}

// Role is a place in a team.
type Role struct {
	Name    string
	PerTeam int // at least and at most: the sum over all roles is TeamSize
}

// AttributeKind is how an attribute is compared.
type AttributeKind uint8

// Kinds of attributes.
const (
	Equal  AttributeKind = iota // one text or number, the same for all
	AnyOf                       // a list of texts: at least one of them is in all tickets' lists, and the match has it
	Within                      // numbers that lie at most so far apart
)

// Attribute is what tickets must agree on.
type Attribute struct {
	Name string
	Kind AttributeKind
	// Within are the bounds of kind Within.
	Within []Step
	// Until is the oldest ticket's wait from which the rule counts no more; 0 is for ever.
	Until time.Duration
	// Required refuses tickets without it; otherwise a ticket that says nothing agrees with all.
	Required bool
}

// Condition is a rule of the queue's own: it must hold for each two tickets of a match, in either order.
type Condition struct {
	Name string
	// Until is the oldest ticket's wait from which the rule counts no more; 0 is for ever.
	Until time.Duration
	// Holds must be pure and quick. waited is the oldest ticket's wait. What cannot be worked out does not hold.
	Holds func(a, b *Ticket, waited time.Duration) bool
	// Timeless says that Holds does not look at waited: what it refused needs not be tried again.
	Timeless bool
}

// Max is how many players a match holds.
func (r *Rules) Max() int { return r.Teams * r.TeamSize }

var names = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,30}$`)
