package ticket

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"muster/lobby/keyspace"
	"muster/lobby/queue"
	"muster/match/cluster"
)

// State is a ticket's.
type State string

// States of a ticket.
const (
	// Waiting means that it is in the queue, or comes back to it.
	Waiting State = "waiting"
	// Confirming means that a match was found and its players are asked whether they are ready.
	Confirming State = "confirming"
	// Matched means that its players have seats. Once their match has started that is final.
	Matched State = "matched"
	// Cancelled means that a player gave it up, or did not come, or found a match elsewhere.
	Cancelled State = "cancelled"
	// Expired means that it waited for too long, or that nobody asked for it.
	Expired State = "expired"

	// reserving is a ticket for which seats are being reserved: others see it waiting.
	reserving State = "reserving"
)

// Reasons of tickets that have ended, and of one that waits for its seats.
const (
	reasonFound     = "a match was found, and its seats are being reserved"
	reasonCancelled = "it was cancelled"
	reasonDeclined  = "the match was declined"
	reasonUnsure    = "the match was not confirmed in time"
	reasonNoShow    = "the match was not joined in time"
	reasonElsewhere = "a match was found with another ticket"
	reasonTwo       = "its player waits with another ticket"
	reasonLong      = "no match was found within the queue's longest wait"
	reasonUnseen    = "nobody asked for it for 30 seconds"
	reasonMember    = "a member of the party has not been heard of for 30 seconds"
	reasonParty     = "the party has other members now"
	reasonRetired   = "the queue exists no longer"
	reasonSide      = "another player of the match did not confirm it"
	reasonOff       = "another player of the match did not come"
	reasonOver      = "the match was over before it could be joined"
	reasonAway      = "the match could not be joined while the lobby was away"
	reasonLost      = "the match's server was lost"
	reasonSeats     = "the match could not be made; it is tried again"
)

const (
	// endedTTL is how long a ticket that has ended can still be read.
	endedTTL = 5 * time.Minute
	// seenTTL is how long a ticket waits without its players asking for it: who has gone away must not start a match.
	seenTTL = 30 * time.Second
	// graceTTL is how long a ticket's keys outlive its longest wait.
	graceTTL = 15 * time.Minute
	// queuedGrace is how long after a queue's longest wait a player counts as waiting of whom nothing more is heard.
	queuedGrace = time.Minute
	// backTTL is how long a ticket that came back to the queue may wait at least.
	backTTL = 30 * time.Second
	// maxWaiting bounds a queue; more tickets are refused until it is shorter.
	maxWaiting = 100_000
	// late is how long after its end a seat token is still accepted, with what the clocks differ.
	late = 6 * time.Second
)

// Errors that callers decide on.
var (
	// ErrNoTicket means that there is no such ticket, or that it is another's.
	ErrNoTicket = errors.New("no such ticket")
	// ErrNoQueue means that there is no such queue.
	ErrNoQueue = errors.New("no such queue")
	// ErrFull means that too many tickets wait.
	ErrFull = errors.New("too many players are waiting in this queue")
	// ErrReused means that an Idempotency-Key came with another request.
	ErrReused = errors.New("the key was used for another request")
	// ErrMany means that a player has too many tickets.
	ErrMany = errors.New("you wait in too many queues")
	// ErrNotAsked means that a ticket's players are not asked to confirm a match now.
	ErrNotAsked = errors.New("the ticket has no match to confirm now")
)

// HaveError says that one of a new ticket's players waits in the queue already.
type HaveError struct{ ID, Player string }

// Error implements error.
func (e *HaveError) Error() string { return "the player has ticket " + e.ID }

// PenaltyError says that a player must wait before he may queue again, and why.
type PenaltyError struct {
	Player string
	Why    string
	For    time.Duration
}

// Error implements error.
func (e *PenaltyError) Error() string { return "the player must wait, since " + e.Why }

