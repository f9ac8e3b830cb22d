package netcode

import (
	"bytes"
	"math"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"
	"unsafe"
)

// tablePlan says how a table that was written becomes one of the schema.
type tablePlan struct {
	from    *exactTable
	to      int // the table's index; -1: it is gone
	columns []columnPlan
}

// columnPlan says the same of a column.
type columnPlan struct {
	from  *exactColumn
	to    *exactColumn // nil: it is gone
	elems []columnPlan
}

// plan reads a layout and finds its tables and columns by their names.
func (r *exactReader) plan(sc *Schema) []tablePlan {
	dynamic, tables := r.layout()
	if r.err == nil && dynamic != (sc.state == nil) {
		r.fail("a state with Go types and one without are not read as each other")
	}
	if r.err != nil {
		return nil
	}
	index := map[string]int{}
	for i := range sc.exact {
		index[sc.exact[i].name] = i
	}
	plan := make([]tablePlan, len(tables))
	for i := range tables {
		t := &tables[i]
		plan[i] = tablePlan{from: t, to: -1}
		var to []exactColumn
		if k, ok := index[t.name]; ok {
			if sc.exact[k].single != t.single {
				r.fail("%s: a table has become a single row, or the other way round", t.name)
			}
			plan[i].to, to = k, sc.exact[k].columns
		}
		plan[i].columns = r.match(t.name, t.columns, to)
	}
	return plan
}

func (r *exactReader) match(of string, from, to []exactColumn) []columnPlan {
	index := map[string]*exactColumn{}
	for i := range to {
		index[to[i].name] = &to[i]
	}
	plan := make([]columnPlan, len(from))
	for i := range from {
		c := &from[i]
		p := columnPlan{from: c, to: index[c.name]}
		var elems []exactColumn
		if p.to != nil {
			if c.class() != p.to.class() {
				r.fail("%s.%s: was %s and is %s", of, c.name, c.class(), p.to.class())
			}
			elems = p.to.elems
		}
		if c.kind == KindLen {
			p.elems = r.match(of+"."+c.name, c.elems, elems)
		}
		plan[i] = p
	}
	return plan
}

// class is what a column's values can be converted within.
func (c *exactColumn) class() string {
	switch c.kind {
	case KindBool:
		return "a bool"
	case KindString, KindBytes:
		return "a text"
	case KindLen:
		return "a slice"
	default:
		return "a number"
	}
}

// table reads a table into one that is empty; into is nil where the table is gone.
func (r *exactReader) table(p *tablePlan, into rows, most int) {
	if p.from.single {
		var at unsafe.Pointer
		if into != nil {
			_, at = into.at(0)
		}
		r.row(p.from.name, p.columns, at)
		return
	}
	l := r.ledger(p.from.name)
	if into != nil && r.err == nil {
		into.setLedger(r.within(l, p.from.name, most))
	}
	for slot, id := range l.ids {
		if r.err != nil {
			return
		}
		var at unsafe.Pointer
		if id != 0 && into != nil {
			_, at = into.at(slot)
		}
		if id != 0 {
			r.row(p.from.name, p.columns, at)
		}
	}
}

// within is a ledger without the slots that a smaller table does not have.
func (r *exactReader) within(l ledger, table string, most int) ledger {
	if len(l.ids) <= most {
		return l
	}
	for slot, id := range l.ids[most:] {
		if id != 0 {
			r.fail("%s: a row is in slot %d, and the table has room for %d", table, most+slot, most)
		}
	}
	free := slices.DeleteFunc(slices.Clone(l.free), func(slot uint16) bool { return int(slot) >= most })
	return ledger{l.ids[:most], l.gens[:most], free}
}

// row reads the columns of the row, or of the element, at p; where it is nil they are only checked.
func (r *exactReader) row(of string, plan []columnPlan, p unsafe.Pointer) {
	for i := range plan {
		c := &plan[i]
		to := c.to
		if p == nil {
			to = nil
		}
		switch c.from.kind {
		case KindString, KindBytes:
			if text := r.text(c.from.name); to != nil && r.err == nil {
				r.storeText(of, to, p, text)
			}
		case KindLen:
			r.slice(of, c, to, p)
		default:
			if bits := r.number(c.from); to != nil && r.err == nil {
				r.storeNumber(of, c.from, to, p, bits)
			}
		}
		if r.err != nil {
			return
		}
	}
}

func (r *exactReader) slice(of string, c *columnPlan, to *exactColumn, p unsafe.Pointer) {
	n := int(r.uint(c.from.name, math.MaxInt32)) //nolint:gosec // bounded
	if n > max(len(r.b), maxElements) || len(c.elems) > 0 && n > len(r.b) {
		r.fail("%s.%s: %d elements in %d bytes", of, c.from.name, n, len(r.b))
		return
	}
	var data unsafe.Pointer
	var size uintptr
	if to != nil {
		s := unsafe.Add(p, to.f.in.offset)
		setLen(reflect.NewAt(to.f.in.typ, s).Elem(), n)
		data, size = (*sliceHeader)(s).data, to.f.in.typ.Elem().Size()
	}
	of += "." + c.from.name
	for k := range n {
		at := data
		if at != nil {
			at = unsafe.Add(data, uintptr(k)*size)
		}
		if r.row(of, c.elems, at); r.err != nil {
			return
		}
	}
}

