package match

import (
	"fmt"
	"time"

	"muster/proto"
)

// Rules are what a game tells the room's loop. The zero value of a field means its default.
type Rules struct {
	// Version is the author's word for "the same rules": a running room moves or resumes between equal versions
	// only. Default "1".
	Version string
	// TickRate is ticks per second, 1 to 128. Default 20.
	TickRate int
	// Seats is how many players a room holds, 1 to 1000. Default 16.
	Seats int
	// Inputs says whether inputs are samples (default) or commands.
	Inputs proto.InputMode
	// Grace is how long the seat of a dropped player is held. Default 30 s.
	Grace time.Duration
	// Empty is how long a room without any player goes on before it ends without a result. Default 30 s.
	Empty time.Duration
	// Events are the zero values of the event types that the game emits, in the order of their wire types.
	Events []any
}

// withDefaults returns the rules with defaults filled in, or what is wrong with them.
func (r Rules) withDefaults() (Rules, error) {
	if r.Version == "" {
		r.Version = "1"
	}
	if r.TickRate == 0 {
		r.TickRate = 20
	}
	if r.Seats == 0 {
		r.Seats = 16
	}
	if r.Grace == 0 {
		r.Grace = 30 * time.Second
	}
	if r.Empty == 0 {
		r.Empty = 30 * time.Second
	}
	switch {
	case len(r.Version) > proto.MaxID:
		return r, fmt.Errorf("Rules.Version has %d bytes, at most %d allowed", len(r.Version), proto.MaxID)
	case r.TickRate < 1 || r.TickRate > 128:
		return r, fmt.Errorf("Rules.TickRate is %d, 1 to 128 allowed", r.TickRate)
	case r.Seats < 1 || r.Seats > 1000:
		return r, fmt.Errorf("Rules.Seats is %d, 1 to 1000 allowed", r.Seats)
	case r.Inputs > proto.Commands:
		return r, fmt.Errorf("Rules.Inputs is %d, Samples or Commands allowed", r.Inputs)
	case r.Grace < 0 || r.Empty < 0 || r.Grace > maxHold || r.Empty > maxHold:
		return r, fmt.Errorf("Rules.Grace is %v and Rules.Empty is %v, 0 to %v allowed", r.Grace, r.Empty, maxHold)
	}
	return r, nil
}

// maxHold is the longest that a seat or an empty room is held: far within what a tick's number can count.
const maxHold = 30 * 24 * time.Hour

// ticks converts a duration to ticks, at least one.
func (r *Rules) ticks(d time.Duration) uint32 {
	return uint32(max(1, int64(d)*int64(r.TickRate)/int64(time.Second))) //nolint:gosec // 2^32 ticks take a year
}

// Placement is one player's part of a match's result.
type Placement = proto.Placement
