package scores

import (
	"slices"
	"testing"

	"muster/match/matchtest"
)

// A game as a backend feeds it, with what is none.
func TestTheBoardSaysWhatItIsFedAndRefusesWhatCannotBe(t *testing.T) {
	r := matchtest.New(t, Game, matchtest.Config{})
	r.Join(1, "ann", "Ann")
	for _, in := range []Report{
		{Minute: 12, Side: Home, By: "Ann"},
		{Minute: 12, Side: Away, By: "Bo"},
		{Minute: 30},
		{Minute: 3, Side: Home, By: "late"},
		{Minute: 31, Side: 3, By: "nobody"},
		{Minute: 44, Side: Home, By: "Cy"},
	} {
		matchtest.Feed(r, in)
		r.Tick(1)
	}
	var why []string
	for _, refused := range r.Refused() {
		why = append(why, refused.Reason)
	}
	if !slices.Equal(why, []string{"minute 3 is over, it is minute 30", "there are two sides, 1 and 2"}) {
		t.Errorf("refused: %q", why)
	}
	b := matchtest.State[Board](r)
	if b.Score.V != (Score{Home: 2, Away: 1, Minute: 44}) {
		t.Errorf("it stands %+v", b.Score.V)
	}
	var goals []Goal
	for _, g := range b.Goals.All() {
		goals = append(goals, *g)
	}
	if !slices.Equal(goals, []Goal{{"Ann", false, 12}, {"Bo", true, 12}, {"Cy", false, 44}}) {
		t.Errorf("goals: %+v", goals)
	}
	file := t.TempDir() + "/final.muster"
	r.Save(file)
	matchtest.Verify(t, Game, file)
}

func TestAPlayerHasNoSay(t *testing.T) {
	r := matchtest.New(t, Game, matchtest.Config{})
	r.Join(1, "ann", "Ann")
	r.Tick(1)
	matchtest.Input(r, 1, Report{Minute: 90, Side: Away, By: "Ann"})
	r.Tick(1)
	if got := r.Refused(); len(got) != 1 || got[0].Seat != 1 || got[0].Reason != "the feed keeps the score" {
		t.Errorf("refused: %+v", got)
	}
	if s := matchtest.State[Board](r).Score.V; s != (Score{}) {
		t.Errorf("it stands %+v", s)
	}
}

func TestAFullBoardRefusesAGoalAndCountsNone(t *testing.T) {
	r := matchtest.New(t, Game, matchtest.Config{})
	r.Join(1, "ann", "Ann")
	for range 65 {
		matchtest.Feed(r, Report{Minute: 1, Side: Home, By: "Ann"})
		r.Tick(1)
	}
	if got := r.Refused(); len(got) != 1 || got[0].Reason != "the board is full" {
		t.Errorf("refused: %+v", got)
	}
	if s := matchtest.State[Board](r).Score.V; s.Home != 64 {
		t.Errorf("it stands %+v", s)
	}
}
