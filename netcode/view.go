package netcode

import "muster/proto"

// View is what one viewer has of a room: by scope, which states. The zero value has nothing.
type View struct {
	// Plain says that the viewer reads the plain form. It is set before the first Prepare.
	Plain bool

	sent []sentScope
}

// sentScope says that a viewer has n states of a scope, gap ticks apart, the newest of tick; or that it is being sent a
// keyframe, of which it has so many bytes.
type sentScope struct {
	scope uint16
	n     uint8
	tick  uint32
	gap   uint32
	key   *bigKey
	bytes int
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

// last returns what the viewer has of a scope, or nil. from is where to look first, since scopes mostly come in the same
// order; it is moved behind what was found.
func (v *View) last(scope uint16, from *int) *sentScope {
	for at := *from; at < len(v.sent); at++ {
		if v.sent[at].scope == scope {
			*from = at + 1
			return &v.sent[at]
		}
	}
	for at := range min(*from, len(v.sent)) {
		if v.sent[at].scope == scope {
			return &v.sent[at]
		}
	}
	return nil
}

// Prepare returns the blocks that bring a viewer from what it has to the newest tick, and notes them as sent. A scope
// in which nothing changed has no block, nor has one that is not sent at this tick, or whose keyframe must wait for a
// later frame. The result is valid until the next call, the data until the next Capture.
func (e *Encoder) Prepare(v *View, scopes []proto.Watch) []proto.Block {
	e.blocks = e.blocks[:0]
	e.budget, e.deltas = 4*e.partBytes, mostDeltas
	e.sent = e.sent[:0]
	at := 0
	for _, w := range scopes {
		last := v.last(w.Scope(), &at)
		if next, ok := e.next(w, last, v.Plain); ok {
			e.sent = append(e.sent, next)
		}
	}
	v.sent = append(v.sent[:0], e.sent...)
	return e.blocks
}

// mostDeltas is how long the blocks of a frame that are no keyframes may be together, in bytes. For what is beyond it the
// viewer gets a keyframe, in parts.
const mostDeltas = proto.MaxServerMessage / 2

// next adds the blocks for a viewer that has had last, and returns what it then has; ok is false when that is nothing.
func (e *Encoder) next(w proto.Watch, last *sentScope, plain bool) (next sentScope, ok bool) {
	now, scope := e.now.tick, w.Scope()
	switch {
	case last != nil && last.key != nil:
		return e.sendParts(*last, plain, e.partBytes), true
	case last == nil || last.tick == now:
		return e.sendKey(scope, plain, last != nil)
	}
	due := now%w.Every() == 0
	if !due && now-last.tick < 2*w.Every() { // after twice the time it comes at any tick: the viewer may miss all that are due
		return *last, true
	}
	if e.have(last.tick) == nil {
		return e.sendKey(scope, plain, true)
	}
	f := form{base: last.tick, gap: now - last.tick, n: 1, plain: plain}
	if f.gap == last.gap && !plain {
		for f.n < last.n && e.have(f.base-uint32(f.n)*f.gap) != nil {
			f.n++
		}
	}
	data := e.encode(scope, f)
	switch {
	case len(data) == 0 && !due:
		return *last, true // the viewer takes silence as no change only at ticks that are due
	case len(data) > e.deltas, f.n == 1 && f.gap > 1 && len(e.encode(scope, e.keyForm(plain))) < len(data):
		return e.sendKey(scope, plain, true)
	}
	e.deltas -= len(data)
	e.add(scope, data)
	return sentScope{scope: scope, tick: now, gap: f.gap, n: min(f.n+1, states)}, true
}

func (e *Encoder) add(scope uint16, data []byte) {
	if len(data) > 0 {
		e.blocks = append(e.blocks, proto.Block{Scope: scope, Data: data})
	}
}

// keyForm is that of a keyframe: as many states as there are, up to four, so that its reader is at once in step.
func (e *Encoder) keyForm(plain bool) form {
	f := form{base: e.now.tick, gap: 1, n: 1, plain: plain}
	for !plain && f.n < states && e.have(f.base-uint32(f.n)) != nil {
		f.n++
	}
	return f
}

// sendKey adds a scope's keyframe, or its first part; ok is false when it has to wait for another frame. A viewer that
// has a state of the scope cannot be left to wait: it would take silence for no change. It gets one byte of the keyframe.
func (e *Encoder) sendKey(scope uint16, plain, has bool) (next sentScope, ok bool) {
	most := e.partBytes
	if e.budget <= 0 {
		if !has {
			return sentScope{}, false
		}
		most = 1
	}
	if key := e.sharedKey(scope, plain); key != nil {
		return e.sendParts(sentScope{scope: scope, key: key}, plain, most), true
	}
	f := e.keyForm(plain)
	data := e.encode(scope, f)
	if len(data) > most {
		return e.sendParts(sentScope{scope: scope, key: e.newKey(scope, f, data)}, plain, most), true
	}
	e.budget -= len(data)
	e.add(scope, data)
	return sentScope{scope: scope, tick: f.base, gap: 1, n: f.n}, true
}
