package netcode

import "unsafe"

// Sums works out the column sums of one state again and again, as [Schema.ColumnSums] does, without reading those texts
// again that are the very same strings as before: a string never changes, so that one at the same address, which is kept
// here and so not used for another, says the same. It has 24 bytes for each string of the state. Not safe for concurrent
// use.
type Sums struct {
	sc    *Schema
	known [][]knownText // by table, column by column: by slot
	width []int         // by table: how many slots known has place for
}

// knownText is a text and what it counts for.
type knownText struct {
	text  string
	value uint64
}

// NewSums returns what sums up states of this schema.
func (sc *Schema) NewSums() *Sums {
	return &Sums{sc: sc, known: make([][]knownText, len(sc.Tables)), width: make([]int, len(sc.Tables))}
}

// ColumnSums is [Schema.ColumnSums]. Where a state is another one than before, more is read.
func (s *Sums) ColumnSums(state any, dst []uint64) ([]uint64, error) {
	return s.sc.columnSums(state, dst, s)
}

// text returns what a text in a slot of a column counts for.
func (s *Sums) text(table, column, slot int, text string) uint64 {
	if slot >= s.width[table] { // what was known is read again, which is rare
		s.width[table] = max(2*s.width[table], slot+1, 16)
		s.known[table] = make([]knownText, s.width[table]*len(s.sc.Tables[table].Fields))
	}
	k := &s.known[table][column*s.width[table]+slot]
	if text == "" || !sameString(k.text, text) { // an empty one has no address, and costs nothing
		*k = knownText{text, textValue(text)}
	}
	return k.value
}

// sameString says whether two strings are the very same, not just equal; empty ones are.
func sameString(a, b string) bool {
	return len(a) == len(b) && (a == "" || unsafe.StringData(a) == unsafe.StringData(b))
}

// shared says whether the column's text is a string in the row itself.
func (f *Field) shared() bool { return f.Kind == KindString && !f.raw && f.in == nil }
