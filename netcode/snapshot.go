package netcode

import (
	"math"
	"reflect"
	"slices"
	"strings"
	"unsafe"
)

// snapshot is the quantised state of one tick: by part its rows in the order of scopes, within one of wire ids.
type snapshot struct {
	tick   uint32
	valid  bool
	sets   []*rowSet
	starts []starts // by part
}

// starts says, by scope, where its rows begin, which is where those of the scope before it end.
type starts []uint16

// rows returns where a scope's rows are: from from to before to.
func (s starts) rows(scope uint16) (from, to int) {
	if int(scope)+1 >= len(s) {
		return 0, 0
	}
	return int(s[scope]), int(s[scope+1])
}

func (s starts) empty(scope uint16) bool {
	from, to := s.rows(scope)
	return from == to
}

func newSnapshot(parts []part) snapshot {
	s := snapshot{sets: make([]*rowSet, len(parts)), starts: make([]starts, len(parts))}
	for i := range parts {
		s.sets[i] = newRowSet(&parts[i])
	}
	return s
}

// scope returns one scope's rows of a part.
func (s *snapshot) scope(part int, scope uint16) span {
	from, to := s.starts[part].rows(scope)
	return span{s.sets[part], from, to}
}

// placing is the order of a table's rows in its parts. It is worked out anew when a row comes, goes, or changes its
// scope or owner.
type placing struct {
	wire  wireIDs
	raw   []ID     // by slot
	scope []uint16 // by slot: where the rules put the row
	owner []uint16 // by slot
	team  []uint16 // by slot: the scope of the owner's team
	salt  []uint16 // by slot: how often its row came into a hidden scope
	moved bool     // something changed in the newest capture

	rows  []unsafe.Pointer // by slot, of the newest capture
	wires []ID             // by slot
	named []uint64         // the rows: wire ids, in order, and slots
	back  []uint16         // by a wire id's slot: the slot
	order [audiences]order
}

// order is the rows of a part, in the order of scopes, within one of wire ids.
type order struct {
	slots []uint16
	ids   []ID
	by    []uint16 // by slot: the scope
	start starts
}

// survey finds the rows of a table and whether their order still holds. where says in which scope a slot's row is.
func (p *placing) survey(t *TableInfo, r rows, where []uint16, rules *Scopes) {
	n := r.slots()
	p.moved = n != len(p.raw)
	others := p.moved // than before, or other names
	p.raw, p.scope, p.owner = resize(p.raw, n), resize(p.scope, n), resize(p.owner, n)
	p.rows, p.wires, p.salt, p.team = resize(p.rows, n), resize(p.wires, n), resize(p.salt, n), resize(p.team, n)
	for slot := range n {
		id, at := r.at(slot)
		p.rows[slot] = at
		var scope, owner, team uint16
		if slot < len(where) {
			scope = where[slot]
		}
		if id != 0 && t.private() {
			owner = uint16(t.Fields[t.owner].load(at)) & (scopeTeams - 1) //nolint:gosec // a Seat
			team = rules.team(owner)
		}
		if p.raw[slot] != id || p.scope[slot] != scope || p.owner[slot] != owner || p.team[slot] != team {
			if p.raw[slot] == id && p.scope[slot] != scope && hidden(scope) {
				p.salt[slot]++
				others = true
			}
			others = others || p.raw[slot] != id
			p.raw[slot], p.scope[slot], p.owner[slot], p.team[slot] = id, scope, owner, team
			p.moved = true
			if p.wires[slot] = id; !t.Single {
				p.wires[slot] = p.wire.of(id, p.salt[slot])
				if id != 0 {
					p.name(slot)
				}
			}
		}
	}
	if !p.moved {
		return
	}
	if others {
		p.named = p.named[:0]
		for slot, id := range p.raw {
			if id != 0 {
				p.named = append(p.named, uint64(p.wires[slot])<<16|uint64(slot))
			}
		}
		slices.Sort(p.named)
	}
	for to, by := range [audiences][]uint16{p.scope, p.owner, p.team} {
		if len(t.columns(audience(to))) > 0 || audience(to) == everyone {
			p.order[to].sort(p, by)
		}
	}
}

// name notes which slot the name of its row leads back to.
func (p *placing) name(slot int) {
	for len(p.back) <= p.wires[slot].slot() {
		p.back = append(p.back, 0)
	}
	p.back[p.wires[slot].slot()] = uint16(slot) //nolint:gosec // below DefaultMax
}

// sort is a counting sort by scopes of the rows, which are in the order of wire ids already.
func (o *order) sort(p *placing, by []uint16) {
	last := uint16(0)
	for _, row := range p.named {
		last = max(last, by[uint16(row)]) //nolint:gosec // a slot
	}
	// How many rows each scope has is counted two places on. Added up, that is where the scope after it begins, and where
	// it begins itself is one place on; there each row that is placed counts on, until that is where the next one begins.
	o.start = resize(o.start, int(last)+3)
	clear(o.start)
	for _, row := range p.named {
		o.start[int(by[uint16(row)])+2]++ //nolint:gosec // a slot
	}
	for i := 1; i < len(o.start); i++ {
		o.start[i] += o.start[i-1]
	}
	o.by, o.slots, o.ids = by, resize(o.slots, len(p.named)), resize(o.ids, len(p.named))
	for _, row := range p.named {
		at := &o.start[int(by[uint16(row)])+1]              //nolint:gosec // a slot
		o.slots[*at], o.ids[*at] = uint16(row), ID(row>>16) //nolint:gosec // a slot and an id
		*at++
	}
}

