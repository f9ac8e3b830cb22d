package netcode

import (
	"iter"
	"reflect"
	"slices"
	"unsafe"
)

// Seat is a place in a match. Seats count from 1; 0 is nobody.
type Seat uint16

// ID names a row of a table for as long as the row exists, and is not given again soon after: the slot in the high 16
// bits, a generation in the low ones. 0 is no row.
type ID uint32

const (
	chunkRows = 64
	// DefaultMax bounds a table that has no max tag, in rows; it is also the largest max.
	DefaultMax = 1 << 15
	// sealed is the limit of a table that only shows rows: none is added and none removed.
	sealed = -1
)

func (id ID) slot() int { return int(id >> 16) }

// Provisional says of a row's id in a client whether the rules have added it ahead of the server, which has not sent the
// row yet. On a server it says nothing.
func (id ID) Provisional() bool { return id&0xffff > 1<<genBits }

// Table is a set of rows with stable ids. The zero value is an empty table. A row's address stays the same for as long
// as the row exists. Not safe for concurrent use.
type Table[T any] struct {
	chunks []*[chunkRows]T
	ids    []ID // by slot; 0 where no row is
	gens   []uint16
	free   []uint16 // slots to use again, the oldest first from head
	head   int
	n      int
	limit  int
	give   func() ID // in a prediction: names the rows that come; nil elsewhere
}

// Add puts a row in and returns its id, or 0 when the table is full.
func (t *Table[T]) Add(row T) ID {
	slot := len(t.ids)
	switch {
	case t.n >= t.max():
		return 0
	case t.give != nil:
		id := t.give()
		if id != 0 {
			t.grow(id.slot() + 1)
			t.put(id, row)
		}
		return id
	case len(t.free)-t.head > 0:
		slot = int(t.free[t.head])
		if t.head++; t.head == len(t.free) {
			t.free, t.head = t.free[:0], 0
		}
	default:
		t.grow(slot + 1)
	}
	t.gens[slot]++
	id := ID(slot)<<16 | ID(t.gens[slot]) //nolint:gosec // below DefaultMax
	if t.gens[slot] == 0 {                // slot 0 of generation 0 would be no row at all
		t.gens[slot] = 1
		id |= 1
	}
	t.put(id, row)
	return id
}

func (t *Table[T]) max() int {
	if t.limit == 0 {
		return DefaultMax
	}
	return t.limit
}

// grow makes room for slots up to n.
func (t *Table[T]) grow(n int) {
	for len(t.ids) < n {
		if len(t.ids) == len(t.chunks)*chunkRows {
			t.chunks = append(t.chunks, new([chunkRows]T))
		}
		t.ids = append(t.ids, 0)
		t.gens = append(t.gens, 0)
	}
}

func (t *Table[T]) put(id ID, row T) {
	t.ids[id.slot()] = id
	*t.row(id.slot()) = row
	t.n++
}

func (t *Table[T]) row(slot int) *T { return &t.chunks[slot/chunkRows][slot%chunkRows] }

// Get returns the row, or nil when there is none with this id.
func (t *Table[T]) Get(id ID) *T {
	if s := id.slot(); id != 0 && s < len(t.ids) && t.ids[s] == id {
		return t.row(s)
	}
	return nil
}

// Remove takes a row out and says whether there was one. It is safe while iterating.
func (t *Table[T]) Remove(id ID) bool {
	row := t.Get(id)
	if row == nil || t.limit == sealed {
		return false
	}
	var zero T
	*row = zero
	t.ids[id.slot()] = 0
	t.n--
	if t.give != nil {
		return true // no slot of it is given again by the table
	}
	if t.head > 0 && len(t.free) == cap(t.free) { // use the space of taken slots before growing
		t.free = t.free[:copy(t.free, t.free[t.head:])]
		t.head = 0
	}
	t.free = append(t.free, uint16(id>>16))
	return true
}

// Len returns the number of rows.
func (t *Table[T]) Len() int { return t.n }

// All iterates over the rows in the order of their ids. Rows may be changed and removed meanwhile; a row added
// meanwhile may or may not be met.
func (t *Table[T]) All() iter.Seq2[ID, *T] {
	return func(yield func(ID, *T) bool) {
		for slot := 0; slot < len(t.ids); slot++ {
			if id := t.ids[slot]; id != 0 && !yield(id, t.row(slot)) {
				return
			}
		}
	}
}

