package proto

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"unicode/utf8"

	"github.com/vmihailenco/msgpack/v5"
	"github.com/vmihailenco/msgpack/v5/msgpcode"
)

// maxDepth bounds how deep [Reader.Skip] follows nested values.
const maxDepth = 8

// ErrMalformed is what every error of a [Reader] wraps.
var ErrMalformed = errors.New("malformed MessagePack")

// Reader reads hostile MessagePack. Each method names the field that it reads and its bound; the first failure sticks,
// later calls return zero values, and [Reader.Err] says which field it was. A declared length is checked against the
// bound and against the bytes that are left before anything is done with it, and no method allocates except Str and the
// error itself. One goroutine at a time may use a Reader.
type Reader struct {
	src []byte
	r   bytes.Reader
	dec *msgpack.Decoder
	err error
}

// NewReader returns a Reader over b. Pass nil and call Reset to reuse one.
func NewReader(b []byte) *Reader {
	r := &Reader{}
	r.dec = msgpack.NewDecoder(&r.r)
	r.Reset(b)
	return r
}

// Reset points the Reader at b and forgets any error. b must not change while it is read.
func (r *Reader) Reset(b []byte) {
	r.src, r.err = b, nil
	r.r.Reset(b) // the decoder reads from there and keeps nothing of its own
}

// Err returns the first failure, or nil.
func (r *Reader) Err() error { return r.err }

// Done returns the first failure; bytes that were not read are one.
func (r *Reader) Done() error {
	if r.err == nil && r.r.Len() > 0 {
		r.err = fmt.Errorf("%w: %d bytes after the end of the message", ErrMalformed, r.r.Len())
	}
	return r.err
}

// Left returns how many bytes are unread.
func (r *Reader) Left() int { return r.r.Len() }

// Fail makes the reader fail at a field with the reason, as if the bytes had been wrong.
func (r *Reader) Fail(field, reason string) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s at byte %d: %s", ErrMalformed, field, len(r.src)-r.r.Len(), reason)
	}
}

func (r *Reader) failErr(field string, err error) {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		r.Fail(field, "cut short")
		return
	}
	r.Fail(field, err.Error())
}

// peek returns the next code; ok is false after a failure.
func (r *Reader) peek(field string) (code byte, ok bool) {
	if r.err != nil {
		return 0, false
	}
	at := len(r.src) - r.r.Len()
	if at == len(r.src) {
		r.Fail(field, "cut short")
		return 0, false
	}
	return r.src[at], true
}

func isInt(c byte) bool {
	return msgpcode.IsFixedNum(c) || (c >= msgpcode.Uint8 && c <= msgpcode.Int64)
}

// IsArray says whether an array comes next.
func (r *Reader) IsArray() bool {
	c, ok := r.peek("array")
	return ok && (msgpcode.IsFixedArray(c) || c == msgpcode.Array16 || c == msgpcode.Array32)
}

// Array reads an array's head and returns its length, at most max and at most the bytes that are left.
func (r *Reader) Array(field string, max int) int {
	c, ok := r.peek(field)
	if !ok {
		return 0
	}
	if !msgpcode.IsFixedArray(c) && c != msgpcode.Array16 && c != msgpcode.Array32 {
		r.Fail(field, "not an array")
		return 0
	}
	n, err := r.dec.DecodeArrayLen()
	return r.count(field, n, max, 1, err)
}

// Fixed reads the head of an array that must have n elements.
func (r *Reader) Fixed(field string, n int) {
	if got := r.Array(field, n); r.err == nil && got != n {
		r.Fail(field, fmt.Sprintf("%d elements, %d wanted", got, n))
	}
}

// Map reads a map's head and returns the number of its pairs, at most max and at most half the bytes that are left.
func (r *Reader) Map(field string, max int) int {
	c, ok := r.peek(field)
	if !ok {
		return 0
	}
	if !msgpcode.IsFixedMap(c) && c != msgpcode.Map16 && c != msgpcode.Map32 {
		r.Fail(field, "not a map")
		return 0
	}
	n, err := r.dec.DecodeMapLen()
	return r.count(field, n, max, 2, err)
}

func (r *Reader) count(field string, n, max, each int, err error) int {
	switch {
	case err != nil:
		r.failErr(field, err)
	case n < 0 || n > max:
		r.Fail(field, fmt.Sprintf("%d elements, at most %d allowed", uint32(n), max)) //nolint:gosec // a count above 2^31 reads as negative
	case n > r.r.Len()/each:
		r.Fail(field, "more elements than bytes")
	default:
		return n
	}
	return 0
}

