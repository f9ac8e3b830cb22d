package netcode

import (
	"fmt"

	"muster/proto"
)

// EncoderConfig configures an [Encoder]. The zero value is good.
type EncoderConfig struct {
	// Key permutes the ids of rows on the wire, so that gaps between them tell nothing. 0 leaves them as they are.
	Key uint64
	// Ring is how many ticks of quantised state are kept to catch viewers up from. Default 32, at least 8.
	Ring int
}

// Encoder turns a room's state into blocks, one for each scope and form, whoever watches. The room's goroutine alone
// uses it. In a steady state it does not allocate.
type Encoder struct {
	sc      *Schema
	parts   []part
	ring    []snapshot
	now     *snapshot
	state   any
	tables  []rows
	placed  []placing    // by table
	caches  []scopeCache // by scope
	scopes  [][]uint16   // by seat, what Scopes returned
	listed  []uint32     // by seat, for which tick
	owned   bool         // seats have scopes of their own: some table has columns for a row's owner, or the rules say so
	rules   Scopes
	blocks  []proto.Block
	hashes  []proto.Hash
	writer  partWriter
	earlier past
}

// scopeCache holds what was encoded of one scope at the newest tick.
type scopeCache struct {
	tick   uint32
	forms  []encoding
	n      int
	hash   uint64
	hashed bool
}

// form names the states that an encoding is predicted from: n of them, gap ticks apart, the newest at base. A keyframe
// has the newest tick itself as its base and brings n states.
type form struct {
	base uint32
	gap  uint32
	n    uint8
}

type encoding struct {
	form form
	data []byte
}

// NewEncoder returns an encoder with nothing captured.
func NewEncoder(sc *Schema, cfg EncoderConfig) *Encoder {
	if cfg.Ring == 0 {
		cfg.Ring = 32
	}
	e := &Encoder{sc: sc, parts: partsOf(sc), ring: make([]snapshot, max(cfg.Ring, 2*states)), placed: make([]placing, len(sc.Tables))}
	for i := range e.ring {
		e.ring[i] = newSnapshot(e.parts)
	}
	for i := range sc.Tables {
		e.placed[i].wire = newWireIDs(cfg.Key, i, sc.Tables[i].Max)
		e.owned = e.owned || len(sc.Tables[i].own) > 0
	}
	return e
}

// Capture quantises the state, an *S, as that of tick, which is greater than any before; everybody may see all of it. It
// panics when the state is of another type than the schema's: that is a mistake in the program.
func (e *Encoder) Capture(tick uint32, state any) { e.CaptureScoped(tick, state, nil) }

// CaptureScoped is Capture with a function that says who may see what.
func (e *Encoder) CaptureScoped(tick uint32, state any, scopes func(*Scopes)) {
	if e.state != state {
		tables, err := tablesOf(e.sc, state)
		if err != nil {
			panic(fmt.Errorf("capturing a state: %w", err))
		}
		e.state, e.tables = state, tables
	}
	if scopes != nil {
		e.owned = true
		e.rules.begin(e.tables, e.placed)
		scopes(&e.rules)
	}
	for i := range e.tables {
		var where []uint16
		if scopes != nil {
			where = e.rules.where[i]
		}
		e.placed[i].survey(&e.sc.Tables[i], e.tables[i], where)
	}
	before := e.now
	s := e.at(tick)
	s.tick, s.valid = tick, true
	for i := range e.parts {
		var b *rowSet
		if before != nil && before != s {
			b = before.sets[i]
		}
		s.capture(i, &e.parts[i], &e.placed[e.parts[i].table], b)
	}
	e.now = s
}

// at returns the ring's place for a tick.
func (e *Encoder) at(tick uint32) *snapshot { return &e.ring[uint64(tick)%uint64(len(e.ring))] }

// have returns the state of a tick, or nil when the ring has it no longer.
func (e *Encoder) have(tick uint32) *snapshot {
	if s := e.at(tick); s.valid && s.tick == tick {
		return s
	}
	return nil
}

// Scopes returns the scopes that the viewer at a seat has, sorted: the room, its own, its team's and the cells that it
// looks at. The result must not be changed and is valid until the next Capture.
func (e *Encoder) Scopes(seat Seat) []uint16 {
	for int(seat) >= len(e.scopes) {
		e.scopes, e.listed = append(e.scopes, nil), append(e.listed, 0)
	}
	if e.now != nil && (e.listed[seat] != e.now.tick || e.scopes[seat] == nil) {
		e.scopes[seat] = e.rules.of(e.scopes[seat][:0], seat, e.owned)
		e.listed[seat] = e.now.tick
	}
	return e.scopes[seat]
}

// View is what one viewer has of a room: by scope, which states. The zero value has nothing.
type View struct{ sent []sentScope }

// sentScope says that a viewer has n states of a scope, gap ticks apart, the newest of tick.
type sentScope struct {
	scope uint16
	n     uint8
	tick  uint32
	gap   uint32
}

// Reset makes every scope come as a keyframe next.
func (v *View) Reset() { v.sent = v.sent[:0] }

