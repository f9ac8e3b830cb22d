package match

import (
	"time"

	"muster/netcode"
)

type seatState uint8

const (
	seatFree seatState = iota
	seatPlaying
	seatGone // dropped: held until its deadline
)

// seat is a place in the match. It outlives the connections of its player.
type seat struct {
	state    seatState
	player   Player
	expires  time.Time // the player's token's
	viewer   Viewer    // nil while dropped
	welcomed bool      // the viewer has its welcome
	counter  uint32    // the highest resume counter accepted
	deadline uint32    // dropped: the tick at which the seat is given up
	untold   uint32    // dropped, and the rules are not told before this tick; 0 when they know
	claims   []string  // the newest by which its player came, see maxClaims; none where that was before a restore
	durable  uint32    // the newest input that no failover takes back
	marks    marks
	inputs   *netcode.InputBuffer
	events   eventLog
}

// maxClaims is how many claims of its player a seat remembers: of several that come at once the directory need not have
// the one that the room had last.
const maxClaims = 4

func (s *seat) reset(rules *Rules) {
	inputs, events, list := s.inputs, s.events, s.marks.list[:0]
	*s = seat{inputs: inputs, events: events, marks: marks{list}}
	if s.inputs == nil {
		s.inputs = netcode.NewInputBuffer(rules.Inputs, rules.TickRate, rules.InputsPerTick)
	}
	s.inputs.Reset()
	s.events.reset()
}
