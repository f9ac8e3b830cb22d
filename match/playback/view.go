package playback

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"

	"muster/match"
	"muster/netcode"
	"muster/proto"
)

// View says whose eyes a recording is seen with. The zero value is a spectator's.
type View struct {
	all  bool
	seat netcode.Seat
}

// ErrView means that a text names no view of the game.
var ErrView = errors.New(`a view is "public", "everything" or "seat:N"`)

var seatView = regexp.MustCompile(`^seat:(\d{1,4})$`)

// ViewOf reads a view: "public" (or ""), "everything", which has what was hidden from all, too, or "seat:N", what the
// player there saw.
func ViewOf(text string, seats int) (View, error) {
	switch text {
	case "", "public":
		return View{}, nil
	case "everything":
		return View{all: true}, nil
	}
	m := seatView.FindStringSubmatch(text)
	if m == nil {
		return View{}, ErrView
	}
	seat, _ := strconv.Atoi(m[1]) // four digits
	if seat < 1 || seat > seats {
		return View{}, fmt.Errorf("%w: the game has the seats 1 to %d", ErrView, seats)
	}
	return View{seat: netcode.Seat(seat)}, nil //nolint:gosec // bounded
}

// String is what ViewOf reads.
func (v View) String() string {
	switch {
	case v.all:
		return "everything"
	case v.seat > 0:
		return fmt.Sprintf("seat:%d", v.seat)
	}
	return "public"
}

// scopes are those that the view has at the encoder's newest tick, in dst's memory where they are not the encoder's own.
func (v View) scopes(enc *netcode.Encoder, dst []proto.Watch) []proto.Watch {
	switch {
	case v.all:
		return enc.AllScopes(dst[:0])
	case v.seat > 0:
		return append(dst[:0], enc.Scopes(v.seat)...)
	}
	return append(dst[:0], enc.PublicScopes()...)
}

// hears says whether an event is told to the view.
func (v View) hears(e *netcode.Emission, r *match.Replay) bool {
	switch {
	case v.all:
		return true
	case v.seat > 0:
		return e.To.Includes(v.seat, r.Team(v.seat))
	}
	return e.To.IsEveryone()
}
