package netcode

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// ErrCheckpoint is what the errors of reading a state, a checkpoint or an input buffer wrap.
var ErrCheckpoint = errors.New("bad checkpoint")

// exactReader reads what may be damaged. The first failure sticks, later calls return zero values. A length is checked
// against the bytes that are left before anything is done with it.
type exactReader struct {
	b   []byte
	err error
}

// fail makes the reader fail; the arguments are those of a format.
func (r *exactReader) fail(format string, args ...any) {
	if r.err == nil {
		r.err, r.b = fmt.Errorf("%w: "+format, append([]any{ErrCheckpoint}, args...)...), nil
	}
}

// uint reads a varint of at most max, written in as few bytes as it takes.
func (r *exactReader) uint(what string, max uint64) uint64 {
	v, n := binary.Uvarint(r.b)
	switch {
	case r.err != nil:
	case n == 0:
		r.fail("%s: cut short", what)
	case n < 0 || n > 1 && r.b[n-1] == 0:
		r.fail("%s: not a varint", what)
	case v > max:
		r.fail("%s: %d, at most %d allowed", what, v, max)
	default:
		r.b = r.b[n:]
		return v
	}
	return 0
}

// int reads a signed varint.
func (r *exactReader) int(what string) int64 {
	u := r.uint(what, math.MaxUint64)
	return int64(u>>1) ^ -int64(u&1)
}

// count reads how many follow of what takes at least a byte.
func (r *exactReader) count(what string) int {
	n := r.uint(what, math.MaxUint64)
	if n > uint64(len(r.b)) {
		r.fail("%s: %d of them in %d bytes", what, n, len(r.b))
		return 0
	}
	return int(n) //nolint:gosec // bounded
}

// take reads so many bytes, which are not a copy.
func (r *exactReader) take(what string, n int) []byte {
	if n > len(r.b) {
		r.fail("%s: cut short", what)
		return nil
	}
	b := r.b[:n:n]
	r.b = r.b[n:]
	return b
}

func (r *exactReader) byte(what string) byte {
	if b := r.take(what, 1); len(b) == 1 {
		return b[0]
	}
	return 0
}

// text reads a text, which is not a copy.
func (r *exactReader) text(what string) []byte { return r.take(what, r.count(what)) }

// done returns the first failure; bytes that were not read are one.
func (r *exactReader) done() error {
	if r.err == nil && len(r.b) > 0 {
		r.fail("%d bytes after the end", len(r.b))
	}
	return r.err
}

// layout reads a layout. What it allocates is bounded by its bytes.
func (r *exactReader) layout() (dynamic bool, tables []exactTable) {
	flags := r.byte("layout")
	if flags > layoutDynamic {
		r.fail("layout: unknown flags %#x", flags)
	}
	seen := map[string]bool{}
	for range r.uint("tables", maxTables) {
		t := exactTable{name: string(r.text("table's name"))}
		flags := r.byte("table's flags")
		if flags > layoutSingle|layoutRewind || seen[t.name] {
			r.fail("table %q: there twice, or unknown flags %#x", t.name, flags)
		}
		seen[t.name] = true
		t.single, t.rewind = flags&layoutSingle != 0, flags&layoutRewind != 0
		t.columns = r.columns(t.name, false)
		if r.err != nil {
			break
		}
		tables = append(tables, t)
	}
	return flags == layoutDynamic, tables
}

// columns reads the columns of a table, or of a slice's element.
func (r *exactReader) columns(of string, element bool) []exactColumn {
	var list []exactColumn
	seen := map[string]bool{}
	for range r.count("columns") {
		c := exactColumn{name: string(r.text("column's name")), kind: Kind(r.byte("kind")), size: r.byte("size")}
		if seen[c.name] {
			r.fail("%s.%s: there twice", of, c.name)
		}
		seen[c.name] = true
		switch {
		case c.kind == KindEnum && c.whole():
			for range r.uint("names", maxNames) {
				c.names = append(c.names, string(r.text("name")))
			}
		case c.kind == KindLen && c.size == 0 && !element:
			c.elems = r.columns(of+"."+c.name, true)
		case c.kind == KindInt && c.whole(), c.kind == KindUint && c.whole(), c.kind == KindBool && c.size == 1,
			c.kind == KindFloat32 && c.size == 4, c.kind == KindFloat64 && c.size == 8,
			(c.kind == KindString || c.kind == KindBytes) && c.size == 0:
		default:
			r.fail("%s.%s: no column is of kind %d with %d bytes", of, c.name, c.kind, c.size)
		}
		if r.err != nil {
			break
		}
		list = append(list, c)
	}
	return list
}

// whole says whether the size is one of a whole number.
func (c *exactColumn) whole() bool { return c.size == 1 || c.size == 2 || c.size == 4 || c.size == 8 }

// ledger reads a ledger.
func (r *exactReader) ledger(table string) (l ledger) {
	n, free := int(r.uint("slots", DefaultMax)), int(r.uint("free slots", DefaultMax)) //nolint:gosec // bounded
	if n+free > len(r.b) {
		r.fail("%s: %d slots and %d free ones in %d bytes", table, n, free, len(r.b))
		return l
	}
	l = ledger{make([]ID, n), make([]uint16, n), make([]uint16, free)}
	for slot := range n {
		v := r.uint("slot", math.MaxUint16<<2|slotTaken|slotOther)
		gen := v >> 2
		l.gens[slot] = uint16(gen) //nolint:gosec // bounded
		switch v & 3 {
		case slotOther:
			r.fail("%s: slot %d has a generation and no row", table, slot)
		case slotOther | slotTaken:
			if gen = r.uint("generation", math.MaxUint16); gen == v>>2 {
				r.fail("%s: slot %d has its generation twice", table, slot)
			}
		}
		if v&slotTaken == 0 {
			continue
		}
		if l.ids[slot] = ID(slot)<<16 | ID(gen); gen == 0 { //nolint:gosec // bounded
			r.fail("%s: the row of slot %d has no id", table, slot)
		}
	}
	given := make([]bool, n)
	for i := range l.free {
		slot := r.uint("free slot", DefaultMax-1)
		if slot >= uint64(len(given)) || given[slot] || l.ids[slot] != 0 {
			r.fail("%s: slot %d is not free, or twice", table, slot)
			return l
		}
		given[slot], l.free[i] = true, uint16(slot) //nolint:gosec // bounded
	}
	return l
}

// number reads a column's number as bits has it.
func (r *exactReader) number(c *exactColumn) uint64 {
	switch {
	case c.kind == KindBool:
		v := r.byte(c.name)
		if v > 1 {
			r.fail("%s: a bool of %d", c.name, v)
		}
		return uint64(v)
	case c.kind == KindInt && c.size == 1:
		return uint64(int8(r.byte(c.name))) //nolint:gosec // the bits
	case c.size == 1:
		return uint64(r.byte(c.name))
	case c.kind == KindFloat32:
		if b := r.take(c.name, 4); len(b) == 4 {
			return uint64(binary.LittleEndian.Uint32(b))
		}
		return 0
	case c.kind == KindFloat64:
		if b := r.take(c.name, 8); len(b) == 8 {
			return binary.LittleEndian.Uint64(b)
		}
		return 0
	case c.kind == KindInt:
		v := r.int(c.name)
		if wide := 64 - 8*c.size; v<<wide>>wide != v {
			r.fail("%s: %d is wider than %d bytes", c.name, v, c.size)
		}
		return uint64(v) //nolint:gosec // the bits
	default:
		return r.uint(c.name, math.MaxUint64>>(64-8*c.size))
	}
}
