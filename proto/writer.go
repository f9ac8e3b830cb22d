package proto

import (
	"bytes"

	"github.com/vmihailenco/msgpack/v5"
)

// Writer builds MessagePack in a buffer that it reuses: after the first messages it does not allocate. The zero value
// is not ready; use [NewWriter]. One goroutine at a time may use a Writer.
type Writer struct {
	buf bytes.Buffer
	enc *msgpack.Encoder
}

// NewWriter returns an empty Writer.
func NewWriter() *Writer {
	w := &Writer{}
	w.enc = msgpack.NewEncoder(&w.buf)
	return w
}

// Reset forgets what was written and keeps the buffer.
func (w *Writer) Reset() { w.buf.Reset() }

// Bytes returns what was written since Reset. It is valid until the next write or Reset.
func (w *Writer) Bytes() []byte { return w.buf.Bytes() }

// Len returns the number of bytes written since Reset.
func (w *Writer) Len() int { return w.buf.Len() }

// A write to a bytes.Buffer cannot fail, so the encoder's errors carry nothing and the methods return none.

// Array begins an array of n elements, which the caller then writes.
func (w *Writer) Array(n int) { _ = w.enc.EncodeArrayLen(n) }

// Map begins a map of n pairs, which the caller then writes.
func (w *Writer) Map(n int) { _ = w.enc.EncodeMapLen(n) }

// Uint writes an unsigned integer in its shortest form.
func (w *Writer) Uint(v uint64) { _ = w.enc.EncodeUint(v) }

// Int writes an integer in its shortest form.
func (w *Writer) Int(v int64) { _ = w.enc.EncodeInt(v) }

// Float64 writes a 64-bit float.
func (w *Writer) Float64(v float64) { _ = w.enc.EncodeFloat64(v) }

// Float32 writes a 32-bit float.
func (w *Writer) Float32(v float32) { _ = w.enc.EncodeFloat32(v) }

// Bool writes a boolean.
func (w *Writer) Bool(v bool) { _ = w.enc.EncodeBool(v) }

// Nil writes nil.
func (w *Writer) Nil() { _ = w.enc.EncodeNil() }

// Str writes a string.
func (w *Writer) Str(s string) { _ = w.enc.EncodeString(s) }

// Bin writes a byte string; nil is written as an empty one.
func (w *Writer) Bin(b []byte) {
	_ = w.enc.EncodeBytesLen(len(b))
	w.buf.Write(b)
}

// Raw appends bytes that are MessagePack already.
func (w *Writer) Raw(b []byte) { w.buf.Write(b) }
