package match

import "muster/proto"

// Bounds of one seat's input queue.
const (
	// queueSamples is how many samples a seat may have waiting; a newer one pushes the oldest out.
	queueSamples = 32
	// queueCommands is how many commands a seat may have waiting; more are not taken, and the client repeats them.
	queueCommands = 128
	// commandsATick is how many commands of a seat one tick applies.
	commandsATick = 16
)

// input is an input in a seat's queue, with a body of its own.
type input struct {
	seq, tick, view uint32
	frac            uint8
	body            []byte
}

// inputQueue buffers a seat's inputs until the tick that they are for. Its slots are reused.
type inputQueue struct {
	mode  proto.InputMode
	slots []input
	head  int
	n     int
	last  uint32 // the newest sequence taken in
}

func newInputQueue(mode proto.InputMode) inputQueue {
	size := queueSamples
	if mode == proto.Commands {
		size = queueCommands
	}
	return inputQueue{mode: mode, slots: make([]input, size)}
}

func (q *inputQueue) at(i int) *input { return &q.slots[(q.head+i)%len(q.slots)] }

func (q *inputQueue) pop() {
	q.head = (q.head + 1) % len(q.slots)
	q.n--
}

// push takes an input in. It is false for a repeat, and for a command that must wait for the one before it or for a
// free slot: the client sends those again.
func (q *inputQueue) push(seq, tick, view uint32, frac uint8, body []byte) bool {
	if seq <= q.last {
		return false
	}
	if q.mode == proto.Commands && (seq != q.last+1 || q.n == len(q.slots)) {
		return false
	}
	if q.n == len(q.slots) {
		q.pop()
	}
	in := q.at(q.n)
	in.seq, in.tick, in.view, in.frac = seq, tick, view, frac
	in.body = append(in.body[:0], body...)
	q.n++
	q.last = seq
	return true
}

// take moves the inputs that tick uses to recs: of samples the newest that is for tick or an earlier one, of commands
// those that are, in order. A body in recs is the queue's and valid until the next push.
// processed is the newest sequence that the tick then contains.
func (q *inputQueue) take(tick uint32, seat uint16, processed uint32, recs []InputRecord) ([]InputRecord, uint32) {
	from := len(recs)
	for taken := 0; q.n > 0; taken++ {
		in := q.at(0)
		if in.tick > tick || (q.mode == proto.Commands && taken == commandsATick) {
			break
		}
		if q.mode == proto.Samples {
			recs = recs[:from] // an older one for the same tick gives way
		}
		recs = append(recs, InputRecord{Seat: seat, Seq: in.seq, View: in.view, Frac: in.frac, Body: in.body})
		processed = in.seq
		q.pop()
	}
	return recs, processed
}

// reset empties the queue for a new occupant of the seat.
func (q *inputQueue) reset() { q.head, q.n, q.last = 0, 0, 0 }
