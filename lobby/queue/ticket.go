package queue

import (
	"math"
	"time"
)

// Ticket is a party, or one player, who waits. It is read only once a Pool has it.
type Ticket struct {
	ID      string    `json:"id"`
	Created time.Time `json:"created"` // by Redis's clock; kept when the ticket comes back to the queue
	// Head says that it came back without being at fault: it stands before all that were not.
	Head    bool     `json:"head,omitempty"`
	Players []Player `json:"players"` // at least one
	// Party is the party that waits with it, if one does. The core does not look at it.
	Party string `json:"party,omitempty"`
	// Attributes are texts, float64s or lists of texts.
	Attributes map[string]any `json:"attributes,omitempty"`
	// MaxSpread is the widest distance of ratings that its players want, however long they wait; 0 is the queue's own.
	MaxSpread float64 `json:"max_spread,omitempty"`
	// MaxLatency is the highest latency that its players want, in milliseconds, however long they wait; 0 is the queue's own.
	MaxLatency float64 `json:"max_latency,omitempty"`
	// NewOnly refuses matches that run already.
	NewOnly bool `json:"new_only,omitempty"`
}

// Rating is the rating by which a party is matched: halfway from its players' mean to the best of them, because one
// strong player tells more of a party than its average.
func (t *Ticket) Rating() float64 {
	sum, best := 0.0, math.Inf(-1)
	for i := range t.Players {
		sum += t.Players[i].Rating
		best = max(best, t.Players[i].Rating)
	}
	return (sum/float64(len(t.Players)) + best) / 2
}

// Player is one of a ticket's players.
type Player struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
	// Rating and Deviation are the mean and the standard deviation of what is known of the player's skill.
	Rating    float64  `json:"rating"`
	Deviation float64  `json:"deviation,omitempty"`
	Roles     []string `json:"roles,omitempty"` // that the player comes for; none is any
	// Latency is what the player measured to regions, in milliseconds. A region that is not named is not good for the
	// player, unless none is.
	Latency map[string]float64 `json:"latency,omitempty"`
	Avoid   []string           `json:"avoid,omitempty"` // ids of players
}

// Room is a match that runs and asks for players.
type Room struct {
	ID string
	// Version is the request's: it moves with every change of what the room asks for, and an assignment to an older one
	// is refused.
	Version uint64
	Region  string // "" is none
	// Free is how many seats are free in each team; one entry where there are no teams.
	Free []int
	// Low and High are the lowest and highest ratings of the tickets that are in it; both 0 says nothing, where there are no
	// Tickets.
	Low, High  float64
	Attributes map[string]any // those that it was made with
	Players    []Player       // who is in it, as far as is known
	// Tickets are those with which they came, each with those of its players who are still there, as far as is known. Who
	// joins must agree with what each of them says, and no rating may be further from another than each of them wants.
	Tickets []Ticket
	// Roles is how many places of each role are free in each team. Nil says nothing: then those who come need not share
	// their roles with those who are there.
	Roles []map[string]int
}
