package netcode

import (
	"encoding/binary"
	"fmt"
	"math"

	"muster/proto"
)

// Append appends all that the buffer holds and knows to dst: the mode, the newest sequence, the one that was processed
// last, the lead, and the inputs that wait. Numbers are varints.
func (b *InputBuffer) Append(dst []byte) []byte {
	dst = append(dst, byte(b.mode))
	dst = binary.AppendUvarint(dst, uint64(b.seq))
	dst = binary.AppendUvarint(dst, uint64(b.processed))
	dst = append(dst, byte(b.lead))              //nolint:gosec // the bits
	dst = binary.AppendUvarint(dst, uint64(b.n)) //nolint:gosec // not negative
	for i := range b.n {
		s := b.at(i)
		dst = binary.AppendUvarint(dst, uint64(s.in.Seq))
		dst = binary.AppendUvarint(dst, uint64(s.in.Tick))
		dst = binary.AppendUvarint(dst, uint64(s.in.View))
		dst = append(dst, s.in.Frac, byte(s.lead)) //nolint:gosec // the bits
		dst = binary.AppendUvarint(dst, uint64(len(s.in.Body)))
		dst = append(dst, s.in.Body...)
	}
	return dst
}

// Restore makes the buffer what it was when Append wrote data, and returns the bytes behind that. The bytes may be
// damaged: what cannot have come about by Push and Take is an error, which wraps [ErrCheckpoint], and leaves the buffer
// empty. That a body is an input of the game is for its reader to see, as with one that was pushed.
func (b *InputBuffer) Restore(data []byte) (rest []byte, err error) {
	b.Reset()
	r := exactReader{b: data}
	if mode := r.byte("mode"); r.err == nil && mode != byte(b.mode) {
		r.fail("inputs of mode %d in a buffer of mode %d", mode, b.mode)
	}
	seq := r.uint32("newest sequence")
	processed := r.uint32("processed sequence")
	lead := int8(r.byte("lead")) //nolint:gosec // the bits
	b.taken = b.taken[:0]
	last := processed
	for range r.uint("inputs", uint64(b.room)) { //nolint:gosec // positive
		if b.n == len(b.slots) {
			b.grow()
		}
		s := b.at(b.n)
		s.in = proto.Input{Seq: r.uint32("sequence"), Tick: r.uint32("tick"), View: r.uint32("view"), Frac: r.byte("fraction"), Body: s.in.Body[:0]}
		s.lead = int8(r.byte("lead")) //nolint:gosec // the bits
		body := r.text("body")
		switch {
		case len(body) > proto.MaxInputBody:
			r.fail("input %d: a body of %d bytes, at most %d allowed", s.in.Seq, len(body), proto.MaxInputBody)
		case s.in.Seq <= last || b.mode == proto.Commands && s.in.Seq != last+1:
			r.fail("input %d comes after %d", s.in.Seq, last)
		}
		if r.err != nil {
			break
		}
		s.in.Body = append(s.in.Body, body...)
		last = s.in.Seq
		b.n++
	}
	if r.err == nil && last != seq {
		r.fail("the newest input is %d and not %d", last, seq)
	}
	if r.err != nil {
		b.Reset()
		return nil, fmt.Errorf("restoring inputs: %w", r.err)
	}
	b.seq, b.processed, b.lead = seq, processed, lead
	return r.b, nil
}

func (r *exactReader) uint32(what string) uint32 {
	return uint32(r.uint(what, math.MaxUint32)) //nolint:gosec // bounded
}
