package netcode

import (
	"cmp"
	"math"
	"slices"

	"muster/proto"
)

// Scopes on the wire: what is encoded once, whoever watches it.
const (
	scopeRoom  = 0
	scopeSeats = 0x0001 // to 0x03ff: the seat's own number
	scopeTeams = 0x0400 // and the team's number, below 0x400
	scopeCells = 0x0800 // and the cell's number
	maxCells   = 0x10000 - scopeCells
)

func isSeat(scope uint16) bool { return scope >= scopeSeats && scope < scopeTeams }

func isTeam(scope uint16) bool { return scope >= scopeTeams && scope < scopeCells }

func isCell(scope uint16) bool { return scope >= scopeCells }

// hidden says whether a row that comes into a scope must not be known from before: it gets a new id on the wire.
func hidden(scope uint16) bool { return scope >= scopeSeats && scope < scopeCells }

// Scope is who may see a row of a table. The zero value is everybody in the room.
type Scope struct{ n uint16 }

// OnlySeat is the player at one seat: a hand of cards.
func OnlySeat(seat Seat) Scope { return Scope{uint16(seat) & (scopeTeams - 1)} }

// Team is the players of one team, 1 to 1023.
func Team(n uint16) Scope { return Scope{scopeTeams + n&(scopeCells-scopeTeams-1)} }

// Grid cuts the plane into square cells, so that a viewer gets what is near. Lengths are in the game's units.
type Grid struct {
	MinX, MinY float64
	Cell       float64 // a cell's side
	Cols, Rows int     // at most 63,488 cells in all
	// Radius is how far from where a seat looks a cell's nearest point may be to be seen.
	Radius float64
	// Margin is how far beyond its cell a row may move, and beyond Radius a cell may be, before that changes anything:
	// who moves along a border must not flicker. Default a quarter of Cell.
	Margin float64
	// Far, where it is greater than Radius, is how far away a cell may be to be seen at a lower rate: each FarEvery-th
	// tick, 2 to 256, default 4.
	Far      float64
	FarEvery int
}

// Scopes says who may see what, anew each tick: a game's Scopes hook fills it in. A row that is not placed is seen by
// everybody, a seat that is given nothing sees that and its own. Only the hook may use it, during its call.
type Scopes struct {
	tables []rows
	grid   Grid
	placed []placing        // what rows were in the tick before
	where  [][]uint16       // by table and slot
	teams  []uint16         // by seat
	looks  [][]proto.Watch  // by seat: its cells, sorted
	before [][]proto.Watch  // and those of the tick before
	rates  []proto.Watch    // scopes other than cells that are not sent at every tick
	public [2][]proto.Watch // the cells that spectators see, in this tick and in the one before
}

// begin forgets the tick before but for what hysteresis needs.
func (s *Scopes) begin(tables []rows, placed []placing) {
	s.tables, s.placed = tables, placed
	for len(s.where) < len(tables) {
		s.where = append(s.where, nil)
	}
	for i, t := range tables {
		s.where[i] = resize(s.where[i], t.slots())
		clear(s.where[i])
	}
	clear(s.teams)
	s.rates = s.rates[:0]
	s.public[0], s.public[1] = s.public[1][:0], s.public[0]
	s.looks, s.before = s.before, s.looks
	for i := range s.looks {
		s.looks[i] = s.looks[i][:0]
	}
}

// Grid sets the grid for [Scopes.PlaceAt] and [Scopes.Look]. One that has no cells, or too many, panics: that is a
// mistake in the program.
func (s *Scopes) Grid(g Grid) {
	if g.Margin == 0 {
		g.Margin = g.Cell / 4
	}
	if !(g.Cell > 0) || g.Cols < 1 || g.Rows < 1 || g.Cols*g.Rows > maxCells {
		panic("netcode: a grid needs a positive Cell and 1 to 63488 cells")
	}
	if g.Far > g.Radius && g.FarEvery == 0 {
		g.FarEvery = 4
	}
	if g.FarEvery < 0 || g.FarEvery > proto.MaxEvery {
		panic("netcode: a grid's FarEvery is 2 to 256")
	}
	s.grid = g
}

