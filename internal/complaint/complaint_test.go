package complaint

import (
	"strconv"
	"testing"
	"time"
)

func TestAComplaintIsSaidOnceAMinuteAndAnotherOneSoon(t *testing.T) {
	var b Book
	at := time.Unix(0, 0)
	for i, step := range []struct {
		after       time.Duration
		about, text string
		say         bool
		repeats     int
	}{
		{0, "a", "down", true, 0},
		{time.Second, "a", "down", false, 0},
		{0, "b", "down", true, 0}, // about something else
		{time.Second, "a", "down", false, 0},
		{Every - 2*time.Second, "a", "down", true, 2},
		{time.Second, "a", "full", true, 0}, // another one
		{Least / 2, "a", "down", false, 0},  // which alternates
		{Least / 2, "a", "down", true, 1},
		{0, "a", "down", false, 0},
	} {
		at = at.Add(step.after)
		if repeats, say := b.Again(step.about, step.text, at); say != step.say || repeats != step.repeats {
			t.Errorf("step %d: said %v after %d repeats, want %v after %d", i, say, repeats, step.say, step.repeats)
		}
	}
}

func TestWhatIsRememberedIsBounded(t *testing.T) {
	var b Book
	for i := range 10 * most {
		if _, say := b.Again(strconv.Itoa(i), "down", time.Unix(0, 0)); !say {
			t.Fatalf("%d was not said", i)
		}
		if len(b.old) > most {
			t.Fatalf("%d are remembered", len(b.old))
		}
	}
}
