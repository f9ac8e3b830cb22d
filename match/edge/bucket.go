package edge

import "time"

// bucket bounds a rate: rate units a second, and at most burst at once. One goroutine uses it, with a clock of its own:
// it costs neither a lock nor a look at the time.
type bucket struct {
	rate, burst float64
	left        float64
	at          time.Duration // of the clock, when left was right
}

func newBucket(rate, burst float64) bucket { return bucket{rate: rate, burst: burst, left: burst} }

// take takes n units, all or none.
func (b *bucket) take(n float64, now time.Duration) bool {
	if now > b.at {
		b.left = min(b.burst, b.left+(now-b.at).Seconds()*b.rate)
		b.at = now
	}
	if b.left < n {
		return false
	}
	b.left -= n
	return true
}
