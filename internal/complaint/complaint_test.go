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
		{Least / 2, "a", "down", false, 0},
		{Least, "a", "full", false, 0},
		{Least, "a", "gone", true, 3},
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

func TestWhatIsWellAgainIsSaidAnewAtOnce(t *testing.T) {
	var b Book
	at := time.Unix(0, 0)
	if _, was := b.Over("a"); was {
		t.Error("something was said before anything was")
	}
	for range 3 {
		b.Again("a", "down", at)
	}
	if repeats, was := b.Over("a"); !was || repeats != 2 {
		t.Errorf("it was said: %v, after %d repeats, want 2", was, repeats)
	}
	if repeats, say := b.Again("a", "down", at); !say || repeats != 0 {
		t.Errorf("the next outage is said: %v, after %d repeats", say, repeats)
	}
}

func TestTextsWithoutEndAreBounded(t *testing.T) {
	var b Book
	for i := range 10 * mostTexts {
		if _, say := b.Again("a", strconv.Itoa(i), time.Unix(int64(i), 0)); !say || len(b.old["a"].texts) > mostTexts {
			t.Fatalf("%d: said %v, %d are remembered", i, say, len(b.old["a"].texts))
		}
	}
}
