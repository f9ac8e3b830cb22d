package netcode

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"math"

	"muster/proto"
)

// The plain form of a block is for clients without a decoder of bits: a byte that says whether the rest is deflated
// (RFC 1951), and MessagePack: an array of whether it is a keyframe, and for each part nil, where nothing changed, or
// the ids of the rows that went and the rows that came or changed, whole: an id and the values of the part's columns.

// Bounds of deflated blocks. What is shorter gains nothing; what shrinks by more is not sent deflated, so that a reader
// can bound what it allocates by what it got.
const (
	leastDeflated = 128
	mostInflated  = 64 // times as long as the deflated bytes
)

const (
	plainRaw      = 0
	plainDeflated = 1
)

// plainWriter writes plain blocks. Its memory is used again.
type plainWriter struct {
	w       *proto.Writer
	deflate *flate.Writer
	out     bytes.Buffer
	gone    []ID
	rows    []int
	at      []int32
}

// appendPlain writes a scope in the plain form.
func (e *Encoder) appendPlain(dst []byte, scope uint16, f form) []byte {
	if e.plain == nil {
		e.plain = &plainWriter{w: proto.NewWriter()}
	}
	w := e.plain
	key := f.base == e.tick
	now := e.have(scope, e.tick)
	was := instant{}
	if !key {
		was = e.have(scope, f.base)
	}
	parts := 0
	for i := range e.parts {
		if e.parts[i].of(scope) {
			parts++
		}
	}
	w.w.Reset()
	w.w.Array(1 + parts)
	w.w.Bool(key)
	for i := range e.parts {
		p := &e.parts[i]
		if !p.of(scope) {
			continue
		}
		w.part(p, now.part(i), was.part(i))
	}
	return w.close(dst)
}

// part writes one part: what went and what came or changed.
func (w *plainWriter) part(p *part, now, was span) {
	w.gone, w.rows = w.gone[:0], w.rows[:0]
	old := was.list()
	w.at = resize(w.at, len(old))
	find(w.at, old, now.list())
	for i, id := range old {
		if w.at[i] < 0 {
			w.gone = append(w.gone, id)
		}
	}
	w.at = resize(w.at, now.len())
	find(w.at, now.list(), old)
	for i, at := range w.at {
		if at < 0 || !p.sameRow(now, i, was, int(at)) {
			w.rows = append(w.rows, i)
		}
	}
	if len(w.gone)+len(w.rows) == 0 {
		w.w.Nil()
		return
	}
	w.w.Array(2)
	w.w.Array(len(w.gone))
	for _, id := range w.gone {
		w.w.Uint(uint64(id))
	}
	w.w.Array(len(w.rows))
	for _, i := range w.rows {
		w.w.Array(1 + len(p.fields))
		w.w.Uint(uint64(now.ids[now.from+i]))
		for c, f := range p.fields {
			if f.text() {
				writeText(w.w, f, now.text[c][now.from+i])
			} else {
				writeNumber(w.w, f, now.nums[c][now.from+i])
			}
		}
	}
}

// sameRow says whether two rows have the same values.
func (p *part) sameRow(a span, i int, b span, k int) bool {
	for c, f := range p.fields {
		if f.text() {
			if a.text[c][a.from+i] != b.text[c][b.from+k] {
				return false
			}
		} else if a.nums[c][a.from+i] != b.nums[c][b.from+k] {
			return false
		}
	}
	return true
}

// close appends what was written, deflated when that is shorter.
func (w *plainWriter) close(dst []byte) []byte {
	raw := w.w.Bytes()
	if len(raw) >= leastDeflated {
		w.out.Reset()
		if w.deflate == nil {
			w.deflate, _ = flate.NewWriter(&w.out, flate.DefaultCompression) // the level is a valid one
		} else {
			w.deflate.Reset(&w.out)
		}
		_, _ = w.deflate.Write(raw) // into memory
		_ = w.deflate.Close()
		if n := w.out.Len(); n < len(raw) && len(raw) <= n*mostInflated {
			return append(append(dst, plainDeflated), w.out.Bytes()...)
		}
	}
	return append(append(dst, plainRaw), raw...)
}

// NewPlainDecoder is [NewDecoder] for a viewer whose View is Plain.
func NewPlainDecoder(sc *Schema) *Decoder {
	d := NewDecoder(sc)
	d.plain = true
	return d
}

