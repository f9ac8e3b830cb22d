package netcode

import (
	"fmt"
	"math/bits"
	"slices"
	"unicode/utf8"
)

// One part of one state is written against up to four earlier ones, as PROTOCOL.md describes it:
//
//	a bit: whether anything differs from what was expected; when not, that is all
//	a bit: whether rows came or went; then those that went, by their place, and those that came, with all columns
//	each column of the rows that stayed: a bit whether any differs from its prediction; then, row by row, the residuals
//
// Rows of which nothing but what they had is expected are passed over by runs; the others have a number each.

// keptK are the parameters that a column may choose from for values that nobody expected.
var keptK = [8]uint{0, 1, 2, 3, 4, 6, 8, 12}

const (
	textK  = 3 // of a text's length
	goneK  = 2 // of how many rows went, and of the gaps between them
	freshK = 1 // of how many rows came
)

// partWriter writes parts. Its memory is used again.
type partWriter struct {
	bitWriter
	to   []int32 // by row of the newest earlier state: where it is now
	from []int32 // by row now: where it was, -1 for one that came
	z    []uint64
	k    []int8
	want []int64 // by row of the newest earlier state: what it is expected to be
	like []int8  // and how sure that is
}

// part appends now as it differs from what the past makes expect.
func (w *partWriter) part(p *part, now span, was *past) {
	if was.same(p, now) {
		w.bit(false)
		return
	}
	was.align()
	old := was.state[0].list()
	was.calm = was.steady && slices.Equal(old, now.list())
	w.to, w.from = resize(w.to, len(old)), resize(w.from, now.len())
	find(w.to, old, now.list())
	find(w.from, now.list(), old)
	start, acc, n := len(w.dst), w.acc, w.n
	w.bit(true)
	moved := w.rows(p, now)
	for c, f := range p.fields {
		moved = w.column(f, c, now, was) || moved
	}
	if !moved {
		w.dst, w.acc, w.n = w.dst[:start], acc, n
		w.bit(false)
	}
}

// rows writes which rows went and which came.
func (w *partWriter) rows(p *part, now span) bool {
	gone, fresh := 0, 0
	for _, at := range w.to {
		if at < 0 {
			gone++
		}
	}
	for _, at := range w.from {
		if at < 0 {
			fresh++
		}
	}
	w.bit(gone+fresh > 0)
	if gone+fresh == 0 {
		return false
	}
	w.number(uint64(gone), goneK)
	last := -1
	for i, at := range w.to {
		if at < 0 {
			w.number(uint64(i-last-1), goneK) //nolint:gosec // not negative
			last = i
		}
	}
	w.number(uint64(fresh), freshK)
	for i, at := range w.from {
		if at < 0 {
			id := now.ids[now.from+i]
			w.put(uint64(id>>16), p.slot)
			w.put(uint64(id&(1<<16-1))-1, genBits)
			for c, f := range p.fields {
				w.plain(f, now, c, now.from+i)
			}
		}
	}
	return true
}

// plain writes a value as it is.
func (w *partWriter) plain(f *Field, s span, c, i int) {
	if !f.text() {
		w.put(f.plainBits(s.nums[c][i]), f.width())
		return
	}
	v := s.text[c][i]
	w.number(uint64(len(v)), textK)
	for k := range len(v) {
		w.put(uint64(v[k]), 8)
	}
}

