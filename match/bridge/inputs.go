package bridge

import (
	"time"

	"muster/match"
	"muster/proto"
)

// Inputs wait at the edge until they must go to be there in time for the room's next tick, when whatever clients have
// sent by then goes as one message. So a room has about one message with inputs a tick, as it has one with its state, and
// no input is used later than if it had gone at once. What comes after that goes at once.

const (
	// inputSpare is how long before they are needed inputs should be there. One that is late all the same costs its player
	// half a tick for a while, since his client aims earlier then, so it is several times what a busy machine delays.
	inputSpare = 6 * time.Millisecond
	// maxBatch and maxBatchBytes bound what waits.
	maxBatch      = 128
	maxBatchBytes = 32 << 10
)

// batch is the inputs that wait. rm.mu is held.
type batch struct {
	writer *proto.Writer // of viewers and packets
	packet *proto.Writer
	n      int
	timer  *time.Timer // runs flush; nil before the first input
	waits  bool        // the timer runs
}

// Input implements [edge.Room]. What is lost the client repeats.
func (rm *room) Input(v match.Viewer, p *proto.InputPacket) {
	rm.mu.Lock()
	defer rm.mu.Unlock()
	g := rm.guests[v]
	if g == nil || rm.ended {
		return
	}
	b := &rm.batch
	b.packet.Reset()
	p.Append(b.packet)
	b.writer.Uint(g.id)
	b.writer.Bin(b.packet.Bytes())
	b.n++
	wait := rm.clock.untilTick(inputSpare)
	switch {
	case wait == 0 || b.n >= maxBatch || b.writer.Len() >= maxBatchBytes:
		rm.sendBatch()
	case b.waits:
	case b.timer == nil:
		b.waits = true
		b.timer = time.AfterFunc(wait, rm.flush)
	default:
		b.waits = true
		b.timer.Reset(wait)
	}
}

// flush sends what waits.
func (rm *room) flush() {
	rm.mu.Lock()
	defer rm.mu.Unlock()
	rm.batch.waits = false
	rm.sendBatch()
}

// sendBatch sends what waits; rm.mu is held. A timer that runs may find nothing.
func (rm *room) sendBatch() {
	b := &rm.batch
	if b.n == 0 || rm.ended {
		return
	}
	begin(rm.writer, 4+2*b.n, kindInput, rm.session)
	rm.writer.Uint(rm.have.Load())
	rm.writer.Uint(rm.out.last)
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
