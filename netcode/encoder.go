package netcode

import (
	"encoding/binary"
	"fmt"

	"muster/proto"
)

// EncoderConfig configures an [Encoder]. The zero value is good.
type EncoderConfig struct {
	// Ring is how many ticks of quantised state are kept to catch viewers up from. Default 32.
	Ring int
}

// Encoder turns a room's state into blocks, one for each scope and form, whoever watches. The room's goroutine alone
// uses it. In a steady state it does not allocate.
type Encoder struct {
	sc     *Schema
	ring   []snapshot
	now    *snapshot
	state  any
	tables []rows
	caches []scopeCache // by scope
	scopes [][]uint16   // by seat, what Scopes returns
	owned  bool         // some table has columns for a row's owner
	blocks []proto.Block
	hashes []proto.Hash
}

// scopeCache holds what was encoded of one scope at the newest tick.
type scopeCache struct {
	tick   uint32
	forms  []form
	n      int
	hash   uint64
	hashed bool
}

// form is one encoding: a keyframe where base is the tick itself, else the difference to base.
type form struct {
	base uint32
	data []byte
}

// NewEncoder returns an encoder with nothing captured.
func NewEncoder(sc *Schema, cfg EncoderConfig) *Encoder {
	if cfg.Ring == 0 {
		cfg.Ring = 32
	}
	e := &Encoder{sc: sc, ring: make([]snapshot, cfg.Ring)}
	for i := range e.ring {
		e.ring[i].init(sc)
	}
	for i := range sc.Tables {
		e.owned = e.owned || len(sc.Tables[i].own) > 0
	}
	return e
}

// Capture quantises the state, an *S, as that of tick, which is greater than any before. It panics when the state is
// of another type than the schema's: that is a mistake in the program.
func (e *Encoder) Capture(tick uint32, state any) {
	if e.state != state {
		tables, err := tablesOf(e.sc, state)
		if err != nil {
			panic(fmt.Errorf("capturing a state: %w", err))
		}
		e.state, e.tables = state, tables
	}
	before := e.now
	s := e.at(tick)
	s.tick, s.valid = tick, true
	for i := range e.tables {
		var b *columns
		if before != nil && before != s {
			b = &before.tables[i]
		}
		s.tables[i].capture(&e.sc.Tables[i], e.tables[i], b)
	}
	e.now = s
}

// at returns the ring's place for a tick.
func (e *Encoder) at(tick uint32) *snapshot { return &e.ring[uint64(tick)%uint64(len(e.ring))] }

// Scopes returns the scopes that the viewer at a seat has: the room, and its own. The result must not be changed and is
// valid until the next Capture.
func (e *Encoder) Scopes(seat Seat) []uint16 {
	if !e.owned {
		seat = 0
	}
	for int(seat) >= len(e.scopes) {
		e.scopes = append(e.scopes, []uint16{0, uint16(len(e.scopes))}) //nolint:gosec // a seat
	}
	if seat == 0 {
		return e.scopes[0][:1]
	}
	return e.scopes[seat]
}

// View is what one viewer has of a room: by scope, the tick of its last frame. The zero value has nothing.
type View struct{ sent []sentScope }

