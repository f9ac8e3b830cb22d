package netcode

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unsafe"
)

// treeText is how much of a text a tree has, in bytes.
const treeText = 256

// AppendTree appends a state, an *S of this schema, as JSON for people, server-only fields included: a list of tables,
//
//	[{"name":"Ships","single":false,"count":2,"rows":[{"id":65537,"fields":{"X":3.5,"Name":"Ann"}}]}, …]
//
// count is how many rows there are. A table has fewer where it has more than maxRows, or where all would take more than
// about maxBytes: each table has an equal part of what is left, and rows are left out from the end. Texts are cut at 256
// bytes. A column of a nested struct or of an element is called "Pos.X" or "List.0", as the schema calls it.
func (sc *Schema) AppendTree(dst []byte, state any, maxRows, maxBytes int) ([]byte, error) {
	s, err := sc.stateOf(state)
	if err != nil {
		return dst, fmt.Errorf("writing a state as a tree: %w", err)
	}
	from := len(dst)
	dst = append(dst, '[')
	for i := range sc.Tables {
		if i > 0 {
			dst = append(dst, ',')
		}
		part := (maxBytes - (len(dst) - from)) / (len(sc.Tables) - i)
		dst = sc.Tables[i].appendTree(dst, s.table(i), maxRows, len(dst)+part)
	}
	return append(dst, ']'), nil
}

func (t *TableInfo) appendTree(dst []byte, r rows, maxRows, end int) []byte {
	dst = append(append(dst, `{"name":`...), quoted(t.Name)...)
	dst = append(dst, `,"single":`...)
	dst = strconv.AppendBool(dst, t.Single)
	dst = append(dst, `,"rows":[`...)
	shown, count := 0, 0
	for slot := range r.slots() {
		id, p := r.at(slot)
		if id == 0 {
			continue
		}
		if count++; shown != count-1 || shown == maxRows {
			continue // one before was left out
		}
		before := len(dst)
		if shown > 0 {
			dst = append(dst, ',')
		}
		dst = t.appendRow(dst, id, p)
		if len(dst) > end {
			dst = dst[:before]
			continue
		}
		shown++
	}
	dst = append(dst, `],"count":`...)
	return append(strconv.AppendInt(dst, int64(count), 10), '}')
}

func (t *TableInfo) appendRow(dst []byte, id ID, p unsafe.Pointer) []byte {
	dst = append(dst, `{"id":`...)
	dst = strconv.AppendUint(dst, uint64(id), 10)
	dst = append(dst, `,"fields":{`...)
	first := true
	for i := range t.Fields {
		f := &t.Fields[i]
		if f.missing(p) {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(append(dst, quoted(f.Name)...), ':')
		dst = f.appendTree(dst, p)
	}
	return append(dst, "}}"...)
}

// appendTree appends the column of the row at p as it is.
func (f *Field) appendTree(dst []byte, p unsafe.Pointer) []byte {
	c := f.exactColumn()
	switch {
	case f.raw && !f.text():
		return strconv.AppendInt(dst, (*dynamicRow)(p).num(f.column), 10)
	case f.raw:
		return append(dst, f.quoted((*dynamicRow)(p).str(f.column))...)
	case f.in != nil && f.in.index < 0:
		return strconv.AppendInt(dst, int64((*sliceHeader)(f.address(p)).n), 10)
	case f.in != nil:
		p = unsafe.Add(f.address(p), -int(f.offset)) // where the element begins
	}
	if f.text() {
		return append(dst, f.quoted(c.text(p))...)
	}
	bits := c.bits(p)
	switch {
	case c.float() && (math.IsNaN(c.toFloat(bits)) || math.IsInf(c.toFloat(bits), 0)), c.kind == KindEnum && bits < uint64(len(c.names)):
		return append(dst, quoted(c.show(bits))...)
	default:
		return append(dst, c.show(bits)...)
	}
}

// quoted is a column's text.
func (f *Field) quoted(s string) []byte {
	more := ""
	if len(s) > treeText {
		s, more = s[:treeText], "…"
	}
	if f.Kind == KindBytes {
		return quoted(base64.StdEncoding.EncodeToString([]byte(s)) + more)
	}
	return quoted(strings.ToValidUTF8(s, "") + more)
}

func quoted(s string) []byte {
	text, _ := json.Marshal(s) // a text always can be
	return text
}