// Everybody is whoever is in the room.
func Everybody() Scope { return Scope{} }

// Every sends a scope at each n-th tick only, 1 to 256.
func (s *Scopes) Every(scope Scope, n int) {
	s.rates = append(s.rates, proto.Watching(scope.n, min(max(n, 1), proto.MaxEvery)))
}

// watch is how a scope other than a cell is sent.
func (s *Scopes) watch(scope uint16) proto.Watch {
	for _, w := range s.rates {
		if w.Scope() == scope {
			return w
		}
	}
	return proto.Watching(scope, 1)
}

// Place puts a row of a table of the state into a scope.
func (s *Scopes) Place(table rows, id ID, scope Scope) { s.place(table, id, scope.n) }

func (s *Scopes) place(table rows, id ID, scope uint16) {
	for i, t := range s.tables {
		if t == table && id.slot() < len(s.where[i]) {
			s.where[i][id.slot()] = scope
		}
	}
}

// PlaceAt puts a row into the grid's cell at a point; it stays in the cell that it was in while it is within the margin.
func (s *Scopes) PlaceAt(table rows, id ID, x, y float64) {
	for i, t := range s.tables {
		if t != table {
			continue
		}
		slot := id.slot()
		if slot >= len(s.where[i]) {
			return
		}
		if p := &s.placed[i]; slot < len(p.scope) && p.raw[slot] == id && isCell(p.scope[slot]) {
			if was := p.scope[slot]; s.grid.distance(was-scopeCells, x, y) <= s.grid.Margin {
				s.where[i][slot] = was
				return
			}
		}
		s.where[i][slot] = scopeCells + s.cell(x, y)
	}
}

// cell returns the number of the cell at a point; points outside belong to the cells at the edge.
func (s *Scopes) cell(x, y float64) uint16 {
	return uint16(index(y-s.grid.MinY, s.grid.Cell, s.grid.Rows)*s.grid.Cols + index(x-s.grid.MinX, s.grid.Cell, s.grid.Cols)) //nolint:gosec // bounded by Grid
}

func index(v, cell float64, n int) int {
	i := math.Floor(v / cell)
	if !(i > 0) {
		return 0
	}
	return int(min(i, float64(n-1)))
}

// distance is how far a point is from a cell; 0 inside. Cells at the edge go on outwards.
func (g *Grid) distance(cell uint16, x, y float64) float64 {
	dx := outside(x-g.MinX, g.Cell, int(cell)%g.Cols, g.Cols)
	dy := outside(y-g.MinY, g.Cell, int(cell)/g.Cols, g.Rows)
	return hypot(dx, dy)
}

func hypot(dx, dy float64) float64 { return math.Sqrt(float64(dx*dx) + float64(dy*dy)) }

func outside(v, cell float64, i, n int) float64 {
	switch lo, hi := float64(i)*cell, float64(i+1)*cell; {
	case v < lo && i > 0:
		return lo - v
	case v > hi && i < n-1:
		return v - hi
	}
	return 0
}

// Join lets a seat see what is placed in [Team] n.
func (s *Scopes) Join(seat Seat, n uint16) {
	for int(seat) >= len(s.teams) {
		s.teams = append(s.teams, 0)
	}
	s.teams[seat] = Team(n).n
}

// team returns the scope of a seat's team, or of the seat where it is in none.
func (s *Scopes) team(seat uint16) uint16 {
	if int(seat) < len(s.teams) && s.teams[seat] != 0 {
		return s.teams[seat]
	}
	return seat
}

// Look lets a seat see the grid's cells around a point. It may be called more than once for a seat.
func (s *Scopes) Look(seat Seat, x, y float64) {
	for int(seat) >= len(s.looks) {
		s.looks = append(s.looks, nil)
	}
	for int(seat) >= len(s.before) {
		s.before = append(s.before, nil)
	}
	s.looks[seat] = s.look(s.looks[seat], s.before[seat], x, y)
}