// Resync makes one scope come as a keyframe next.
func (v *View) Resync(scope uint16) {
	for i := range v.sent {
		if v.sent[i].scope == scope {
			v.sent = append(v.sent[:i], v.sent[i+1:]...)
			return
		}
	}
}

// last returns what the viewer has of a scope; from is where to look first, since scopes mostly come in the same order.
func (v *View) last(scope uint16, from int) *sentScope {
	if from < len(v.sent) && v.sent[from].scope == scope {
		return &v.sent[from]
	}
	for i := range v.sent {
		if v.sent[i].scope == scope {
			return &v.sent[i]
		}
	}
	return nil
}

// Prepare returns the blocks that bring a viewer from what it has to the newest tick, and notes them as sent. A scope
// in which nothing changed has no block. The result is valid until the next call, the data until the next Capture.
func (e *Encoder) Prepare(v *View, scopes []uint16) []proto.Block {
	e.blocks = e.blocks[:0]
	kept := len(v.sent)
	for i, scope := range scopes {
		next, data := e.next(scope, v.last(scope, i))
		if len(data) > 0 {
			e.blocks = append(e.blocks, proto.Block{Scope: scope, Data: data})
		}
		v.sent = append(v.sent, next)
	}
	v.sent = append(v.sent[:0], v.sent[kept:]...)
	return e.blocks
}

// next returns the block for a viewer that has had last, and what it then has.
func (e *Encoder) next(scope uint16, last *sentScope) (sentScope, []byte) {
	now := e.now.tick
	if last == nil || e.have(last.tick) == nil || last.tick == now {
		return e.key(scope)
	}
	f := form{base: last.tick, gap: now - last.tick, n: 1}
	if f.gap == last.gap {
		for f.n < last.n && e.have(f.base-uint32(f.n)*f.gap) != nil {
			f.n++
		}
	}
	data := e.encode(scope, f)
	if f.n == 1 && f.gap > 1 { // it missed some: a keyframe may be smaller
		if next, key := e.key(scope); len(key) < len(data) {
			return next, key
		}
	}
	return sentScope{scope: scope, tick: now, gap: f.gap, n: min(f.n+1, states)}, data
}

// key returns a scope's keyframe: as many states as there are, up to four, so that its reader is at once in step.
func (e *Encoder) key(scope uint16) (sentScope, []byte) {
	f := form{base: e.now.tick, gap: 1, n: 1}
	for f.n < states && e.have(f.base-uint32(f.n)) != nil {
		f.n++
	}
	return sentScope{scope: scope, tick: f.base, gap: 1, n: f.n}, e.encode(scope, f)
}

// cache returns what was encoded of a scope at the newest tick.
func (e *Encoder) cache(scope uint16) *scopeCache {
	for int(scope) >= len(e.caches) {
		e.caches = append(e.caches, scopeCache{})
	}
	c := &e.caches[scope]
	if c.tick != e.now.tick {
		c.tick, c.n, c.hashed = e.now.tick, 0, false
	}
	return c
}

// encode returns a scope in a form, this tick's own when it was made already. It is empty when nothing has changed.
func (e *Encoder) encode(scope uint16, f form) []byte {
	c := e.cache(scope)
	for i := range c.n {
		if c.forms[i].form == f {
			return c.forms[i].data
		}
	}
	if c.n == len(c.forms) {
		c.forms = append(c.forms, encoding{})
	}
	enc := &c.forms[c.n]
	c.n++
	enc.form = f
	enc.data = e.append(enc.data[:0], scope, f)
	return enc.data
}

// append writes a block: its form, then the parts; those of a keyframe for each of its states, the oldest first.
func (e *Encoder) append(dst []byte, scope uint16, f form) []byte {
	w := &e.writer
	w.dst = dst
	key := f.base == e.now.tick
	if !key && e.unchanged(scope, f.base) {
		return dst
	}
	w.bit(key)
	w.put(uint64(f.n-1), 2)
	w.number(uint64(f.gap-1), 0)
	if !key {
		e.stateFrom(scope, e.now, f.base, f.gap, int(f.n))
		return w.close()
	}
	for i := int(f.n) - 1; i >= 0; i-- {
		tick := f.base - uint32(i) //nolint:gosec // at most 3
		e.stateFrom(scope, e.have(tick), tick-1, 1, int(f.n)-1-i)
	}
	return w.close()
}

// unchanged says whether a scope is as it was.
func (e *Encoder) unchanged(scope uint16, base uint32) bool {
	was := e.have(base)
	for i := range e.parts {
		if p := &e.parts[i]; p.of(scope) && !e.now.scope(i, scope).equal(p, was.scope(i, scope)) {
			return false
		}
	}
	return true
}

// stateFrom writes one state from n earlier ones.
func (e *Encoder) stateFrom(scope uint16, s *snapshot, base, gap uint32, n int) {
	for i := range e.parts {
		p := &e.parts[i]
		if !p.of(scope) {
			continue
		}
		e.earlier.n = n
		e.earlier.state = [states]span{}
		for j := range n {
			e.earlier.state[j] = e.have(base-uint32(j)*gap).scope(i, scope)
		}
		e.writer.part(p, s.scope(i, scope), &e.earlier)
	}
}
