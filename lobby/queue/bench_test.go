package queue

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"
)

// busy are the rules of the benchmarks: 5 against 5, three regions, a rating window and a latency that widen.
func busy(tb testing.TB) Rules {
	return valid(tb, Rules{
		Teams: 2, TeamSize: 5, MaxWait: 5 * time.Minute,
		Rating:  []Step{{Within: 100}, {After: 10 * time.Second, Within: 200}, {After: 30 * time.Second, Within: 400}},
		Regions: []string{"ap", "eu", "us"},
		Latency: []Step{{Within: 80}, {After: 15 * time.Second, Within: 150}},
	})
}

// crowd makes tickets whose ratings lie about 1500, so much apart, with parties of 1 to 5.
type crowd struct {
	rng   *rand.Rand
	apart float64
	n     int
}

func (c *crowd) ticket(created time.Time) *Ticket {
	c.n++
	t := &Ticket{ID: fmt.Sprintf("ticket-%016d", c.n), Created: created}
	size := [...]int{1, 1, 1, 1, 1, 1, 2, 2, 3, 4, 5}[c.rng.IntN(11)]
	home, skill := c.rng.IntN(3), 1500+c.apart*c.rng.NormFloat64()
	for i := range size {
		p := Player{ID: fmt.Sprintf("player-%014d-%d", c.n, i), Rating: skill + 50*c.rng.NormFloat64(), Deviation: 80}
		p.Latency = make(map[string]float64, 3)
		for k, region := range [...]string{"ap", "eu", "us"} {
			p.Latency[region] = float64(20 + c.rng.IntN(50) + 60*((k-home+3)%3))
		}
		t.Players = append(t.Players, p)
	}
	return t
}

var sizes = []int{1_000, 10_000, 100_000, 1_000_000}

func eachSize(b *testing.B, run func(b *testing.B, n int)) {
	for _, n := range sizes {
		b.Run(fmt.Sprintf("%dk", n/1000), func(b *testing.B) {
			if n > 100_000 && testing.Short() {
				b.Skip("too many for a short run")
			}
			run(b, n)
		})
	}
}

// BenchmarkCycleFull is the first cycle over a pool in which nearly everybody finds a match.
func BenchmarkCycleFull(b *testing.B) {
	r := busy(b)
	eachSize(b, func(b *testing.B, n int) {
		var matches, left, bytes int
		b.ReportAllocs()
		for b.Loop() {
			b.StopTimer()
			before := heap()
			p := NewPool(&r)
			c := &crowd{rng: rand.New(rand.NewPCG(1, 2)), apart: 350}
			for p.Len() < n {
				p.Put(c.ticket(noon.Add(-time.Duration(c.rng.IntN(30_000)) * time.Millisecond)))
			}
			p.settle()
			bytes = (heap() - before) / n
			b.StartTimer()
			matches = len(p.Match(nil, noon).Assignments)
			left = p.Len()
		}
		b.ReportMetric(float64(matches), "matches")
		b.ReportMetric(float64(left), "left")
		b.ReportMetric(float64(bytes), "bytes/ticket")
	})
}

// BenchmarkCycleOnePercent is a cycle one second after the last, over a pool in which few find a match, and in which one
// in a hundred tickets left and was followed by another. The ratings lie so far apart that few meet.
func BenchmarkCycleOnePercent(b *testing.B) {
	r := busy(b)
	eachSize(b, func(b *testing.B, n int) {
		c := &crowd{rng: rand.New(rand.NewPCG(1, 2)), apart: 100 * float64(n)}
		now := noon
		p := NewPool(&r)
		fill := func(age int) {
			for p.Len() < n {
				p.Put(c.ticket(now.Add(-time.Duration(c.rng.IntN(age)) * time.Millisecond)))
			}
		}
		for range min(8, 1_000_000/n) {
			fill(300_000)
			p.Match(nil, now)
		}
		fill(300_000)
		p.Match(nil, now)
		matches, cycles := 0, 0
		b.ReportAllocs()
		for b.Loop() {
			b.StopTimer()
			now = now.Add(time.Second)
			for i := 0; i < n/100; i++ {
				if e := p.order[c.rng.IntN(len(p.order))]; !e.gone {
					p.Remove(e.t.ID)
				}
			}
			fill(1000)
			b.StartTimer()
			matches += len(p.Match(nil, now).Assignments)
			cycles++
		}
		b.ReportMetric(float64(matches)/float64(cycles), "matches")
		b.ReportMetric(float64(p.Len()), "left")
	})
}

func heap() int {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}
