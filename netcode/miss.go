package netcode

import (
	"fmt"
	"math"
	"unsafe"
)

// Miss is that a client's rules make something else of a row than the server's do: a row of the own seat, or of a table
// without owners.
type Miss struct {
	Tick      uint32
	Table     string
	Row       ID     // on the wire; the predicted one's where the server has no such row
	Column    string // empty where it is about the row itself
	Want, Got string // what the server has, on the wire's grid, and what was predicted
	Steps     int64  // how far off it is, in steps of the wire's grid; 0 of what is not on one
}

func (m Miss) String() string {
	at := fmt.Sprintf("tick %d: %s[%#x]", m.Tick, m.Table, uint32(m.Row))
	if m.Column != "" {
		at += "." + m.Column
	}
	return fmt.Sprintf("%s: want %s, got %s", at, m.Want, m.Got)
}

// Misses visits what differs between State and the server's state of the very same tick, which the caller has loaded and
// not reconciled with yet, on the wire's grid, until visit returns false. Rows that were added ahead are taken for the
// server's new ones that they are nearest to.
func (p *Prediction[S, In]) Misses(visit func(Miss) bool) {
	for i := range p.sc.Tables {
		if !p.misses(i, visit) {
			return
		}
	}
}

func (p *Prediction[S, In]) misses(table int, visit func(Miss) bool) bool {
	t, truth, predicted := &p.sc.Tables[table], p.truth[table], p.predicted[table]
	taken := map[ID]bool{}
	for slot := range truth.slots() {
		id, want := truth.at(slot)
		if id == 0 || !p.owns(t, want) {
			continue
		}
		got := rowOf(predicted, id)
		if got == nil {
			var from ID
			from, got = p.nearest(table, want, taken)
			taken[from] = true
		}
		if !t.miss(p.tick, id, want, got, visit) {
			return false
		}
	}
	for slot := range predicted.slots() {
		id, got := predicted.at(slot)
		if id != 0 && p.owns(t, got) && !taken[id] && rowOf(truth, id) == nil && !t.miss(p.tick, id, nil, got, visit) {
			return false
		}
	}
	return true
}

// nearest finds the row that was added ahead and that a row of the server's is nearest to.
func (p *Prediction[S, In]) nearest(table int, row unsafe.Pointer, taken map[ID]bool) (best ID, at unsafe.Pointer) {
	least := math.Inf(1)
	for _, of := range p.spawns.list {
		if of.table != table || taken[of.id] {
			continue
		}
		if is := rowOf(p.predicted[table], of.id); is != nil {
			if d := p.smooth.distance(table, is, row); d < least {
				best, at, least = of.id, is, d
			}
		}
	}
	return best, at
}

// miss visits what differs between two rows, of which one may not be there.
func (t *TableInfo) miss(tick uint32, id ID, want, got unsafe.Pointer, visit func(Miss) bool) bool {
	m := Miss{Tick: tick, Table: t.Name, Row: id, Want: "a row", Got: "a row"}
	switch {
	case want == nil:
		m.Want = "none"
		return visit(m)
	case got == nil:
		m.Got = "none"
		return visit(m)
	}
	for i := range t.Fields {
		f := &t.Fields[i]
		same := true
		switch {
		case !f.Sent():
		case f.text():
			same = f.loadText(want) == f.loadText(got)
		default:
			same = f.load(want) == f.load(got)
		}
		if same {
			continue
		}
		m.Column, m.Want, m.Got, m.Steps = f.Name, f.show(want), f.show(got), 0
		if f.Kind == KindFixed || f.Kind == KindAngle {
			m.Steps = abs(f.wrap(f.load(want) - f.load(got)))
		}
		if !visit(m) {
			return false
		}
	}
	return true
}
