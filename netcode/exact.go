package netcode

import (
	"encoding/binary"
	"strings"
	"unsafe"
)

// The exact form of a state is for whoever stores it: all columns as the rules have them, and what decides future ids.
//
//	state    the byte 1, the length of the layout and the layout, then the tables
//	layout   a byte (1: of Dynamic states), the number of tables, and for each its name, a byte (1: a single row,
//	         2: rewound), the number of its columns and the columns
//	column   name, Kind, bytes of a number; of an enum the names of its values; of a slice its elements' columns
//	table    but for a single row its ledger; then the rows in the order of their slots, column by column
//	ledger   the number of slots and of those that are free; for each slot its generation × 4, 2 where it holds a row,
//	         and 1 where that row's id has another generation, which then follows; the free slots in their order
//
// Numbers are varints (signed ones zigzag), but for those of one byte, floats, which are their bits, the lowest byte
// first, and what the above calls a byte. Texts, names and lists have their length in front. A range or a bound of the
// schema is not in it: a float is the rules' float, a text the rules' text.

// exactForm is the version of the form.
const exactForm = 1

// exactTable is a table in the layout.
type exactTable struct {
	name    string
	single  bool
	rewind  bool
	columns []exactColumn
}

// exactColumn is a column in the layout. Its kind is one of KindBool, KindInt, KindUint, KindFloat32, KindFloat64,
// KindString, KindBytes, KindEnum and, for a slice as a whole, KindLen.
type exactColumn struct {
	name  string
	kind  Kind
	size  uint8         // of a number, in bytes
	names []string      // KindEnum
	elems []exactColumn // KindLen: an element's
	f     *Field        // where it is in the Go row, or in the element; nil in a layout that was read
}

// planExact makes the layout of the schema's states.
func (sc *Schema) planExact() {
	sc.exact = make([]exactTable, len(sc.Tables))
	for i := range sc.Tables {
		t := &sc.Tables[i]
		sc.exact[i] = exactTable{name: t.Name, single: t.Single, rewind: t.rewind, columns: exactColumns(t.Fields)}
	}
	layout := []byte{0}
	if sc.state == nil {
		layout[0] = layoutDynamic
	}
	layout = binary.AppendUvarint(layout, uint64(len(sc.exact)))
	for i := range sc.exact {
		t := &sc.exact[i]
		flags := byte(0)
		if t.single {
			flags |= layoutSingle
		}
		if t.rewind {
			flags |= layoutRewind
		}
		layout = append(appendText(layout, t.name), flags)
		layout = appendLayout(layout, t.columns)
	}
	sc.layout = layout
}

// Bits of the layout.
const (
	layoutDynamic = 1
	layoutSingle  = 1
	layoutRewind  = 2
)

func appendLayout(dst []byte, columns []exactColumn) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(columns)))
	for i := range columns {
		c := &columns[i]
		dst = append(appendText(dst, c.name), byte(c.kind), c.size)
		switch c.kind {
		case KindEnum:
			dst = binary.AppendUvarint(dst, uint64(len(c.names)))
			for _, name := range c.names {
				dst = appendText(dst, name)
			}
		case KindLen:
			dst = appendLayout(dst, c.elems)
		default:
		}
	}
	return dst
}

// exactColumns lists columns with slices as one.
func exactColumns(fields []Field) []exactColumn {
	var list []exactColumn
	for i := range fields {
		f := &fields[i]
		switch c := f.exactColumn(); {
		case c.kind == KindLen:
			c.name = strings.TrimSuffix(f.Name, ".len")
			list = append(list, c)
		case f.in == nil:
			list = append(list, c)
		case f.in.index == 0: // the other elements are like the first
			s := &list[len(list)-1]
			c.name = strings.TrimPrefix(strings.TrimPrefix(f.Name, s.name+".0"), ".")
			s.elems = append(s.elems, c)
		}
	}
	return list
}

