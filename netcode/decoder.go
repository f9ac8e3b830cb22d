package netcode

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sort"
	"unicode/utf8"

	"muster/proto"
)

// ScopeError says which scope a frame could not be applied to. Its client asks for a keyframe of it (proto.Resync) and
// goes on with the other scopes.
type ScopeError struct {
	Scope uint16
	Err   error
}

// Error implements error.
func (e *ScopeError) Error() string { return fmt.Sprintf("scope %d: %v", e.Scope, e.Err) }

// Unwrap returns the reason.
func (e *ScopeError) Unwrap() error { return e.Err }

// Errors that a [ScopeError] may wrap.
var (
	ErrBlock = errors.New("malformed block")
	ErrBase  = errors.New("block is based on a tick that is not here")
	ErrHash  = errors.New("view hash differs")
)

// Row is a decoded row: the columns of its scope, by the schema's index.
type Row struct {
	ID   ID
	Nums []int64
	Text []string
}

// Decoder is what a client has of a room. It takes hostile bytes: what it allocates is bounded by the input, since a
// row takes at least three bytes of it, and by the tables' bounds. One goroutine uses it.
type Decoder struct {
	sc     *Schema
	tick   uint32
	scopes map[uint16]*scopeRows
	order  []uint16 // those of the last frame
	state  any
	tables []rows
}

// scopeRows is one scope: by table its rows in the order of slots, at one tick.
type scopeRows struct {
	tick   uint32
	tables [][]*Row
}

// NewDecoder returns a decoder with nothing decoded.
func NewDecoder(sc *Schema) *Decoder {
	return &Decoder{sc: sc, scopes: map[uint16]*scopeRows{}}
}

// Tick is that of the last frame applied.
func (d *Decoder) Tick() uint32 { return d.tick }

// Apply brings the decoder to the frame's tick. A *[ScopeError] leaves that scope empty until its keyframe comes; the
// other scopes are applied all the same.
func (d *Decoder) Apply(f *proto.Frame) error {
	for scope := range d.scopes {
		if !slices.Contains(f.Head.Scopes, scope) {
			delete(d.scopes, scope)
		}
	}
	d.tick = f.Head.Tick
	d.order = append(d.order[:0], f.Head.Scopes...)
	var first error
	for i := range f.Blocks {
		b := &f.Blocks[i]
		if err := d.block(b, f); err != nil {
			delete(d.scopes, b.Scope)
			if first == nil {
				first = &ScopeError{b.Scope, err}
			}
		}
	}
	for _, s := range d.scopes {
		s.tick = d.tick // a scope without a block has not changed
	}
	for _, h := range f.Hashes {
		if s := d.scopes[h.Scope]; s != nil && d.hash(h.Scope, s) != h.Sum {
			delete(d.scopes, h.Scope)
			if first == nil {
				first = &ScopeError{h.Scope, ErrHash}
			}
		}
	}
	return first
}

func (d *Decoder) block(b *proto.Block, f *proto.Frame) error {
	if !slices.Contains(f.Head.Scopes, b.Scope) {
		return fmt.Errorf("%w: not one of the frame's scopes", ErrBlock)
	}
	r := blockReader{data: b.Data}
	distance := r.uvarint()
	if r.bad {
		return fmt.Errorf("%w: cut short at byte 0", ErrBlock)
	}
	s := d.scopes[b.Scope]
	switch {
	case distance == 0:
		s = &scopeRows{tables: make([][]*Row, len(d.sc.Tables))}
		d.scopes[b.Scope] = s
	case s == nil || uint64(s.tick)+distance != uint64(f.Head.Tick):
		return ErrBase
	}
	for i := range d.sc.Tables {
		t := &d.sc.Tables[i]
		list := t.columns(b.Scope)
		if len(list) == 0 {
			continue
		}
		if err := d.rows(&r, t, list, &s.tables[i]); err != nil {
			return err
		}
	}
	if len(r.data) != r.pos {
		return fmt.Errorf("%w: bytes after the end", ErrBlock)
	}
	return nil
}

// columns returns the columns that a scope has of a table.
func (t *TableInfo) columns(scope uint16) []int {
	if scope == 0 {
		return t.room
	}
	return t.own
}

