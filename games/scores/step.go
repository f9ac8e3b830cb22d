package scores

import (
	"errors"
	"fmt"

	"muster/netcode"
)

// Step does nothing: the board only changes when it is fed.
func (Scores) Step(*netcode.Step[Board, Report]) {}

// take puts a report on the board, or says why it is none.
func (b *Board) take(r Report) error {
	now := &b.Score.V
	switch {
	case r.Minute < now.Minute:
		return fmt.Errorf("minute %d is over, it is minute %d", r.Minute, now.Minute)
	case r.Side > Away:
		return errors.New("there are two sides, 1 and 2")
	case r.Side != Nobody && b.Goals.Add(Goal{r.By, r.Side == Away, r.Minute}) == 0:
		return errors.New("the board is full")
	}
	now.Minute = r.Minute
	switch r.Side {
	case Home:
		now.Home++
	case Away:
		now.Away++
	}
	return nil
}
