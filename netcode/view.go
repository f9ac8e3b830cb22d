package netcode

import "muster/proto"

// View is what one viewer has of a room: by scope, which states. The zero value has nothing.
type View struct {
	// Plain says that the viewer reads the plain form. It is set before the first Prepare.
	Plain bool

	sent []sentScope
}

// sentScope says that a viewer has n states of a scope, gap ticks apart, the newest of tick; or that it is being sent a
// keyframe, of which it has so many bytes; or that it may have an old state, on which nothing is to be built.
type sentScope struct {
	scope uint16
	n     uint8
	tick  uint32
	gap   uint32
	key   *bigKey
	bytes int
	anew  bool // it is to get a keyframe
	held  bool // it was told that silence says nothing, until a block comes
}

// Reset makes every scope come as a keyframe next.
func (v *View) Reset() {
	for i := range v.sent {
		v.sent[i] = sentScope{scope: v.sent[i].scope, anew: true}
	}
}

// Resync makes one scope come as a keyframe next.
func (v *View) Resync(scope uint16) {
	for i := range v.sent {
		if v.sent[i].scope == scope {
			v.sent[i] = sentScope{scope: scope, anew: true}
			return
		}
	}
}

// Same says whether two viewers have the same of a room, so that what one is sent next is good for the other. One that is
// in the middle of a keyframe is like no other.
func (v *View) Same(o *View) bool {
	if len(v.sent) != len(o.sent) {
		return false
	}
	for i := range v.sent {
		if v.sent[i].key != nil || v.sent[i] != o.sent[i] {
			return false
		}
	}
	return true
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
	now, scope := e.tick, w.Scope()
	switch {
	case !e.current(scope):
		return e.wait(w, last, plain)
	case last != nil && last.key != nil:
		return e.sendParts(*last, plain, e.partBytes), true
	case last == nil || last.anew || last.tick == now:
		return e.sendKey(scope, plain, last != nil)
	}
	due := now%w.Every() == 0
	if !due && now-last.tick < 2*w.Every() { // after twice the time it comes at any tick: the viewer may miss all that are due
		return *last, true
	}
	if !e.reaches(scope, last.tick) {
		return e.sendKey(scope, plain, true)
	}
	f := form{base: last.tick, gap: now - last.tick, n: 1, plain: plain, whole: last.held}
	if f.gap == last.gap && !plain {
		for f.n < last.n && e.has(scope, f.base-uint32(f.n)*f.gap) {
			f.n++
		}
	}
	data := e.encode(scope, f)
	switch {
	case len(data) == 0 && !due:
		return *last, true // the viewer takes silence as no change only at ticks that are due
	case len(data) > e.deltas, f.n == 1 && f.gap > 1 && !e.came(scope, f) && len(e.encode(scope, e.keyForm(scope, plain))) < len(data):
		return e.sendKey(scope, plain, true)
	}
	e.deltas -= len(data)
	e.add(scope, data)
	return sentScope{scope: scope, tick: now, gap: f.gap, n: min(f.n+1, states)}, true
}

// wait is next for a scope that a mirror does not have at the newest tick. Where the viewer would take silence for no
// change it gets the first byte of a keyframe that never comes: any block that is whole ends that.
func (e *Encoder) wait(w proto.Watch, last *sentScope, plain bool) (next sentScope, ok bool) {
	switch {
	case last == nil:
		return sentScope{}, false
	case last.key != nil:
		return e.sendParts(*last, plain, e.partBytes), true
	case last.held, e.tick%w.Every() != 0, last.tick == e.tick:
		return *last, true
	}
	e.blocks = append(e.blocks, proto.Block{Scope: w.Scope(), Data: unending[:], Part: proto.Part{Tick: e.tick, Size: 2}})
	next = *last
	next.held = true
	return next, true
}

// unending is the beginning of a keyframe that has no end.
var unending = [1]byte{1}

// came says whether a block was received, and not made here: then who made it has looked for a shorter one.
func (e *Encoder) came(scope uint16, f form) bool {
	if e.mirror == nil {
		return false
	}
	made := e.lookup(scope, f)
	return made != nil && made.came
}

func (e *Encoder) add(scope uint16, data []byte) {
	if len(data) > 0 {
		e.blocks = append(e.blocks, proto.Block{Scope: scope, Data: data})
	}
}

// keyForm is that of a scope's keyframe: as many states as there are, up to four, so that its reader is at once in step.
func (e *Encoder) keyForm(scope uint16, plain bool) form {
	f := form{base: e.tick, gap: 1, n: 1, plain: plain}
	for !plain && f.n < states && e.has(scope, f.base-uint32(f.n)) {
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
	f := e.keyForm(scope, plain)
	data := e.encode(scope, f)
	if len(data) > most {
		return e.sendParts(sentScope{scope: scope, key: e.newKey(scope, f, data)}, plain, most), true
	}
	e.budget -= len(data)
	e.add(scope, data)
	return sentScope{scope: scope, tick: f.base, gap: 1, n: f.n}, true
}
