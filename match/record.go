package match

import "muster/match/journal"

// A room is a deterministic function of its Spec and of its TickRecords. Everything that makes one run differ from
// another is in one of the two: nothing else may reach a simulation.

// Spec is what a room is opened with.
type Spec struct {
	ID    string // the room's id, which is the match's
	Game  string
	Seed  uint64 // of the room's random sources
	Epoch uint64 // of its owner; not part of what the rules see
	// Config is what the room was created with, see Rules.Config: JSON of at most 4 KiB, or nothing.
	Config []byte
	// Expect is how many players were promised that the others come, too; 0 is none. The match starts when the directory
	// says so, see Directory.Settle. The rules do not see it: what comes of it is recorded.
	Expect int
	// Attempts is how often before a host stopped soon after it had opened the room. When the rules do not return in a room
	// of which that is so already, it ends; else another host may try.
	Attempts int
	// Kept says that a journal has something of the room: where there is none now, the match is lost, and does not begin
	// anew.
	Kept bool
}

// What a record holds is described in package journal, which keeps them.
type (
	// Player is a player who has a seat.
	Player = journal.Player
	// TickRecord is everything that happened to a room before and at one tick.
	TickRecord = journal.Record
	// SeatChange is one change of a seat. Its hook runs when it is applied.
	SeatChange = journal.SeatChange
	// SeatChangeKind says what happened to a seat.
	SeatChangeKind = journal.SeatChangeKind
	// InputRecord is one input that a tick uses.
	InputRecord = journal.InputRecord
	// OrderRecord is what somebody who does not play had the room do at a tick.
	OrderRecord = journal.Order
	// WorkResult is what came of work that a room had done outside of its ticks.
	WorkResult = journal.WorkResult
)

// What can happen to a seat.
const (
	SeatJoined  = journal.SeatJoined
	SeatDropped = journal.SeatDropped
	SeatResumed = journal.SeatResumed
	SeatLeft    = journal.SeatLeft
)