// capture quantises a part. before is the part at the tick before, whose texts are shared where they are the same.
func (s *snapshot) capture(i int, p *part, placed []placing, before *rowSet) {
	at := &placed[p.table]
	o := &at.order[p.to]
	set := s.sets[i]
	set.resize(p, len(o.slots))
	copy(set.ids, o.ids)
	s.starts[i] = append(s.starts[i][:0], o.start...)
	for c, f := range p.fields {
		switch {
		case f.text():
			captureText(f, set.text[c], o.slots, at, before, c)
		case f.Kind == KindRef:
			captureRefs(f, set.nums[c], o, at.rows, &placed[f.Ref])
		default:
			captureColumn(f, set.nums[c], o.slots, at.rows)
		}
	}
}

func captureText(f *Field, dst []string, slots []uint16, at *placing, before *rowSet, c int) {
	same := before != nil && !at.moved
	if same && f.shared() {
		for i, slot := range slots {
			v, was := *(*string)(unsafe.Add(at.rows[slot], f.offset)), before.text[c][i]
			if !sameString(v, was) { // else it was looked at before, and is kept
				if v = f.loadText(at.rows[slot]); v == was {
					v = was
				}
			}
			dst[i] = v
		}
		return
	}
	for i, slot := range slots {
		v := f.loadText(at.rows[slot])
		switch {
		case same && before.text[c][i] == v:
			v = before.text[c][i]
		case f.Kind == KindBytes:
			v = strings.Clone(v)
		}
		dst[i] = v
	}
}

// captureRefs names rows of another table as the wire does. One that only a seat or a team may see has no name outside of
// that scope.
func captureRefs(f *Field, dst []int64, o *order, rows []unsafe.Pointer, to *placing) {
	for i, slot := range o.slots {
		id := ID(f.load(rows[slot])) //nolint:gosec // an ID
		s := id.slot()
		switch {
		case id == 0, s >= len(to.raw), to.raw[s] != id, hidden(to.scope[s]) && to.scope[s] != o.by[slot]:
			dst[i] = 0
		default:
			dst[i] = int64(to.wires[s])
		}
	}
}

// captureColumn is load for a whole column; the common kinds have loops of their own.
func captureColumn(f *Field, dst []int64, slots []uint16, rows []unsafe.Pointer) {
	plain := f.size == 4 && f.in == nil // a float32 in the row itself
	switch {
	case plain && f.Kind == KindFixed:
		for i, slot := range slots {
			dst[i] = f.quantise(float64(*(*float32)(unsafe.Add(rows[slot], f.offset))))
		}
	case plain && f.Kind == KindAngle:
		scale, mask := float64(int64(1)<<f.Bits)/(2*math.Pi), int64(1)<<f.Bits-1
		for i, slot := range slots {
			n := math.Floor(float64(float64(*(*float32)(unsafe.Add(rows[slot], f.offset)))*scale) + 0.5)
			if !(math.Abs(n) < 1<<53) {
				n = 0
			}
			dst[i] = int64(n) & mask
		}
	default:
		for i, slot := range slots {
			dst[i] = f.load(rows[slot])
		}
	}
}

// stateRef is a state as the compiled plan sees it.
type stateRef struct {
	sc  *Schema
	p   unsafe.Pointer // of an *S,
	dyn *Dynamic       // or this
}

func (sc *Schema) stateOf(state any) (stateRef, error) {
	if d, ok := state.(*Dynamic); ok && d.sc == sc {
		return stateRef{sc: sc, dyn: d}, nil
	}
	p, err := pointer(state, sc.state)
	return stateRef{sc: sc, p: p}, err
}

// table returns a table of the state, whose bound it sets.
func (s stateRef) table(i int) rows {
	if s.dyn != nil {
		return &s.dyn.tables[i].rows
	}
	t := &s.sc.Tables[i]
	r := reflect.NewAt(t.typ, unsafe.Add(s.p, t.offset)).Interface().(rows) //nolint:forcetypeassert // checked by Compile
	r.setLimit(t.Max)
	return r
}

// tablesOf returns all tables of a state.
func tablesOf(sc *Schema, state any) ([]rows, error) {
	s, err := sc.stateOf(state)
	if err != nil {
		return nil, err
	}
	list := make([]rows, len(sc.Tables))
	for i := range list {
		list[i] = s.table(i)
	}
	return list, nil
}

// clear sets columns of the Go row at p to zero and says whether that changed anything.
func (t *TableInfo) clear(p unsafe.Pointer, list []int) (changed bool) {
	for _, i := range list {
		changed = t.Fields[i].clear(p) || changed
	}
	return changed
}
