package canvas

import (
	"math/rand/v2"

	"muster/client"
	"muster/netcode"
)

// Bot writes and draws as people do, for load tests.
var Bot = client.NewBot[World, Input]("canvas", func() client.Brain[World, Input] {
	h := &hand{}
	return func(v *client.BotView[World]) (Input, bool) {
		c, a := h.find(v.State, v.Seat)
		if c == nil || a == nil {
			return Input{}, false
		}
		return h.act(v.State, a, v.Rand)
	}
})

// Bounds of what bots leave on the board and in the text, so that a long test goes on as it began.
const (
	botText  = 20_000 // bytes
	botLines = 60     // of each
)

// words are what bots write.
var words = []string{"a ", "document ", "is ", "what ", "all ", "of ", "us ", "see, ", "and ", "no ", "letter ", "is ", "lost.\n"}

// hand is what a bot remembers: it names its characters and lines before the server has them.
type hand struct {
	next  uint32 // the number of its next character
	line  uint32 // the N of the line that it draws
	left  int    // how many commands its line still has
	at    Place  // behind which it writes
	x, y  int    // where its line is
	lines int    // how many it has drawn since it cleared them
	word  string // what it has still to write of a word
}

// find returns a seat's cursor and author, or nil.
func (*hand) find(w *World, seat netcode.Seat) (*Cursor, *Author) {
	for _, c := range w.Cursors.All() {
		if c.Owner != seat {
			continue
		}
		for _, a := range w.Authors.All() {
			if a.Number == c.Author {
				return c, a
			}
		}
	}
	return nil, nil
}

// act returns what to do now, or false for nothing. Nothing is looked up in the index, which a client's state has not.
func (h *hand) act(w *World, a *Author, rng *rand.Rand) (Input, bool) {
	h.next = max(h.next, a.Next)
	if h.left > 0 {
		h.left--
		return h.draw(Extend, rng), true
	}
	switch dice := rng.IntN(100); {
	case dice < 40 || h.word != "":
		return h.write(a, rng), true
	case dice < 44:
		h.at = somewhere(w, rng)
		return Input{Op: Caret, At: h.at, Mark: h.at}, true
	case dice < 47 || size(w) > botText && dice < 60:
		return h.delete(w, a, rng)
	case dice < 48 && a.Next > 10:
		return Input{Op: Restore, Which: AppendRange(nil, a.Number, a.Next-10, 10)}, true
	case dice < 50 && h.lines < botLines:
		h.left, h.line = 5+rng.IntN(20), max(h.line, w.Board.V.Clock)+1
		h.lines++
		h.x, h.y = rng.IntN(BoardWidth), rng.IntN(BoardHeight)
		return h.draw(Draw, rng), true
	case dice < 50:
		h.lines = 0
		return Input{Op: Clear}, true
	case dice < 60:
		return Input{Op: Point, X: float32(rng.IntN(BoardWidth)), Y: float32(rng.IntN(BoardHeight))}, true
	}
	return Input{}, false
}

func (h *hand) write(a *Author, rng *rand.Rand) Input {
	if h.word == "" {
		h.word = words[rng.IntN(len(words))]
	}
	in := Input{Op: Insert, N: h.next, At: h.at, Text: h.word[:1]}
	h.word = h.word[1:]
	h.at = Place{a.Number, h.next}
	h.next++
	return in
}

// delete takes part of some run away; where it writes stays.
func (h *hand) delete(w *World, a *Author, rng *rand.Rand) (Input, bool) {
	p := somewhere(w, rng)
	if p == (Place{}) || p.Author == a.Number && p.N >= a.Next {
		return Input{}, false
	}
	first := p.N - min(p.N-1, uint32(rng.IntN(20))) //nolint:gosec // small
	return Input{Op: Delete, Which: AppendRange(nil, p.Author, first, p.N-first+1)}, true
}

func (h *hand) draw(op Op, rng *rand.Rand) Input {
	var b []byte
	in := Input{Op: op, N: h.line}
	if op == Draw {
		in.Colour, in.Width = uint8(rng.IntN(Colours)), uint8(1+rng.IntN(12)) //nolint:gosec // small
	}
	x, y := 0, 0
	for range 6 {
		h.x = min(BoardWidth, max(0, h.x+rng.IntN(61)-30))
		h.y = min(BoardHeight, max(0, h.y+rng.IntN(61)-30))
		b = AppendPoint(b, h.x-x, h.y-y)
		x, y = h.x, h.y
	}
	in.Text = string(b)
	return in
}

// somewhere is a place in a run of the text, which may be deleted.
func somewhere(w *World, rng *rand.Rand) Place {
	n := rng.IntN(w.Runs.Len() + 1)
	for _, r := range w.Runs.All() {
		if n--; n < 0 {
			return Place{r.Author, r.N + rng.Uint32N(uint32(r.Len))}
		}
	}
	return Place{}
}

// size is how long the text is.
func size(w *World) (bytes int) {
	for _, r := range w.Runs.All() {
		bytes += len(r.Text)
	}
	return bytes
}
