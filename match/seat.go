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
	inputs   *netcode.InputBuffer
	events   eventLog
}

func (s *seat) reset(rules *Rules) {
	inputs, events := s.inputs, s.events
	*s = seat{inputs: inputs, events: events}
	if s.inputs == nil {
		s.inputs = netcode.NewInputBuffer(rules.Inputs, rules.TickRate, 16)
	}
	s.inputs.Reset()
	s.events.reset()
}
