package netcode

import (
	"bytes"
	"slices"

	"muster/proto"
)

// bigKey is a keyframe that is sent over several frames. It keeps its bytes, and the state that they lead to, for as
// long as some viewer is being sent them: when that is done, the viewer is brought to the present by one delta from it.
type bigKey struct {
	scope uint16
	form  form
	data  []byte
	state *decoded
}

// keyFrames is within how many frames a keyframe is sent, whatever its size, to a viewer that misses none.
const keyFrames = 32

// newKey keeps a keyframe of the newest tick, and lets viewers that come within a quarter of the ring share it.
func (e *Encoder) newKey(scope uint16, f form, data []byte) *bigKey {
	k := &bigKey{scope: scope, form: f, data: bytes.Clone(data), state: newDecoded(e.parts)}
	now := e.have(scope, e.tick)
	for i := range e.parts {
		if p := &e.parts[i]; p.of(scope) {
			k.state.sets[i].copySpan(p, now.part(i))
		}
	}
	e.bigKeys = append(slices.DeleteFunc(e.bigKeys, e.tooOld), k)
	return k
}

func (e *Encoder) tooOld(k *bigKey) bool { return e.tick-k.form.base > e.depth/4 }

// sharedKey returns a scope's keyframe of a few ticks ago, or nil.
func (e *Encoder) sharedKey(scope uint16, plain bool) *bigKey {
	for _, k := range e.bigKeys {
		if k.scope == scope && k.form.plain == plain && !e.tooOld(k) {
			return k
		}
	}
	return nil
}

// sendParts adds the next part of a keyframe, of so many bytes at most but for a very long one; behind the last one also
// the block that leads from it to the present.
func (e *Encoder) sendParts(s sentScope, plain bool, most int) sentScope {
	if e.budget <= 0 && s.bytes > 0 {
		return s
	}
	k := s.key
	if most > 1 {
		most = max(most, len(k.data)/keyFrames+1)
	}
	n := min(len(k.data)-s.bytes, most)
	if !e.current(s.scope) && s.bytes+n == len(k.data) {
		if n--; n == 0 { // the last byte waits for what leads on from the keyframe
			return s
		}
	}
	e.blocks = append(e.blocks, proto.Block{
		Scope: s.scope, Data: k.data[s.bytes : s.bytes+n],
		Part: proto.Part{Tick: k.form.base, From: s.bytes, Size: len(k.data)},
	})
	e.budget -= n
	if s.bytes += n; s.bytes < len(k.data) {
		return s
	}
	now := e.tick
	if k.form.base == now {
		return sentScope{scope: s.scope, tick: now, gap: 1, n: k.form.n}
	}
	e.pinned = k
	// A block even where nothing has changed: its tick need not be one at which silence says so.
	f := form{base: k.form.base, gap: now - k.form.base, n: 1, plain: plain, whole: true}
	e.add(s.scope, e.encode(s.scope, f))
	e.pinned = nil
	return sentScope{scope: s.scope, tick: now, gap: f.gap, n: 2}
}
