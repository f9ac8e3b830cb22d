package netcode

import (
	"fmt"
	"reflect"
	"unsafe"
)

// Copy makes the state dst equal to src; both are an *S of this schema and not the same. What is state is copied deeply,
// columns that are never sent too: dst has the same rows under the same ids, gives the same ids to rows that come, and
// shares no memory with src but texts, which nobody changes. Unexported fields are not state: those of a row that comes
// are zero, others stay.
func (sc *Schema) Copy(dst, src any) error {
	to, err := tablesOf(sc, dst)
	if err != nil {
		return fmt.Errorf("copying a state: %w", err)
	}
	from, err := tablesOf(sc, src)
	if err != nil {
		return fmt.Errorf("copying a state: %w", err)
	}
	sc.copyTables(to, from)
	return nil
}

// copyTables is Copy on tables; it allocates only while dst grows.
func (sc *Schema) copyTables(dst, src []rows) {
	for i := range sc.Tables {
		sc.Tables[i].copyTable(dst[i], src[i])
	}
}

func (t *TableInfo) copyTable(dst, src rows) {
	dst.follow(src)
	for slot := range src.slots() {
		if id, from := src.at(slot); id != 0 {
			_, to := dst.at(slot)
			t.copyRow(to, from)
		}
	}
}

func (t *TableInfo) copyRow(dst, src unsafe.Pointer) {
	for i := range t.Fields {
		t.Fields[i].copy(dst, src)
	}
}

// copy copies the Go field of one row to another.
func (f *Field) copy(dst, src unsafe.Pointer) {
	switch {
	case f.raw && f.text():
		f.storeText(dst, f.loadText(src))
		return
	case f.raw, f.Kind == KindLen:
		f.store(dst, f.load(src))
		return
	}
	if dst, src = f.address(dst), f.address(src); dst == nil || src == nil {
		return // an element that the slice does not have
	}
	switch f.Kind {
	case KindString:
		*(*string)(dst) = *(*string)(src)
	case KindBytes:
		*(*[]byte)(dst) = append((*(*[]byte)(dst))[:0], *(*[]byte)(src)...)
	default:
		copy(unsafe.Slice((*byte)(dst), f.size), unsafe.Slice((*byte)(src), f.size))
	}
}

// CopyRow copies what is state of a row to another of the same table, deeply, as [Schema.Copy] does. It panics where T is
// not the type of the table's rows.
func CopyRow[T any](t *TableInfo, dst, src *T) {
	if t.typ != reflect.TypeFor[Table[T]]() && t.typ != reflect.TypeFor[Value[T]]() {
		panic(fmt.Sprintf("netcode: a %s is no row of table %s", reflect.TypeFor[T](), t.Name))
	}
	t.copyRow(unsafe.Pointer(dst), unsafe.Pointer(src))
}
