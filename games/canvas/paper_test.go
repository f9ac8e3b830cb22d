package canvas

import (
	"maps"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"muster/netcode"
)

// failer is a test, or one of rapid's.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// paper is a room's state with people at it, without a room.
type paper struct {
	World
	t    failer
	tick uint32
}

// newPaper returns a room with people in the seats from 1 on.
func newPaper(t failer, people int) *paper {
	t.Helper()
	p := &paper{t: t, tick: 1}
	sc, err := netcode.Compile[World, Input]()
	if err == nil {
		err = sc.Bind(&p.World)
	}
	if err != nil {
		t.Fatalf("%v", err)
	}
	for i := range people {
		p.come(netcode.Seat(i+1), string(rune('a'+i)))
	}
	return p
}

func (p *paper) come(seat netcode.Seat, player string) *Author {
	p.t.Helper()
	a := p.authorOf(player)
	if a == nil {
		p.t.Fatalf("%s is nobody", player)
	}
	a.Here = true
	p.Cursors.Add(Cursor{Owner: seat, Author: a.Number})
	return a
}

// quick is a command that is not refused.
func (p *paper) quick(seat netcode.Seat, in Input) {
	p.t.Helper()
	if why := p.do(seat, &in, p.tick); why != "" {
		p.t.Fatalf("seat %d, %v: %s", seat, in.Op, why)
	}
}

// does is quick, and looks at all that must be so.
func (p *paper) does(seat netcode.Seat, in Input) {
	p.t.Helper()
	p.quick(seat, in)
	p.whole()
}

// types is text behind a place; it returns the place of its last character.
func (p *paper) types(seat netcode.Seat, at Place, text string) Place {
	p.t.Helper()
	a := p.author(p.cursor(seat).Author)
	p.does(seat, Input{Op: Insert, N: a.Next, At: at, Text: text})
	return Place{a.Number, a.Next - 1}
}

func (p *paper) says(want string) {
	p.t.Helper()
	if have := p.Text(); have != want {
		p.t.Fatalf("the text is %q, want %q", have, want)
	}
}

// which is a list of ranges: author, n and count of each.
func which(list ...uint32) (b []byte) {
	for i := 0; i < len(list); i += 3 {
		b = AppendRange(b, uint16(list[i]), list[i+1], list[i+2]) //nolint:gosec // a test's
	}
	return b
}

// whole looks at all that must be so: the index is what the tables give, runs are one list, no character is there
// twice, and nothing is above its bound.
func (p *paper) whole() {
	p.t.Helper()
	x := p.indexed()
	have := *x
	p.index = index{}
	want := *p.indexed()
	have.next, want.next = nil, nil // of slots that are free there may be zeros
	for _, i := range []*index{&have, &want} {
		i.by = maps.Clone(i.by)
		maps.DeleteFunc(i.by, func(_ uint16, h *holdings) bool { return len(h.runs)+len(h.lines) == 0 })
		for n, h := range i.by {
			i.by[n] = &holdings{runs: append([]runAt{}, h.runs...), lines: append([]lineAt{}, h.lines...)}
		}
		i.dead = append([]grave{}, i.dead...)
	}
	if !reflect.DeepEqual(have, want) {
		p.t.Fatalf("the index is %+v, want %+v", have, want)
	}
	n, before := 0, netcode.ID(0)
	for id := p.indexed().behind(0); id != 0; id = p.indexed().behind(id) {
		r := p.Runs.Get(id)
		if n++; r == nil || r.After != before || r.Len == 0 || len(r.Text) > maxRun || n > p.Runs.Len() {
			p.t.Fatalf("run %d of the list, behind %d, is %+v", n, before, r)
		}
		before = id
	}
	if n != p.Runs.Len() || n > maxRuns || have.text > MaxText || len(p.Text()) != have.text {
		p.t.Fatalf("%d of %d runs are in the list, the text has %d bytes", n, p.Runs.Len(), have.text)
	}
	for author, h := range want.by {
		if !slices.IsSortedFunc(h.runs, func(a, b runAt) int { return int(p.Runs.Get(a.id).N) + int(p.Runs.Get(a.id).Len) - int(b.n) }) {
			p.t.Fatalf("characters of author %d are there twice: %v", author, h.runs)
		}
	}
	ink, lines := 0, 0
	for _, s := range p.Strokes.All() {
		if ink += len(s.Points); s.Part == 0 {
			lines++
		}
	}
	if b := p.Board.V; int(b.Ink) != ink || int(b.Lines) != lines || lines > MaxStrokes {
		p.t.Fatalf("the board is %+v, and there are %d lines with %d bytes", b, lines, ink)
	}
}

// letter is one character of the simplest text there can be, to which the rules' is compared.
type letter struct {
	place Place
	r     rune
	by    uint16 // who deleted it; 0: it is there
	known int    // since which command it is there
}

// sheet is a list of all letters, those that are deleted among them.
type sheet []letter

func (s sheet) text() string {
	var list []rune
	for _, l := range s {
		if l.by == 0 {
			list = append(list, l.r)
		}
	}
	return string(list)
}

func (s sheet) find(p Place) int {
	return slices.IndexFunc(s, func(l letter) bool { return l.place == p })
}

