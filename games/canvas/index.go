package canvas

import (
	"cmp"
	"slices"

	"muster/netcode"
)

// index says where things are, so that a command costs what it changes and not what the room holds. It is no state: it
// follows from the tables alone, whatever way they came to be as they are, and is made anew where it is not there, as
// after a restore.
type index struct {
	ready bool
	next  []netcode.ID          // by a run's slot: the run behind it
	first netcode.ID            // of the text's runs
	by    map[uint16]*holdings  // by author
	dead  []grave               // deleted runs, in the order in which they are forgotten
	who   map[uint16]netcode.ID // the rows of authors, by number
	text  int                   // bytes that are shown
	was   int                   // bytes that are kept of what deleted runs said
}

// holdings is what there is of one author.
type holdings struct {
	runs  []runAt  // in the order of n
	lines []lineAt // in the order of n
}

// runAt says that the characters from n on are in a run.
type runAt struct {
	n  uint32
	id netcode.ID
}

// lineAt has the parts of a line.
type lineAt struct {
	n     uint32
	parts []netcode.ID
}

// grave is a deleted run.
type grave struct {
	gone uint32
	id   netcode.ID
}

func (g grave) compare(o grave) int {
	return cmp.Or(cmp.Compare(g.gone, o.gone), cmp.Compare(g.id, o.id))
}

// indexed returns the index, which it makes where there is none.
func (w *World) indexed() *index {
	x := &w.index
	if x.ready {
		return x
	}
	*x = index{ready: true, by: map[uint16]*holdings{}, who: map[uint16]netcode.ID{}}
	for id, a := range w.Authors.All() {
		x.who[a.Number] = id
	}
	for id, r := range w.Runs.All() {
		x.link(r.After, id)
		h := x.of(r.Author)
		h.runs = append(h.runs, runAt{r.N, id})
		x.text += len(r.Text)
		if r.Text == "" {
			x.dead = append(x.dead, grave{r.Gone, id})
			x.was += len(r.Was)
		}
	}
	slices.SortFunc(x.dead, grave.compare)
	for id, s := range w.Strokes.All() {
		h := x.of(s.Author)
		i, found := h.line(s.N)
		if !found {
			h.lines = slices.Insert(h.lines, i, lineAt{n: s.N})
		}
		h.lines[i].parts = append(h.lines[i].parts, id)
	}
	for _, h := range x.by { // each by itself: the order does not matter
		slices.SortFunc(h.runs, func(a, b runAt) int { return cmp.Compare(a.n, b.n) })
		for _, l := range h.lines {
			slices.SortFunc(l.parts, func(a, b netcode.ID) int {
				return cmp.Compare(w.Strokes.Get(a).Part, w.Strokes.Get(b).Part)
			})
		}
	}
	return x
}

func (x *index) of(author uint16) *holdings {
	h := x.by[author]
	if h == nil {
		h = &holdings{}
		x.by[author] = h
	}
	return h
}

// link makes id the run behind after; 0 stands for the begin, and for the end.
func (x *index) link(after, id netcode.ID) {
	if after == 0 {
		x.first = id
		return
	}
	slot := int(after >> 16)
	for len(x.next) <= slot {
		x.next = append(x.next, 0)
	}
	x.next[slot] = id
}

// behind returns the run behind one, 0 where it is the last; of 0 the first.
func (x *index) behind(id netcode.ID) netcode.ID {
	slot := int(id >> 16)
	switch {
	case id == 0:
		return x.first
	case slot >= len(x.next):
		return 0
	}
	return x.next[slot]
}

// run returns the place in runs of the last one that begins at n or before it, or -1.
func (h *holdings) run(n uint32) int {
	i, found := slices.BinarySearchFunc(h.runs, n, func(r runAt, n uint32) int { return cmp.Compare(r.n, n) })
	if !found {
		i--
	}
	return i
}

func (h *holdings) addRun(n uint32, id netcode.ID) {
	h.runs = slices.Insert(h.runs, h.run(n)+1, runAt{n, id})
}

func (h *holdings) dropRun(n uint32) {
	i := h.run(n)
	h.runs = slices.Delete(h.runs, i, i+1)
}

// line returns the place in lines of one, or where it would be.
func (h *holdings) line(n uint32) (int, bool) {
	return slices.BinarySearchFunc(h.lines, n, func(l lineAt, n uint32) int { return cmp.Compare(l.n, n) })
}

func (x *index) bury(g grave) {
	i, _ := slices.BinarySearchFunc(x.dead, g, grave.compare)
	x.dead = slices.Insert(x.dead, i, g)
}

func (x *index) exhume(g grave) {
	if i, found := slices.BinarySearchFunc(x.dead, g, grave.compare); found {
		x.dead = slices.Delete(x.dead, i, i+1)
	}
}
