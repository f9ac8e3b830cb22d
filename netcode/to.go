package netcode

// To says whom an event is for. The zero value is everyone.
type To struct {
	kind uint8
	n    uint16
}

const (
	toEveryone = iota
	toSeat
	toTeam
	toAllBut
)

// Everyone is every seat of the room, and whoever watches.
func Everyone() To { return To{} }

// OnlyTo is one seat.
func OnlyTo(seat Seat) To { return To{toSeat, uint16(seat)} }

// ToTeam is every seat of a team; those of no team are in team 0.
func ToTeam(team uint16) To { return To{toTeam, team} }

// AllBut is every seat but one.
func AllBut(seat Seat) To { return To{toAllBut, uint16(seat)} }

// IsEveryone says whether nobody is left out: those who watch without a seat get such events, too.
func (t To) IsEveryone() bool { return t.kind == toEveryone }

// Includes says whether a seat of a team is meant.
func (t To) Includes(seat Seat, team uint16) bool {
	switch t.kind {
	case toSeat:
		return uint16(seat) == t.n
	case toTeam:
		return team == t.n
	case toAllBut:
		return uint16(seat) != t.n
	}
	return true
}
