package scores

import "muster/netcode"

// Board is what everybody in the room sees.
type Board struct {
	Score netcode.Value[Score]
	Goals netcode.Table[Goal] `net:"max=64"`
}

// Score is how it stands.
type Score struct{ Home, Away, Minute uint8 }

// Goal is one that was scored.
type Goal struct {
	By     string `net:"max=24"`
	Away   bool
	Minute uint8
}

// Sides of a Report.
const (
	Nobody uint8 = iota
	Home
	Away
)

// Report is what the backend feeds: the minute that it is, and a goal, if there was one.
type Report struct {
	Minute uint8
	Side   uint8  // whose goal: Nobody, Home or Away
	By     string `net:"max=24"`
}

// News is an event that a backend tells those who look.
type News struct {
	Text string `net:"max=80"`
}
