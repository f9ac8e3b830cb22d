package match

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestQuantilesAreThoseOfTheSortedDurationsToAnEighth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s spread
		var l lately
		list := rapid.SliceOfN(rapid.Int64Range(0, 70_000_000), 1, 300).Draw(t, "microseconds")
		for _, us := range list {
			s.add(time.Duration(us) * time.Microsecond)
		}
		slices.Sort(list)
		p50, p99 := l.quantiles(&s)
		for percent, got := range map[int]time.Duration{50: p50, 99: p99} {
			exact := time.Duration(list[(len(list)*percent+99)/100-1]) * time.Microsecond
			if got < min(exact, time.Minute) || got > exact+exact/8+time.Microsecond {
				t.Fatalf("of %v the quantile of %d in 100 is %v, want %v to an eighth", list, percent, got, exact)
			}
		}
	})
}

func TestQuantilesForgetWhatIsFiveMeasurementsOld(t *testing.T) {
	var s spread
	var l lately
	s.add(time.Second)
	for i := range 2 * spreadWindow {
		p50, p99 := l.quantiles(&s)
		if i < spreadWindow && (p50 < time.Second || p99 < time.Second) || i >= spreadWindow && (p50 != 0 || p99 != 0) {
			t.Fatalf("at measurement %d they are %v and %v", i, p50, p99)
		}
	}
	s.add(5 * time.Microsecond)
	if p50, p99 := l.quantiles(&s); p50 != 5*time.Microsecond || p99 != p50 {
		t.Errorf("of one duration of 5 µs they are %v and %v", p50, p99)
	}
}

func TestCountingATickAllocatesNothing(t *testing.T) {
	var s spread
	var l lately
	if n := testing.AllocsPerRun(100, func() { s.add(time.Millisecond); l.quantiles(&s) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
