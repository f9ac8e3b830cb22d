package netcode

import (
	"fmt"
	"iter"
)

// Dynamic is a state without Go types, for a schema that was parsed: tools, and whoever captures or loads the state of
// a game that is not compiled in. An Encoder captures it and a Decoder loads it as they do a game's own state. Not safe
// for concurrent use.
type Dynamic struct {
	sc     *Schema
	tables []*DynamicTable
}

// NewDynamic returns an empty state of a schema from [ParseSchema] or [NewSchema]. One from [Compile] is an error: its
// states have types.
func NewDynamic(sc *Schema) (*Dynamic, error) {
	if sc.state != nil {
		return nil, fmt.Errorf("%w: a state of %s has Go types", ErrSchema, sc.state)
	}
	d := &Dynamic{sc: sc}
	for i := range sc.Tables {
		t := &DynamicTable{info: &sc.Tables[i]}
		t.empty()
		d.tables = append(d.tables, t)
	}
	return d, nil
}

// NewSchema makes a schema of tables that were described by hand, without Go types, input and events.
func NewSchema(tables ...TableInfo) (*Schema, error) {
	return ParseSchema((&Schema{Tables: tables}).encode())
}

// Table returns a table by its name, or nil.
func (d *Dynamic) Table(name string) *DynamicTable {
	for _, t := range d.tables {
		if t.info.Name == name {
			return t
		}
	}
	return nil
}

// DynamicTable is a table of a [Dynamic].
type DynamicTable struct {
	info *TableInfo
	rows dynamicRows
}

// empty makes the table as it is at first.
func (t *DynamicTable) empty() {
	t.rows = dynamicRows{one: t.info.Single}
	t.rows.limit = t.info.Max
	if t.rows.one {
		t.rows.mirror(0, 1)
	}
}

// Add puts a row of zeros in and returns its id, or 0 when the table is full.
func (t *DynamicTable) Add() ID { return t.rows.Add(dynamicRow{}) }

// Remove takes a row out and says whether there was one.
func (t *DynamicTable) Remove(id ID) bool { return t.rows.Remove(id) }

// Len returns the number of rows.
func (t *DynamicTable) Len() int { return t.rows.Len() }

// Get returns a row; ok is false when there is none with this id.
func (t *DynamicTable) Get(id ID) (row DynamicRow, ok bool) {
	r := t.rows.Get(id)
	return DynamicRow{t.info, r}, r != nil
}

// All iterates over the rows in the order of their ids.
func (t *DynamicTable) All() iter.Seq2[ID, DynamicRow] {
	return func(yield func(ID, DynamicRow) bool) {
		for id, r := range t.rows.All() {
			if !yield(id, DynamicRow{t.info, r}) {
				return
			}
		}
	}
}

// DynamicRow is a row of a [DynamicTable]. Columns are counted as the schema counts them.
type DynamicRow struct {
	info *TableInfo
	row  *dynamicRow
}

// Int returns a column's integer; what it stands for is the Field's business.
func (r DynamicRow) Int(column int) int64 { return r.row.num(column) }

// SetInt sets a column's integer, which must be one that the column can hold.
func (r DynamicRow) SetInt(column int, n int64) { r.row.setNum(column, n) }

// Float returns what a column of numbers stands for: radians, the range's float, the number.
func (r DynamicRow) Float(column int) float64 {
	return r.info.Fields[column].value(r.row.num(column))
}

// SetFloat sets a fixed or angle column to the step nearest to v, which is clamped to the range.
func (r DynamicRow) SetFloat(column int, v float64) {
	f := &r.info.Fields[column]
	if f.Kind == KindAngle {
		r.row.setNum(column, f.quantiseAngle(v))
		return
	}
	r.row.setNum(column, f.quantise(v))
}

// Text returns a column of text or bytes.
func (r DynamicRow) Text(column int) string { return r.row.str(column) }

// SetText sets a column of text or bytes.
func (r DynamicRow) SetText(column int, s string) { r.row.setStr(column, s) }

// dynamicRow holds the columns' integers and texts, each as far as one was set.
type dynamicRow struct {
	nums []int64
	text []string
}

func (r *dynamicRow) num(column int) int64 {
	if column < len(r.nums) {
		return r.nums[column]
	}
	return 0
}

func (r *dynamicRow) setNum(column int, n int64) bool {
	if r.num(column) == n {
		return false
	}
	for len(r.nums) <= column {
		r.nums = append(r.nums, 0)
	}
	r.nums[column] = n
	return true
}

func (r *dynamicRow) str(column int) string {
	if column < len(r.text) {
		return r.text[column]
	}
	return ""
}

func (r *dynamicRow) setStr(column int, s string) bool {
	if r.str(column) == s {
		return false
	}
	for len(r.text) <= column {
		r.text = append(r.text, "")
	}
	r.text[column] = s
	return true
}

// dynamicRows is a table, or its single row, of which the schema alone knows.
type dynamicRows struct {
	Table[dynamicRow]
	one bool
}

func (t *dynamicRows) single() bool { return t.one }

func (t *dynamicRows) follow(other rows) {
	t.Table.follow(&other.(*dynamicRows).Table) //nolint:forcetypeassert // the same column of the same schema
}

func (t *dynamicRows) share(of rows) {
	t.Table.share(&of.(*dynamicRows).Table) //nolint:forcetypeassert // the same column of the same schema
}
