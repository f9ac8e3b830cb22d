package netcode

import (
	"math"
	"slices"
	"unsafe"
)

// mostSpawns bounds the rows that rules have added ahead of the server; of more none is added.
const mostSpawns = 64

// spawns are the rows that the rules of a prediction have added and that the server has not sent yet.
type spawns struct {
	window  uint32
	most    []int  // by table: how many rows the server's has; provisional rows are in the slots after them
	known   [][]ID // by table and slot: the rows of the newest state
	list    []spawned
	count   int        // so far
	adopted []adoption // of the newest state
}

type spawned struct {
	table   int
	id      ID
	tick    uint32 // in which it was added
	claimed bool   // by a row that the rules added
}

// adoption is that the server's row took the place of a provisional one.
type adoption struct {
	table    int
	from, to ID
}

func newSpawns(sc *Schema, window int) spawns {
	s := spawns{window: uint32(window), known: make([][]ID, len(sc.Tables))} //nolint:gosec // positive
	for i := range sc.Tables {
		s.most = append(s.most, sc.Tables[i].Max)
	}
	return s
}

// give returns the id of a row that the rules add in a tick: that of the row which was added here before, or close by,
// since an input may be used in another tick than it was; or a new one, or 0 where there are too many.
func (s *spawns) give(table int, tick uint32) ID {
	best, off := -1, int64(s.window)+1
	for i := range s.list {
		of := &s.list[i]
		if d := abs(int64(of.tick) - int64(tick)); !of.claimed && of.table == table && d < off {
			best, off = i, d
		}
	}
	if best < 0 {
		if len(s.list) == mostSpawns {
			return 0
		}
		best = len(s.list)
		s.list = append(s.list, spawned{table: table, id: s.name(table)})
	}
	of := &s.list[best]
	of.tick, of.claimed = tick, true
	return of.id
}

// name makes an id that no row of the server's has: in a slot after its table's, which take turns.
func (s *spawns) name(table int) ID {
	const least = 1<<genBits + 1
	gen := ID(least + s.count%(1<<16-least)) //nolint:gosec // 16 bits
	slot := s.count % mostSpawns
	for slices.ContainsFunc(s.list, func(of spawned) bool { return of.table == table && of.id.slot() == s.most[table]+slot }) {
		slot = (slot + 1) % mostSpawns
	}
	s.count++
	return ID(s.most[table]+slot)<<16 | gen //nolint:gosec // at most twice DefaultMax
}

// unclaim notes that a tick is to run again.
func (s *spawns) unclaim(tick uint32) {
	for i := range s.list {
		if of := &s.list[i]; of.tick == tick {
			of.claimed = false
		}
	}
}

// restart notes that all ticks after one are to run again.
func (s *spawns) restart(after uint32) {
	s.adopted = s.adopted[:0]
	for i := range s.list {
		s.list[i].claimed = s.list[i].tick <= after
	}
}

func (s *spawns) forget() { s.list = s.list[:0] }

// settle forgets the rows that the rules have not added again, and returns how many those are.
func (s *spawns) settle() (gone uint64) {
	had := len(s.list)
	s.list = slices.DeleteFunc(s.list, func(of spawned) bool { return !of.claimed })
	return uint64(had - len(s.list)) //nolint:gosec // not negative
}

// source is the id that a row had before the newest state.
func (s *spawns) source(table int, id ID) ID {
	for _, a := range s.adopted {
		if a.table == table && a.to == id {
			return a.from
		}
	}
	return id
}

// sink is the id that a row has since.
func (s *spawns) sink(table int, id ID) ID {
	for _, a := range s.adopted {
		if a.table == table && a.from == id {
			return a.to
		}
	}
	return id
}

