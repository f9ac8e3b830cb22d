package client

import (
	"testing"
	"time"
)

// One pass of a game loop with a small state: a frame applied, an input sent (without the socket) and predicted, all of it
// shown.
func BenchmarkGameLoop(b *testing.B) {
	n, c, fc := shown(b, Options{PingEvery: time.Hour})
	pass := passes(b, n, c, fc, b.N)
	c.cause = &CloseError{}
	defer func() { c.cause = nil }()
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		pass()
	}
}