// Ticket is a ticket as it was read.
type Ticket struct {
	queue.Ticket

	Queue  string
	State  State
	Reason string // why it ended, or waits again
	Match  *Match // of a matched one
	// Confirm is how far the players' word is, of a confirming one.
	Confirm *Confirm
	// Now is when it was read.
	Now time.Time

	attempt string
	by      string // the digest of the player who cancelled it
}

// Confirm is how far the players' word is.
type Confirm struct {
	Players, Accepted int // of the whole match
	Mine              bool
	Until             time.Time
}

// Match is where the players of a ticket have seats.
type Match struct {
	Room   string          `json:"room"`
	Region string          `json:"region,omitempty"`
	Node   string          `json:"node"`
	URL    string          `json:"url"`
	Asked  bool            `json:"asked,omitempty"`
	Seats  map[string]Seat `json:"seats"` // by the digest of the player's id
	Till   time.Time       `json:"-"`     // when the seat tokens end
}

// Seat is a player's seat, and the id of the token that claims it.
type Seat struct {
	Seat  uint16 `json:"seat"`
	Team  uint16 `json:"team,omitempty"`
	Token string `json:"token"`
}

// On returns the node that has the room.
func (m *Match) On() cluster.Node { return cluster.Node{ID: m.Node, URL: m.URL, Asked: m.Asked} }

// SeatOf returns a player's seat.
func (m *Match) SeatOf(player string) Seat { return m.Seats[keyspace.Digest(player)] }

// ended says whether nothing changes any more, as far as the ticket itself says.
func (s State) ended() bool { return s == Cancelled || s == Expired }

// parse makes a ticket of its fields in Redis.
func parse(id string, f map[string]string) (*Ticket, error) {
	if len(f) == 0 {
		return nil, ErrNoTicket
	}
	t := &Ticket{State: State(f["state"]), Reason: f["reason"], attempt: f["attempt"], by: f["by"]}
	t.Queue, _ = QueueOf(id)
	body, err := parseBody(id, f["body"], f["created"], f["head"])
	if err != nil {
		return nil, err
	}
	t.Ticket = *body
	if t.State != Matched {
		return t, nil
	}
	t.Match = &Match{}
	till, err := strconv.ParseInt(f["till"], 10, 64)
	if err := errors.Join(err, json.Unmarshal([]byte(f["match"]), t.Match)); err != nil {
		return nil, fmt.Errorf("its match: %w", err)
	}
	t.Match.Till = time.UnixMilli(till).UTC()
	return t, nil
}

// parseBody makes the part of a ticket that the pool has.
func parseBody(id, body, created, head string) (*queue.Ticket, error) {
	t := &queue.Ticket{}
	ms, err := strconv.ParseInt(created, 10, 64)
	if err := errors.Join(err, json.Unmarshal([]byte(body), t)); err != nil {
		return nil, fmt.Errorf("ticket %s: %w", id, err)
	}
	if len(t.Players) == 0 {
		return nil, fmt.Errorf("ticket %s: it has no players", id)
	}
	t.ID, t.Created, t.Head = id, time.UnixMilli(ms).UTC(), head == "1"
	return t, nil
}

// fieldsOf makes a map of what HGETALL answers.
func fieldsOf(list []string) map[string]string {
	f := make(map[string]string, len(list)/2)
	for i := 0; i+1 < len(list); i += 2 {
		f[list[i]] = list[i+1]
	}
	return f
}

// playersOf returns the ids of a ticket's players.
func playersOf(t *queue.Ticket) []string {
	ids := make([]string, len(t.Players))
	for i := range t.Players {
		ids[i] = t.Players[i].ID
	}
	return ids
}

// meanRating is the mean of the players' ratings, for statistics.
func meanRating(t *queue.Ticket) float64 {
	sum := 0.0
	for i := range t.Players {
		sum += t.Players[i].Rating
	}
	return sum / float64(len(t.Players))
}
