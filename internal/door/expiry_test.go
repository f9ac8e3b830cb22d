package door

import (
	"testing"
	"time"
)

func TestTokenWhoseEndIsBeyondNanosecondsIsForEver(t *testing.T) {
	for unix, want := range map[int64]int64{
		-5: 0, 0: 0, 1: int64(time.Second), 9_999_999_999: 0, 1 << 60: 0, 9_223_372_036: 9_223_372_036 * int64(time.Second),
	} {
		if got := expiry(time.Unix(unix, 0)); got != want {
			t.Errorf("%d: %d, want %d", unix, got, want)
		}
	}
}
