package bridge

import (
	"math"
	"slices"
	"sync"
	"time"

	"muster/match"
	"muster/proto"
)

// Inputs wait at the edge until they must go to be there in time for the room's next tick, when whatever clients have
// sent by then goes as one message; what comes later and is for a later tick waits for that one's turn. So a room has about
// one message with inputs a tick, as it has one with its state, and no input is used later than if it had gone at once.
// What would have waited a few milliseconds more goes along with another room's: many small rooms have fewer messages than
// ticks. What its own tick needs at once goes at once.

const (
	// inputSpare is how long before they are needed inputs should be there. One that is late all the same costs its player
	// half a tick for a while, since his client aims earlier then, so it is several times what a busy machine delays.
	inputSpare = 6 * time.Millisecond
	// inputAlong is how much earlier than it must a room's batch goes along with another's to the same host.
	inputAlong = 5 * time.Millisecond
	// maxBatch and maxBatchBytes bound what waits.
	maxBatch      = 128
	maxBatchBytes = 32 << 10
)

// batch is the inputs that wait. rm.mu is held.
type batch struct {
	writer *proto.Writer // of viewers and packets
	packet *proto.Writer
	n      int
	tick   uint32      // before which it goes
	gone   uint32      // before which the last one went
	due    time.Time   // when
	timer  *time.Timer // runs flush; nil before the first input
	waits  bool        // the timer runs
	inLine bool        // the room stands in its host's line
}

// line is the rooms of one host whose inputs wait here. Its lock is the last that is taken.
type line struct {
	users int // rooms at this host; the lock of Bridge is held

	mu    sync.Mutex
	rooms []*room
}

func (l *line) add(rm *room) {
	l.mu.Lock()
	l.rooms = append(l.rooms, rm)
	l.mu.Unlock()
}

// remove takes a room out of the line, if it is there.
func (l *line) remove(rm *room) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := slices.Index(l.rooms, rm); i >= 0 {
		l.rooms = slices.Delete(l.rooms, i, i+1)
	}
}

// take takes all rooms out of the line, into list.
func (l *line) take(list []*room) []*room {
	l.mu.Lock()
	defer l.mu.Unlock()
	list = append(list, l.rooms...)
	clear(l.rooms)
	l.rooms = l.rooms[:0]
	return list
}

// Input implements [edge.Room]. What is lost the client repeats.
func (rm *room) Input(v match.Viewer, p *proto.InputPacket) {
	rm.mu.Lock()
	defer rm.mu.Unlock()
	g := rm.guests[v]
	if g == nil || rm.ended {
		return
	}
	tick := uint32(math.MaxUint32) // of a bare acknowledgement
	if len(p.Inputs) > 0 {
		tick = p.Inputs[0].Tick // those before it were sent before
	}
	if p.Epoch != rm.ans.epoch {
		tick = 0 // its ticks mean nothing here: it is for the next one, as the host takes it
	}
	b := &rm.batch
	l := rm.clock.lastCall(tick, b.gone, inputSpare)
	b.packet.Reset()
	p.Append(b.packet)
	b.writer.Uint(g.id)
	b.writer.Uint(uint64(l.next))
	b.writer.Bin(b.packet.Bytes())
	b.n++
	switch {
	case l.wait == 0 || b.n >= maxBatch || b.writer.Len() >= maxBatchBytes:
		rm.sendBatch()
	case b.waits && b.tick <= l.tick:
	default: // also where what waits is for a later tick, since what the next one needs went along with another room's
		b.waits, b.tick, b.due = true, l.tick, time.Now().Add(l.wait)
		if !b.inLine {
			b.inLine = true
			rm.line.add(rm)
		}
		if b.timer == nil {
			b.timer = time.AfterFunc(l.wait, rm.flush)
		} else {
			b.timer.Reset(l.wait)
		}
	}
}

// flush sends what waits, and what other rooms of the host have that would wait only a little longer.
func (rm *room) flush() {
	rm.mu.Lock()
	due := rm.batch.waits && !rm.ended
	rm.mu.Unlock()
	if !due {
		return // it went along with others, or at once
	}
	lists := roomLists.Get().(*[]*room) //nolint:forcetypeassert // the pool's own
	defer roomLists.Put(lists)
	*lists = rm.line.take((*lists)[:0])
	for _, other := range *lists {
		other.goAlong()
	}
	clear(*lists)
}

var roomLists = sync.Pool{New: func() any { return new([]*room) }}

// goAlong sends what has not long to wait; what does not go stands in the line again. Now is what counts, not when the
// line was taken: a timer that ran since then found its room in no line, and does not run again.
func (rm *room) goAlong() {
	rm.mu.Lock()
	defer rm.mu.Unlock()
	b := &rm.batch
	b.inLine = b.waits && !rm.ended && time.Until(b.due) > inputAlong
	switch {
	case b.inLine:
		rm.line.add(rm)
		return
	case !b.waits || rm.ended:
		return
	}
	b.gone = b.tick
	rm.sendBatch()
}

// sendBatch sends what waits; rm.mu is held.
func (rm *room) sendBatch() {
	b := &rm.batch
	if b.waits {
		b.waits = false
		b.timer.Stop()
	}
	if b.n == 0 || rm.ended {
		return
	}
	begin(rm.writer, 5+3*b.n, kindInput, rm.session)
	rm.writer.Uint(rm.have.Load())
	rm.writer.Uint(rm.out.last)
	rm.writer.Uint(uint64(rm.clock.next()))
	rm.writer.Raw(b.writer.Bytes())
	b.n = 0
	b.writer.Reset()
	rm.b.send(rm.place.host, rm.writer.Bytes())
}

// stop ends the timer; rm.mu is held.
func (b *batch) stop() {
	if b.timer != nil {
		b.timer.Stop()
	}
}
