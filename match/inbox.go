package match

import (
	"sync"

	"muster/proto"
)

// Bounds of a room's inbox between two ticks.
const (
	// inboxInputs is how many inputs may wait. More are dropped and counted; clients repeat what is not acknowledged.
	inboxInputs = 8192
	// inboxBytes is how many bytes of inputs may wait.
	inboxBytes = 1 << 20
)

type messageKind uint8

const (
	msgAttach messageKind = iota + 1
	msgDetach
	msgLeave
	msgResync
	msgInput
	msgAck
	msgWork
	msgRefresh
	msgStarted
	msgCalledOff
	msgWatch // somebody watches: only that the room ticks
	msgOrder // wakes the room; what it is about is in its orders
)

// message is one thing that an edge tells a room.
type message struct {
	kind   messageKind
	frac   uint8
	waited uint8
	scope  uint16 // resync
	viewer Viewer
	work   *WorkResult
	attach *Attach // attach; refresh: its PlayerExpires alone

	epoch           uint64 // input, ack: the epoch that its ticks and numbers belong to
	seq, tick, view uint32 // input
	from, to        int    // input: its body in the data
	event           uint32 // ack
}

// inbox is a room's mailbox: many goroutines put, the room takes all at once. Inputs are bounded in number and bytes;
// the rest is bounded by the connections themselves, which attach once and detach once.
type inbox struct {
	mu     sync.Mutex
	list   []message
	data   []byte
	inputs int
	closed bool
	woken  chan struct{} // not nil while the room sleeps: closed by what comes
}

// maxAttaches bounds the claims on seats that may wait while a room does not tick.
const maxAttaches = 4096

// crowded says whether so much waits that new connections should come later.
func (b *inbox) crowded() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.list)-b.inputs > maxAttaches
}

// put adds a message that is not an input. It is false when the room takes nothing more.
func (b *inbox) put(m message) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return false
	}
	b.list = append(b.list, m)
	if b.woken != nil {
		close(b.woken)
		b.woken = nil
	}
	return true
}

// sleep returns a channel that is closed when something comes, or nil when something waits. What connections that are
// open already send wakes nobody; a room that sleeps has none.
func (b *inbox) sleep() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.list) > 0 || b.closed {
		return nil
	}
	b.woken = make(chan struct{})
	return b.woken
}

// putInputs adds an input packet's content in the order of sequences. dropped is how many inputs found no place.
func (b *inbox) putInputs(v Viewer, p *proto.InputPacket) (dropped int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return 0
	}
	if b.inputs >= inboxInputs {
		return len(p.Inputs)
	}
	b.inputs++
	b.list = append(b.list, message{kind: msgAck, viewer: v, epoch: p.Epoch, event: p.Event})
	for i := len(p.Inputs) - 1; i >= 0; i-- {
		in := &p.Inputs[i]
		if b.inputs >= inboxInputs || len(b.data)+len(in.Body) > inboxBytes {
			return i + 1
		}
		b.inputs++
		from := len(b.data)
		b.data = append(b.data, in.Body...)
		b.list = append(b.list, message{
			kind: msgInput, viewer: v, epoch: p.Epoch,
			seq: in.Seq, tick: in.Tick, view: in.View, frac: in.Frac, waited: in.Waited, from: from, to: len(b.data),
		})
	}
	return 0
}

// take returns all that waits and puts the caller's emptied slices in its place, so that two pairs of them serve for
// ever.
func (b *inbox) take(list []message, data []byte) ([]message, []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	list, b.list = b.list, list[:0]
	data, b.data = b.data, data[:0]
	b.inputs = 0
	return list, data
}

// close makes the inbox refuse what comes and returns what waits.
func (b *inbox) close() []message {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	list := b.list
	b.list, b.data = nil, nil
	return list
}
