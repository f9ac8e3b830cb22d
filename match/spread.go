package match

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// cells is how many a spread has: the last begins at a minute.
const cells = 192

// spread counts durations by their length, in microseconds: exactly below 8, from there on in cells an eighth of a power of
// two wide, so that what is read of it is at most an eighth too long. Any goroutine may add.
type spread [cells]atomic.Uint32

// add counts a duration.
func (s *spread) add(d time.Duration) { s[cellOf(d)].Add(1) }

// cellOf is where a duration is counted.
func cellOf(d time.Duration) int {
	us := uint64(max(0, d.Microseconds()))
	if us < 8 {
		return int(us)
	}
	e := bits.Len64(us) - 4                   // us>>e is 8 to 15
	return min((e+1)*8+int(us>>e)-8, cells-1) //nolint:gosec // below 16
}

// longestIn is the longest duration that is counted in a cell.
func longestIn(cell int) time.Duration {
	us := int64(cell)
	if e := cell/8 - 1; e >= 0 {
		us = int64(8+cell%8+1)<<e - 1
	}
	return time.Duration(us) * time.Microsecond
}

// spreadWindow is over how many measurements quantiles are taken.
const spreadWindow = 5

// lately tells quantiles of the last measurements' durations. It belongs to one goroutine.
type lately struct {
	sums [spreadWindow][cells]uint32 // what the spread had then, the oldest at next
	next int
}

// quantiles returns what half of the durations since spreadWindow calls ago did not exceed, and what 99 in 100 did not; 0
// where there were none. Counts may overflow: differences count.
func (l *lately) quantiles(s *spread) (p50, p99 time.Duration) {
	var counts [cells]uint32
	total, before := uint64(0), &l.sums[l.next]
	for i := range s {
		now := s[i].Load()
		counts[i], before[i] = now-before[i], now
		total += uint64(counts[i])
	}
	l.next = (l.next + 1) % spreadWindow
	return quantile(&counts, total, 50), quantile(&counts, total, 99)
}

// quantile returns what so many in a hundred of the counted durations did not exceed.
func quantile(counts *[cells]uint32, total, percent uint64) time.Duration {
	seen, wanted := uint64(0), (total*percent+99)/100
	for i, n := range counts {
		if seen += uint64(n); n > 0 && seen >= wanted {
			return longestIn(i)
		}
	}
	return 0
}