// rows applies one table's part of a block.
func (d *Decoder) rows(r *blockReader, t *TableInfo, list []int, have *[]*Row) error {
	for slot := -1; ; {
		head := r.uvarint()
		gap, op := head>>2, head&3
		if r.bad || (op != opEnd && (gap == 0 || gap > uint64(t.Max))) { //nolint:gosec // positive
			return r.errorf(t, "row head")
		}
		if op == opEnd {
			if gap != 0 {
				return r.errorf(t, "end of rows")
			}
			return nil
		}
		slot += int(gap)
		if slot >= t.Max {
			return r.errorf(t, "slot beyond the table's bound")
		}
		at := sort.Search(len(*have), func(i int) bool { return (*have)[i].ID.slot() >= slot })
		var row *Row
		if at < len(*have) && (*have)[at].ID.slot() == slot {
			row = (*have)[at]
		}
		switch {
		case op == opAdd:
			gen := r.uvarint()
			fresh := &Row{ID: ID(slot)<<16 | ID(gen&0xffff), Nums: make([]int64, len(t.Fields)), Text: make([]string, len(t.Fields))} //nolint:gosec // slot and gen are bounded
			for _, i := range list {
				r.value(&t.Fields[i], fresh, i)
			}
			if r.bad || gen > 0xffff || fresh.ID == 0 {
				return r.errorf(t, "added row")
			}
			if row != nil {
				(*have)[at] = fresh
			} else {
				*have = slices.Insert(*have, at, fresh)
			}
		case row == nil:
			return r.errorf(t, "a row that is not here")
		case op == opRemove:
			*have = slices.Delete(*have, at, at+1)
		default:
			mask := r.bytes((len(list) + 7) / 8)
			for k, i := range list {
				if !r.bad && mask[k/8]>>(k%8)&1 == 1 {
					r.value(&t.Fields[i], row, i)
				}
			}
			if r.bad {
				return r.errorf(t, "changed row")
			}
		}
	}
}

// Rows returns the decoded rows of a table in one scope, in the order of ids. They must not be changed and are valid
// until the next Apply.
func (d *Decoder) Rows(scope uint16, table string) []*Row {
	if s := d.scopes[scope]; s != nil {
		for i := range d.sc.Tables {
			if d.sc.Tables[i].Name == table {
				return s.tables[i]
			}
		}
	}
	return nil
}

// Load brings a typed state, an *S that nobody else changes, up to what was decoded: ids are those of the wire, and
// what was not sent is zero.
func (d *Decoder) Load(state any) error {
	if d.state != state {
		tables, err := tablesOf(d.sc, state)
		if err != nil {
			return fmt.Errorf("loading a state: %w", err)
		}
		d.state, d.tables = state, tables
	}
	room := d.scopes[0]
	for i := range d.sc.Tables {
		var list []*Row
		if room != nil {
			list = room.tables[i]
		}
		d.loadTable(&d.sc.Tables[i], d.tables[i], list)
	}
	for _, scope := range d.order {
		s := d.scopes[scope]
		if scope == 0 || s == nil {
			continue
		}
		for i := range d.sc.Tables {
			t := &d.sc.Tables[i]
			for _, row := range s.tables[i] {
				slot := row.ID.slot()
				if slot >= d.tables[i].slots() {
					continue
				}
				if id, p := d.tables[i].at(slot); t.Single || id == row.ID {
					t.store(p, t.own, row)
				}
			}
		}
	}
	return nil
}

func (d *Decoder) loadTable(t *TableInfo, r rows, list []*Row) {
	k := 0
	for slot := range max(r.slots(), lastSlot(list)+1) {
		if k < len(list) && list[k].ID.slot() == slot {
			p := r.mirror(slot, list[k].ID)
			t.store(p, t.room, list[k])
			t.clear(p, t.own) // the seat may own the row no longer
			k++
			continue
		}
		r.mirror(slot, 0)
	}
}

func lastSlot(list []*Row) int {
	if len(list) == 0 {
		return -1
	}
	return list[len(list)-1].ID.slot()
}

// blockReader reads a block; after something is wrong it returns zeros and bad is set.
type blockReader struct {
	data []byte
	pos  int
	bad  bool
}

func (r *blockReader) uvarint() uint64 {
	v, n := binary.Uvarint(r.data[r.pos:])
	if n <= 0 {
		r.bad = true
		return 0
	}
	r.pos += n
	return v
}

func (r *blockReader) varint() int64 {
	v, n := binary.Varint(r.data[r.pos:])
	if n <= 0 {
		r.bad = true
		return 0
	}
	r.pos += n
	return v
}

func (r *blockReader) bytes(n int) []byte {
	if r.bad || n > len(r.data)-r.pos {
		r.bad = true
		return nil
	}
	r.pos += n
	return r.data[r.pos-n : r.pos]
}

// value reads one column of a row: text as it is, a number as the difference to what the row has.
func (r *blockReader) value(f *Field, row *Row, i int) {
	if f.text() {
		n := r.uvarint()
		if n > uint64(f.Max) { //nolint:gosec // positive
			r.bad = true
			return
		}
		b := r.bytes(int(n)) //nolint:gosec // bounded
		if f.Kind == KindString && !utf8.Valid(b) {
			r.bad = true
			return
		}
		row.Text[i] = string(b)
		return
	}
	n := row.Nums[i] + r.varint()
	if f.Kind == KindAngle {
		n &= 1<<f.Bits - 1
	}
	if !f.valid(n) {
		r.bad = true
		return
	}
	row.Nums[i] = n
}

func (r *blockReader) errorf(t *TableInfo, what string) error {
	return fmt.Errorf("%w: table %s at byte %d: %s", ErrBlock, t.Name, r.pos, what)
}
