package edge

import "sync/atomic"

// maxRings bounds what all audiences of a server keep together, in bytes, but for a cast or two of each: beyond it those that
// keep more than an equal part forget what is oldest.
const maxRings = 256 << 20

// rings is what they keep. Any goroutine may use it.
type rings struct {
	most  int64 // maxRings, but in tests
	bytes atomic.Int64
	rooms atomic.Int64 // that keep something
}

// part is how much one of them may keep now, in bytes.
func (r *rings) part() int {
	if r.bytes.Load() <= r.most {
		return maxRing
	}
	return int(min(maxRing, r.most/max(1, r.rooms.Load())))
}

// keep counts what is kept from now on, or no more; a.mu is held.
func (a *audience) keep(bytes int) {
	a.bytes += bytes
	a.server.rings.bytes.Add(int64(bytes))
}

// leave ends the audience: it keeps nothing that comes.
func (a *audience) leave() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.gone = true
	a.keep(-a.bytes)
	if a.next > 0 {
		a.server.rings.rooms.Add(-1)
	}
}
