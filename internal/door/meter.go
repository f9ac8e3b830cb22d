package door

import (
	"io"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// Bounds of what is read at all of a socket, whatever it is cut into: many empty fragments are no message.
const (
	BytesPerSecond = 256 << 10
	BurstBytes     = 512 << 10 // at once
)

// Meter counts what is read of a socket against its volume, and notes since when a message is under way.
type Meter struct {
	from io.Reader
	base time.Time
	over func()

	// Of the reader's goroutine.
	readAt  time.Duration
	volume  *rate.Limiter
	partial partial

	partialAt atomic.Int64 // since when a message is under way, in nanoseconds since base; 0 when none is
}

// NewMeter returns a Meter whose times count from base. over is called, on the reader's goroutine and for each read,
// while far too many bytes come: 256 KiB a second, or 512 at once.
func NewMeter(base time.Time, over func()) *Meter {
	return &Meter{base: base, over: over, volume: rate.NewLimiter(BytesPerSecond, BurstBytes)}
}

// Read implements io.Reader.
func (m *Meter) Read(b []byte) (int, error) {
	n, err := m.from.Read(b)
	if n == 0 {
		return n, err //nolint:wrapcheck // as the wrapped reader
	}
	m.readAt = time.Since(m.base) // the one look at the clock for all that is read at once
	if !m.volume.AllowN(m.base.Add(m.readAt), n) {
		m.over()
	}
	if under, began := m.partial.feed(b[:n]); !under {
		m.partialAt.Store(0)
	} else if began {
		m.partialAt.Store(int64(m.readAt))
	}
	return n, err //nolint:wrapcheck // as the wrapped reader
}

// At is when bytes were last read, since the base. Only what runs on the reader's goroutine may ask.
func (m *Meter) At() time.Duration { return m.readAt }

// Trickles says whether a message has been under way for too long. Any goroutine may ask.
func (m *Meter) Trickles() bool {
	at := m.partialAt.Load()
	return at != 0 && time.Since(m.base)-time.Duration(at) > PartialFor
}
