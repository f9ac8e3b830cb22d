package netcode

import (
	"reflect"
	"strings"
	"unsafe"
)

// snapshot is the quantised state of one tick, by table.
type snapshot struct {
	tick   uint32
	valid  bool
	tables []columns
}

// columns are a table's rows by slot: ids[s] is 0 where no row is.
type columns struct {
	ids  []ID
	nums [][]int64  // by column; nil for text
	text [][]string // by column; nil for numbers
}

func (s *snapshot) init(sc *Schema) {
	s.tables = make([]columns, len(sc.Tables))
	for i := range sc.Tables {
		n := len(sc.Tables[i].Fields)
		s.tables[i] = columns{nums: make([][]int64, n), text: make([][]string, n)}
	}
}

// resize makes place for n slots; what was in them is stale.
func (c *columns) resize(t *TableInfo, n int) {
	c.ids = resize(c.ids, n)
	for i := range t.Fields {
		if f := &t.Fields[i]; f.text() {
			c.text[i] = resize(c.text[i], n)
		} else {
			c.nums[i] = resize(c.nums[i], n)
		}
	}
}

func resize[T any](s []T, n int) []T {
	if n <= cap(s) {
		return s[:n]
	}
	return append(s[:cap(s)], make([]T, n-cap(s))...)
}

// capture quantises the rows of one table. before is the same table at an earlier tick: text that did not change is
// shared with it.
func (c *columns) capture(t *TableInfo, r rows, before *columns) {
	n := r.slots()
	c.resize(t, n)
	for slot := range n {
		id, p := r.at(slot)
		c.ids[slot] = id
		if id == 0 {
			continue
		}
		for i := range t.Fields {
			f := &t.Fields[i]
			switch {
			case !f.wire():
			case !f.text():
				c.nums[i][slot] = f.load(p)
			default:
				s := f.loadText(p)
				if before != nil && slot < len(before.text[i]) && before.text[i][slot] == s {
					s = before.text[i][slot]
				} else if f.Kind == KindBytes {
					s = strings.Clone(s)
				}
				c.text[i][slot] = s
			}
		}
	}
}

// tablesOf returns the tables of a state as the compiled plan sees them.
func tablesOf(sc *Schema, state any) ([]rows, error) {
	p, err := pointer(state, sc.state)
	if err != nil {
		return nil, err
	}
	list := make([]rows, len(sc.Tables))
	for i := range sc.Tables {
		t := &sc.Tables[i]
		list[i] = reflect.NewAt(t.typ, unsafe.Add(p, t.offset)).Interface().(rows) //nolint:forcetypeassert // checked by Compile
		list[i].setLimit(t.Max)
	}
	return list, nil
}

// clear sets columns of the Go row at p to zero.
func (t *TableInfo) clear(p unsafe.Pointer, list []int) {
	for _, i := range list {
		if f := &t.Fields[i]; f.text() {
			f.storeText(p, "")
		} else {
			clear(unsafe.Slice((*byte)(unsafe.Add(p, f.offset)), f.size))
		}
	}
}

// store writes decoded columns into the Go row at p.
func (t *TableInfo) store(p unsafe.Pointer, list []int, row *Row) {
	for _, i := range list {
		if f := &t.Fields[i]; f.text() {
			f.storeText(p, row.Text[i])
		} else {
			f.store(p, row.Nums[i])
		}
	}
}