// Uint reads an unsigned integer of at most max.
func (r *Reader) Uint(field string, max uint64) uint64 {
	c, ok := r.peek(field)
	if !ok {
		return 0
	}
	if !isInt(c) {
		r.Fail(field, "not an integer")
		return 0
	}
	if uint64(c) <= min(max, uint64(msgpcode.PosFixedNumHigh)) { // most are small
		_, _ = r.r.ReadByte() // it is there
		return uint64(c)
	}
	if c == msgpcode.Uint64 {
		v, err := r.dec.DecodeUint64()
		if err != nil {
			r.failErr(field, err)
			return 0
		}
		if v > max {
			r.Fail(field, fmt.Sprintf("%d is above %d", v, max))
			return 0
		}
		return v
	}
	v, err := r.dec.DecodeInt64()
	switch {
	case err != nil:
		r.failErr(field, err)
	case v < 0:
		r.Fail(field, "negative")
	case uint64(v) > max:
		r.Fail(field, fmt.Sprintf("%d is above %d", v, max))
	default:
		return uint64(v)
	}
	return 0
}

// upTo reads an unsigned integer of at most max.
func (r *Reader) upTo(field string, max uint32) uint32 { return uint32(r.Uint(field, uint64(max))) } //nolint:gosec // bounded

// Uint8 reads an unsigned integer of 8 bits.
func (r *Reader) Uint8(field string) uint8 { return uint8(r.Uint(field, math.MaxUint8)) } //nolint:gosec // bounded

// Uint16 reads an unsigned integer of 16 bits.
func (r *Reader) Uint16(field string) uint16 { return uint16(r.Uint(field, math.MaxUint16)) } //nolint:gosec // bounded

// Uint32 reads an unsigned integer of 32 bits.
func (r *Reader) Uint32(field string) uint32 { return uint32(r.Uint(field, math.MaxUint32)) } //nolint:gosec // bounded

// Int reads an integer from min to max.
func (r *Reader) Int(field string, min, max int64) int64 {
	c, ok := r.peek(field)
	if !ok {
		return 0
	}
	if !isInt(c) {
		r.Fail(field, "not an integer")
		return 0
	}
	if c == msgpcode.Uint64 {
		v, err := r.dec.DecodeUint64()
		switch {
		case err != nil:
			r.failErr(field, err)
		case v > math.MaxInt64 || int64(v) > max || int64(v) < min:
			r.Fail(field, fmt.Sprintf("%d is outside %d to %d", v, min, max))
		default:
			return int64(v)
		}
		return 0
	}
	v, err := r.dec.DecodeInt64()
	switch {
	case err != nil:
		r.failErr(field, err)
	case v < min || v > max:
		r.Fail(field, fmt.Sprintf("%d is outside %d to %d", v, min, max))
	default:
		return v
	}
	return 0
}

// Float64 reads a float or an integer; NaN and the infinities are refused.
func (r *Reader) Float64(field string) float64 {
	v := r.AnyFloat64(field)
	if math.IsNaN(v) || math.IsInf(v, 0) {
		r.Fail(field, "not a finite number")
		return 0
	}
	return v
}

// AnyFloat64 is Float64 that takes infinities and NaN, too.
func (r *Reader) AnyFloat64(field string) float64 {
	c, ok := r.peek(field)
	if !ok {
		return 0
	}
	if !isInt(c) && c != msgpcode.Float && c != msgpcode.Double {
		r.Fail(field, "not a number")
		return 0
	}
	if c == msgpcode.Uint64 { // the decoder would take 2^63 and above as negative
		return float64(r.Uint(field, math.MaxUint64))
	}
	v, err := r.dec.DecodeFloat64()
	switch {
	case err != nil:
		r.failErr(field, err)
	default:
		return v
	}
	return 0
}

// Bool reads a boolean.
func (r *Reader) Bool(field string) bool {
	c, ok := r.peek(field)
	if !ok {
		return false
	}
	if c != msgpcode.True && c != msgpcode.False {
		r.Fail(field, "not a boolean")
		return false
	}
	v, err := r.dec.DecodeBool()
	if err != nil {
		r.failErr(field, err)
	}
	return v
}

// Nil reads a nil if one is next and says so.
func (r *Reader) Nil(field string) bool {
	c, ok := r.peek(field)
	if !ok || c != msgpcode.Nil {
		return false
	}
	if err := r.dec.DecodeNil(); err != nil {
		r.failErr(field, err)
		return false
	}
	return true
}

