package netcode

import (
	"fmt"
	"unsafe"
)

// StateHash is a 64-bit hash of a state, an *S of this schema: of all columns, also those that are never sent, as they
// are, floats by their bits and texts uncut. Equal runs of a game have equal hashes tick by tick; that is what a replay
// is checked with. It is the same sum as the view hash, with other values. Which ids a table gives next is not part of
// it: that shows when it has given them.
func (sc *Schema) StateHash(state any) (uint64, error) {
	var few [maxFields]uint64
	sums, err := sc.ColumnSums(state, few[:0])
	var total uint64
	for _, sum := range sums {
		total += sum
	}
	return total, err
}

// ColumnSums appends the parts of the StateHash to dst: for each table one that says which rows it has, then one for
// each of its columns. Their sum, modulo 2^64, is the StateHash, and [Schema.ColumnName] says whose the i-th is. Two
// states that differ show by them where. It allocates only where dst has no room.
func (sc *Schema) ColumnSums(state any, dst []uint64) ([]uint64, error) {
	return sc.columnSums(state, dst, nil)
}

// columnSums is ColumnSums with what is known of texts, or nil.
func (sc *Schema) columnSums(state any, dst []uint64, known *Sums) ([]uint64, error) {
	s, err := sc.stateOf(state)
	if err != nil {
		return dst, fmt.Errorf("hashing a state: %w", err)
	}
	for i := range sc.Tables {
		fields, from := sc.Tables[i].Fields, len(dst)
		dst = append(dst, 0)
		for range fields {
			dst = append(dst, 0)
		}
		sums, table := dst[from:], s.table(i)
		for slot := range table.slots() {
			id, at := table.at(slot)
			if id == 0 {
				continue
			}
			sums[0] += cell(i, len(fields), id, 1) // that the row is there
			for c := range fields {
				f := &fields[c]
				if f.Kind == KindString && known != nil && f.shared() {
					sums[1+c] += cell(i, c, id, known.text(i, c, slot, *(*string)(unsafe.Add(at, f.offset))))
					continue
				}
				sums[1+c] += cell(i, c, id, f.exact(at))
			}
		}
	}
	return dst, nil
}

// ColumnName says what the i-th of the column sums is of: "Ships" for the rows that a table has, "Ships.X" for a column.
// It is empty where there is no such sum.
func (sc *Schema) ColumnName(i int) string {
	for k := range sc.Tables {
		t := &sc.Tables[k]
		switch {
		case i == 0:
			return t.Name
		case i > 0 && i <= len(t.Fields):
			return t.Name + "." + t.Fields[i-1].Name
		}
		i -= 1 + len(t.Fields)
	}
	return ""
}

// exact is a column's value as the Go field at p has it, in 64 bits.
func (f *Field) exact(p unsafe.Pointer) uint64 {
	if f.raw {
		if f.text() {
			return textValue(f.loadText(p))
		}
		return uint64(f.load(p)) //nolint:gosec // the bits
	}
	if p = f.address(p); p == nil {
		return 0
	}
	switch f.Kind {
	case KindString:
		return textValue(*(*string)(p))
	case KindBytes:
		b := *(*[]byte)(p)
		return textValue(unsafe.String(unsafe.SliceData(b), len(b)))
	case KindLen:
		return uint64((*sliceHeader)(p).n) //nolint:gosec // not negative
	default:
		return f.whole(p)
	}
}
