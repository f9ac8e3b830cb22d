package netcode

import (
	"math"
	"slices"
	"unsafe"
)

// smoothing is by how much what is shown differs from what is predicted, by row and smooth column: those of quantised
// floats, angles and floats. A correction goes into it, so that nothing jumps, and it decays. It is no part of the
// simulation.
type smoothing struct {
	halfLife float64 // ms
	snap     float64
	tables   []smoothTable
}

type smoothTable struct {
	fields []*Field
	far    []*Field  // those that an error is measured in
	rest   []float64 // by field: a smaller offset is none
	ids    []ID      // by slot: whose the offsets are
	offset []float64 // by slot and field
	held   []ID      // by slot: whose numbers were seen
	seen   []float64 // by slot and field: what was shown before a correction
}

// Offsets of unquantised floats below this are none.
const floatRest = 1e-3

func newSmoothing(sc *Schema, halfLife, snap float64) smoothing {
	s := smoothing{halfLife: halfLife, snap: snap, tables: make([]smoothTable, len(sc.Tables))}
	for i := range sc.Tables {
		t := &s.tables[i]
		for c := range sc.Tables[i].Fields {
			f := &sc.Tables[i].Fields[c]
			if !f.Sent() || f.in != nil { // an element of a slice may be another one after a correction
				continue
			}
			switch f.Kind {
			case KindFixed:
				t.rest = append(t.rest, f.Step/4)
			case KindAngle:
				t.rest = append(t.rest, 2*math.Pi/float64(int64(1)<<f.Bits)/4)
			case KindFloat32, KindFloat64:
				t.rest = append(t.rest, floatRest)
			default:
				continue
			}
			t.fields = append(t.fields, f)
		}
		t.far = farOf(t.fields)
	}
	return s
}

// farOf are the columns that an error is measured in: those marked predict, or where there are none all but angles.
func farOf(fields []*Field) (far []*Field) {
	marked := slices.ContainsFunc(fields, func(f *Field) bool { return f.marked() })
	for _, f := range fields {
		if f.Kind != KindAngle && (!marked || f.marked()) {
			far = append(far, f)
		}
	}
	return far
}

func (f *Field) marked() bool { return f.Kind != KindAngle && f.flags&flagPredict != 0 }

// distance is how far two rows of a table are from each other.
func (s *smoothing) distance(table int, a, b unsafe.Pointer) float64 {
	sum := 0.0
	for _, f := range s.tables[table].far {
		d := f.number(a) - f.number(b)
		sum += float64(d * d)
	}
	return math.Sqrt(sum)
}

// shownAt is a column's number in the row at now, left of a tick before its end; before is the row a tick earlier, or nil.
func (f *Field) shownAt(before, now unsafe.Pointer, left float64) float64 {
	v := f.number(now)
	if before == nil {
		return v
	}
	if d := float64(f.difference(v, f.number(before)) * left); d == d { // not of two infinities
		v -= d
	}
	return v
}

// difference is a - b, the short way round for angles.
func (f *Field) difference(a, b float64) float64 {
	d := a - b
	if f.Kind == KindAngle {
		d -= float64(math.Floor(float64(d/(2*math.Pi))+0.5) * (2 * math.Pi))
	}
	return d
}

// hold notes what is shown, left of a tick before the end of the newest.
func (s *smoothing) hold(before, now []rows, left float64) {
	for i := range s.tables {
		t := &s.tables[i]
		k, n := len(t.fields), now[i].slots()
		t.held, t.seen = resizeClear(t.held, n), resizeClear(t.seen, n*k)
		for slot := range n {
			id, at := now[i].at(slot)
			if t.held[slot] = id; id == 0 {
				continue
			}
			was := rowOf(before[i], id)
			for c := range t.fields {
				t.seen[slot*k+c] = t.shown(slot, id, c, was, at, left)
			}
		}
	}
}

