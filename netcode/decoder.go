package netcode

import (
	"errors"
	"fmt"

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
	halves  map[uint16]*halfKey
	watched []proto.Watch // those of the last frame
	failed  []*ScopeError
	reader  partReader
	plain   bool           // blocks are of the plain form
	depth   int            // how many states are kept of a scope
	deep    bool           // those from before a keyframe, too
	idle    []*scopeStates // of scopes that went, for those that come: their memory; a mirror's alone
	earlier past
	load    loader
	bits    []int64 // by table: how many were read
}

// scopeStates is one scope: what it was at the ticks of some frames, the newest first.
type scopeStates struct {
	at     []uint32
	state  []*decoded
	spares []*decoded

	// What a mirror keeps of it.
	since   uint32 // viewers' states from before it may not be those that are here
	unsure  bool   // frames may be missing: silence says nothing
	differs bool   // the newest state differs from the one before
}

// decoded is one state of a scope, by part. A state that lasted several frames is shared by them.
type decoded struct{ sets []*rowSet }

func newDecoded(parts []part) *decoded {
	s := &decoded{sets: make([]*rowSet, len(parts))}
	for i := range parts {
		s.sets[i] = newRowSet(&parts[i])
	}
	return s
}

// part returns a part's rows.
func (s *decoded) part(i int) span { return span{s.sets[i], 0, len(s.sets[i].ids)} }

// halfKey is a keyframe of which not all parts are here.
type halfKey struct {
	part proto.Part
	data []byte
}

// NewDecoder returns a decoder with nothing decoded.
func NewDecoder(sc *Schema) *Decoder {
	d := &Decoder{sc: sc, parts: partsOf(sc), scopes: map[uint16]*scopeStates{}, halves: map[uint16]*halfKey{}, depth: states, bits: make([]int64, len(sc.Tables))}
	d.load.begin(sc)
	return d
}

// Tick is that of the last frame applied.
func (d *Decoder) Tick() uint32 { return d.tick }

// Bits returns how many bits of blocks were rows of a table, by its index in the schema; of the plain form none are
// counted.
func (d *Decoder) Bits(table int) int64 { return d.bits[table] }

// Failed lists what the last Apply could not bring to its tick, a scope at most twice.
func (d *Decoder) Failed() []*ScopeError { return d.failed }

// Apply brings the decoder to the frame's tick. It returns a *[ScopeError], or several joined: those scopes are empty
// until their keyframes come; the others are applied all the same.
func (d *Decoder) Apply(f *proto.Frame) error {
	d.tick = f.Head.Tick
	d.watched = append(d.watched[:0], f.Head.Scopes...)
	d.failed = d.failed[:0]
	for scope := range d.scopes {
		if !d.watches(scope) {
			delete(d.scopes, scope)
		}
	}
	for scope := range d.halves {
		if !d.watches(scope) {
			delete(d.halves, scope)
		}
	}
	for i := range f.Blocks {
		b := &f.Blocks[i]
		if !d.watches(b.Scope) {
			d.fail(b.Scope, fmt.Errorf("%w: not one of the frame's scopes", ErrBlock))
			continue
		}
		d.fail(b.Scope, d.take(b))
	}
	for _, w := range d.watched {
		// A scope without a block has not changed, if it is one that this frame has.
		s := d.scopes[w.Scope()]
		if s != nil && s.at[0] != d.tick && d.tick%w.Every() == 0 && d.halves[w.Scope()] == nil {
			s.push(d.tick, s.state[0])
		}
	}
	for _, h := range f.Hashes {
		if s := d.scopes[h.Scope]; s != nil && d.hash(h.Scope, s.state[0]) != h.Sum {
			d.fail(h.Scope, ErrHash)
		}
	}
	return d.failure()
}

func (d *Decoder) watches(scope uint16) bool {
	for _, w := range d.watched {
		if w.Scope() == scope {
			return true
		}
	}
	return false
}

// fail leaves a scope empty when there was an error.
func (d *Decoder) fail(scope uint16, err error) {
	if err != nil {
		delete(d.scopes, scope)
		delete(d.halves, scope)
		d.failed = append(d.failed, &ScopeError{scope, err})
	}
}

func (d *Decoder) failure() error {
	switch len(d.failed) {
	case 0:
		return nil
	case 1:
		return d.failed[0]
	}
	errs := make([]error, len(d.failed))
	for i, e := range d.failed {
		errs[i] = e
	}
	return errors.Join(errs...)
}

