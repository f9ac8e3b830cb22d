package lobby

import (
	"math"
	"testing"
	"time"
)

// A room that was taken over shows nothing for as long as its delay, whatever clocks say of it.
func TestAnEpochSaysWhenThoseWhoWatchAreShownSomething(t *testing.T) {
	now := time.UnixMilli(1_700_000_000_000)
	for name, c := range map[string]struct {
		epoch uint64
		want  time.Duration
	}{
		"just now":               {1_700_000_000_000, time.Minute},
		"a while ago":            {1_700_000_000_000 - 45_000, 15 * time.Second},
		"long ago":               {1_600_000_000_000, 0},
		"never":                  {0, 0},
		"by a clock that is off": {1_700_000_005_000, time.Minute},
		"by none":                {math.MaxUint64, time.Minute},
	} {
		if got := shownIn(c.epoch, time.Minute, now); got != c.want {
			t.Errorf("taken over %s: shown in %v, want %v", name, got, c.want)
		}
	}
	if got := shownIn(1_700_000_000_000, 0, now); got != 0 {
		t.Errorf("without a delay: shown in %v", got)
	}
}