// plainBlock applies a block of the plain form that leads to a tick.
func (d *Decoder) plainBlock(scope uint16, tick uint32, data []byte) error {
	raw, err := inflated(data)
	if err != nil {
		return err
	}
	r := proto.NewReader(raw)
	n := r.Array("block", 1+len(d.parts))
	key := r.Bool("keyframe")
	s := d.scopes[scope]
	switch {
	case r.Err() != nil:
	case key:
		s = d.newScope()
	case s == nil:
		return ErrBase
	}
	if r.Err() != nil {
		return fmt.Errorf("%w: %w", ErrBlock, r.Err())
	}
	out := d.spare(s)
	read := 1
	for i := range d.parts {
		p := &d.parts[i]
		if !p.of(scope) {
			continue
		}
		var was span
		if len(s.state) > 0 {
			was = s.state[0].part(i)
		}
		read++
		p.readPlain(r, was, out.sets[i])
	}
	if n != read {
		r.Fail("block", "not as many parts as the scope has")
	}
	if err := r.Done(); err != nil {
		return fmt.Errorf("%w: %w", ErrBlock, err)
	}
	d.scopes[scope] = s
	s.push(tick, out)
	return nil
}

// inflated returns the MessagePack of a plain block.
func inflated(data []byte) ([]byte, error) {
	if len(data) == 0 || data[0] > plainDeflated {
		return nil, fmt.Errorf("%w: neither plain nor deflated", ErrBlock)
	}
	if data[0] == plainRaw {
		return data[1:], nil
	}
	most, src := int64(len(data))*mostInflated, bytes.NewReader(data[1:])
	raw, err := io.ReadAll(io.LimitReader(flate.NewReader(src), most+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrBlock, err)
	case int64(len(raw)) > most:
		return nil, fmt.Errorf("%w: inflates to more than %d times its length", ErrBlock, mostInflated)
	case src.Len() > 0:
		return nil, fmt.Errorf("%w: %d bytes after the deflated ones", ErrBlock, src.Len())
	}
	return raw, nil
}

// readPlain reads a part: the rows that were there, but for those that went, and those that came or changed.
func (p *part) readPlain(r *proto.Reader, was span, out *rowSet) {
	if r.Nil("part") {
		out.copySpan(p, was)
		return
	}
	if r.Array("part", 2) != 2 {
		r.Fail("part", "not the rows that went and those that are new")
	}
	gone := make([]ID, 0, min(r.Array("gone", p.info.Max), was.len()))
	for range cap(gone) {
		gone = append(gone, ID(r.Uint32("id")))
	}
	out.resize(p, 0)
	at, went := 0, 0
	keep := func(below ID) {
		for ; at < was.len() && was.list()[at] < below; at++ {
			if went < len(gone) && was.list()[at] == gone[went] {
				went++
				continue
			}
			out.copyRow(p, was, at)
		}
	}
	last := ID(0)
	for range r.Array("rows", p.info.Max) {
		if r.Array("row", 1+len(p.fields)) != 1+len(p.fields) {
			r.Fail("row", "not as many values as the part has columns")
		}
		id := ID(r.Uint32("id"))
		switch {
		case id <= last:
			r.Fail("id", "rows are not in order")
		case id.slot() >= p.info.Max || id&0xffff == 0 || id&0xffff > 1<<genBits:
			r.Fail("id", "not one of the table's")
		}
		last = id
		if keep(id); at < was.len() && was.list()[at] == id {
			if at++; went < len(gone) && gone[went] == id {
				went++
			}
		}
		if r.Err() != nil {
			return
		}
		out.addRow(p, r, id)
	}
	keep(math.MaxUint32)
	if went < len(gone) {
		r.Fail("gone", "a row went that was not there")
	}
	if len(out.ids) > p.info.Max {
		r.Fail("rows", "more than the table has")
	}
}

// copyRow appends a row of another set.
func (s *rowSet) copyRow(p *part, from span, i int) {
	s.ids = append(s.ids, from.ids[from.from+i])
	for c, f := range p.fields {
		if f.text() {
			s.text[c] = append(s.text[c], from.text[c][from.from+i])
		} else {
			s.nums[c] = append(s.nums[c], from.nums[c][from.from+i])
		}
	}
}

// addRow appends a row that is read.
func (s *rowSet) addRow(p *part, r *proto.Reader, id ID) {
	s.ids = append(s.ids, id)
	for c, f := range p.fields {
		switch f.Kind {
		case KindString:
			s.text[c] = append(s.text[c], r.Str(f.Name, f.Max))
		case KindBytes:
			s.text[c] = append(s.text[c], string(r.Bin(f.Name, f.Max)))
		case KindFloat32: // a state's floats may be what an input's may not
			s.nums[c] = append(s.nums[c], int64(math.Float32bits(float32(r.AnyFloat64(f.Name)))))
		case KindFloat64:
			s.nums[c] = append(s.nums[c], int64(math.Float64bits(r.AnyFloat64(f.Name)))) //nolint:gosec // the bits
		default:
			s.nums[c] = append(s.nums[c], readNumber(r, f))
		}
	}
}
