package chaos

import (
	"fmt"
	"sync"
	"time"

	"muster/client"
)

const (
	// lateFrame is how long after the first frame of a new epoch a bot may accept one of the old epoch that was on its
	// way: another host may not have sent it.
	lateFrame = 300 * time.Millisecond
	// looked is how many ticks go by until bots compare what they saw.
	looked = 10
	// mostLooks bounds what is kept of them for a room.
	mostLooks = 64
)

// court hears all bots of a room: there is one host at a time, and everybody sees the same.
type court struct {
	room string

	mu      sync.Mutex
	newest  uint64    // epoch that a bot accepted a frame of
	since   time.Time // when the first did
	hosts   int       // epochs so far
	overlap time.Duration
	looks   map[look]uint32
	order   []look
	agreed  int64 // looks that were compared
}

// look names a tick as nobody else's.
type look struct {
	epoch uint64
	tick  uint32
}

// hears takes in a frame that a bot accepted, and says what is wrong with it.
func (c *court) hears(f *client.Frame, b *books) (wrong string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case f.Epoch > c.newest:
		c.newest, c.since = f.Epoch, f.At
		c.hosts++
	case f.Epoch < c.newest:
		late := f.At.Sub(c.since)
		c.overlap = max(c.overlap, late)
		if late > lateFrame {
			return fmt.Sprintf("tick %d of epoch %d was accepted %v after epoch %d began", f.Tick, f.Epoch, late, c.newest)
		}
	}
	if f.Tick%looked != 0 {
		return ""
	}
	at, sum := look{f.Epoch, f.Tick}, digest(b)
	if other, ok := c.looks[at]; ok {
		c.agreed++
		if other != sum {
			return fmt.Sprintf("tick %d of epoch %d is %08x to it and %08x to others", f.Tick, f.Epoch, sum, other)
		}
		return ""
	}
	if len(c.order) == mostLooks {
		delete(c.looks, c.order[0])
		c.order = c.order[1:]
	}
	c.looks[at], c.order = sum, append(c.order, at)
	return ""
}

// digest is a short sum over what everybody sees.
func digest(b *books) uint32 {
	sum := uint32(1)
	for id, a := range b.Accounts.All() {
		for _, v := range []uint32{uint32(id), uint32(a.Owner), a.Last, a.Chain, a.Dice} {
			sum = link(sum, v)
		}
	}
	return sum
}

// courts are those of all rooms.
type courts struct {
	mu   sync.Mutex
	list map[string]*court
}

func (c *courts) of(room string) *court {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.list[room] == nil {
		c.list[room] = &court{room: room, looks: map[look]uint32{}}
	}
	return c.list[room]
}
