package netcode

import (
	"math"
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
	rest   []float64 // by field: a smaller offset is none
	ids    []ID      // by slot: whose the offsets are
	offset []float64 // by slot and field
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
	}
	return s
}

// correct takes up that was had been predicted and now is: what is shown stays where it is, but where a column is off by
// more than snap, or a row is new.
func (s *smoothing) correct(was, now []rows) {
	for i := range s.tables {
		t := &s.tables[i]
		k, n := len(t.fields), now[i].slots()
		t.ids, t.offset = resizeClear(t.ids, n), resizeClear(t.offset, n*k)
		for slot := range n {
			id, at := now[i].at(slot)
			offset := t.offset[slot*k : slot*k+k]
			if t.ids[slot] != id {
				clear(offset)
				t.ids[slot] = id
			}
			if id == 0 {
				continue
			}
			if slot < was[i].slots() {
				if old, before := was[i].at(slot); old == id {
					s.row(t.fields, offset, before, at)
					continue
				}
			}
			clear(offset)
		}
	}
}

func (s *smoothing) row(fields []*Field, offset []float64, was, now unsafe.Pointer) {
	for c, f := range fields {
		d := f.number(was) + offset[c] - f.number(now)
		if f.Kind == KindAngle {
			d -= float64(math.Floor(float64(d/(2*math.Pi))+0.5) * (2 * math.Pi))
		}
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

// show adds the offsets to a copy of what is predicted.
func (s *smoothing) show(shown []rows) {
	for i := range s.tables {
		t := &s.tables[i]
		k := len(t.fields)
		for slot := range min(shown[i].slots(), len(t.ids)) {
			id, at := shown[i].at(slot)
			if id == 0 || id != t.ids[slot] {
				continue
			}
			for c, f := range t.fields {
				if d := t.offset[slot*k+c]; d != 0 {
					f.setFloat(at, f.number(at)+d)
				}
			}
		}
	}
}

// number is the Go float of a smooth column in the row at p, not quantised.
func (f *Field) number(p unsafe.Pointer) float64 { return f.float(f.address(p)) }

// near says whether two rows have the same in a column, on the wire's grid: what is quantised may differ by one step,
// since numbers that differ by a last bit may round apart.
func (f *Field) near(a, b unsafe.Pointer) bool {
	if f.text() {
		return f.loadText(a) == f.loadText(b)
	}
	d := f.load(a) - f.load(b)
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