// column writes one column of the rows that stayed, and says whether any differs from its prediction.
func (w *partWriter) column(f *Field, c int, now span, was *past) bool {
	if was.still(f, c, now) {
		w.bit(false)
		return false
	}
	smooth := f.smooth()
	w.z, w.k = resize(w.z, len(w.to)), resize(w.k, len(w.to))
	if smooth {
		w.want, w.like = resize(w.want, len(w.to)), resize(w.like, len(w.to))
		was.guesses(f, c, w.want, w.like)
	}
	var any, kept, sum uint64 // all residuals; of rows of which nothing was expected: how many differ, and by how much
	still, n := 0, 0
	for i, at := range w.to {
		if at < 0 {
			continue
		}
		var z uint64
		k := int8(quiet)
		switch {
		case smooth:
			k = w.like[i]
			z = f.residual(now.nums[c][now.from+int(at)], w.want[i], k)
		case f.text():
			if now.text[c][now.from+int(at)] != was.state[0].text[c][was.state[0].from+i] {
				z = 1
			}
		default:
			if now.nums[c][now.from+int(at)] != was.state[0].nums[c][was.state[0].from+i] {
				z = 1
			}
		}
		if k == quiet {
			if still++; z != 0 {
				kept++
				sum += z - 1
			}
		}
		any |= z
		w.z[n], w.k[n] = z, k
		n++
	}
	w.z, w.k = w.z[:n], w.k[:n]
	w.bit(any != 0)
	if any == 0 {
		return false
	}
	w.bit(kept > 0)
	var runK, keptAt uint
	if kept > 0 {
		runK = min(7, uint(bits.Len64((uint64(still)-kept)*2/(kept*3))))
		w.put(uint64(runK), 3)
		if smooth {
			keptAt = choose(sum / kept)
			w.put(uint64(keptAt), 3)
		}
	}
	run := -1 // how many quiet rows are passed over before the next that differs; -1: not written yet
	row := 0
	for _, at := range w.to {
		if at < 0 {
			continue
		}
		z, k := w.z[row], w.k[row]
		if k != quiet {
			w.number(z, uint(k&^flipped)) //nolint:gosec // not quiet, so not negative
			row++
			continue
		}
		if kept > 0 {
			if run < 0 {
				run = w.runFrom(row)
				w.number(uint64(run), runK) //nolint:gosec // not negative
			}
			if run--; z != 0 {
				switch {
				case smooth:
					w.number(z-1, keptK[keptAt])
				default:
					w.plain(f, now, c, now.from+int(at))
				}
				run = -1
			}
		}
		row++
	}
	return true
}

// runFrom counts the quiet rows from a row on that do not differ.
func (w *partWriter) runFrom(row int) (run int) {
	for ; row < len(w.z); row++ {
		if w.k[row] == quiet {
			if w.z[row] != 0 {
				return run
			}
			run++
		}
	}
	return run
}

// choose returns the parameter, as its place in keptK, for numbers of this mean.
func choose(mean uint64) uint {
	best := 0
	for i, k := range keptK {
		if uint64(3)<<k <= 2*mean+2 {
			best = i
		}
	}
	return uint(best)
}

// partReader reads what a partWriter wrote; its bytes can be hostile. Its memory is used again.
type partReader struct {
	bitReader
	gone []bool // by row of the newest earlier state
	err  error

	want []int64 // by row of the newest earlier state: what it is expected to be
	like []int8  // and how sure that is

	place []int32 // where the rows that came belong
	ids   []ID    // what moves there
	nums  []int64
	text  []string
}

func (r *partReader) fail(p *part, what string) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: table %s at byte %d: %s", ErrBlock, p.info.Name, r.at(), what)
	}
}

// left is how many bits are not read yet.
func (r *partReader) left() int64 { return int64(len(r.src)-r.pos)*8 + int64(r.n) } //nolint:gosec // at most 64 of n

// part reads a part into out, which is none of the past's sets.
func (r *partReader) part(p *part, was *past, out *rowSet) {
	was.align()
	old := was.state[0]
	n := old.len()
	r.gone = resize(r.gone, n)
	clear(r.gone)
	quietly := !r.bit()
	fresh, stay := 0, n
	if !quietly && r.bit() {
		fresh, stay = r.wentAndCame(p, n)
	}
	if r.bad || r.err != nil {
		r.fail(p, "rows")
		return
	}
	out.resize(p, stay+fresh)
	// The rows that stayed come first, those that came behind them; merge puts them in order.
	k := 0
	for i, id := range old.list() {
		if !r.gone[i] {
			out.ids[k] = id
			k++
		}
	}
	for i := range fresh {
		if !r.fresh(p, out, stay+i) {
			return
		}
	}
	for c, f := range p.fields {
		if r.column(p, f, c, was, out, !quietly); r.bad || r.err != nil {
			r.fail(p, "column "+f.Name)
			return
		}
	}
	r.merge(p, out, stay)
}

// wentAndCame reads which rows went and how many came.
func (r *partReader) wentAndCame(p *part, n int) (fresh, stay int) {
	gone := r.number(goneK)
	if gone > uint64(n) { //nolint:gosec // not negative
		r.fail(p, "more rows went than there were")
		return 0, 0
	}
	last := -1
	for range gone {
		gap := r.number(goneK)
		if gap >= uint64(n-last-1) { //nolint:gosec // not negative
			r.fail(p, "a row went that was not there")
			return 0, 0
		}
		last += 1 + int(gap) //nolint:gosec // below n
		r.gone[last] = true
	}
	came := r.number(freshK)
	stay = n - int(gone)                                                //nolint:gosec // at most n
	least := uint64(len(r.src)-r.pos)*8 + uint64(r.n)                   //nolint:gosec // not negative
	if came > uint64(p.info.Max-stay) || came*uint64(p.least) > least { //nolint:gosec // not negative
		r.fail(p, "more rows came than there can be")
		return 0, 0
	}
	return int(came), stay //nolint:gosec // at most Max
}

