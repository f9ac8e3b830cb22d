package match

import "sync/atomic"

// DefaultSpectatorBytes is HostConfig.SpectatorBytes where that is 0.
const DefaultSpectatorBytes = 256 << 20

// keptBudget is what all rooms of a host may keep for those who watch, together. Up to three quarters of it a room has what it
// needs, within its own bound; from there on those that keep more than an equal part leave frames out, from seven eighths on
// all do, and what is left is for events. Any goroutine may use it.
type keptBudget struct {
	most  int64
	bytes atomic.Int64
	rooms atomic.Int64 // that keep something
}

// add notes that a room that kept so many bytes keeps n more.
func (k *keptBudget) add(had, n int) {
	switch {
	case had == 0 && n > 0:
		k.rooms.Add(1)
	case had > 0 && had+n == 0:
		k.rooms.Add(-1)
	}
	k.bytes.Add(int64(n))
}

// frames says whether a room that keeps so many bytes has place for a frame. One that had none waits until it is well below:
// who begins anew costs a keyframe.
func (k *keptBudget) frames(kept int64, waits bool) bool {
	used, part := k.bytes.Load(), k.most/4*3/max(1, k.rooms.Load())
	if waits {
		part -= part / 8
	}
	return used <= k.most/4*3 || used <= k.most/8*7 && kept <= part
}

// events says whether there is place for events.
func (k *keptBudget) events() bool { return k.bytes.Load() <= k.most }