func (f *Field) exactColumn() exactColumn {
	c := exactColumn{name: f.Name, kind: f.Kind, size: f.size, f: f}
	switch {
	case f.text():
		c.size = 0
	case f.raw: // the column's integer
		c.kind, c.size = KindInt, 8
	case f.Kind == KindEnum:
		c.names = f.Names
	case f.Kind == KindLen:
		c.size = 0
	case f.Kind == KindRef:
		c.kind = KindUint
	case f.Kind == KindFixed, f.Kind == KindAngle:
		if c.kind = KindFloat64; f.size == 4 {
			c.kind = KindFloat32
		}
	}
	return c
}

// appendTable appends a table's ledger and rows.
func (t *exactTable) appendTable(dst []byte, from rows) []byte {
	if !t.single {
		dst = appendLedger(dst, from.ledger())
	}
	for slot := range from.slots() {
		if id, p := from.at(slot); id != 0 {
			dst = appendColumns(dst, t.columns, p)
		}
	}
	return dst
}

// Bits of a slot in a ledger, below its generation.
const (
	slotOther = 1 // the row's id has another generation, which is not of this table's giving
	slotTaken = 2
)

func appendLedger(dst []byte, l ledger) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(l.ids)))
	dst = binary.AppendUvarint(dst, uint64(len(l.free)))
	for slot, id := range l.ids {
		v, gen := uint64(l.gens[slot])<<2, uint16(id) //nolint:gosec // the low half
		switch {
		case id == 0:
			dst = binary.AppendUvarint(dst, v)
		case gen == l.gens[slot]:
			dst = binary.AppendUvarint(dst, v|slotTaken)
		default:
			dst = binary.AppendUvarint(dst, v|slotTaken|slotOther)
			dst = binary.AppendUvarint(dst, uint64(gen))
		}
	}
	for _, slot := range l.free {
		dst = binary.AppendUvarint(dst, uint64(slot))
	}
	return dst
}

// appendColumns appends the columns of the row, or of the element, at p.
func appendColumns(dst []byte, columns []exactColumn, p unsafe.Pointer) []byte {
	for i := range columns {
		c := &columns[i]
		switch c.kind {
		case KindString, KindBytes:
			dst = appendText(dst, c.text(p))
		case KindLen:
			h := (*sliceHeader)(unsafe.Add(p, c.f.in.offset))
			dst = binary.AppendUvarint(dst, uint64(h.n)) //nolint:gosec // not negative
			size := c.f.in.typ.Elem().Size()
			for k := range h.n {
				dst = appendColumns(dst, c.elems, unsafe.Add(h.data, uintptr(k)*size))
			}
		default:
			dst = c.appendNumber(dst, c.bits(p))
		}
	}
	return dst
}

func appendText(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

// text returns the whole text of the row or element at p; it is not a copy.
func (c *exactColumn) text(p unsafe.Pointer) string {
	switch {
	case c.f.raw:
		return (*dynamicRow)(p).str(c.f.column)
	case c.kind == KindString:
		return *(*string)(unsafe.Add(p, c.f.offset))
	}
	b := *(*[]byte)(unsafe.Add(p, c.f.offset))
	return unsafe.String(unsafe.SliceData(b), len(b))
}

// bits returns the number of the row or element at p: a float's bits, a signed number's in all 64.
func (c *exactColumn) bits(p unsafe.Pointer) uint64 {
	switch {
	case c.f.raw:
		return uint64((*dynamicRow)(p).num(c.f.column)) //nolint:gosec // the bits
	case c.kind == KindInt:
		return uint64(c.f.signed(unsafe.Add(p, c.f.offset))) //nolint:gosec // the bits
	}
	return c.f.whole(unsafe.Add(p, c.f.offset))
}

func (c *exactColumn) appendNumber(dst []byte, bits uint64) []byte {
	switch {
	case c.size == 1:
		return append(dst, byte(bits)) //nolint:gosec // as wide as that
	case c.kind == KindFloat32:
		return binary.LittleEndian.AppendUint32(dst, uint32(bits)) //nolint:gosec // as wide as that
	case c.kind == KindFloat64:
		return binary.LittleEndian.AppendUint64(dst, bits)
	case c.kind == KindInt:
		return binary.AppendVarint(dst, int64(bits)) //nolint:gosec // the bits
	default:
		return binary.AppendUvarint(dst, bits)
	}
}
