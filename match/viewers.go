package match

import (
	"sync"

	"muster/proto"
)

// viewers are the connections of a room, kept beside its seats for those who must reach them when the room's goroutine
// does not answer.
type viewers struct {
	mu  sync.Mutex
	set map[Viewer]struct{}
}

func (v *viewers) add(w Viewer) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.set == nil {
		v.set = map[Viewer]struct{}{}
	}
	v.set[w] = struct{}{}
}

// remove says whether the viewer was there.
func (v *viewers) remove(w Viewer) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	_, ok := v.set[w]
	delete(v.set, w)
	return ok
}

func (v *viewers) closeAll(c proto.Close) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for w := range v.set {
		w.Close(c)
	}
}