// Spectate lets those who watch the match without a seat see the grid's cells around a point. It may be called more than
// once. Without it they see what everybody does and nothing else: what a seat or a team sees is never theirs. A player can
// have a friend who watches, so what is public here is secret from nobody.
func (s *Scopes) Spectate(x, y float64) { s.public[0] = s.look(s.public[0], s.public[1], x, y) }

// look adds the cells around a point to those that are seen; before are those of the tick before.
func (s *Scopes) look(seen, before []proto.Watch, x, y float64) []proto.Watch {
	g := &s.grid
	reach := max(g.Radius, g.Far) + g.Margin
	fromX, toX := index(x-reach-g.MinX, g.Cell, g.Cols), index(x+reach-g.MinX, g.Cell, g.Cols)
	fromY, toY := index(y-reach-g.MinY, g.Cell, g.Rows), index(y+reach-g.MinY, g.Cell, g.Rows)
	seen = slices.Grow(seen, (toX-fromX+1)*(toY-fromY+1)) // as many at most, so that it grows once
	for cy := fromY; cy <= toY; cy++ {
		dy := outside(y-g.MinY, g.Cell, cy, g.Rows)
		for cx := fromX; cx <= toX; cx++ {
			dx := outside(x-g.MinX, g.Cell, cx, g.Cols)
			scope := uint16(scopeCells + cy*g.Cols + cx) //nolint:gosec // bounded by Grid
			for len(before) > 0 && before[0].Scope() < scope {
				before = before[1:]
			}
			was := 0
			if len(before) > 0 && before[0].Scope() == scope {
				was = int(before[0].Every())
			}
			if every := g.every(hypot(dx, dy), was); every > 0 {
				seen = insert(seen, proto.Watching(scope, every))
			}
		}
	}
	return seen
}

// every returns at each how many ticks a cell at a distance is seen; 0 is never. What was seen, or seen often, stays so
// within the margin.
func (g *Grid) every(d float64, was int) int {
	switch {
	case d <= g.Radius, was == 1 && d <= g.Radius+g.Margin:
		return 1
	case g.Far <= g.Radius:
		return 0
	case d <= g.Far, was > 0 && d <= g.Far+g.Margin:
		return g.FarEvery
	}
	return 0
}

func find16(list []proto.Watch, scope uint16) (at int, found bool) {
	return slices.BinarySearchFunc(list, scope, func(w proto.Watch, scope uint16) int { return cmp.Compare(w.Scope(), scope) })
}

// insert puts a watch into a list, sorted by scopes, once: the more frequent one stays.
func insert(list []proto.Watch, w proto.Watch) []proto.Watch {
	if n := len(list); n == 0 || list[n-1].Scope() < w.Scope() {
		return append(list, w)
	}
	at, found := find16(list, w.Scope())
	if found {
		list[at] = min(list[at], w)
		return list
	}
	return slices.Insert(list, at, w)
}

// ofSpectators appends the scopes of those who have no seat, sorted.
func (s *Scopes) ofSpectators(dst []proto.Watch) []proto.Watch {
	return append(append(dst, s.watch(scopeRoom)), s.public[0]...)
}

// of appends the scopes of a seat, sorted.
func (s *Scopes) of(dst []proto.Watch, seat Seat, own bool) []proto.Watch {
	dst = append(dst, s.watch(scopeRoom))
	if own && seat > 0 {
		dst = append(dst, s.watch(uint16(seat)))
	}
	if int(seat) < len(s.teams) && s.teams[seat] != 0 {
		dst = append(dst, s.watch(s.teams[seat]))
	}
	if int(seat) < len(s.looks) {
		dst = slices.Grow(dst, cap(s.looks[seat]))
		dst = append(dst, s.looks[seat]...)
	}
	return dst
}
