package canvas

import (
	"unicode/utf8"

	"muster/netcode"
)

const (
	maxRun  = 1024 // bytes of a run
	typed   = 96   // bytes up to which typing makes the row of a run longer, which is sent whole each time
	maxRuns = 16384
)

// find returns the run that has a character, and how many of its characters are before that.
func (w *World) find(p Place) (netcode.ID, int, bool) {
	h := w.indexed().by[p.Author]
	if h == nil {
		return 0, 0, false
	}
	i := h.run(p.N)
	if i < 0 {
		return 0, 0, false
	}
	at := h.runs[i]
	if p.N-at.n >= uint32(w.Runs.Get(at.id).Len) {
		return 0, 0, false
	}
	return at.id, int(p.N - at.n), true
}

// behindPlace returns the run that ends with the character of a place, which it splits where it must be. The run 0 is
// before the text's begin.
func (w *World) behindPlace(p Place) (netcode.ID, bool) {
	if p == (Place{}) {
		return 0, true
	}
	id, i, ok := w.find(p)
	if ok {
		w.split(id, i+1)
	}
	return id, ok
}

// split makes a run end after n characters; the others become a run behind it. There must be place for a run.
func (w *World) split(id netcode.ID, n int) {
	r := w.Runs.Get(id)
	if n >= int(r.Len) {
		return
	}
	rest := *r
	rest.N += uint32(n)   //nolint:gosec // below Len
	rest.Len -= uint16(n) //nolint:gosec // below Len
	r.Len = uint16(n)     //nolint:gosec // below Len
	r.Text, rest.Text = cut(r.Text, n)
	r.Was, rest.Was = cut(r.Was, n)
	w.addRun(id, rest)
}

// cut parts a text after n characters.
func cut(s string, n int) (string, string) {
	i := 0
	for ; n > 0 && i < len(s); n-- {
		_, size := utf8.DecodeRuneInString(s[i:])
		i += size
	}
	return s[:i], s[i:]
}

// addRun puts a run behind another one, or at the begin.
func (w *World) addRun(after netcode.ID, r Run) netcode.ID {
	x := w.indexed()
	r.After = after
	id := w.Runs.Add(r)
	next := x.behind(after)
	x.link(after, id)
	x.link(id, next)
	if n := w.Runs.Get(next); n != nil {
		n.After = id
	}
	x.of(r.Author).addRun(r.N, id)
	if r.Text == "" {
		x.bury(grave{r.Gone, id})
	}
	return id
}

// dropRun takes a run out of the list.
func (w *World) dropRun(id netcode.ID) {
	x, r := w.indexed(), w.Runs.Get(id)
	next := x.behind(id)
	x.link(r.After, next)
	x.link(id, 0)
	if n := w.Runs.Get(next); n != nil {
		n.After = r.After
	}
	x.of(r.Author).dropRun(r.N)
	if r.Text == "" {
		x.exhume(grave{r.Gone, id})
	}
	w.Runs.Remove(id)
}

// join makes one run of two where the second goes on as the first one ends. Of deleted ones the later end counts.
func (w *World) join(id, next netcode.ID) {
	a, b := w.Runs.Get(id), w.Runs.Get(next)
	switch {
	case a == nil || b == nil || a.Author != b.Author || a.N+uint32(a.Len) != b.N:
		return
	case (a.Text == "") != (b.Text == "") || len(a.Text)+len(b.Text) > maxRun:
		return
	case a.Text == "" && (a.By != b.By || (a.Was == "") != (b.Was == "") || int(a.Len)+int(b.Len) > maxRun || len(a.Was)+len(b.Was) > maxRun):
		return
	}
	x := w.indexed()
	if a.Text == "" && a.Gone < b.Gone {
		x.exhume(grave{a.Gone, id})
		a.Gone = b.Gone
		x.bury(grave{a.Gone, id})
	}
	rest := *b
	w.dropRun(next)
	a.Len += rest.Len
	a.Text += rest.Text
	a.Was += rest.Was
}

// Text is what the room's text says.
func (w *World) Text() string {
	x := w.indexed()
	b := make([]byte, 0, x.text)
	for id := x.behind(0); id != 0; id = x.behind(id) {
		b = append(b, w.Runs.Get(id).Text...)
	}
	return string(b)
}
