package cluster

// Roles of a process. All is what one is that says nothing.
const (
	RoleAll   = "all"
	RoleLobby = "lobby" // no rooms
	RoleMatch = "match" // no lobby
)

// Load is how busy a node is, measured each second. Of a node of another release, or of none that runs rooms, it is zero.
type Load struct {
	Tick    float64 `json:"tick"`            // share of its processors' time that its rooms' ticks took, from 0 to 1
	Late    float64 `json:"late"`            // share of its ticks that began late, over two seconds
	Rooms   int     `json:"rooms"`           // that it runs
	Players int     `json:"players"`         // who have a seat in them
	Sockets int     `json:"sockets"`         // of matches, for rooms of other nodes, too
	Heap    int64   `json:"heap"`            // bytes that are alive
	Limit   int64   `json:"limit,omitempty"` // bytes that the process may use; 0 is no bound

	// What follows is 0 where a node of an older release says nothing of it.

	Watching int     `json:"watching,omitempty"`  // connections that watch its rooms without a seat
	Asleep   int     `json:"asleep,omitempty"`    // of its rooms, those that do not tick since nobody is connected
	Ticks    uint64  `json:"ticks,omitempty"`     // that its rooms made since it began
	TickRate float64 `json:"tick_rate,omitempty"` // of them a second
	P50      int64   `json:"p50,omitempty"`       // microseconds that half of the last five seconds' ticks did not exceed
	P99      int64   `json:"p99,omitempty"`       // microseconds that 99 in 100 of them did not exceed
	Out      uint64  `json:"out,omitempty"`       // bytes that it wrote to sockets of matches since it began
	OutRate  float64 `json:"out_rate,omitempty"`  // of them a second
}

// InGame is what a node runs of one game.
type InGame struct {
	Rooms    int `json:"rooms"`
	Players  int `json:"players"`
	Watching int `json:"watching,omitempty"`
}

// Headroom is the share of a node's processors that its rooms' ticks leave, from 0 to 1.
func (n *Node) Headroom() float64 { return max(0, 1-n.Load.Tick) }

// Weight is how much of a dead node's rooms is to fall to a node, compared with others: its headroom, and next to nothing
// where it takes no new rooms.
func Weight(n Node) float64 {
	if n.Closed() != "" {
		return 1e-3
	}
	return max(1e-2, n.Headroom())
}

// Hosted says whether any of the live nodes runs rooms.
func Hosted(live map[string]Node) bool {
	for _, n := range live {
		if n.hosts() {
			return true
		}
	}
	return false
}

// hosts says whether a node runs rooms.
func (n *Node) hosts() bool { return n.Role != RoleLobby }