// Value is a single row that always exists.
type Value[T any] struct{ V T }

// ledger is what decides ids: those that the slots hold, 0 for none, how often each slot was given, and the free slots
// in the order in which they are given again.
type ledger struct {
	ids  []ID
	gens []uint16
	free []uint16
}

func (l ledger) equal(other ledger) bool {
	return slices.Equal(l.ids, other.ids) && slices.Equal(l.gens, other.gens) && slices.Equal(l.free, other.free)
}

// rows is what the compiled plan needs of a Table or a Value, whatever its row type.
type rows interface {
	rowType() reflect.Type
	single() bool
	setLimit(n int)
	slots() int
	at(slot int) (ID, unsafe.Pointer)
	// mirror makes the slot hold a row with this id, or none where it is 0, and returns where the row is.
	mirror(slot int, id ID) unsafe.Pointer
	// follow makes the same rows exist as in other, which has the same type, with the same ids to come. Rows that were
	// there keep their content, those that come are zero.
	follow(other rows)
	// ledger returns the table's own; it is empty for a single row.
	ledger() ledger
	// setLedger makes an empty table have the ledger's rows, zeros all of them.
	setLedger(l ledger)
	// predict makes the rows that come have the ids that give returns; 0 is no place.
	predict(give func() ID)
	// share makes this show the rows of another of its type, without copying those of a table, and seals it.
	share(of rows)
}

func (t *Table[T]) rowType() reflect.Type  { return reflect.TypeFor[T]() }
func (t *Table[T]) single() bool           { return false }
func (t *Table[T]) predict(give func() ID) { t.give = give }
func (t *Table[T]) setLimit(n int)         { t.limit = n }
func (t *Table[T]) slots() int             { return len(t.ids) }
func (t *Table[T]) at(slot int) (ID, unsafe.Pointer) {
	return t.ids[slot], unsafe.Pointer(t.row(slot))
}

func (t *Table[T]) mirror(slot int, id ID) unsafe.Pointer {
	t.grow(slot + 1)
	if t.ids[slot] != id {
		if t.ids[slot] != 0 {
			t.n--
		}
		var zero T
		*t.row(slot) = zero
		t.ids[slot] = id
		if id != 0 {
			t.n++
		}
	}
	return unsafe.Pointer(t.row(slot))
}

func (t *Table[T]) follow(other rows) {
	o := other.(*Table[T]) //nolint:forcetypeassert // the same column of the same schema
	t.grow(len(o.ids))
	for slot := range t.ids {
		if slot >= len(o.ids) || t.ids[slot] != o.ids[slot] {
			var zero T
			*t.row(slot) = zero
		}
	}
	t.ids = append(t.ids[:0], o.ids...)
	t.gens = append(t.gens[:0], o.gens...)
	t.free = append(t.free[:0], o.free[o.head:]...)
	t.head, t.n = 0, o.n
}

func (t *Table[T]) ledger() ledger { return ledger{t.ids, t.gens, t.free[t.head:]} }

func (t *Table[T]) setLedger(l ledger) {
	t.grow(len(l.ids))
	copy(t.ids, l.ids)
	copy(t.gens, l.gens)
	t.free = append(t.free[:0], l.free...)
	for _, id := range l.ids {
		if id != 0 {
			t.n++
		}
	}
}

func (t *Table[T]) share(of rows) {
	*t = *of.(*Table[T]) //nolint:forcetypeassert // both are the same field of a state
	t.limit = sealed
}

func (v *Value[T]) rowType() reflect.Type         { return reflect.TypeFor[T]() }
func (v *Value[T]) single() bool                  { return true }
func (v *Value[T]) predict(func() ID)             {}
func (v *Value[T]) setLimit(int)                  {}
func (v *Value[T]) slots() int                    { return 1 }
func (v *Value[T]) at(int) (ID, unsafe.Pointer)   { return 1, unsafe.Pointer(&v.V) }
func (v *Value[T]) mirror(int, ID) unsafe.Pointer { return unsafe.Pointer(&v.V) }
func (v *Value[T]) follow(rows)                   {}
func (v *Value[T]) ledger() ledger                { return ledger{} }
func (v *Value[T]) setLedger(ledger)              {}
func (v *Value[T]) share(of rows)                 { v.V = of.(*Value[T]).V } //nolint:forcetypeassert // as above
