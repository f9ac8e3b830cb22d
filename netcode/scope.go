package netcode

// Scopes on the wire. A scope is what is encoded once, whoever watches it.
const (
	scopeRoom  = 0
	scopeSeats = 0x0001 // to 0x03ff: the seat's own number
	scopeTeams = 0x0400 // and the team's number, below 0x400
	scopeCells = 0x0800 // and the cell's number, below 0xf800
)

func isSeat(scope uint16) bool { return scope >= scopeSeats && scope < scopeTeams }