// adopt puts the server's rows in the place of those that the rules have made of the last ones, at the same tick.
func (p *Prediction[S, In]) adopt() {
	for i := range p.sc.Tables {
		t, base, truth := &p.sc.Tables[i], p.base[i], p.truth[i]
		if t.Single {
			_, dst := base.at(0)
			_, src := truth.at(0)
			t.correct(dst, src)
			continue
		}
		known := p.spawns.known[i]
		for slot := range max(base.slots(), truth.slots()) {
			if slot >= t.Max {
				break
			}
			var id ID
			var src unsafe.Pointer
			if slot < truth.slots() {
				id, src = truth.at(slot)
			}
			var was ID
			if slot < len(known) {
				was = known[slot]
			}
			had := slot < base.slots() && func() bool { old, _ := base.at(slot); return old == id }()
			dst := base.mirror(slot, id)
			if id == 0 {
				continue
			}
			if id != was && p.owns(t, src) {
				p.take(i, id, dst, src)
			} else if !had {
				t.copyRow(dst, src)
			}
			t.correct(dst, src)
		}
		p.spawns.known[i] = resizeClear(known, truth.slots())
		for slot := range truth.slots() {
			p.spawns.known[i][slot], _ = truth.at(slot)
		}
	}
	p.spawns.list = slices.DeleteFunc(p.spawns.list, func(of spawned) bool {
		if of.tick > p.state || !of.claimed {
			return false
		}
		if rowOf(p.base[of.table], of.id) == nil {
			return true // the rules have taken it out, or it has been taken over
		}
		if p.state-of.tick < p.spawns.window {
			return false
		}
		p.base[of.table].mirror(of.id.slot(), 0)
		p.stats.Withdrawn++
		return true
	})
}

// take finds the row that was added ahead and that a new row of the server's is, and makes dst what the rules know of it.
func (p *Prediction[S, In]) take(table int, id ID, dst, src unsafe.Pointer) {
	t, base := &p.sc.Tables[table], p.base[table]
	best, least := -1, math.Inf(1)
	for i := range p.spawns.list {
		of := &p.spawns.list[i]
		if of.table != table {
			continue
		}
		if at := rowOf(base, of.id); at != nil {
			if d := p.smooth.distance(table, at, src); d < least {
				best, least = i, d
			}
		}
	}
	if best < 0 {
		t.copyRow(dst, src)
		return
	}
	from := p.spawns.list[best].id
	p.spawns.list = slices.Delete(p.spawns.list, best, best+1)
	p.spawns.adopted = append(p.spawns.adopted, adoption{table, from, id})
	p.stats.Adopted++
	t.copyRow(dst, rowOf(base, from))
	base.mirror(from.slot(), 0)
}

// owns says whether a row is the own seat's. Rows of a table without owners are everybody's.
func (p *Prediction[S, In]) owns(t *TableInfo, at unsafe.Pointer) bool {
	return at != nil && (t.owner < 0 || Seat(t.Fields[t.owner].load(at)) == p.cfg.Seat) //nolint:gosec // a Seat
}

// correct makes dst, what the rules have made of a row, what the server sent of it. What it does not send stays, and so
// does the exact number of what is the same on the wire's grid. One that is only just not the same is moved only just as
// far as it must be: tick by tick it comes closer to the server's own exact number.
func (t *TableInfo) correct(dst, src unsafe.Pointer) {
	for i := range t.Fields {
		f := &t.Fields[i]
		switch onGrid := f.in == nil && (f.Kind == KindFixed || f.Kind == KindAngle); {
		case !f.Sent():
		case !onGrid:
			f.copy(dst, src)
		default:
			n := f.load(src)
			switch d := f.wrap(f.load(dst) - n); d {
			case 0:
			case -1, 1:
				f.setFloat(dst, f.valueAt(float64(n)+float64(justWithin*float64(d))))
			default:
				f.copy(dst, src)
			}
		}
	}
}

// justWithin is how far from a step of the grid a number is that is only just rounded to it.
const justWithin = 0.49

// valueAt is the float that is so many steps along a column's grid.
func (f *Field) valueAt(n float64) float64 {
	if f.Kind != KindAngle {
		return f.Min + float64(n*f.Step)
	}
	if n < 0 {
		n += float64(int64(1) << f.Bits)
	}
	return n * (2 * math.Pi / float64(int64(1)<<f.Bits))
}

// rowOf returns where a row is, or nil. That of a single row has the id 1.
func rowOf(r rows, id ID) unsafe.Pointer {
	slot := id.slot()
	if id == 0 || slot >= r.slots() {
		return nil
	}
	have, at := r.at(slot)
	if have != id {
		return nil
	}
	return at
}