// Str reads a string of at most max bytes of valid UTF-8.
func (r *Reader) Str(field string, max int) string {
	c, ok := r.peek(field)
	if !ok {
		return ""
	}
	if !msgpcode.IsString(c) {
		r.Fail(field, "not a string")
		return ""
	}
	b := r.bytes(field, max)
	if !utf8.Valid(b) {
		r.Fail(field, "not UTF-8")
		return ""
	}
	return string(b)
}

// Bin reads a byte string of at most max bytes. The result is a part of the message, not a copy.
func (r *Reader) Bin(field string, max int) []byte {
	c, ok := r.peek(field)
	if !ok {
		return nil
	}
	if !msgpcode.IsBin(c) {
		r.Fail(field, "not a byte string")
		return nil
	}
	return r.bytes(field, max)
}

// bytes reads the head of a string or byte string and returns its content.
func (r *Reader) bytes(field string, max int) []byte {
	n, err := r.dec.DecodeBytesLen()
	switch {
	case err != nil:
		r.failErr(field, err)
	case n < 0 || n > max:
		r.Fail(field, fmt.Sprintf("%d bytes, at most %d allowed", uint32(n), max)) //nolint:gosec // as in count
	case n > r.r.Len():
		r.Fail(field, "cut short")
	default:
		from := len(r.src) - r.r.Len()
		_, _ = r.r.Seek(int64(n), io.SeekCurrent) // within the bounds checked above
		return r.src[from : from+n : from+n]
	}
	return nil
}

// Raw reads one whole value of at most max bytes, whatever it is, and returns its bytes: a part of the message.
func (r *Reader) Raw(field string, max int) []byte {
	from := len(r.src) - r.r.Len()
	r.skip(field, 0)
	if r.err != nil {
		return nil
	}
	b := r.src[from : len(r.src)-r.r.Len()]
	if len(b) > max {
		r.Fail(field, fmt.Sprintf("%d bytes, at most %d allowed", len(b), max))
		return nil
	}
	return b[:len(b):len(b)]
}

// Skip passes over one value, nested at most eight deep. It is for elements that a newer server appended.
func (r *Reader) Skip(field string) { r.skip(field, 0) }

func (r *Reader) skip(field string, depth int) {
	c, ok := r.peek(field)
	if !ok {
		return
	}
	if depth >= maxDepth {
		r.Fail(field, "nested too deep")
		return
	}
	switch {
	case isInt(c):
		if c == msgpcode.Uint64 {
			r.Uint(field, math.MaxUint64)
			return
		}
		r.Int(field, math.MinInt64, math.MaxInt64)
	case msgpcode.IsString(c), msgpcode.IsBin(c):
		r.bytes(field, len(r.src))
	case c == msgpcode.Nil:
		r.Nil(field)
	case c == msgpcode.True, c == msgpcode.False:
		r.Bool(field)
	case c == msgpcode.Float, c == msgpcode.Double:
		if _, err := r.dec.DecodeFloat64(); err != nil {
			r.failErr(field, err)
		}
	case msgpcode.IsFixedArray(c), c == msgpcode.Array16, c == msgpcode.Array32:
		for range r.Array(field, len(r.src)) {
			r.skip(field, depth+1)
			if r.err != nil {
				return
			}
		}
	case msgpcode.IsFixedMap(c), c == msgpcode.Map16, c == msgpcode.Map32:
		for range 2 * r.Map(field, len(r.src)) {
			r.skip(field, depth+1)
			if r.err != nil {
				return
			}
		}
	default:
		r.Fail(field, "a kind of value that Muster does not use")
	}
}

// SkipRest passes over the elements of an array of length n of which read were read: what a newer sender appended. An
// array that had fewer is an error, since what was read in their place lay behind it.
func (r *Reader) SkipRest(field string, n, read int) {
	if r.err == nil && n < read {
		r.Fail(field, fmt.Sprintf("%d elements, at least %d wanted", n, read))
	}
	for ; read < n && r.err == nil; read++ {
		r.Skip(field)
	}
}

// shape fails unless an array that must have exactly want elements has them.
func (r *Reader) shape(field string, n, want int) bool {
	if r.err == nil && n != want {
		r.Fail(field, fmt.Sprintf("%d elements, %d wanted", n, want))
	}
	return r.err == nil
}

// CheckText passes over a string or, where isString is false, a byte string of at most max bytes without copying it.
func (r *Reader) CheckText(field string, max int, isString bool) {
	if !isString {
		r.Bin(field, max)
		return
	}
	c, ok := r.peek(field)
	if !ok {
		return
	}
	if !msgpcode.IsString(c) {
		r.Fail(field, "not a string")
		return
	}
	if b := r.bytes(field, max); !utf8.Valid(b) {
		r.Fail(field, "not UTF-8")
	}
}
