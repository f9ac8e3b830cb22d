package netcode

import (
	"errors"
	"fmt"

	"muster/proto"
)

// NewMirror returns an encoder that has no state: instead of Capture, Receive feeds it with what another encoder, of the
// same schema, prepared for a [View] that stands for all of the mirror's viewers. Prepare and Hashes are as ever, for
// scopes that the heads of frames say: Scopes, PublicScopes, Local, WriteEvent and names are the other encoder's. Viewers
// in step with what is received get the very bytes that came; what others need is encoded here. cfg.Ring should be the
// other encoder's; cfg.Key has no meaning.
func NewMirror(sc *Schema, cfg EncoderConfig) *Encoder {
	e := newEncoder(sc, cfg)
	e.mirror = &mirror{dec: NewDecoder(sc), broken: map[uint16]struct{}{}}
	e.mirror.dec.depth = int(e.depth)
	e.mirror.dec.deep = true
	return e
}

// mirror is what an encoder has received: a decoder that keeps as many states of each scope as a ring has ticks. A state
// is here for a tick if a frame said so, by a block or, of a scope that was due, by silence; nothing is made up between.
type mirror struct {
	dec     *Decoder
	epoch   uint64
	scopes  []*scopeStates      // by scope, those of the decoder
	watched []proto.Watch       // the newest frame's, sorted
	broken  map[uint16]struct{} // scopes that are to come anew; whoever asks for that has been told
	rows    []int               // by part: how many there are in all scopes together
}

// mostRows is how many times as many rows as its bound a table may have in all scopes together. A row is in one scope at
// a tick, but scopes that come at different ticks may all still have it.
const mostRows = 16

// Receive brings the mirror to the frame's tick: of its head it uses the epoch, the tick, which is greater than any
// before in the epoch, and the scopes, sorted, which contain those of all viewers (see [Union]). It keeps nothing of f.
//
// A scope that the mirror has no state of at this tick gives its viewers no block, and no silence that they would take
// for no change; Prepare says so to those that must be told. Another epoch makes the mirror forget everything; its
// viewers begin anew, with a new View and a new connection.
//
// The error is a *[ScopeError], or several joined, see Failed: those scopes must be sent anew (View.Resync at the other
// encoder); all others are there. Further blocks of theirs that do not help are passed over, and are no errors. An error
// that is no ScopeError says that the frame is not one that can follow, and nothing has changed.
func (e *Encoder) Receive(f *proto.Frame) error {
	m := e.mirror
	m.dec.failed = m.dec.failed[:0]
	h := &f.Head
	if h.Epoch == m.epoch && e.tick > 0 && h.Tick <= e.tick {
		return fmt.Errorf("%w: tick %d after tick %d", ErrBlock, h.Tick, e.tick)
	}
	for i := 1; i < len(h.Scopes); i++ {
		if h.Scopes[i-1].Scope() >= h.Scopes[i].Scope() {
			return fmt.Errorf("%w: scope %d after scope %d", ErrBlock, h.Scopes[i].Scope(), h.Scopes[i-1].Scope())
		}
	}
	if h.Epoch != m.epoch {
		e.forget()
		m.epoch = h.Epoch
	}
	e.tick, e.made, e.arena = h.Tick, e.made[:0], e.arena[:0]
	m.dec.tick = h.Tick
	m.watch(h.Scopes)
	for i := range f.Blocks {
		b := &f.Blocks[i]
		if err := e.receive(b); err != nil {
			m.fail(b.Scope, err)
		}
	}
	m.silence()
	for _, x := range f.Hashes {
		if s := m.scope(x.Scope); s != nil && s.at[0] == h.Tick && m.dec.hash(x.Scope, s.state[0]) != x.Sum {
			m.fail(x.Scope, ErrHash)
		}
	}
	m.bound()
	return m.dec.failure()
}

// Failed lists the scopes that the last Receive found broken, each once until it has come anew.
func (e *Encoder) Failed() []*ScopeError { return e.mirror.dec.Failed() }

// Lost tells a mirror that frames before the next one may be missing: that a scope has no block does not mean any more
// that it has not changed, until a block of it comes. Who calls it makes all scopes come anew (View.Reset at the other
// encoder). Viewers are left with what they have, and are then brought to what came from there.
func (e *Encoder) Lost() {
	m := e.mirror
	for _, w := range m.watched {
		m.broken[w.Scope()] = struct{}{}
		if s := m.scope(w.Scope()); s != nil {
			s.unsure = true
		}
	}
	clear(m.dec.halves)
}

// forget makes a mirror have nothing.
func (e *Encoder) forget() {
	m := e.mirror
	m.watch(nil)
	clear(e.caches)
	e.bigKeys = nil
}

// watch makes the scopes of a frame those that are kept; of all others everything is forgotten.
func (m *mirror) watch(scopes []proto.Watch) {
	i := 0
	for _, w := range m.watched {
		for i < len(scopes) && scopes[i].Scope() < w.Scope() {
			i++
		}
		if i == len(scopes) || scopes[i].Scope() != w.Scope() {
			m.drop(w.Scope())
			delete(m.broken, w.Scope())
		}
	}
	m.watched = append(m.watched[:0], scopes...)
}

