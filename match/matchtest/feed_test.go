package matchtest

import (
	"errors"
	"slices"
	"testing"

	"muster/match"
	"muster/proto"
)

// Feed moves all ducks, as the wind does.
func (d *ducks) Feed(r *match.Room[pond], in waddle) error {
	if in.Quit {
		return errors.New("the wind does not quit")
	}
	for _, one := range r.State().Ducks.All() {
		one.X += in.DX
	}
	return nil
}

func TestRoomIsFedAsByABackend(t *testing.T) {
	r := newPond(t, &ducks{}, proto.Commands)
	before := row(t, r, 2).X
	Feed(r, waddle{DX: 2})
	Feed(r, waddle{DX: 1})
	Feed(r, waddle{Quit: true})
	r.Tick(1)
	if x := row(t, r, 2).X; x != before+3 {
		t.Errorf("fed twice it is at %v, and was at %v", x, before)
	}
	if got := r.Refused(); !slices.Equal(got, []Refusal{{Reason: "the wind does not quit"}}) {
		t.Errorf("refused: %+v", got)
	}
	file := t.TempDir() + "/fed.muster"
	r.Tick(3)
	r.Save(file)
	Verify(t, r.game, file)
}
