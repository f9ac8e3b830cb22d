package match

// A room is a deterministic function of its Spec and of its TickRecords. Everything that makes one run differ from
// another is in one of the two: nothing else may reach a simulation.

// Spec is what a room is opened with.
type Spec struct {
	ID    string // the room's id, which is the match's
	Game  string
	Seed  uint64 // of the room's random sources
	Epoch uint64 // of its owner; not part of what the rules see
}

// TickRecord is everything that happened to a room before and at one tick, in the order in which it is applied: seat
// changes, then inputs.
type TickRecord struct {
	Tick   uint32
	Seats  []SeatChange
	Inputs []InputRecord // by seat, then sequence
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

// reset empties the record for the next tick and keeps its memory.
func (r *TickRecord) reset() {
	r.Seats = r.Seats[:0]
	r.Inputs = r.Inputs[:0]
}
