package netcode

import (
	"slices"

	"muster/proto"
)

// Union is the scopes of many viewers together, for one that stands for them all. The zero value is empty; its memory is
// used again. One goroutine uses it.
type Union struct {
	every []uint16 // by scope; 0: not in it
	list  []proto.Watch
}

// Reset makes it empty.
func (u *Union) Reset() {
	for _, w := range u.list {
		u.every[w.Scope()] = 0
	}
	u.list = u.list[:0]
}

// Add adds a viewer's scopes. One that is there already is then due whenever it is due for either.
func (u *Union) Add(scopes []proto.Watch) {
	for _, w := range scopes {
		scope, every := w.Scope(), uint16(w.Every()) //nolint:gosec // at most 256
		for int(scope) >= len(u.every) {
			u.every = append(u.every, 0)
		}
		if was := u.every[scope]; was == 0 {
			u.list = append(u.list, w)
			u.every[scope] = every
		} else if was != every {
			u.every[scope] = common(was, every)
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

// Watches returns the scopes, sorted, each once. The result is valid until the next Add or Reset.
func (u *Union) Watches() []proto.Watch {
	for i, w := range u.list {
		u.list[i] = proto.Watching(w.Scope(), int(u.every[w.Scope()]))
	}
	slices.SortFunc(u.list, func(a, b proto.Watch) int { return int(a.Scope()) - int(b.Scope()) })
	return u.list
}
