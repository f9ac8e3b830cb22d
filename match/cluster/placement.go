package cluster

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
)

// Why no room can be placed.
var (
	// ErrNoNode means that no live node runs the game there.
	ErrNoNode = errors.New("no server runs this game now")
	// ErrCrowded means that those which run it take no new rooms.
	ErrCrowded = errors.New("the servers take no new matches now")
)

// Want is what a new room needs of its node.
type Want struct {
	Game   string
	Rules  string            // the version of the game's rules
	Region string            // where it is to be; "" is anywhere. A node that does not say where it is serves all
	Tags   map[string]string // that the node must have, all of them
	// Anyway says that where no node takes new rooms one that does not will do, as long as it is not to be replaced: for the
	// tools of those who look into why.
	Anyway bool
	// Placed is how many rooms were placed on a node, by its id, that its load does not show yet.
	Placed map[string]int
}

const (
	// mostTick is the share of a node's processors up to which it gets new rooms: what is left is for sending, for
	// clients that come back all at once, and for the rooms of a node that dies.
	mostTick = 0.8
	// mostLate is the share of late ticks up to which a node gets new rooms; its host says so by itself after a while.
	mostLate = 0.1
	// leastRoom is what a room that was just placed is taken to cost at least, as a share of a node's processors.
	leastRoom = 0.002
	// near is how close two scores are that say nothing: then the node with fewer rooms is the better one.
	near = 0.01
)

// Verdict is what placement thinks of one node.
type Verdict struct {
	Node   Node
	Why    string  // it gets no room; "": it may
	Score  float64 // share of its processors that it is taken to need, late ticks added: less is better
	Drawn  bool    // it was one of the two that were compared
	Chosen bool
}

// Explanation has a verdict on every node, in the order of their ids.
type Explanation []Verdict

// Place chooses a node for a new room: of those that fit two are drawn, and the one with more headroom is taken, since
// what is known of loads is a second old and whoever takes the best one does what all others do. The same nodes, want and
// state of rng give the same choice. Errors: ErrNoNode, also as *LacksError, and ErrCrowded.
func Place(nodes []Node, want Want, rng *rand.Rand) (Node, Explanation, error) {
	x := make(Explanation, len(nodes))
	for i := range nodes {
		x[i].Node = nodes[i]
	}
	slices.SortFunc(x, func(a, b Verdict) int { return cmp.Compare(a.Node.ID, b.Node.ID) })
	var fit, rest []int
	err := ErrNoNode
	for i := range x {
		v := &x[i]
		there := false
		if v.Why, there = want.refuses(&v.Node); there {
			err = ErrCrowded
			if want.Anyway && !v.Node.Ends {
				rest = append(rest, i)
			}
		}
		v.Score = want.score(&v.Node)
		if v.Why == "" {
			fit = append(fit, i)
		}
	}
	if len(fit) == 0 {
		fit = rest
	}
	if len(fit) == 0 {
		return Node{}, x, want.failed(err, nodes)
	}
	a := rng.IntN(len(fit))
	best := &x[fit[a]]
	best.Drawn = true
	if len(fit) > 1 {
		b := rng.IntN(len(fit) - 1)
		if b >= a {
			b++
		}
		other := &x[fit[b]]
		if other.Drawn = true; want.better(other, best) {
			best = other
		}
	}
	best.Chosen = true
	return best.Node, x, nil
}

// Check says whether a room could be placed now. Errors: those of Place.
func Check(live map[string]Node, want Want) error {
	err := ErrNoNode
	for _, n := range live {
		why, there := want.refuses(&n)
		if why == "" || there && want.Anyway && !n.Ends {
			return nil
		}
		if there {
			err = ErrCrowded
		}
	}
	return want.failed(err, slices.Collect(maps.Values(live)))
}

// refuses says why a node gets no room; "": it may. there says that it is one of those that run the game there.
func (w *Want) refuses(n *Node) (why string, there bool) {
	rules, runs := n.Games[w.Game]
	switch {
	case !n.hosts():
		return "it is a lobby and runs no rooms", false
	case !runs:
		return "it does not have the game", false
	case rules != w.Rules:
		return fmt.Sprintf("it has the game's rules %q", rules), false
	case w.Region != "" && n.Region != "" && n.Region != w.Region:
		return "it is in region " + n.Region, false
	}
	if lacks := n.Lacks(w.Tags); len(lacks) > 0 {
		return "it lacks " + inWords(lacks), false
	}
	return n.closed(w.Placed[n.ID]), true
}

// closed says why a node takes no new rooms, whatever they are, so many of which it gets already; "": it takes them.
func (n *Node) closed(placed int) string {
	switch {
	case n.Draining:
		return "it drains"
	case n.Ends:
		return "it is to be replaced: " + n.Full
	case n.Full != "":
		return n.Full
	case n.Capacity > 0 && n.Load.Rooms+placed >= n.Capacity:
		return fmt.Sprintf("it has %d rooms, %d more are on the way, and its capacity is %d", n.Load.Rooms, placed, n.Capacity)
	case n.Load.Late > mostLate:
		return fmt.Sprintf("%.0f %% of its ticks are late", 100*n.Load.Late)
	case n.Load.Tick+float64(placed)*n.room() > mostTick:
		return fmt.Sprintf("its ticks take %.0f %% of its time", 100*(n.Load.Tick+float64(placed)*n.room()))
	}
	return ""
}

// Closed says why a node takes no new rooms of any game; "": it takes some.
func (n *Node) Closed() string {
	if !n.hosts() {
		return "it is a lobby and runs no rooms"
	}
	return n.closed(0)
}

// room is what one more room is taken to cost a node: as much as each of those that it has.
func (n *Node) room() float64 {
	if n.Load.Rooms == 0 {
		return leastRoom
	}
	return max(leastRoom, n.Load.Tick/float64(n.Load.Rooms))
}

func (w *Want) score(n *Node) float64 {
	return n.Load.Tick + n.Load.Late + float64(w.Placed[n.ID])*n.room()
}

// better says whether a is to be taken rather than b.
func (w *Want) better(a, b *Verdict) bool {
	if d := a.Score - b.Score; d < -near || d > near {
		return d < 0
	}
	return a.Node.Load.Rooms+w.Placed[a.Node.ID] < b.Node.Load.Rooms+w.Placed[b.Node.ID]
}

// failed says for what there is no node among these, and which tags they lack where it is for that.
func (w *Want) failed(err error, nodes []Node) error {
	if lacks := w.lacking(nodes); lacks != nil && errors.Is(err, ErrNoNode) {
		err = lacks
	}
	var b strings.Builder
	fmt.Fprintf(&b, "game %s with rules %s", w.Game, w.Rules)
	if w.Region != "" {
		b.WriteString(" in region " + w.Region)
	}
	if len(w.Tags) > 0 {
		b.WriteString(" with " + inWords((&Node{}).Lacks(w.Tags)))
	}
	return fmt.Errorf("%s: %w", &b, err)
}