// take applies a block, or puts a part of a keyframe to the others.
func (d *Decoder) take(b *proto.Block) error {
	if b.Part.Size == 0 {
		delete(d.halves, b.Scope)
		return d.block(b.Scope, d.tick, b.Data)
	}
	h := d.halves[b.Scope]
	if b.Part.From == 0 {
		h = &halfKey{part: b.Part}
		d.halves[b.Scope] = h
	}
	if h == nil || h.part.Tick != b.Part.Tick || h.part.Size != b.Part.Size || len(h.data) != b.Part.From {
		return fmt.Errorf("%w: a keyframe's part, and not those before it", ErrBase)
	}
	h.data = append(h.data, b.Data...)
	if len(h.data) < h.part.Size {
		return nil
	}
	delete(d.halves, b.Scope)
	return d.block(b.Scope, h.part.Tick, h.data)
}

// push makes a state the newest.
func (s *scopeStates) push(tick uint32, state *decoded) {
	if len(s.at) == cap(s.at) {
		s.dropOldest()
	}
	n := len(s.at)
	s.at, s.state = s.at[:n+1], s.state[:n+1]
	copy(s.at[1:], s.at)
	copy(s.state[1:], s.state)
	s.at[0], s.state[0] = tick, state
}

// dropOldest forgets the oldest state. Those that share one follow each other.
func (s *scopeStates) dropOldest() {
	n := len(s.at) - 1
	if last := s.state[n]; s.state[n-1] != last {
		s.spares = append(s.spares, last)
	}
	s.at, s.state = s.at[:n], s.state[:n]
}

// cut forgets the states from a tick on.
func (s *scopeStates) cut(tick uint32) {
	n := 0
	for ; n < len(s.at) && int32(s.at[n]-tick) >= 0; n++ { //nolint:gosec // modulo 2^32
		if n+1 == len(s.at) || s.state[n+1] != s.state[n] {
			s.spares = append(s.spares, s.state[n])
		}
	}
	s.at, s.state = append(s.at[:0], s.at[n:]...), append(s.state[:0], s.state[n:]...)
}

// spare returns a state to decode into.
func (d *Decoder) spare(s *scopeStates) *decoded {
	if n := len(s.spares); n > 0 {
		state := s.spares[n-1]
		s.spares = s.spares[:n-1]
		return state
	}
	return newDecoded(d.parts)
}

// newScope returns a scope of which nothing is here.
func (d *Decoder) newScope() *scopeStates {
	if n := len(d.idle); n > 0 {
		s := d.idle[n-1]
		d.idle = d.idle[:n-1]
		return s
	}
	return &scopeStates{at: make([]uint32, 0, d.depth), state: make([]*decoded, 0, d.depth)}
}

// block applies a whole block that leads to a tick.
func (d *Decoder) block(scope uint16, tick uint32, data []byte) error {
	if d.plain {
		return d.plainBlock(scope, tick, data)
	}
	r := &d.reader
	r.bitReader, r.err = bitReader{src: data}, nil
	key, n := r.bit(), int(r.get(2))+1 //nolint:gosec // two bits
	gap := r.number(0) + 1
	if r.bad || gap > 1<<31 {
		return fmt.Errorf("%w: cut short at byte 0", ErrBlock)
	}
	s := d.scopes[scope]
	if key {
		if gap != 1 {
			return fmt.Errorf("%w: a keyframe with a gap of %d", ErrBlock, gap)
		}
		if s == nil || !d.deep {
			s = d.newScope()
			d.scopes[scope] = s
		}
		s.cut(tick - uint32(n-1)) //nolint:gosec // at most 3
		for i := n - 1; i >= 0; i-- {
			if err := d.one(scope, s, tick-uint32(i), 1, n-1-i); err != nil { //nolint:gosec // at most 3
				return err
			}
		}
	} else {
		if s == nil {
			return ErrBase
		}
		if err := d.one(scope, s, tick, uint32(gap), n); err != nil {
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
		for k := range s.at {
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
			d.earlier.state[j] = was[j].part(i)
		}
		before := d.reader.left()
		d.reader.part(p, &d.earlier, out.sets[i])
		d.bits[p.table] += before - d.reader.left()
		if d.reader.err != nil {
			return d.reader.err
		}
	}
	s.push(tick, out)
	return nil
}

// Rows returns the decoded rows of a table in one scope, in the order of ids: copies, for tools and tests. Those of a
// seat's scope are the rows that the seat owns, with what only it sees of them.
func (d *Decoder) Rows(scope uint16, table string) []*Row {
	if isSeat(scope) {
		return d.rows(scope, table, owners)
	}
	return d.rows(scope, table, everyone)
}

// TeamRows is Rows with the columns that only a row owner's team sees; the scope is a team's, or that of a seat in none.
func (d *Decoder) TeamRows(scope uint16, table string) []*Row { return d.rows(scope, table, teams) }

func (d *Decoder) rows(scope uint16, table string, to audience) []*Row {
	s := d.scopes[scope]
	if s == nil {
		return nil
	}
	var list []*Row
	for i := range d.parts {
		p := &d.parts[i]
		if p.info.Name != table || p.to != to || !p.of(scope) {
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