// do is what a command of the text means.
func (s sheet) do(author uint16, in Input, now int) sheet {
	list, _ := ranges(in.Which)
	within := func(p Place) bool {
		return slices.ContainsFunc(list, func(r span) bool { return r.author == p.Author && p.N >= r.n && p.N < r.end })
	}
	switch in.Op {
	case Insert:
		at := s.find(in.At) + 1 // 0, 0 is not found
		for i, r := range []rune(in.Text) {
			s = slices.Insert(s, at+i, letter{Place{author, in.N + uint32(i)}, r, 0, now}) //nolint:gosec // a test's
		}
	case Delete:
		for i := range s {
			if s[i].by == 0 && within(s[i].place) {
				s[i].by = author
			}
		}
	case Restore:
		for i := range s {
			if s[i].by == author && within(s[i].place) {
				s[i].by = 0
			}
		}
	default:
	}
	return s
}

// writer is one who writes from what he has seen. What he sends comes late, and in its order.
type writer struct {
	seat    netcode.Seat
	author  uint16
	next    uint32
	seen    int // commands whose outcome he knows
	pending []Input
	own     []Place // of pending commands
}

// command is something that he does with what he knows.
func (w *writer) command(t *rapid.T, s sheet) Input {
	known := []Place{{}}
	for _, l := range s {
		if l.known <= w.seen {
			known = append(known, l.place)
		}
	}
	known = append(known, w.own...)
	op := Insert
	if len(known) > 1 {
		op = rapid.SampledFrom([]Op{Insert, Insert, Insert, Delete, Delete, Restore}).Draw(t, "op")
	}
	in := Input{Op: op}
	if op == Insert {
		in.N, in.At = w.next, rapid.SampledFrom(known[max(0, len(known)-6):]).Draw(t, "at")
		in.Text = rapid.StringOfN(rapid.RuneFrom([]rune("abcé😀\n")), 1, 5, -1).Draw(t, "text")
		for range in.Text {
			w.own = append(w.own, Place{w.author, w.next})
			w.next++
		}
		return in
	}
	var list []span
	for range rapid.IntRange(1, 3).Draw(t, "ranges") {
		p := rapid.SampledFrom(known[1:]).Draw(t, "from")
		list = append(list, span{p.Author, p.N, p.N + 1})
	}
	slices.SortFunc(list, func(a, b span) int {
		return (int(a.author)-int(b.author))*1_000_000 + int(a.n) - int(b.n)
	})
	for i, r := range slices.Compact(list) {
		count := uint32(1)
		if i == len(list)-1 && slices.Contains(known, Place{r.author, r.n + 1}) {
			count = 2
		}
		in.Which = AppendRange(in.Which, r.author, r.n, count)
	}
	return in
}

// Any number of people write, from what each of them has seen, anywhere, also behind what is deleted; what they send
// comes in any order of people, late, after pauses. The rules' runs say what a plain list of letters says.
func TestTheTextIsWhatAListOfLettersWouldBe(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		people := rapid.IntRange(2, 20).Draw(t, "people")
		p, now := newPaper(t, people), 0
		var s sheet
		var writers []*writer
		for i := range people {
			seat := netcode.Seat(i + 1) //nolint:gosec // at most 20
			writers = append(writers, &writer{seat: seat, author: p.cursor(seat).Author, next: 1})
		}
		arrive := func(w *writer) {
			in := w.pending[0]
			w.pending = w.pending[1:]
			if in.Op == Insert {
				w.own = w.own[len([]rune(in.Text)):]
			}
			now++
			p.does(w.seat, in)
			s = s.do(w.author, in, now)
			if w.seen == now-1 {
				w.seen = now // nothing else came in between
			}
		}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			w := rapid.SampledFrom(writers).Draw(t, "who")
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0, 1:
				w.pending = append(w.pending, w.command(t, s))
			case 2:
				if len(w.pending) > 0 {
					arrive(w)
				}
			case 3:
				w.seen = rapid.IntRange(w.seen, now).Draw(t, "seen")
			}
			p.tick++
		}
		for _, w := range writers {
			for len(w.pending) > 0 {
				arrive(w)
			}
		}
		p.says(s.text())
	})
}

// What each of twenty types at the same place, letter by letter, stays together, however their letters come.
func TestWhatOneTypesStaysTogether(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := newPaper(t, 20)
		at := p.types(1, Place{}, "<>")
		at.N--
		words := make([]string, 21)
		ends := make([]Place, 21)
		for i := range ends {
			ends[i] = at
		}
		for range 200 {
			i := rapid.IntRange(2, 20).Draw(t, "who")
			words[i] += string(rune('a' + i))
			a := p.author(uint16(i))                                                                         //nolint:gosec // at most 20
			p.quick(netcode.Seat(i), Input{Op: Insert, N: a.Next, At: ends[i], Text: string(rune('a' + i))}) //nolint:gosec // as above
			ends[i] = Place{a.Number, a.Next - 1}
		}
		p.whole()
		text := p.Text()
		if len(text) != 202 || text[0] != '<' || text[201] != '>' {
			t.Fatalf("letters are lost or doubled: %q", text)
		}
		for _, w := range words {
			if w != "" && !containsOnce(text, w) {
				t.Fatalf("%q is not together in %q", w, text)
			}
		}
	})
}

func containsOnce(text, w string) bool {
	n := 0
	for i := range text {
		if i+len(w) <= len(text) && text[i:i+len(w)] == w {
			n++
		}
	}
	return n == 1
}
