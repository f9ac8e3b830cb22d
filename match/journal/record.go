package journal

import "muster/netcode"

// Player is a player who has a seat.
type Player struct {
	Seat netcode.Seat
	ID   string // the player token's subject
	Name string
	Team uint16 // counted from 1; 0 = none. In a record: the one that he came with
}

// Record is everything that happened to a room before and at one tick, in the order in which it is applied: seat
// changes, results of work done outside, orders, inputs.
type Record struct {
	Tick    uint32
	Seats   []SeatChange
	Results []WorkResult
	Inputs  []InputRecord // by seat, then sequence
	Orders  []Order       // by those who do not play
	// Started says that the match starts with this tick, once its seat changes are applied: all who were promised have come,
	// or enough of them, or somebody has where nobody was promised.
	Started bool
	// Skipped says that the rules failed at this tick with its inputs, so that it was run without any. Inputs says which
	// they were, without their bodies.
	Skipped bool
	// Hash is the state's hash after the tick, Sums one short sum for each column, which let a search name the field
	// that differs. 0 and empty where they were not recorded.
	Hash uint64
	Sums []uint16
}

// SeatChangeKind says what happened to a seat.
type SeatChangeKind uint8

// What can happen to a seat.
const (
	SeatJoined SeatChangeKind = iota + 1
	SeatDropped
	SeatResumed
	SeatLeft
)

// SeatChange is one change of a seat. Its hook runs when it is applied.
type SeatChange struct {
	Kind   SeatChangeKind
	Player Player
}

// InputRecord is one input that a tick uses.
type InputRecord struct {
	Seat uint16
	Seq  uint32
	View uint32 // the tick that its player looked at, already clamped,
	Frac uint8  // and the fraction towards the next, in 1/256
	Body []byte // as it came, checked against the schema
}

// WorkResult is what came of work that a room had done outside of its ticks. It is recorded because a replay cannot do
// the work again.
type WorkResult struct {
	ID   uint32       // which piece of work, as the room numbered it
	Seat netcode.Seat // on whose behalf; 0 = nobody's
	Err  string       // why it failed; empty = it did not
	Body []byte       // what it gave
}

// Reset empties the record for the next tick and keeps its memory.
func (r *Record) Reset() {
	*r = Record{Seats: r.Seats[:0], Results: r.Results[:0], Inputs: r.Inputs[:0], Orders: r.Orders[:0], Sums: r.Sums[:0]}
}

// Header says of which room a journal is, and with what the room was made.
type Header struct {
	Room     string
	Game     string
	Rules    string // the version of the game's rules
	Seed     uint64 // of the room's random sources
	Epoch    uint64 // of the room's owner when this was written
	TickRate uint16 // ticks per second
	Seats    uint16 // how many players the room holds
	Class    string // the room's class; may be empty; ClassPersistent is kept for ever
	Config   []byte // the room's settings, opaque
	Layout   []byte // the layout of the game's schema, opaque
	Server   string // the version of the server
	Created  int64  // Unix time in milliseconds
	Reason   string // why it was written, such as "journal" or "panic"
}

// ClassPersistent is the class of a room that a store keeps until its rules end it, however long nobody opens it.
const ClassPersistent = "persistent"

// Checkpoint is a room's whole state after a tick. Tick 0 is the state before the first tick.
type Checkpoint struct {
	Tick uint32
	Data []byte // opaque
}
