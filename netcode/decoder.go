package netcode

import (
	"errors"
	"fmt"
	"slices"

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
// row that comes takes bits for its id, and by the tables' bounds. One goroutine uses it.
type Decoder struct {
	sc      *Schema
	parts   []part
	tick    uint32
	scopes  map[uint16]*scopeStates
	order   []uint16 // those of the last frame
	state   any
	tables  []rows
	seen    [][]uint32 // by table and slot: the Load in which the row was there
	loads   uint32
	reader  partReader
	earlier past
}

// scopeStates is one scope: what it was at the ticks of up to four frames, the newest first.
type scopeStates struct {
	n      int
	at     [states]uint32
	state  [states]*decoded
	spares []*decoded
}

// decoded is one state of a scope, by part. A state that lasted several frames is shared by them.
type decoded struct{ sets []*rowSet }

// NewDecoder returns a decoder with nothing decoded.
func NewDecoder(sc *Schema) *Decoder {
	return &Decoder{sc: sc, parts: partsOf(sc), scopes: map[uint16]*scopeStates{}, seen: make([][]uint32, len(sc.Tables))}
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
	fail := func(scope uint16, err error) {
		delete(d.scopes, scope)
		if first == nil {
			first = &ScopeError{scope, err}
		}
	}
	for i := range f.Blocks {
		if b := &f.Blocks[i]; !slices.Contains(f.Head.Scopes, b.Scope) {
			fail(b.Scope, fmt.Errorf("%w: not one of the frame's scopes", ErrBlock))
		} else if err := d.block(b); err != nil {
			fail(b.Scope, err)
		}
	}
	for _, s := range d.scopes {
		if s.at[0] != d.tick {
			s.push(d.tick, s.state[0]) // a scope without a block has not changed
		}
	}
	for _, h := range f.Hashes {
		if s := d.scopes[h.Scope]; s != nil && d.hash(h.Scope, s.state[0]) != h.Sum {
			fail(h.Scope, ErrHash)
		}
	}
	return first
}

// push makes a state the newest.
func (s *scopeStates) push(tick uint32, state *decoded) {
	if last := s.state[states-1]; s.n == states && !slices.Contains(s.state[:states-1], last) && last != state {
		s.spares = append(s.spares, last)
	}
	copy(s.at[1:], s.at[:])
	copy(s.state[1:], s.state[:])
	s.at[0], s.state[0] = tick, state
	s.n = min(s.n+1, states)
}

// spare returns a state to decode into.
func (d *Decoder) spare(s *scopeStates) *decoded {
	if n := len(s.spares); n > 0 {
		state := s.spares[n-1]
		s.spares = s.spares[:n-1]
		return state
	}
	state := &decoded{sets: make([]*rowSet, len(d.parts))}
	for i := range d.parts {
		state.sets[i] = newRowSet(&d.parts[i])
	}
	return state
}

func (d *Decoder) block(b *proto.Block) error {
	r := &d.reader
	r.bitReader, r.err = bitReader{src: b.Data}, nil
	key, n := r.bit(), int(r.get(2))+1 //nolint:gosec // two bits
	gap := r.number(0) + 1
	if r.bad || gap > 1<<31 {
		return fmt.Errorf("%w: cut short at byte 0", ErrBlock)
	}
	s := d.scopes[b.Scope]
	if key {
		if gap != 1 {
			return fmt.Errorf("%w: a keyframe with a gap of %d", ErrBlock, gap)
		}
		s = &scopeStates{}
		d.scopes[b.Scope] = s
		for i := n - 1; i >= 0; i-- {
			if err := d.one(b.Scope, s, d.tick-uint32(i), 1, n-1-i); err != nil { //nolint:gosec // at most 3
				return err
			}
		}
	} else {
		if s == nil {
			return ErrBase
		}
		if err := d.one(b.Scope, s, d.tick, uint32(gap), n); err != nil {
			return err
		}
	}
	if !r.end() {
		return fmt.Errorf("%w: bytes after the end", ErrBlock)
	}
	return nil
}

// one decodes the state of a tick from n earlier ones.
func (d *Decoder) one(scope uint16, s *scopeStates, tick, gap uint32, n int) error {
	var was [states]*decoded
	for j := range n {
		for k := range s.n {
			if s.at[k] == tick-uint32(j+1)*gap {
				was[j] = s.state[k]
			}
		}
		if was[j] == nil {
			return ErrBase
		}
	}
	out := d.spare(s)
	for i := range d.parts {
		p := &d.parts[i]
		if !p.of(scope) {
			continue
		}
		d.earlier.n = n
		d.earlier.state = [states]span{}
		for j := range n {
			d.earlier.state[j] = span{was[j].sets[i], 0, len(was[j].sets[i].ids)}
		}
		d.reader.part(p, &d.earlier, out.sets[i])
		if d.reader.err != nil {
			return d.reader.err
		}
	}
	s.push(tick, out)
	return nil
}

// Rows returns the decoded rows of a table in one scope, in the order of ids: copies, for tools and tests.
func (d *Decoder) Rows(scope uint16, table string) []*Row {
	s := d.scopes[scope]
	if s == nil {
		return nil
	}
	var list []*Row
	for i := range d.parts {
		p := &d.parts[i]
		if p.info.Name != table || p.own != isSeat(scope) {
			continue
		}
		set := s.state[0].sets[i]
		for k, id := range set.ids {
			row := &Row{ID: id, Nums: make([]int64, len(p.info.Fields)), Text: make([]string, len(p.info.Fields))}
			for c, f := range p.fields {
				if f.text() {
					row.Text[f.column] = set.text[c][k]
				} else {
					row.Nums[f.column] = set.nums[c][k]
				}
			}
			list = append(list, row)
		}
	}
	return list
}

// Load brings a typed state, an *S that nobody else changes, up to what was decoded. Ids are those of the wire.
func (d *Decoder) Load(state any) error {
	if d.state != state {
		tables, err := tablesOf(d.sc, state)
		if err != nil {
			return fmt.Errorf("loading a state: %w", err)
		}
		d.state, d.tables = state, tables
	}
	d.loads++
	for _, own := range []bool{false, true} {
		for i := range d.parts {
			if p := &d.parts[i]; p.own == own {
				d.loadPart(i, p)
			}
		}
		if own {
			break
		}
		for t := range d.tables {
			d.sweep(t)
		}
	}
	return nil
}

// loadPart stores the rows of a part, scope by scope. The owner's columns go to rows that are there.
func (d *Decoder) loadPart(i int, p *part) {
	table := d.tables[p.table]
	for _, scope := range d.order {
		s := d.scopes[scope]
		if s == nil || !p.of(scope) {
			continue
		}
		set := s.state[0].sets[i]
		for k, id := range set.ids {
			slot := id.slot()
			if p.own {
				if slot >= table.slots() {
					continue
				}
				if have, _ := table.at(slot); have != id && !p.info.Single {
					continue
				}
			}
			at := table.mirror(slot, id)
			d.seen[p.table] = resizeZero(d.seen[p.table], table.slots())
			d.seen[p.table][slot] = d.loads
			for c, f := range p.fields {
				if f.text() {
					f.storeText(at, set.text[c][k])
				} else {
					f.store(at, set.nums[c][k])
				}
			}
		}
	}
}

// sweep takes out the rows that are in no scope any more, and what only an owner sees, which loadPart brings anew.
func (d *Decoder) sweep(t int) {
	table, info := d.tables[t], &d.sc.Tables[t]
	d.seen[t] = resizeZero(d.seen[t], table.slots())
	for slot := range table.slots() {
		switch {
		case info.Single:
			if _, at := table.at(slot); d.seen[t][slot] != d.loads {
				info.clear(at, info.room)
			}
		case d.seen[t][slot] != d.loads:
			table.mirror(slot, 0)
		}
		if len(info.own) > 0 {
			if id, at := table.at(slot); id != 0 {
				info.clear(at, info.own)
			}
		}
	}
}

// resizeZero is resize whose new elements are zero.
func resizeZero(s []uint32, n int) []uint32 {
	for len(s) < n {
		s = append(s, 0)
	}
	return s
}
