package arena

import (
	"slices"

	"muster/netcode"
)

// bucket is the side of the squares by which ships are found, in units.
const bucket = 64

// index finds the ships in play that are near a point without a look at all the others. It is made anew whenever it is
// needed and is no state. What it finds comes in the order of ids, so that nothing depends on how the squares lie.
type index struct {
	cols  int
	first []uint16 // by square: its first ship, as an index of ships from 1 on; 0 is none
	ships []indexed
	found []uint16 // indices of ships
	reach float64  // how far the fastest one flew in the newest tick
}

type indexed struct {
	id   netcode.ID
	ship *Ship
	next uint16 // in its square, as first has them
}

// build notes where the ships are now.
func (n *index) build(w *World, side, dt float64) {
	n.cols = int(side/bucket) + 1
	n.first = slices.Grow(n.first[:0], n.cols*n.cols)[:n.cols*n.cols]
	clear(n.first)
	n.ships, n.reach = n.ships[:0], 0
	for id, ship := range w.Ships.All() {
		if !ship.Alive() {
			continue
		}
		at := &n.first[n.square(float64(ship.Y))*n.cols+n.square(float64(ship.X))]
		n.ships = append(n.ships, indexed{id, ship, *at})
		*at = uint16(len(n.ships)) //nolint:gosec // as many as the table has at most
		n.reach = max(n.reach, dt*length(float64(ship.VX), float64(ship.VY)))
	}
}

// square is the column, or the row, of a coordinate.
func (n *index) square(v float64) int { return min(max(int(v/bucket), 0), n.cols-1) }

// box returns the ships in a box and some around it, as indices of n.ships. They are valid until the next call.
func (n *index) box(x0, y0, x1, y1 float64) []uint16 {
	n.found = n.found[:0]
	for row := n.square(y0); row <= n.square(y1); row++ {
		for col := n.square(x0); col <= n.square(x1); col++ {
			for i := n.first[row*n.cols+col]; i > 0; i = n.ships[i-1].next {
				n.found = append(n.found, i-1)
			}
		}
	}
	slices.Sort(n.found)
	return n.found
}

// around returns the ships that are within a distance of a point, and some more.
func (n *index) around(x, y, distance float64) []uint16 {
	return n.box(x-distance, y-distance, x+distance, y+distance)
}

// along returns the ships that something of a radius may meet on its way by dx, dy within the newest tick, and some more.
func (n *index) along(x, y, dx, dy, radius float64) []uint16 {
	r := radius + n.reach + 1
	return n.box(min(x, x+dx)-r, min(y, y+dy)-r, max(x, x+dx)+r, max(y, y+dy)+r)
}