type sentScope struct {
	scope uint16
	tick  uint32
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

func (v *View) last(scope uint16) (tick uint32, ok bool) {
	for i := range v.sent {
		if v.sent[i].scope == scope {
			return v.sent[i].tick, true
		}
	}
	return 0, false
}

// Prepare returns the blocks that bring a viewer from what it has to the newest tick, and notes them as sent. A scope
// in which nothing changed has no block. The result is valid until the next call, the data until the next Capture.
func (e *Encoder) Prepare(v *View, scopes []uint16) []proto.Block {
	e.blocks = e.blocks[:0]
	for _, scope := range scopes {
		base, ok := v.last(scope)
		if s := e.at(base); !ok || !s.valid || s.tick != base {
			base = e.now.tick
		}
		if data := e.block(scope, base); len(data) > 0 {
			e.blocks = append(e.blocks, proto.Block{Scope: scope, Data: data})
		}
	}
	v.sent = v.sent[:0]
	for _, scope := range scopes {
		v.sent = append(v.sent, sentScope{scope, e.now.tick})
	}
	return e.blocks
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

// block returns the encoding of a scope from base, this tick's own when it was made already.
func (e *Encoder) block(scope uint16, base uint32) []byte {
	c := e.cache(scope)
	for i := range c.n {
		if c.forms[i].base == base {
			return c.forms[i].data
		}
	}
	if c.n == len(c.forms) {
		c.forms = append(c.forms, form{})
	}
	f := &c.forms[c.n]
	c.n++
	f.base = base
	f.data = e.append(f.data[:0], Seat(scope), base)
	return f.data
}

// Operations on a row, in the low bits of its head.
const (
	opEnd = iota
	opRemove
	opAdd
	opChange
)

// append encodes one scope: the distance to its base, 0 for a keyframe, then by table the rows that differ, each with
// the distance of its slot to the one before. A difference without any row is empty.
func (e *Encoder) append(dst []byte, seat Seat, base uint32) []byte {
	from := len(dst)
	key := base == e.now.tick
	dst = binary.AppendUvarint(dst, uint64(e.now.tick-base))
	any := key
	for i := range e.sc.Tables {
		t := &e.sc.Tables[i]
		list := t.room
		if seat != 0 {
			list = t.own
		}
		if len(list) == 0 {
			continue
		}
		var old *columns
		if !key {
			old = &e.at(base).tables[i]
		}
		before := len(dst)
		dst = appendRows(dst, t, list, seat, &e.now.tables[i], old)
		any = any || len(dst) > before
		dst = append(dst, opEnd)
	}
	if !any {
		return dst[:from]
	}
	return dst
}

// has returns the row's id when the row is in the scope.
func (c *columns) has(t *TableInfo, slot int, seat Seat) ID {
	if c == nil || slot >= len(c.ids) || c.ids[slot] == 0 {
		return 0
	}
	if seat != 0 && (t.owner < 0 || c.nums[t.owner][slot] != int64(seat)) {
		return 0
	}
	return c.ids[slot]
}

func appendRows(dst []byte, t *TableInfo, list []int, seat Seat, now, old *columns) []byte {
	slots := len(now.ids)
	if old != nil {
		slots = max(slots, len(old.ids))
	}
	last := -1
	for slot := range slots {
		id, was := now.has(t, slot, seat), old.has(t, slot, seat)
		switch {
		case id == 0 && was == 0:
			continue
		case id == 0:
			dst = appendHead(dst, &last, slot, opRemove)
		case id != was:
			dst = appendHead(dst, &last, slot, opAdd)
			dst = binary.AppendUvarint(dst, uint64(id&0xffff))
			for _, i := range list {
				dst = appendValue(dst, &t.Fields[i], now, nil, i, slot)
			}
		case changed(t, list, now, old, slot):
			dst = appendHead(dst, &last, slot, opChange)
			dst = appendChanges(dst, t, list, now, old, slot)
		}
	}
	return dst
}

func appendHead(dst []byte, last *int, slot, op int) []byte {
	gap := slot - *last
	*last = slot
	return binary.AppendUvarint(dst, uint64(gap)<<2|uint64(op)) //nolint:gosec // positive
}

func differs(f *Field, now, old *columns, i, slot int) bool {
	if f.text() {
		return now.text[i][slot] != old.text[i][slot]
	}
	return now.nums[i][slot] != old.nums[i][slot]
}

func changed(t *TableInfo, list []int, now, old *columns, slot int) bool {
	for _, i := range list {
		if differs(&t.Fields[i], now, old, i, slot) {
			return true
		}
	}
	return false
}

// appendChanges writes a bit for each column that differs, then their differences.
func appendChanges(dst []byte, t *TableInfo, list []int, now, old *columns, slot int) []byte {
	from := len(dst)
	for range (len(list) + 7) / 8 {
		dst = append(dst, 0)
	}
	for k, i := range list {
		f := &t.Fields[i]
		if differs(f, now, old, i, slot) {
			dst[from+k/8] |= 1 << (k % 8)
			dst = appendValue(dst, f, now, old, i, slot)
		}
	}
	return dst
}

// appendValue writes a number as its zigzagged difference to the old one, or to 0; text as length and bytes.
func appendValue(dst []byte, f *Field, now, old *columns, i, slot int) []byte {
	if f.text() {
		s := now.text[i][slot]
		dst = binary.AppendUvarint(dst, uint64(len(s)))
		return append(dst, s...)
	}
	n := now.nums[i][slot]
	if old != nil {
		n = f.wrap(n - old.nums[i][slot])
	}
	return binary.AppendVarint(dst, n)
}

// wrap brings a difference of angles to the short way round.
func (f *Field) wrap(d int64) int64 {
	if f.Kind != KindAngle {
		return d
	}
	turn := int64(1) << f.Bits
	d &= turn - 1
	if d >= turn/2 {
		d -= turn
	}
	return d
}
