package netcode

import (
	"math/bits"

	"muster/proto"
)

// Union is the scopes of many viewers together, for one that stands for them all. The zero value is empty; its memory is
// used again. One goroutine uses it.
type Union struct {
	in    []uint64 // by scope, a bit: it is one of them
	every []uint16 // by scope
	list  []proto.Watch
}

// Reset makes it empty.
func (u *Union) Reset() { clear(u.in) }

// Add adds a viewer's scopes. One that is there already is then due whenever it is due for either.
func (u *Union) Add(scopes []proto.Watch) {
	for _, w := range scopes {
		scope, every := w.Scope(), uint16(w.Every()) //nolint:gosec // at most 256
		at, bit := int(scope/64), uint64(1)<<(scope%64)
		for at >= len(u.in) {
			u.in, u.every = append(u.in, 0), append(u.every, make([]uint16, 64)...)
		}
		switch {
		case u.in[at]&bit == 0:
			u.in[at] |= bit
			u.every[scope] = every
		case u.every[scope] != every:
			u.every[scope] = common(u.every[scope], every)
		}
	}
}

// common is the greatest common divisor.
func common(a, b uint16) uint16 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// Watches returns the scopes, sorted, each once. The result is valid until the next call.
func (u *Union) Watches() []proto.Watch {
	u.list = u.list[:0]
	for at, left := range u.in {
		for ; left != 0; left &= left - 1 {
			scope := uint16(at*64 + bits.TrailingZeros64(left)) //nolint:gosec // a scope
			u.list = append(u.list, proto.Watching(scope, int(u.every[scope])))
		}
	}
	return u.list
}
