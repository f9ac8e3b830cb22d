package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"muster/proto"
)

// Writer writes one replay. What it was given is readable as far as it was flushed, also when Close never comes; Close
// adds what a reader seeks by. An error sticks. One goroutine at a time may use a Writer.
type Writer struct {
	w     io.Writer
	block []byte // the block that is being made, reused
	enc   *proto.Writer
	ticks *proto.Writer // records that wait for their block
	first uint32        // of them
	last  uint32        // the newest tick that was given
	any   bool          // a tick was given
	index []place
	off   int64
	err   error
}

// place says where a block is.
type place struct {
	kind        uint8
	off         int64
	first, last uint32
}

var errClosed = errors.New("the replay is closed")

// NewWriter begins a replay.
func NewWriter(w io.Writer, h Header) (*Writer, error) {
	rw := &Writer{w: w, enc: proto.NewWriter(), ticks: proto.NewWriter()}
	if err := h.check(); err != nil {
		return nil, fmt.Errorf("writing a replay's header: %w", err)
	}
	rw.write([]byte(magic))
	h.AppendTo(rw.enc)
	rw.put(blockHeader, 0, 0, rw.enc.Bytes())
	return rw, rw.err
}

// Append adds the record of a tick, later than those before. It may wait for others before it is written.
func (w *Writer) Append(r *Record) error {
	if err := r.check(); err != nil {
		return fmt.Errorf("writing a replay: %w", err)
	}
	w.enc.Reset()
	r.AppendTo(w.enc)
	return w.append(r.Tick, w.enc.Bytes())
}

func (w *Writer) append(tick uint32, record []byte) error {
	switch {
	case w.err != nil:
		return w.err
	case len(record) > MaxRecord:
		return fmt.Errorf("writing a replay: %w: tick %d has %d bytes, at most %d allowed", ErrMalformed, tick, len(record), MaxRecord)
	case w.any && tick <= w.last:
		return fmt.Errorf("writing a replay: %w: tick %d after %d", ErrMalformed, tick, w.last)
	}
	if w.ticks.Len() == 0 {
		w.first = tick
	}
	w.ticks.Raw(record)
	w.last, w.any = tick, true
	if w.ticks.Len() >= blockTarget {
		return w.Flush()
	}
	return nil
}

// Checkpoint adds the state after the newest tick, or after a later one where records are missing.
func (w *Writer) Checkpoint(cp Checkpoint) error {
	switch {
	case len(cp.Data) > MaxCheckpoint:
		return fmt.Errorf("writing a replay: %w: a checkpoint of %d bytes, at most %d allowed", ErrMalformed, len(cp.Data), MaxCheckpoint)
	case w.any && cp.Tick < w.last:
		return fmt.Errorf("writing a replay: %w: a checkpoint of tick %d after %d", ErrMalformed, cp.Tick, w.last)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	w.put(blockCheckpoint, cp.Tick, cp.Tick, cp.Data)
	w.last, w.any = cp.Tick, true
	return w.err
}

// Flush writes what waits.
func (w *Writer) Flush() error {
	if w.ticks.Len() > 0 && w.err == nil {
		w.put(blockTicks, w.first, w.last, w.ticks.Bytes())
		w.ticks.Reset()
	}
	return w.err
}

// Close ends the replay with its index. It does not close what it writes to.
func (w *Writer) Close() error {
	if err := w.Flush(); err != nil {
		return err
	}
	w.enc.Reset()
	w.enc.Array(len(w.index))
	for _, p := range w.index {
		w.enc.Array(4)
		w.enc.Uint(uint64(p.kind))
		w.enc.Uint(uint64(p.off)) //nolint:gosec // an offset is not negative
		w.enc.Uint(uint64(p.first))
		w.enc.Uint(uint64(p.last))
	}
	at := w.off
	w.put(blockIndex, 0, 0, w.enc.Bytes())
	w.write(trailer(at))
	if w.err != nil {
		return w.err
	}
	w.err = errClosed
	return nil
}

// trailer says where the index is.
func trailer(at int64) []byte {
	b := binary.LittleEndian.AppendUint64([]byte(trailerMagic), uint64(at)) //nolint:gosec // an offset is not negative
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

func (w *Writer) put(kind uint8, first, last uint32, content []byte) {
	if len(w.index) >= maxBlocks && w.err == nil {
		w.err = fmt.Errorf("writing a replay: %w: more than %d blocks", ErrMalformed, maxBlocks)
	}
	w.block = appendBlock(w.block[:0], kind, first, last, content)
	if kind != blockIndex {
		w.index = append(w.index, place{kind, w.off, first, last})
	}
	w.write(w.block)
	if cap(w.block) > slack {
		w.block = nil // a checkpoint's
	}
}

func (w *Writer) write(b []byte) {
	if w.err != nil {
		return
	}
	n, err := w.w.Write(b)
	w.off += int64(n)
	if err != nil {
		w.err = fmt.Errorf("writing a replay at byte %d: %w", w.off, err)
	}
}