// correct takes up that something else is predicted than when hold was called: what is shown stays where it was seen, but
// where a column is off by more than snap, or a row is new.
func (s *smoothing) correct(before, now []rows, left float64, names *spawns) {
	for i := range s.tables {
		t := &s.tables[i]
		k, n := len(t.fields), now[i].slots()
		t.ids, t.offset = resizeClear(t.ids, n), resizeClear(t.offset, n*k)
		for slot := range n {
			id, at := now[i].at(slot)
			offset := t.offset[slot*k : slot*k+k]
			t.ids[slot] = id
			clear(offset)
			if id == 0 {
				continue
			}
			from := names.source(i, id)
			if was := from.slot(); was < len(t.held) && t.held[was] == from {
				s.row(t.fields, offset, t.seen[was*k:was*k+k], rowOf(before[i], id), at, left)
			}
		}
	}
}

func (s *smoothing) row(fields []*Field, offset, seen []float64, before, now unsafe.Pointer, left float64) {
	for c, f := range fields {
		d := f.difference(seen[c], f.shownAt(before, now, left))
		if offset[c] = d; !(math.Abs(d) <= s.snap) && f.Kind != KindAngle || !(math.Abs(d) <= math.MaxFloat64) {
			clear(offset) // whoever jumps in one column has jumped
			return
		}
	}
}

// decay lets time pass.
func (s *smoothing) decay(ms float64) {
	part := halves(ms / s.halfLife)
	for i := range s.tables {
		t := &s.tables[i]
		for j, d := range t.offset {
			if d = float64(d * part); math.Abs(d) < t.rest[j%len(t.fields)] {
				d = 0
			}
			t.offset[j] = d
		}
	}
}

// show makes a copy of what is predicted what is shown, left of a tick before the end of the newest.
func (s *smoothing) show(shown, before []rows, left float64) {
	for i := range s.tables {
		t := &s.tables[i]
		for slot := range shown[i].slots() {
			id, at := shown[i].at(slot)
			if id == 0 {
				continue
			}
			was := rowOf(before[i], id)
			for c, f := range t.fields {
				f.setFloat(at, t.shown(slot, id, c, was, at, left))
			}
		}
	}
}

// shown is a column's number as it is shown: that of the row, and the row's offset.
func (t *smoothTable) shown(slot int, id ID, column int, before, now unsafe.Pointer, left float64) float64 {
	v := t.fields[column].shownAt(before, now, left)
	if slot < len(t.ids) && t.ids[slot] == id {
		if d := t.offset[slot*len(t.fields)+column]; d != 0 { // so that -0 stays it
			v += d
		}
	}
	return v
}

// number is the Go float of a smooth column in the row at p, not quantised.
func (f *Field) number(p unsafe.Pointer) float64 { return f.float(f.address(p)) }

// near says whether two rows have the same in a column, on the wire's grid: what is quantised may differ by one step,
// since numbers that differ by a last bit may round apart.
func (f *Field) near(a, b unsafe.Pointer) bool {
	if f.text() {
		return f.loadText(a) == f.loadText(b)
	}
	x, y := f.load(a), f.load(b)
	if f.Kind == KindRef && (ID(x).Provisional() || ID(y).Provisional()) { //nolint:gosec // ids
		return true
	}
	d := x - y
	if f.Kind == KindFixed || f.Kind == KindAngle {
		return abs(f.wrap(d)) <= 1
	}
	return d == 0
}

// halves returns 2^-x for x ≥ 0, the same bits in every language: additions, multiplications and divisions alone. The
// part of x below one is the Taylor series of exp, to ten terms: within 4e-10.
func halves(x float64) float64 {
	if !(x > 0) {
		return 1
	}
	if x > 1000 {
		return 0
	}
	whole := math.Floor(x)
	y := float64((x - whole) * math.Ln2)
	v := 1.0
	for k := 10.0; k >= 1; k-- {
		v = 1 - float64(y*v)/k
	}
	for ; whole > 0; whole-- {
		v /= 2
	}
	return v
}

// resizeClear is resize whose new elements are zero.
func resizeClear[T any](s []T, n int) []T {
	had := len(s)
	s = resize(s, n)
	if n > had {
		clear(s[had:])
	}
	return s
}
