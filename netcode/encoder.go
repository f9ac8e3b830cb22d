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
	// PartBytes is how long a keyframe may be that is sent at once; a longer one comes in parts of this size, or larger
	// ones where there would be too many. A frame has at most four times as many bytes of keyframes. Default 16 KiB.
	PartBytes int
}

// Encoder turns a room's state into blocks, one for each scope and form, whoever watches. One goroutine uses it, the
// room's. In a steady state it does not allocate.
type Encoder struct {
	sc      *Schema
	parts   []part
	ring    []snapshot
	depth   uint32 // how many ticks the ring has
	now     *snapshot
	tick    uint32 // the newest
	state   any
	tables  []rows
	placed  []placing       // by table
	before  *snapshot       // the capture before the newest, nil where it is here no longer
	changed []uint32        // by scope: the last tick at which it was not as at the captured one before
	caches  []scopeCache    // by scope
	made    []encoding      // at the newest tick
	arena   []byte          // their bytes
	scopes  [][]proto.Watch // by seat, what Scopes returned
	listed  []uint32        // by seat, for which tick
	public  []proto.Watch   // what PublicScopes returned, at the newest tick; empty before that
	owned   bool            // seats have scopes of their own: some table has columns for a row's owner, or the rules say so
	rules   Scopes
	blocks  []proto.Block
	sent    []sentScope // what the viewer that is being prepared will have
	hashes  []proto.Hash
	writer  partWriter
	earlier past
	plain   *plainWriter // nil before the first viewer that reads that form

	partBytes int
	budget    int       // bytes of keyframes that the frame which is being prepared may still have
	deltas    int       // and of other blocks
	bigKeys   []*bigKey // those that viewers may share
	pinned    *bigKey   // whose state, which may be from before the ring, is being built on
	mirror    *mirror   // what is received in place of captures; nil where states are captured
}

// scopeCache holds what was made of one scope at the newest tick.
type scopeCache struct {
	tick   uint32
	first  int32 // of its encodings, counted from 1; 0: there is none
	hash   uint64
	hashed bool
}

// form names the states that an encoding is predicted from: n of them, gap ticks apart, the newest at base. A keyframe
// has the newest tick itself as its base and brings n states.
type form struct {
	base  uint32
	gap   uint32
	n     uint8
	plain bool
	whole bool // written also where nothing has changed
}

type encoding struct {
	form form
	data []byte
	came bool  // it was received
	next int32 // another one of the same scope, as in scopeCache
}

// newEncoder returns what all encoders have.
func newEncoder(sc *Schema, cfg EncoderConfig) *Encoder {
	if cfg.Ring == 0 {
		cfg.Ring = 32
	}
	if cfg.PartBytes == 0 {
		cfg.PartBytes = 16 << 10
	}
	return &Encoder{sc: sc, parts: partsOf(sc), depth: uint32(max(cfg.Ring, 2*states)), partBytes: cfg.PartBytes} //nolint:gosec // not that long
}

// NewEncoder returns an encoder with nothing captured.
func NewEncoder(sc *Schema, cfg EncoderConfig) *Encoder {
	e := newEncoder(sc, cfg)
	e.ring, e.placed = make([]snapshot, e.depth), make([]placing, len(sc.Tables))
	for i := range e.ring {
		e.ring[i] = newSnapshot(e.parts)
	}
	for i := range sc.Tables {
		e.placed[i].wire = newWireIDs(cfg.Key, i, sc.Tables[i].Max)
		e.owned = e.owned || sc.Tables[i].private()
	}
	return e
}

// Capture quantises the state, an *S, as that of tick, which is greater than any before; everybody may see all of it. It
// panics when the state is of another type than the schema's: that is a mistake in the program.
func (e *Encoder) Capture(tick uint32, state any) { e.CaptureScoped(tick, state, nil) }

// CaptureScoped is Capture with a function that says who may see what.
func (e *Encoder) CaptureScoped(tick uint32, state any, scopes func(*Scopes)) {
	if e.mirror != nil {
		panic("netcode: a mirror captures nothing, it receives")
	}
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
		e.placed[i].survey(&e.sc.Tables[i], e.tables[i], where, &e.rules)
	}
	s := e.at(tick)
	if e.before = e.now; e.before == s {
		e.before = nil // this tick takes its place
	}
	s.tick, s.valid = tick, true
	for i := range e.parts {
		var b *rowSet
		if e.before != nil {
			b = e.before.sets[i]
		}
		s.capture(i, &e.parts[i], e.placed, b)
	}
	e.note(s)
	e.now, e.tick, e.made, e.arena, e.public = s, tick, e.made[:0], e.arena[:0], e.public[:0]
}

// note keeps which scopes are not as they were at the capture before. Where that is not known they all may have changed.
func (e *Encoder) note(now *snapshot) {
	for _, starts := range now.starts {
		for len(e.changed) < len(starts)-1 {
			e.changed = append(e.changed, 0)
		}
	}
	if e.before == nil {
		for scope := range e.changed {
			e.changed[scope] = now.tick
		}
		return
	}
	for i := range e.parts {
		p := &e.parts[i]
		is, was := now.starts[i], e.before.starts[i]
		for n := range max(len(is), len(was)) {
			scope := uint16(n)
			if is.empty(scope) && was.empty(scope) || !p.of(scope) {
				continue
			}
			if !now.scope(i, scope).equal(p, e.before.scope(i, scope)) {
				e.changed[scope] = now.tick
			}
		}
	}
}

// at returns the ring's place for a tick.
func (e *Encoder) at(tick uint32) *snapshot { return &e.ring[tick%e.depth] }

