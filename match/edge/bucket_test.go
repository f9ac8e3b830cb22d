package edge

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Whatever is asked for and when: no more is given than the burst and what the rate allows, and after a long pause the
// whole burst is there again.
func TestBucketGivesItsRateAndBurst(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.Float64Range(1, 1000).Draw(t, "rate")
		burst := rapid.Float64Range(1, 1000).Draw(t, "burst")
		b := newBucket(rate, burst)
		var now time.Duration
		taken := 0.0
		for range 200 {
			now += time.Duration(rapid.IntRange(0, int(time.Second)).Draw(t, "pause"))
			n := rapid.Float64Range(0, 1.2*burst).Draw(t, "n")
			allowed := burst + now.Seconds()*rate - taken
			if b.take(n, now) {
				if n > allowed+1e-6 {
					t.Fatalf("%v were given when at most %v were left", n, allowed)
				}
				taken += n
			}
			if b.left < 0 || b.left > burst {
				t.Fatalf("%v are left of %v", b.left, burst)
			}
		}
		now += time.Duration(burst/rate*float64(time.Second)) + time.Second
		if !b.take(burst, now) {
			t.Fatal("the whole burst is not there after a long pause")
		}
	})
}
