package netcode

import "muster/proto"

// Bounds of an [InputBuffer].
const (
	// bufferedSamples is how many samples may wait; a newer one pushes the oldest out.
	bufferedSamples = 32
	// bufferedCommands is how many commands may wait; more are not taken, and the client repeats them.
	bufferedCommands = 128
	// commandsATick is how many commands one tick applies at most.
	commandsATick = 16
)

// HoldTicks is for how many ticks after its own a sample goes on counting when no newer one comes, half a second, so
// that a late packet does not let go of a player's controls. rate is ticks per second. Server and prediction share it.
func HoldTicks(rate int) uint32 { return uint32(max(1, rate/2)) } //nolint:gosec // a small positive number

// InputBuffer is the server's side of one seat's inputs: it takes them as they come, with repeats, gaps and any tick
// number that a client may write, and gives each tick those that it uses. Samples: the newest that is due, never one
// that is older than another used before. Commands: each exactly once, in the order of sequences.
//
// It allocates only while bodies grow, or more inputs wait than ever before. One goroutine uses it; make one with [NewInputBuffer].
type InputBuffer struct {
	mode  proto.InputMode
	rate  uint32
	most  int        // that a tick takes
	room  int        // how many may wait
	slots []buffered // a ring, which grows up to room
	head  int
	n     int
	taken []proto.Input

	seq       uint32 // the newest taken in
	processed uint32
	lead      int8
}

type buffered struct {
	in   proto.Input
	lead int8 // ticks that it came before its own; negative: too late
}

// NewInputBuffer returns an empty buffer for a game that runs at rate ticks per second and applies at most so many
// commands of a seat in a tick, 1 to 16; other values are brought to these bounds. Samples do not depend on it.
func NewInputBuffer(mode proto.InputMode, rate, perTick int) *InputBuffer {
	room := bufferedSamples
	if mode == proto.Commands {
		room = bufferedCommands
	}
	perTick = max(1, min(perTick, commandsATick))
	if mode == proto.Samples {
		perTick = room // all that are due: the newest counts
	}
	return &InputBuffer{mode: mode, rate: uint32(max(1, rate)), most: perTick, room: room} //nolint:gosec // positive
}

// grow makes place for more: most seats never have more than a few inputs waiting, and many are empty.
func (b *InputBuffer) grow() {
	slots := make([]buffered, min(max(4, 2*len(b.slots)), b.room))
	for i := range b.n {
		slots[i] = *b.at(i)
	}
	b.slots, b.head = slots, 0
}

func (b *InputBuffer) at(i int) *buffered { return &b.slots[(b.head+i)%len(b.slots)] }

func (b *InputBuffer) pop() {
	b.head = (b.head + 1) % len(b.slots)
	b.n--
}

// Push takes an input in, with a copy of its body; next is the tick that runs next, at least 1. It is false, and
// nothing has changed, for a repeat, and for a command that must wait for the one before it or for a free place: the
// client sends those again.
//
// An input for a tick that has run is for the next one. Ticks more than a second ahead are brought near, or a client
// could fill the buffer with inputs that never come due, and what a player can have looked at is not in the future.
func (b *InputBuffer) Push(in *proto.Input, next uint32) bool {
	if in.Seq <= b.seq {
		return false
	}
	if b.mode == proto.Commands && (in.Seq != b.seq+1 || b.n == b.room) {
		return false
	}
	if b.n == b.room {
		b.pop()
	}
	if b.n == len(b.slots) {
		b.grow()
	}
	slot := b.at(b.n)
	slot.in.Seq, slot.in.Frac = in.Seq, in.Frac
	slot.in.Tick, slot.in.View = min(in.Tick, next+b.rate), min(in.View, max(next, 1)-1)
	slot.in.Body = append(slot.in.Body[:0], in.Body...)
	slot.lead = int8(max(-128, min(127, int64(in.Tick)+int64(in.Waited)-int64(next)))) // as if it had not waited
	b.n++
	b.seq = in.Seq
	return true
}

// Take returns the inputs that a tick uses, those that are for it or an earlier one: of samples the newest alone, of
// commands as many as a tick applies, the rest waiting for the next tick. An input whose tick lies ahead holds up those
// behind it. The result is valid until the next Push or Take. Ticks are taken in rising order.
func (b *InputBuffer) Take(tick uint32) []proto.Input {
	b.taken = b.taken[:0]
	for ; b.n > 0 && len(b.taken) < b.most; b.pop() {
		first := b.at(0)
		if first.in.Tick > tick {
			break
		}
		if len(b.taken) == 0 || first.lead < b.lead {
			b.lead = first.lead
		}
		if b.mode == proto.Samples {
			b.taken = b.taken[:0] // an older one for the same tick gives way
		}
		b.taken = append(b.taken, first.in)
		b.processed = first.in.Seq
	}
	return b.taken
}

// Len returns how many inputs wait.
func (b *InputBuffer) Len() int { return b.n }

// Seq returns the newest sequence taken in; 0 before the first.
func (b *InputBuffer) Seq() uint32 { return b.seq }

// Processed returns the newest sequence that Take has given out or passed over for a newer one.
func (b *InputBuffer) Processed() uint32 { return b.processed }

// Lead returns how many ticks the inputs that the last tick with any used came before it: the least of theirs, so that
// one which was late shows whatever came with it; negative is too late. It is what a client steers its [Clock] by.
func (b *InputBuffer) Lead() int8 { return b.lead }

// Reset empties the buffer for a new occupant of the seat, whose sequences start from 1.
func (b *InputBuffer) Reset() { b.head, b.n, b.seq, b.processed, b.lead = 0, 0, 0, 0, 0 }

// Pass takes everything up to a sequence as processed, whether it came or not: another buffer gave it out, before this
// one was restored from what was saved earlier.
func (b *InputBuffer) Pass(seq uint32) {
	for b.n > 0 && b.at(0).in.Seq <= seq {
		b.pop()
	}
	b.processed, b.seq = max(b.processed, seq), max(b.seq, seq)
}
