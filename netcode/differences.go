package netcode

import (
	"fmt"
	"strconv"
	"unsafe"
)

// Differences names what differs between two states, an *S of this schema each, for people: at most max lines, tables,
// rows and columns in their order, such as "Ships[0x10001].X: 3.5 against 4". What a column is called is as in
// [Schema.ColumnName]. Tables whose rows are equal and whose next ids are not have a line too.
func (sc *Schema) Differences(a, b any, max int) ([]string, error) {
	x, err := sc.stateOf(a)
	if err != nil {
		return nil, fmt.Errorf("comparing states: %w", err)
	}
	y, err := sc.stateOf(b)
	if err != nil {
		return nil, fmt.Errorf("comparing states: %w", err)
	}
	d := differences{most: max}
	for i := range sc.Tables {
		d.table(&sc.Tables[i], x.table(i), y.table(i))
	}
	return d.lines, nil
}

type differences struct {
	lines []string
	most  int
}

func (d *differences) full() bool { return len(d.lines) >= d.most }

func (d *differences) add(format string, args ...any) {
	if !d.full() {
		d.lines = append(d.lines, fmt.Sprintf(format, args...))
	}
}

func (d *differences) table(t *TableInfo, a, b rows) {
	before := len(d.lines)
	for slot := 0; slot < max(a.slots(), b.slots()) && !d.full(); slot++ {
		id, p := rowAt(a, slot)
		other, q := rowAt(b, slot)
		if id == other && id != 0 {
			name := t.Name
			if !t.Single {
				name = fmt.Sprintf("%s[%#x]", t.Name, uint32(id))
			}
			d.row(t, name, p, q)
			continue
		}
		if id != 0 {
			d.add("%s[%#x]: a row against none", t.Name, uint32(id))
		}
		if other != 0 {
			d.add("%s[%#x]: no row against one", t.Name, uint32(other))
		}
	}
	if x, y := a.ledger(), b.ledger(); len(d.lines) == before && !x.equal(y) {
		d.add("%s: other ids come next", t.Name)
	}
}

// Show is a table of a state, an *S of this schema, for people: at most max lines, a row each, such as
// "Ships[0x10001]: X 3.5, Y 4". An error says that there is no table of that name.
func (sc *Schema) Show(state any, table string, max int) ([]string, error) {
	s, err := sc.stateOf(state)
	if err != nil {
		return nil, fmt.Errorf("showing a state: %w", err)
	}
	for i := range sc.Tables {
		if t := &sc.Tables[i]; t.Name == table {
			return t.show(s.table(i), max), nil
		}
	}
	return nil, fmt.Errorf("showing a state: there is no table %q", table)
}

func (t *TableInfo) show(r rows, max int) (lines []string) {
	for slot := 0; slot < r.slots() && len(lines) < max; slot++ {
		id, p := r.at(slot)
		if id == 0 {
			continue
		}
		line := t.Name + ":"
		if !t.Single {
			line = fmt.Sprintf("%s[%#x]:", t.Name, uint32(id))
		}
		for i := range t.Fields {
			if i > 0 {
				line += ","
			}
			line += " " + t.Fields[i].Name + " " + t.Fields[i].show(p)
		}
		lines = append(lines, line)
	}
	return lines
}

func rowAt(t rows, slot int) (ID, unsafe.Pointer) {
	if slot < t.slots() {
		return t.at(slot)
	}
	return 0, nil
}

func (d *differences) row(t *TableInfo, name string, p, q unsafe.Pointer) {
	for i := range t.Fields {
		f := &t.Fields[i]
		if f.exact(p) != f.exact(q) || f.missing(p) != f.missing(q) {
			d.add("%s.%s: %s against %s", name, f.Name, f.show(p), f.show(q))
		}
	}
}

// missing says whether the column is of an element that the slice of the row at p has not.
func (f *Field) missing(p unsafe.Pointer) bool { return !f.raw && f.address(p) == nil }

// show is the column of the row at p for people, as it is.
func (f *Field) show(p unsafe.Pointer) string {
	c := f.exactColumn()
	switch {
	case f.raw && !f.text():
		return strconv.FormatInt((*dynamicRow)(p).num(f.column), 10)
	case f.raw:
		return strconv.Quote((*dynamicRow)(p).str(f.column))
	case f.in != nil && f.in.index < 0:
		return strconv.Itoa((*sliceHeader)(f.address(p)).n)
	case f.in != nil:
		at := f.address(p)
		if at == nil {
			return "none"
		}
		p = unsafe.Add(at, -int(f.offset)) // where the element begins
	}
	switch {
	case f.Kind == KindString:
		return strconv.Quote(c.text(p))
	case f.Kind == KindBytes:
		return fmt.Sprintf("%x", c.text(p))
	case f.Kind == KindRef:
		return fmt.Sprintf("%#x", c.bits(p))
	}
	return c.show(c.bits(p))
}

// show is a number of the column for people.
func (c *exactColumn) show(bits uint64) string {
	switch {
	case c.float():
		v := c.toFloat(bits)
		if v != v { // there are many
			return fmt.Sprintf("NaN (%#x)", bits)
		}
		return strconv.FormatFloat(v, 'g', -1, 8*int(c.size))
	case c.kind == KindBool:
		return strconv.FormatBool(bits != 0)
	case c.kind == KindInt:
		return strconv.FormatInt(int64(bits), 10) //nolint:gosec // the bits
	case c.kind == KindEnum && bits < uint64(len(c.names)):
		return c.names[bits]
	}
	return strconv.FormatUint(bits, 10)
}
