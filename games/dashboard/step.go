package dashboard

import "muster/netcode"

// staleAfter is after how many seconds without a report the numbers count as old.
const staleAfter = 5

// Step says whether the numbers are old.
func (Dashboard) Step(s *netcode.Step[Board, Input]) {
	status := &s.State.Status.V
	status.Stale = s.Tick-status.Came > uint32(staleAfter*s.Rate()) //nolint:gosec // some seconds
}

// Report is what was gathered at one time.
type Report struct {
	At     uint32 // seconds since 1970
	Totals Totals
	Nodes  []Node   // at most MaxNodes
	Games  []InGame // at most MaxGames
	Queues []Queue  // at most MaxQueues
}

// show takes a report over.
func (b *Board) show(r *Report, tick uint32) {
	status := &b.Status.V
	status.At, status.Came, status.Trouble, status.Stale = r.At, tick, "", false
	b.Totals.V = r.Totals
	follow(&b.Nodes, r.Nodes, func(n *Node) string { return n.ID })
	follow(&b.Games, r.Games, func(g *InGame) string { return g.Game })
	follow(&b.Queues, r.Queues, func(q *Queue) string { return q.Name })
	t := &r.Totals
	b.remember(Point{
		At: r.At, Rooms: t.Rooms, Players: t.Players, Sockets: t.Sockets, Waiting: t.Waiting, TickRate: t.TickRate,
		P50: t.P50, P99: t.P99, Busiest: t.Busiest, OutRate: t.OutRate,
	})
}

// follow makes the rows of a table those of a list. A row keeps its id as long as the list has its key; of a key that is
// there twice the last counts.
func follow[T any](t *netcode.Table[T], list []T, key func(*T) string) {
	wanted := map[string]bool{}
	for i := range list {
		wanted[key(&list[i])] = true
	}
	rows := map[string]*T{}
	var gone []netcode.ID
	for id, row := range t.All() {
		if !wanted[key(row)] {
			gone = append(gone, id)
			continue
		}
		rows[key(row)] = row
	}
	for _, id := range gone {
		t.Remove(id)
	}
	for i := range list {
		if row := rows[key(&list[i])]; row != nil {
			*row = list[i]
		} else if id := t.Add(list[i]); id != 0 {
			rows[key(&list[i])] = t.Get(id)
		}
	}
}

// remember keeps a point, in the place of the oldest one where there are all. Reports of one second are one point.
func (b *Board) remember(p Point) {
	status := &b.Status.V
	if newest := b.History.Get(status.Newest); newest != nil && newest.At == p.At {
		*newest = p
		return
	}
	if b.History.Len() < MaxPoints {
		status.Newest = b.History.Add(p)
		if status.Oldest == 0 {
			status.Oldest = status.Newest
		}
		return
	}
	status.Newest = status.Oldest
	*b.History.Get(status.Newest) = p
	status.Oldest = b.after(status.Newest)
}

// after returns the point that follows one in the table's order, in which they came; after the last one it is the first.
func (b *Board) after(id netcode.ID) (next netcode.ID) {
	var first netcode.ID
	found := false
	for at := range b.History.All() {
		if first == 0 {
			first = at
		}
		if found {
			return at
		}
		found = at == id
	}
	return first
}
