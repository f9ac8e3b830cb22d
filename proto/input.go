package proto

import "math"

// Bounds of an input packet.
const (
	// MaxInputs bounds how many inputs one packet may hold: the newest and its repeats.
	MaxInputs = 32
	// MaxInputBody bounds one encoded input, in bytes.
	MaxInputBody = 4 << 10
)

// Input is one input of a packet.
type Input struct {
	Seq  uint32 // counts the inputs of a seat from 1
	Tick uint32 // the tick that the input is for
	View uint32 // the tick that its player looked at,
	Frac uint8  // and the fraction of the way to the next one, in 1/256
	Body []byte // the game's input as netcode's input codec writes it

	// Waited is how many ticks it waited for others on its way between servers. It is no part of the packet.
	Waited uint8
}

// InputPacket is what a playing client sends each tick: its newest input, repeats of those that are not yet
// acknowledged, and what it has received.
type InputPacket struct {
	Epoch  uint64  // the epoch that ticks and event numbers belong to
	Last   uint32  // the tick of the last frame received
	Event  uint32  // the newest event received
	Inputs []Input // newest first, sequences falling by one; may be empty
}

// Append writes the packet.
func (m *InputPacket) Append(w *Writer) {
	w.Array(6)
	w.Uint(KindInput)
	w.Uint(m.Epoch)
	w.Uint(uint64(m.Last))
	w.Uint(uint64(m.Event))
	var seq uint32
	if len(m.Inputs) > 0 {
		seq = m.Inputs[0].Seq
	}
	w.Uint(uint64(seq))
	w.Array(len(m.Inputs))
	for i := range m.Inputs {
		in := &m.Inputs[i]
		w.Array(4)
		w.Uint(uint64(in.Tick))
		w.Uint(uint64(in.View))
		w.Uint(uint64(in.Frac))
		w.Raw(in.Body)
	}
}

// Parse reads a packet after [ClientKind]; n is the array's length. It is strict. Bodies are parts of the message's
// bytes: whole MessagePack values whose content is still unchecked. m's slices are reused.
func (m *InputPacket) Parse(r *Reader, n int) error {
	if !r.shape("input packet", n, 6) {
		return r.Err()
	}
	m.Epoch = r.Uint("epoch", math.MaxUint64)
	m.Last = r.Uint32("last")
	m.Event = r.Uint32("event")
	seq := r.Uint32("seq")
	m.Inputs = m.Inputs[:0]
	count := r.Array("inputs", MaxInputs)
	if r.err == nil && int64(count) > int64(seq) {
		r.Fail("seq", "fewer than the inputs in the packet")
	}
	for i := range count {
		if !r.shape("input", r.Array("input", 4), 4) {
			break
		}
		m.Inputs = append(m.Inputs, Input{
			Seq:  seq - uint32(i),
			Tick: r.Uint32("tick"),
			View: r.Uint32("view"),
			Frac: r.Uint8("frac"),
			Body: r.Raw("body", MaxInputBody),
		})
	}
	return r.Done()
}
