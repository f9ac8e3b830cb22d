package loadtest

import (
	"math"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Report is what a run measured. Its JSON keys are stable; times are in milliseconds unless their key ends in _s.
type Report struct {
	URL      string  `json:"url"`
	Game     string  `json:"game"`
	Queue    string  `json:"queue"`
	Seconds  float64 `json:"measured_s"` // how long was measured
	JoinTime float64 `json:"join_s"`     // from the first start until the last bot had joined or failed
	Bots     Bots    `json:"bots"`

	FPS      Spread  `json:"fps"`               // frames a second, by bot
	Gap      Times   `json:"gap_ms"`            // between frames
	Ack      Times   `json:"ack_ms"`            // from an input to the frame that contains it
	RTT      Times   `json:"rtt_ms"`            // of pings
	BytesIn  float64 `json:"bytes_per_bot"`     // received, a second, mean of the bots
	BytesOut float64 `json:"bytes_out_per_bot"` // sent, a second, mean of the bots

	Inputs         int64 `json:"inputs"`
	Unacked        int64 `json:"unacked"` // inputs without an acknowledgement at the end, older than a second
	DecodeErrors   int64 `json:"decode_errors"`
	HashMismatches int64 `json:"hash_mismatches"`
	Resyncs        int64 `json:"resyncs"`
	Resumes        int64 `json:"resumes"`

	Closes     []Count      `json:"closes"` // how sockets ended, by close code
	Errors     []ErrorKind  `json:"errors"` // by kind, with the first of each
	ErrorCount int64        `json:"error_count"`
	Gates      []GateResult `json:"gates"`
}

// Bots says how far the bots came.
type Bots struct {
	Wanted  int `json:"wanted"`
	Joined  int `json:"joined"`
	Failed  int `json:"failed"`  // never had a seat
	Matches int `json:"matches"` // played by all bots together
}

// Spread sums up one figure of many bots.
type Spread struct {
	Count int64   `json:"count"`
	Min   float64 `json:"min"`
	P50   float64 `json:"p50"`
	Mean  float64 `json:"mean"`
}

// Times sums up a histogram, in milliseconds.
type Times struct {
	Count int64   `json:"count"`
	P50   float64 `json:"p50"`
	P99   float64 `json:"p99"`
	Max   float64 `json:"max"`
}

// Count is how often something happened.
type Count struct {
	Name  string `json:"name"`
	Count int64  `json:"count"`
}

// ErrorKind is how often one kind of error happened, and the text of the first.
type ErrorKind struct {
	Kind  string `json:"kind"`
	Count int64  `json:"count"`
	First string `json:"first"`
}

// Pass says whether every gate passed.
func (r *Report) Pass() bool {
	return !slices.ContainsFunc(r.Gates, func(g GateResult) bool { return !g.Pass })
}

// spread sums values up, which it sorts.
func spread(values []float64) Spread {
	if len(values) == 0 {
		return Spread{}
	}
	slices.Sort(values)
	var sum float64
	for _, v := range values {
		sum += v
	}
	n := len(values)
	return Spread{
		Count: int64(n), Min: round(values[0]), P50: round(values[(n-1)/2]), Mean: round(sum / float64(n)),
	}
}

// times sums a histogram of microseconds up.
func times(h *hdrhistogram.Histogram) Times {
	if h.TotalCount() == 0 {
		return Times{}
	}
	ms := func(us int64) float64 { return round(float64(us) / 1000) }
	return Times{
		Count: h.TotalCount(), P50: ms(h.ValueAtQuantile(50)), P99: ms(h.ValueAtQuantile(99)), Max: ms(h.Max()),
	}
}

// round keeps three digits after the point, which is more than is meant.
func round(v float64) float64 { return math.Round(v*1000) / 1000 }

func seconds(d time.Duration) float64 { return round(d.Seconds()) }
