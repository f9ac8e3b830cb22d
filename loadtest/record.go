package loadtest

import (
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"muster/client"
)

const (
	histogramMost   = int64(10 * time.Minute / time.Microsecond) // larger values count as this
	histogramDigits = 3
	unackedAge      = time.Second // a younger input may just be on its way
)

// recorder holds what all bots measure together. Any goroutine may use it.
type recorder struct {
	base time.Time
	// The window that is measured, in nanoseconds since base.
	from, to atomic.Int64

	// For the progress line: of the whole run, window or not.
	frames, bytes  atomic.Int64
	joined, failed atomic.Int64
	errCount       atomic.Int64

	mu            sync.Mutex
	gap, ack, rtt *hdrhistogram.Histogram // microseconds
	unacked       int64
	stats         client.Stats
	matches       int
	closes        map[string]int64
	errors        map[string]*ErrorKind
	fps, in, out  []float64 // by bot
}

func newRecorder() *recorder {
	histogram := func() *hdrhistogram.Histogram { return hdrhistogram.New(1, histogramMost, histogramDigits) }
	r := &recorder{
		base: time.Now(), gap: histogram(), ack: histogram(), rtt: histogram(),
		closes: map[string]int64{}, errors: map[string]*ErrorKind{},
	}
	r.from.Store(math.MaxInt64)
	r.to.Store(math.MaxInt64)
	return r
}

func (r *recorder) begin(at time.Time) { r.from.Store(int64(at.Sub(r.base))) }
func (r *recorder) finish(at time.Time) {
	r.to.Store(int64(at.Sub(r.base)))
}

// measures says whether at is within the window.
func (r *recorder) measures(at time.Time) bool {
	t := int64(at.Sub(r.base))
	return t >= r.from.Load() && t < r.to.Load()
}

// overlap returns how much of a span is within the window.
func (r *recorder) overlap(from, to time.Time) time.Duration {
	a, b := max(int64(from.Sub(r.base)), r.from.Load()), min(int64(to.Sub(r.base)), r.to.Load())
	return time.Duration(max(0, b-a))
}

func (r *recorder) record(h *hdrhistogram.Histogram, d time.Duration) {
	us := min(max(1, d.Microseconds()), histogramMost)
	r.mu.Lock()
	_ = h.RecordValue(us) // in range by the line above
	r.mu.Unlock()
}

// fail notes an error.
func (r *recorder) fail(err error) {
	kind := errorKind(err)
	r.errCount.Add(1)
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.errors[kind]
	if e == nil {
		e = &ErrorKind{Kind: kind, First: err.Error()}
		r.errors[kind] = e
	}
	e.Count++
}

// closed notes how a socket ended and what its connection counted.
func (r *recorder) closed(how string, s client.Stats) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closes[how]++
	r.matches++
	r.stats.InputsSent += s.InputsSent
	r.stats.DecodeErrors += s.DecodeErrors
	r.stats.HashMismatches += s.HashMismatches
	r.stats.Resyncs += s.Resyncs
	r.stats.Resumes += s.Resumes
}

// bot adds one bot's figures; active is how long it was in a match within the window.
func (r *recorder) bot(frames, in, out int64, active time.Duration) {
	s := active.Seconds()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fps = append(r.fps, float64(frames)/s)
	r.in = append(r.in, float64(in)/s)
	r.out = append(r.out, float64(out)/s)
}

// report sums everything up. All bots have ended.
func (r *recorder) report() *Report {
	r.mu.Lock()
	defer r.mu.Unlock()
	rep := &Report{
		Bots: Bots{Joined: int(r.joined.Load()), Failed: int(r.failed.Load()), Matches: r.matches},
		FPS:  spread(r.fps), Gap: times(r.gap), Ack: times(r.ack), RTT: times(r.rtt),
		BytesIn: spread(r.in).Mean, BytesOut: spread(r.out).Mean,
		Inputs: r.stats.InputsSent, Unacked: r.unacked,
		DecodeErrors: r.stats.DecodeErrors, HashMismatches: r.stats.HashMismatches,
		Resyncs: r.stats.Resyncs, Resumes: r.stats.Resumes,
		Closes: []Count{}, Errors: []ErrorKind{}, Gates: []GateResult{},
	}
	for name, n := range r.closes {
		rep.Closes = append(rep.Closes, Count{name, n})
	}
	slices.SortFunc(rep.Closes, func(a, b Count) int { return strings.Compare(a.Name, b.Name) })
	rep.ErrorCount = rep.DecodeErrors + rep.HashMismatches
	for _, e := range r.errors {
		rep.Errors = append(rep.Errors, *e)
		rep.ErrorCount += e.Count
	}
	slices.SortFunc(rep.Errors, func(a, b ErrorKind) int { return strings.Compare(a.Kind, b.Kind) })
	return rep
}
