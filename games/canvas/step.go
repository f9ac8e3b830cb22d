package canvas

import (
	"unicode/utf8"

	"muster/netcode"
)

// Canvas are the rules.
type Canvas struct{}

// Step applies the commands of a tick, and forgets what nobody can mean any more.
func (Canvas) Step(s *netcode.Step[World, Input]) {
	w := s.State
	for seat, in := range s.Inputs() {
		if why := w.do(seat, in, s.Tick); why != "" {
			s.Refuse(seat, why)
		}
	}
	w.forget(s.Tick, uint32(s.Rate())) //nolint:gosec // at most 128
}

// refusedSeat is told to nobody who has joined.
const refusedSeat = "you are not here"

// do applies a command. It returns why it is refused; then nothing of it was done.
func (w *World) do(seat netcode.Seat, in *Input, tick uint32) string {
	c := w.cursor(seat)
	if c == nil {
		return refusedSeat
	}
	a := w.author(c.Author)
	switch in.Op {
	case Hide:
		c.On = Nowhere
	case Point:
		c.On, c.X, c.Y = OnBoard, in.X, min(in.Y, BoardHeight)
	case Caret:
		if !w.known(in.At) || !w.known(in.Mark) {
			return refusedPlace
		}
		c.On, c.Caret, c.Mark = InText, in.At, in.Mark
	case Insert:
		if why := w.insert(a, in); why != "" {
			return why
		}
		c.On, c.Caret = InText, Place{a.Number, in.N + uint32(utf8.RuneCountInString(in.Text)) - 1} //nolint:gosec // at most 3000
		c.Mark = c.Caret
	case Delete, Restore:
		return w.change(a, in, tick)
	case Draw:
		return w.draw(a, in)
	case Extend:
		return w.extend(a, in)
	case Erase:
		return w.erase(in)
	case Clear:
		w.clearOf(a)
	}
	return ""
}

// known says whether a character has a place in the text, or is none.
func (w *World) known(p Place) bool {
	if p == (Place{}) {
		return true
	}
	_, _, ok := w.find(p)
	return ok
}