// fresh reads a row that came.
func (r *partReader) fresh(p *part, out *rowSet, i int) bool {
	slot := r.get(p.slot)
	if slot >= uint64(p.info.Max) { //nolint:gosec // positive
		r.fail(p, "slot beyond the table's bound")
		return false
	}
	out.ids[i] = ID(slot<<16 | (r.get(genBits) + 1)) //nolint:gosec // bounded
	for c, f := range p.fields {
		if r.plain(f, out, c, i); r.bad || r.err != nil {
			r.fail(p, "column "+f.Name+" of a row that came")
			return false
		}
	}
	return true
}

func (r *partReader) plain(f *Field, out *rowSet, c, i int) {
	if !f.text() {
		v := f.fromPlain(r.get(f.width()))
		if !f.valid(v) {
			r.bad = true
		}
		out.nums[c][i] = v
		return
	}
	n := r.number(textK)
	if n > uint64(f.Max) || n > uint64(len(r.src)-r.pos)+8 { //nolint:gosec // not negative
		r.bad = true
		return
	}
	b := make([]byte, n)
	for k := range b {
		b[k] = byte(r.get(8)) //nolint:gosec // eight bits
	}
	if f.Kind == KindString && !utf8.Valid(b) {
		r.bad = true
	}
	if out.text[c][i] != string(b) {
		out.text[c][i] = string(b)
	}
}

// column reads one column of the rows that stayed; without present they are all as predicted.
func (r *partReader) column(p *part, f *Field, c int, was *past, out *rowSet, present bool) {
	smooth := f.smooth()
	differs := present && r.bit()
	kept := differs && r.bit()
	var runK, keptAt uint
	if kept {
		runK = uint(r.get(3))
		if smooth {
			keptAt = keptK[r.get(3)]
		}
	}
	run := int64(-1)
	row := 0
	old := was.state[0]
	if smooth {
		r.want, r.like = resize(r.want, old.len()), resize(r.like, old.len())
		was.guesses(f, c, r.want, r.like)
	}
	for i := range old.len() {
		if r.gone[i] {
			continue
		}
		if r.bad {
			return
		}
		k := int8(quiet)
		var guess int64
		switch {
		case smooth:
			guess, k = r.want[i], r.like[i]
		case f.text():
			out.text[c][row] = old.text[c][old.from+i]
		default:
			guess = old.nums[c][old.from+i]
		}
		var z uint64
		switch {
		case k != quiet && differs:
			z = r.number(uint(k &^ flipped)) //nolint:gosec // not quiet, so not negative
		case k == quiet && kept:
			if run < 0 {
				run = int64(min(r.number(runK), uint64(p.info.Max))) //nolint:gosec // bounded
			}
			if run--; run < 0 {
				if !smooth {
					r.plain(f, out, c, row)
					row++
					continue
				}
				z = r.number(keptAt) + 1
			}
		}
		if !f.text() {
			v := guess
			if smooth {
				v = f.unresidual(z, guess, k)
				if !f.valid(v) {
					r.bad = true
				}
			}
			out.nums[c][row] = v
		}
		row++
	}
}

// merge brings the rows that came, which are in order, into their places among those that stayed.
func (r *partReader) merge(p *part, out *rowSet, stay int) {
	came := out.ids[stay:]
	if len(came) == 0 {
		return
	}
	r.place = resize(r.place, len(came))
	k := 0
	for i, id := range came {
		if i > 0 && came[i-1] >= id {
			r.fail(p, "rows that came are not in order")
			return
		}
		for k < stay && out.ids[k] < id {
			k++
		}
		if k < stay && out.ids[k] == id {
			r.fail(p, "a row came that is there already")
			return
		}
		r.place[i] = int32(k + i)
	}
	if k == 0 && stay == 0 {
		return
	}
	mergeTail(out.ids, stay, r.place, &r.ids)
	for c, f := range p.fields {
		if f.text() {
			mergeTail(out.text[c], stay, r.place, &r.text)
		} else {
			mergeTail(out.nums[c], stay, r.place, &r.nums)
		}
	}
}

// mergeTail moves each element behind the first stay ones to its place.
func mergeTail[T any](s []T, stay int, place []int32, spare *[]T) {
	*spare = append((*spare)[:0], s[stay:]...)
	from, to := stay-1, len(s)-1
	for i := len(place) - 1; i >= 0; i-- {
		for ; to > int(place[i]); to-- {
			s[to] = s[from]
			from--
		}
		s[to] = (*spare)[i]
		to--
	}
}