// drop forgets a scope. Its memory is kept for others, for as many as there are scopes.
func (m *mirror) drop(scope uint16) {
	if s := m.dec.scopes[scope]; s != nil && len(m.dec.idle) < len(m.watched) {
		if len(s.at) > 0 {
			s.cut(s.at[len(s.at)-1])
		}
		*s = scopeStates{at: s.at, state: s.state, spares: s.spares}
		m.dec.idle = append(m.dec.idle, s)
	}
	delete(m.dec.scopes, scope)
	delete(m.dec.halves, scope)
	if int(scope) < len(m.scopes) {
		m.scopes[scope] = nil
	}
}

// fail notes that a scope must come anew. When only what its block builds on is missing, what is here of it stays true,
// and its viewers can be brought on from there.
func (m *mirror) fail(scope uint16, err error) {
	if s := m.scope(scope); s != nil && errors.Is(err, ErrBase) {
		s.unsure = true
		delete(m.dec.halves, scope)
	} else {
		m.drop(scope)
	}
	if _, known := m.broken[scope]; known {
		return
	}
	if _, watched := find16(m.watched, scope); watched {
		m.broken[scope] = struct{}{}
	}
	m.dec.failed = append(m.dec.failed, &ScopeError{scope, err})
}

// scope returns what is here of a scope, or nil.
func (m *mirror) scope(scope uint16) *scopeStates {
	if int(scope) < len(m.scopes) {
		return m.scopes[scope]
	}
	return nil
}

// at returns what a scope was at a tick, or nil where that is not known, or is too long ago.
func (m *mirror) at(scope uint16, tick uint32) *decoded {
	s := m.scope(scope)
	if s == nil {
		return nil
	}
	for i, at := range s.at {
		if at == tick {
			return s.state[i]
		}
	}
	return nil
}

// receive decodes a block, and keeps its bytes as what is made of the scope in its form.
func (e *Encoder) receive(b *proto.Block) error {
	m, d := e.mirror, e.mirror.dec
	if _, watched := find16(m.watched, b.Scope); !watched {
		return fmt.Errorf("%w: not one of the frame's scopes", ErrBlock)
	}
	s := m.scope(b.Scope)
	switch {
	case s != nil && s.at[0] == d.tick:
		return fmt.Errorf("%w: the scope has come already", ErrBlock)
	case b.Part.Size > 0 && (b.Part.Tick > d.tick || !m.room(len(b.Data))):
		return fmt.Errorf("%w: a keyframe of a tick to come, or too many half ones", ErrBlock)
	}
	if err := d.take(b); err != nil {
		return err
	}
	if d.halves[b.Scope] != nil {
		return nil
	}
	had := s
	for int(b.Scope) >= len(m.scopes) {
		m.scopes = append(m.scopes, nil)
	}
	s = d.scopes[b.Scope]
	m.scopes[b.Scope] = s
	if had != s {
		s.since = d.tick
	}
	s.unsure = false
	delete(m.broken, b.Scope)
	s.differs = false
	if b.Part.Size > 0 {
		return nil
	}
	f := formOf(b.Data, d.tick)
	s.differs = f.base != d.tick // else there would be silence
	from := len(e.arena)
	e.arena = append(e.arena, b.Data...)
	e.keep(b.Scope, f, from, true)
	return nil
}

// room says whether so many bytes of keyframes that are not all here can be kept.
func (m *mirror) room(n int) bool {
	for _, h := range m.dec.halves { // the order does not matter: it is a sum
		n += len(h.data)
	}
	return n <= proto.MaxKeyframe
}

// formOf reads the form of a good block that leads to a tick.
func formOf(data []byte, tick uint32) form {
	r := bitReader{src: data}
	key, n, gap := r.bit(), uint8(r.get(2)+1), uint32(r.number(0)+1) //nolint:gosec // bounded by the format
	if key {
		return form{base: tick, gap: 1, n: n}
	}
	return form{base: tick - gap, gap: gap, n: n}
}

// silence brings those scopes to the newest tick that have no block because nothing has changed, and forgets what is
// beyond the ring.
func (m *mirror) silence() {
	d := m.dec
	for _, w := range m.watched {
		s := m.scope(w.Scope())
		if s == nil {
			continue
		}
		if s.at[0] != d.tick && d.tick%w.Every() == 0 && !s.unsure && (len(d.halves) == 0 || d.halves[w.Scope()] == nil) {
			s.push(d.tick, s.state[0])
			s.differs = false
		}
		for len(s.at) > 1 && d.tick-s.at[len(s.at)-1] >= uint32(d.depth) { //nolint:gosec // not that long
			s.dropOldest()
		}
	}
}

// bound forgets everything when there are more rows than a state can have in however many scopes.
func (m *mirror) bound() {
	m.rows = resize(m.rows, len(m.dec.parts))
	clear(m.rows)
	for _, w := range m.watched {
		if s := m.scope(w.Scope()); s != nil {
			for i := range m.rows {
				m.rows[i] += len(s.state[0].sets[i].ids)
			}
		}
	}
	for i, n := range m.rows {
		if n <= mostRows*m.dec.parts[i].info.Max {
			continue
		}
		for _, w := range m.watched {
			m.fail(w.Scope(), fmt.Errorf("%w: more rows in all scopes than a table can have", ErrBlock))
		}
		return
	}
}

// unchanged says whether a scope is as it was at an earlier tick, where that is known without a look at its rows.
func (m *mirror) unchanged(scope uint16, base uint32) (same, known bool) {
	s := m.scope(scope)
	switch {
	case m.at(scope, base) == s.state[0]:
		return true, true
	case s.differs && s.at[1] == base:
		return false, true
	}
	return false, false
}