// Scopes returns the scopes that the viewer at a seat has, sorted: the room, its own, its team's and the cells that it
// looks at. The result must not be changed and is valid until the next Capture.
func (e *Encoder) Scopes(seat Seat) []proto.Watch {
	for int(seat) >= len(e.scopes) {
		e.scopes, e.listed = append(e.scopes, nil), append(e.listed, 0)
	}
	if e.now != nil && (e.listed[seat] != e.tick || e.scopes[seat] == nil) {
		e.scopes[seat] = e.rules.of(e.scopes[seat][:0], seat, e.owned)
		e.listed[seat] = e.tick
	}
	return e.scopes[seat]
}

// PublicScopes returns the scopes of those who watch without a seat, sorted: the room, and the cells that the rules let
// them see by [Scopes.Spectate]. The result must not be changed and is valid until the next Capture.
func (e *Encoder) PublicScopes() []proto.Watch {
	if len(e.public) == 0 {
		e.public = e.rules.ofSpectators(e.public)
	}
	return e.public
}

// AllScopes returns every scope that has rows at the newest tick, and the room's, sorted: what nobody who plays or
// watches a match may have, and who looks at one that is over may. It is appended to dst, at most [proto.MaxScopes] of
// them; what a table has for the server alone is in none.
func (e *Encoder) AllScopes(dst []proto.Watch) []proto.Watch {
	last := 0
	if e.now != nil {
		for _, starts := range e.now.starts {
			last = max(last, len(starts)-2)
		}
	}
	from := len(dst)
	dst = append(dst, e.rules.watch(scopeRoom))
	for n := 1; n <= last && len(dst)-from < proto.MaxScopes; n++ {
		scope := uint16(n)
		for _, starts := range e.now.starts {
			if !starts.empty(scope) {
				dst = append(dst, proto.Watching(scope, 1))
				break
			}
		}
	}
	return dst
}

// cache returns what was encoded of a scope at the newest tick.
func (e *Encoder) cache(scope uint16) *scopeCache {
	for int(scope) >= len(e.caches) {
		e.caches = append(e.caches, scopeCache{})
	}
	c := &e.caches[scope]
	if c.tick != e.tick {
		c.tick, c.first, c.hashed = e.tick, 0, false
	}
	return c
}

// encode returns a scope in a form, this tick's own when it was made already. It is empty when nothing has changed.
func (e *Encoder) encode(scope uint16, f form) []byte {
	if f.base != e.tick && !f.whole && e.unchanged(scope, f.base) {
		return nil
	}
	if made := e.lookup(scope, f); made != nil {
		return made.data
	}
	from := len(e.arena)
	e.arena = e.append(e.arena, scope, f)
	return e.keep(scope, f, from, false)
}

// lookup returns what was made of a scope in a form at the newest tick, or nil.
func (e *Encoder) lookup(scope uint16, f form) *encoding {
	for i := e.cache(scope).first; i > 0; i = e.made[i-1].next {
		if e.made[i-1].form == f {
			return &e.made[i-1]
		}
	}
	return nil
}

// keep notes what stands in the arena from from on as a scope in a form.
func (e *Encoder) keep(scope uint16, f form, from int, came bool) []byte {
	c := e.cache(scope)
	data := e.arena[from:len(e.arena):len(e.arena)]
	e.made = append(e.made, encoding{form: f, data: data, came: came, next: c.first})
	c.first = int32(len(e.made)) //nolint:gosec // far below
	return data
}

// append writes a block: its form, then the parts; those of a keyframe for each of its states, the oldest first.
func (e *Encoder) append(dst []byte, scope uint16, f form) []byte {
	key := f.base == e.tick
	if f.plain {
		return e.appendPlain(dst, scope, f)
	}
	w := &e.writer
	w.dst = dst
	w.bit(key)
	w.put(uint64(f.n-1), 2)
	w.number(uint64(f.gap-1), 0)
	if !key {
		e.stateFrom(scope, e.tick, f.base, f.gap, int(f.n))
		return w.close()
	}
	for i := int(f.n) - 1; i >= 0; i-- {
		tick := f.base - uint32(i) //nolint:gosec // at most 3
		e.stateFrom(scope, tick, tick-1, 1, int(f.n)-1-i)
	}
	return w.close()
}

// unchanged says whether a scope is as it was at an earlier tick.
func (e *Encoder) unchanged(scope uint16, base uint32) bool {
	if e.mirror != nil {
		if same, known := e.mirror.unchanged(scope, base); known {
			return same
		}
	} else {
		if int(scope) >= len(e.changed) || e.changed[scope] <= base {
			return true
		}
		if e.before != nil && e.before.tick == base {
			return false
		}
	}
	now := e.have(scope, e.tick)
	was := e.have(scope, base)
	for i := range e.parts { // it may be so again
		if p := &e.parts[i]; p.of(scope) && !now.part(i).equal(p, was.part(i)) {
			return false
		}
	}
	return true
}

// stateFrom writes a scope's state of a tick from n earlier ones.
func (e *Encoder) stateFrom(scope uint16, tick, base, gap uint32, n int) {
	now := e.have(scope, tick)
	var was [states]instant
	for j := range n {
		was[j] = e.have(scope, base-uint32(j)*gap)
	}
	for i := range e.parts {
		p := &e.parts[i]
		if !p.of(scope) {
			continue
		}
		e.earlier.n = n
		e.earlier.state = [states]span{}
		for j := range n {
			e.earlier.state[j] = was[j].part(i)
		}
		e.writer.part(p, now.part(i), &e.earlier)
	}
}