func (r *exactReader) storeText(of string, to *exactColumn, p unsafe.Pointer, text []byte) {
	switch {
	case to.f.raw:
		if len(text) > to.f.Max || to.kind == KindString && !utf8.Valid(text) {
			r.fail("%s.%s: %d bytes of text, at most %d allowed, or no UTF-8", of, to.name, len(text), to.f.Max)
			return
		}
		(*dynamicRow)(p).setStr(to.f.column, string(text))
	case to.kind == KindString:
		*(*string)(unsafe.Add(p, to.f.offset)) = string(text)
	case len(text) > 0:
		*(*[]byte)(unsafe.Add(p, to.f.offset)) = bytes.Clone(text)
	}
}

func (r *exactReader) storeNumber(of string, from, to *exactColumn, p unsafe.Pointer, bits uint64) {
	if from.kind != to.kind || from.size != to.size || !slices.Equal(from.names, to.names) {
		was := bits
		var ok bool
		if bits, ok = convert(bits, from, to); !ok {
			r.fail("%s.%s: %s is not a value of what it is now, %s", of, to.name, from.show(was), to.goType())
			return
		}
	}
	if !to.f.raw {
		setBits(unsafe.Add(p, to.f.offset), to.size, bits)
		return
	}
	n := int64(bits) //nolint:gosec // the bits
	if !to.f.valid(n) {
		r.fail("%s.%s: %d is not a value of it", of, to.name, n)
		return
	}
	(*dynamicRow)(p).setNum(to.f.column, n)
}

// convert makes a number of a column one of another, which must be the very same; a named one keeps its name.
func convert(bits uint64, from, to *exactColumn) (uint64, bool) {
	negative := from.kind == KindInt && int64(bits) < 0 //nolint:gosec // the bits
	switch {
	case from.kind == KindEnum && to.kind == KindEnum && !slices.Equal(from.names, to.names):
		if bits >= uint64(len(from.names)) {
			return 0, false
		}
		i := slices.Index(to.names, from.names[bits])
		if i < 0 {
			return 0, false
		}
		return to.fitted(false, uint64(i))
	case from.float() && to.float():
		return to.fromFloat(from.toFloat(bits))
	case from.float():
		v := from.toFloat(bits)
		if v != math.Trunc(v) || v < -1<<63 || v >= 1<<64 {
			return 0, false
		}
		if v < 0 {
			return to.fitted(true, uint64(int64(v))) //nolint:gosec // the bits
		}
		return to.fitted(false, uint64(v))
	case to.float() && negative:
		v := float64(int64(bits))    //nolint:gosec // the bits
		if int64(v) != int64(bits) { //nolint:gosec // the bits
			return 0, false
		}
		return to.fromFloat(v)
	case to.float():
		v := float64(bits)
		if v >= 1<<64 || uint64(v) != bits {
			return 0, false
		}
		return to.fromFloat(v)
	}
	return to.fitted(negative, bits)
}

func (c *exactColumn) float() bool { return c.kind == KindFloat32 || c.kind == KindFloat64 }

func (c *exactColumn) toFloat(bits uint64) float64 {
	if c.kind == KindFloat32 {
		return float64(math.Float32frombits(uint32(bits))) //nolint:gosec // as wide as that
	}
	return math.Float64frombits(bits)
}

func (c *exactColumn) fromFloat(v float64) (uint64, bool) {
	if c.kind == KindFloat64 {
		return math.Float64bits(v), true
	}
	short := float32(v)
	return uint64(math.Float32bits(short)), float64(short) == v || v != v
}

// fitted returns a whole number, which is negative or not, as the column's bits; it is false where it has no room.
func (c *exactColumn) fitted(negative bool, bits uint64) (uint64, bool) {
	if c.kind != KindInt {
		return bits, !negative && bits <= math.MaxUint64>>(64-8*c.size)
	}
	if negative {
		return bits, int64(bits) >= -1<<(8*c.size-1) //nolint:gosec // the bits
	}
	return bits, bits <= math.MaxInt64>>(64-8*c.size)
}

// goType names the column's type for people.
func (c *exactColumn) goType() string {
	width := map[uint8]string{1: "8", 2: "16", 4: "32", 8: "64"}[c.size]
	switch c.kind {
	case KindInt:
		return "an int" + width
	case KindEnum:
		return "one of " + strings.Join(c.names, ", ")
	case KindFloat32, KindFloat64:
		return "a float" + width
	default:
		return "a uint" + width
	}
}
