package door

import (
	"math"
	"sync/atomic"
	"time"

	"muster/proto/token"
)

// Expiry is when the token of a socket's player ends; the zero value is never. Any goroutine may use it.
type Expiry struct{ at atomic.Int64 } // in nanoseconds since 1970

// Set sets it. A token without an end has none in its claims, which reads as a time before 1970.
func (e *Expiry) Set(t time.Time) { e.at.Store(expiry(t)) }

func expiry(t time.Time) int64 {
	switch {
	case t.Unix() <= 0:
		return 0
	case t.Unix() > math.MaxInt64/int64(time.Second): // beyond what nanoseconds can say: as good as never
		return 0
	}
	return t.UnixNano()
}

// Left returns how many seconds the token is good for, as messages say it: 0 is for ever, so what has ended has 1.
func (e *Expiry) Left(keys *token.Keys) uint32 {
	ends := e.at.Load()
	if ends == 0 {
		return 0
	}
	seconds := keys.Until(time.Unix(0, ends)) / time.Second
	return uint32(min(max(seconds, 1), math.MaxUint32))
}

// Over says whether the token is no longer good, with the leeway that tokens have when they are verified.
func (e *Expiry) Over(keys *token.Keys) bool {
	ends := e.at.Load()
	return ends != 0 && keys.Until(time.Unix(0, ends)) <= -token.Leeway
}
