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
	tables, err := tablesOf(sc, state)
	if err != nil {
		return 0, fmt.Errorf("hashing a state: %w", err)
	}
	var sum uint64
	for i, table := range tables {
		fields := sc.Tables[i].Fields
		for slot := range table.slots() {
			id, at := table.at(slot)
			if id == 0 {
				continue
			}
			sum += cell(i, len(fields), id, 1) // that the row is there
			for c := range fields {
				sum += cell(i, c, id, fields[c].exact(at))
			}
		}
	}
	return sum, nil
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
