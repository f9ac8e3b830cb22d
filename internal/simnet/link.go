package simnet

import (
	"math/rand/v2"
	"time"
)

// Link says how bytes travel in one direction. The zero value is at once and without end.
type Link struct {
	// Latency is how long a byte is on its way.
	Latency time.Duration
	// Jitter is added to the latency: a random part of it for each segment. Segments do not overtake each other.
	Jitter time.Duration
	// Loss is the part of the segments that are lost, 0 to 1. As with TCP, one that is lost arrives a while later, 200 ms
	// and a round trip, and holds up those behind it.
	Loss float64
	// Bandwidth is in bytes per second; 0 is unlimited.
	Bandwidth int
	// Buffer is how many bytes may be written and not yet read, as in the send and receive buffers of TCP. A write
	// waits for room. 0 means 64 KiB.
	Buffer int
	// Seed makes the jitter and the losses; equal seeds make equal delays.
	Seed uint64
}

const (
	defaultBuffer = 64 << 10
	retransmit    = 200 * time.Millisecond // the least that Linux waits before it sends again
	segmentSize   = 1400                   // bytes that travel together
)

// segment is a piece of the stream, or its end.
type segment struct {
	at   time.Time // when it arrives
	data []byte
	fin  bool
}

// half is one direction of a connection. The pair's mutex guards it.
type half struct {
	link    Link
	rng     *rand.Rand
	queue   []segment
	used    int       // bytes in queue
	sent    time.Time // when the last segment had left, by the bandwidth
	arrives time.Time // when the last segment arrives

	stalled    bool
	swallow    bool
	writing    bool // a Write is under way; others wait, so that writes stay whole
	readClosed bool // the end that reads this half was closed

	readBy, writeBy time.Time // deadlines; zero is none
}

func newHalf(l Link) half {
	if l.Buffer <= 0 {
		l.Buffer = defaultBuffer
	}
	return half{link: l, rng: rand.New(rand.NewPCG(l.Seed, 0x73696d6e6574))} //nolint:gosec // reproducible on purpose
}

// push sends one segment on its way.
func (h *half) push(now time.Time, data []byte, fin bool) {
	if h.swallow {
		return
	}
	h.sent = later(h.sent, now)
	if h.link.Bandwidth > 0 {
		h.sent = h.sent.Add(time.Duration(len(data)) * time.Second / time.Duration(h.link.Bandwidth))
	}
	at := h.sent.Add(h.link.Latency)
	if h.link.Jitter > 0 {
		at = at.Add(time.Duration(h.rng.Int64N(int64(h.link.Jitter))))
	}
	if h.link.Loss > 0 && h.rng.Float64() < h.link.Loss {
		at = at.Add(retransmit + 2*h.link.Latency)
	}
	h.arrives = later(h.arrives, at)
	h.queue = append(h.queue, segment{h.arrives, data, fin})
	h.used += len(data)
}

// next returns when the next segment can be read; ok is false when none is on its way.
func (h *half) next() (at time.Time, ok bool) {
	if h.stalled || len(h.queue) == 0 {
		return time.Time{}, false
	}
	return h.queue[0].at, true
}

// pull reads what has arrived of the first segment.
func (h *half) pull(b []byte) int {
	s := &h.queue[0]
	n := copy(b, s.data)
	s.data = s.data[n:]
	h.used -= n
	if len(s.data) == 0 {
		h.queue = h.queue[1:]
	}
	return n
}

// drop forgets what is on the way.
func (h *half) drop() { h.queue, h.used = nil, 0 }

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
