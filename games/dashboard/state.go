package dashboard

import "muster/netcode"

// How much is shown at most.
const (
	MaxNodes  = 128
	MaxGames  = 64
	MaxQueues = 64
	// MaxPoints is how many moments of the past there are, one for each report: five minutes of them.
	MaxPoints = 300
)

// Lengths of texts, in bytes.
const (
	maxID     = 64
	maxName   = 31
	maxClosed = 80
	maxWhy    = 120
)

// Board is the whole state. Rows of Nodes, Games and Queues are in no order.
type Board struct {
	Status  netcode.Value[Status]
	Totals  netcode.Value[Totals]
	Nodes   netcode.Table[Node]   `net:"max=128"`
	Games   netcode.Table[InGame] `net:"max=64"`
	Queues  netcode.Table[Queue]  `net:"max=64"`
	History netcode.Table[Point]  `net:"max=300"`
}

// Status says how much the rest is worth.
type Status struct {
	At      uint32 // when the newest report was made, in seconds since 1970; 0: there is none yet
	Stale   bool   // none has come for a while
	Trouble string `net:"max=120"` // why the newest try has failed; "" when it has not

	Asking bool       `net:"server"` // a report is under way
	Next   uint32     `net:"server"` // the tick from which the next one is asked for
	Came   uint32     `net:"server"` // the tick at which the newest one came
	Oldest netcode.ID `net:"server"` // the point that goes next, once there are all
	Newest netcode.ID `net:"server"`
}

// Totals are those of the deployment: of all its servers, also of those that have no row.
type Totals struct {
	Nodes    uint32 // that live
	Left     uint32 // servers, alive or not, that have no row since there are too many
	Rooms    uint32
	Asleep   uint32 // of the rooms, those that do not tick since nobody is connected
	Players  uint32 // seats that are taken
	Watching uint32 // connections without a seat
	Sockets  uint32 // of matches
	Waiting  uint32 // tickets in queues
	Ticks    uint64 // since the servers began
	TickRate uint32 // a second
	P50, P99 uint32 // microseconds: the slowest server's quantiles of the last five seconds' ticks
	Busiest  uint16 // thousandths of its processors' time that ticks take on the busiest server
	Out      uint64 // bytes written to sockets of matches since the servers began
	OutRate  uint64 // of them a second
}

// Node is one server.
type Node struct {
	ID       string `net:"max=64,once"`
	Role     string `net:"max=31,once"`
	Region   string `net:"max=31,once"`
	Closed   string `net:"max=80"` // why it takes no new rooms; "" when it does
	Alive    bool
	Draining bool

	Rooms, Asleep, Players, Watching, Sockets uint32

	Busy     uint16 // thousandths of its processors' time that ticks take
	Late     uint16 // thousandths of its ticks that began late
	Ticks    uint64 // since it began
	TickRate uint32 // a second
	P50, P99 uint32 // microseconds
	Out      uint64 // bytes written to sockets of matches since it began
	OutRate  uint64 // of them a second
	Heap     uint32 // MiB that are alive
	Limit    uint32 // MiB that it may use; 0 is no bound
}

// InGame is what runs of one game.
type InGame struct {
	Game                     string `net:"max=31,once"`
	Rooms, Players, Watching uint32
}

// Queue is one of the queues.
type Queue struct {
	Name      string `net:"max=31,once"`
	Game      string `net:"max=31"`
	Waiting   uint32 // tickets
	P50       uint32 // milliseconds that half of those waited at most who were matched last
	PerMinute uint32 // matches
}

// Point is a moment of the past. The rows are in no order.
type Point struct {
	At       uint32 // seconds since 1970
	Rooms    uint32
	Players  uint32
	Sockets  uint32
	Waiting  uint32
	TickRate uint32
	P50, P99 uint32
	Busiest  uint16
	OutRate  uint64
}

// Input is nothing: the room only shows.
type Input struct{}
