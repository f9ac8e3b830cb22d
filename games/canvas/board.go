package canvas

import (
	"slices"

	"muster/netcode"
)

// Reasons why a command of the board is refused.
const (
	refusedPoints = "these are no points of the board"
	refusedInk    = "there is no such colour or width"
	refusedLine   = "this line's number is taken, or too far ahead"
	refusedGone   = "this line is gone"
	refusedFull   = "the board is full"
)

const maxStrokes = 24576 // rows; a long line has several

const maxPoints = 320 // bytes of a row

// draw begins a line.
func (w *World) draw(a *Author, in *Input) string {
	b := &w.Board.V
	list, err := points(in.Text)
	switch {
	case err != nil || len(list) == 0:
		return refusedPoints
	case in.Colour >= Colours || in.Width == 0 || in.Width > MaxWidth:
		return refusedInk
	case in.N <= a.Last || in.N > b.Clock && in.N-b.Clock > ahead || in.N == 1<<32-1:
		return refusedLine
	case b.Lines >= MaxStrokes || !w.inkFor(in.Text):
		return refusedFull
	}
	a.Last, b.Clock = in.N, max(b.Clock, in.N)
	b.Lines++
	h := w.indexed().of(a.Number)
	i, _ := h.line(in.N)
	h.lines = slices.Insert(h.lines, i, lineAt{n: in.N})
	w.ink(&h.lines[i], Stroke{Author: a.Number, N: in.N, Colour: in.Colour, Width: in.Width}, list)
	return ""
}

// extend draws an own line on.
func (w *World) extend(a *Author, in *Input) string {
	h := w.indexed().of(a.Number)
	list, err := points(in.Text)
	i, found := h.line(in.N)
	switch {
	case err != nil || len(list) == 0:
		return refusedPoints
	case !found:
		return refusedGone
	case !w.inkFor(in.Text):
		return refusedFull
	}
	parts := h.lines[i].parts
	w.ink(&h.lines[i], *w.Strokes.Get(parts[len(parts)-1]), list)
	return ""
}

// inkFor says whether there is place for points: no row holds fewer bytes of them than what a half-full one does.
func (w *World) inkFor(text string) bool {
	return int(w.Board.V.Ink)+len(text) <= MaxInk && w.Strokes.Len()+2+len(text)/(maxPoints/2) <= maxStrokes
}

// ink puts points behind the last part of a line, and into new ones. last is that part, or the line without points.
func (w *World) ink(l *lineAt, last Stroke, list []point) {
	var at point
	if known, _ := points(last.Points); len(known) > 0 { // it was checked when it came
		at = known[len(known)-1]
	}
	b := []byte(last.Points)
	for _, p := range list {
		n := len(b)
		if b = AppendPoint(b, p.x-at.x, p.y-at.y); len(b) > maxPoints {
			w.part(l, last, string(b[:n]))
			last.Part++
			b = AppendPoint(AppendPoint(b[:0], at.x, at.y), p.x-at.x, p.y-at.y)
		}
		at = p
	}
	w.part(l, last, string(b))
}

// part writes the points of a line's part, which is there or is the next one.
func (w *World) part(l *lineAt, s Stroke, text string) {
	if int(s.Part) == len(l.parts) {
		s.Points = ""
		l.parts = append(l.parts, w.Strokes.Add(s))
	}
	row := w.Strokes.Get(l.parts[s.Part])
	w.Board.V.Ink += uint32(len(text) - len(row.Points)) //nolint:gosec // a part never becomes shorter
	row.Points = text
}

// erase erases the lines of Which.
func (w *World) erase(in *Input) string {
	list, ok := ranges(in.Which)
	if !ok {
		return refusedRanges
	}
	for _, s := range list {
		if a := w.author(s.author); a == nil || s.end-1 > a.Last {
			return refusedGone
		}
	}
	for _, s := range list {
		if h := w.indexed().by[s.author]; h != nil {
			from, _ := h.line(s.n)
			to, _ := h.line(s.end)
			w.wipe(h, from, to)
		}
	}
	return ""
}

// wipe takes an author's lines out, of places in his list.
func (w *World) wipe(h *holdings, from, to int) {
	for _, l := range h.lines[from:to] {
		for _, id := range l.parts {
			w.Board.V.Ink -= uint32(len(w.Strokes.Get(id).Points)) //nolint:gosec // at most 320
			w.Strokes.Remove(id)
		}
	}
	w.Board.V.Lines -= uint16(to - from) //nolint:gosec // as many as there are
	h.lines = slices.Delete(h.lines, from, to)
}

// clearOf erases all lines of an author.
func (w *World) clearOf(a *Author) {
	h := w.indexed().of(a.Number)
	w.wipe(h, 0, len(h.lines))
}

// author returns the author of a number, or nil.
func (w *World) author(number uint16) *Author { return w.Authors.Get(w.indexed().who[number]) }

// cursor returns the cursor of a seat, or nil.
func (w *World) cursor(seat netcode.Seat) *Cursor {
	for _, c := range w.Cursors.All() {
		if c.Owner == seat {
			return c
		}
	}
	return nil
}
