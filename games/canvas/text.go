package canvas

import (
	"encoding/binary"
	"unicode"
	"unicode/utf8"

	"muster/netcode"
)

// Reasons why a command of the text is refused.
const (
	refusedPlace  = "there is no such place in the text"
	refusedChars  = "there are no such characters"
	refusedNumber = "these characters' numbers are taken"
	refusedText   = "text is UTF-8 without control characters but tab and newline"
	refusedLong   = "the text is full"
	refusedPieces = "the text is in too many pieces: try again later"
	refusedRanges = "this names nothing"
)

// ahead is how many numbers a client may leave out.
const ahead = 1 << 16

// insert puts text behind a place.
func (w *World) insert(a *Author, in *Input) string {
	x, n := w.indexed(), utf8.RuneCountInString(in.Text)
	switch {
	case n == 0 || !writable(in.Text):
		return refusedText
	case !w.unused(a, in.N, uint32(n)): //nolint:gosec // at most 3000
		return refusedNumber
	case x.text+len(in.Text) > MaxText:
		return refusedLong
	case w.Runs.Len()+2+len(in.Text)/(maxRun-utf8.UTFMax) > maxRuns:
		return refusedPieces
	}
	after, ok := w.behindPlace(in.At)
	if !ok {
		return refusedPlace
	}
	a.Next = max(a.Next, in.N+uint32(n)) //nolint:gosec // as above
	x.text += len(in.Text)
	if r := w.Runs.Get(after); r != nil && r.Author == a.Number && r.Text != "" && r.N+uint32(r.Len) == in.N &&
		len(r.Text)+len(in.Text) <= typed {
		r.Text += in.Text
		r.Len += uint16(n) //nolint:gosec // as above
		return ""
	}
	for at, rest := in.N, in.Text; rest != ""; {
		text := rest
		if len(text) > maxRun {
			end := maxRun
			for !utf8.RuneStart(rest[end]) {
				end--
			}
			text = rest[:end]
		}
		rest = rest[len(text):]
		k := utf8.RuneCountInString(text)
		after = w.addRun(after, Run{Author: a.Number, N: at, Len: uint16(k), Text: text}) //nolint:gosec // at most 1024
		at += uint32(k)                                                                   //nolint:gosec // as above
	}
	return ""
}

// writable says whether text may be in the document.
func writable(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return false
		}
	}
	return true
}

// unused says whether an author may give n characters the numbers from from on.
func (w *World) unused(a *Author, from, n uint32) bool {
	if from == 0 || from > a.Next && from-a.Next > ahead || from+n < from {
		return false
	}
	h := w.indexed().of(a.Number)
	i := h.run(from + n - 1)
	if i < 0 {
		return true
	}
	r := w.Runs.Get(h.runs[i].id)
	return r.N+uint32(r.Len) <= from
}

// AppendRange appends what Which is a list of: an author's characters, or lines, n to n+count-1. All three are varints.
func AppendRange(dst []byte, author uint16, n, count uint32) []byte {
	dst = binary.AppendUvarint(dst, uint64(author))
	return binary.AppendUvarint(binary.AppendUvarint(dst, uint64(n)), uint64(count))
}

// span is what one range of Which names: n to before end of an author's.
type span struct {
	author uint16
	n, end uint32
}

// ranges reads Which. Ranges are in order and apart, so that what is named is named once.
func ranges(b []byte) (list []span, ok bool) {
	for len(b) > 0 {
		var v [3]uint64
		for i := range v {
			n, size := binary.Uvarint(b)
			if size <= 0 || n > 1<<32-1 {
				return nil, false
			}
			v[i], b = n, b[size:]
		}
		if v[0] == 0 || v[0] > 1<<16-1 || v[1] == 0 || v[2] == 0 || v[1]+v[2] > 1<<32-1 {
			return nil, false
		}
		s := span{uint16(v[0]), uint32(v[1]), uint32(v[1] + v[2])} //nolint:gosec // checked
		if n := len(list); n > 0 && (s.author < list[n-1].author || s.author == list[n-1].author && s.n < list[n-1].end) {
			return nil, false
		}
		list = append(list, s)
	}
	return list, len(list) > 0
}

// change deletes the characters of Which, or brings them back.
func (w *World) change(a *Author, in *Input, tick uint32) string {
	list, ok := ranges(in.Which)
	if !ok {
		return refusedRanges
	}
	for _, s := range list {
		if of := w.author(s.author); of == nil || s.end > of.Next {
			return refusedChars
		}
	}
	if w.Runs.Len()+2*len(list) > maxRuns {
		return refusedPieces
	}
	if in.Op == Delete {
		for _, s := range list {
			w.each(s, func(r *Run) bool { return r.Text != "" }, func(id netcode.ID) { w.delete(a, id, tick) })
		}
		return ""
	}
	mine := func(r *Run) bool { return r.Was != "" && r.By == a.Number }
	bytes := w.indexed().text
	for _, s := range list {
		bytes += w.restorable(s, mine)
	}
	if bytes > MaxText {
		return refusedLong
	}
	for _, s := range list {
		w.each(s, mine, w.restore)
	}
	return ""
}

// each cuts what a span names out of the runs that it is in, if they are wanted, and does something with each piece.
func (w *World) each(s span, wanted func(*Run) bool, do func(netcode.ID)) {
	h := w.indexed().by[s.author]
	if h == nil {
		return
	}
	for i := max(0, h.run(s.n)); i < len(h.runs) && h.runs[i].n < s.end; i++ {
		id := h.runs[i].id
		r := w.Runs.Get(id)
		from, to := max(s.n, r.N), min(s.end, r.N+uint32(r.Len))
		if from >= to || !wanted(r) {
			continue
		}
		if before := from - r.N; before > 0 {
			w.split(id, int(before))
			id = w.indexed().behind(id)
		}
		w.split(id, int(to-from))
		do(id)
		i = h.run(to - 1)
	}
}

// restorable is how many bytes at most come back with a span.
func (w *World) restorable(s span, mine func(*Run) bool) (bytes int) {
	h := w.indexed().by[s.author]
	if h == nil {
		return 0
	}
	for i := max(0, h.run(s.n)); i < len(h.runs) && h.runs[i].n < s.end; i++ {
		r := w.Runs.Get(h.runs[i].id)
		if from, to := max(s.n, r.N), min(s.end, r.N+uint32(r.Len)); from < to && mine(r) {
			_, rest := cut(r.Was, int(from-r.N))
			part, _ := cut(rest, int(to-from))
			bytes += len(part)
		}
	}
	return bytes
}

// delete makes a whole run a deleted one.
func (w *World) delete(a *Author, id netcode.ID, tick uint32) {
	x, r := w.indexed(), w.Runs.Get(id)
	x.text -= len(r.Text)
	x.was += len(r.Text)
	r.Was, r.Text, r.By, r.Gone = r.Text, "", a.Number, tick
	x.bury(grave{tick, id})
	before := r.After
	w.join(id, x.behind(id))
	w.join(before, id)
}

// restore brings a whole run back.
func (w *World) restore(id netcode.ID) {
	x, r := w.indexed(), w.Runs.Get(id)
	x.exhume(grave{r.Gone, id})
	x.was -= len(r.Was)
	x.text += len(r.Was)
	r.Text, r.Was, r.By, r.Gone = r.Was, "", 0, 0
	before := r.After
	w.join(id, x.behind(id))
	w.join(before, id)
}
