// Package testpace tells how late the machine is that a test runs on, for tests that hold times of the documentation: what
// the machine itself is late by does not count. It never excuses what the product does.
package testpace

import (
	"sync/atomic"
	"testing"
	"time"

	"muster/internal/pause"
	"muster/internal/race"
)

// Pace is how late the machine is: on a quiet one next to nothing. Any goroutine may use it.
type Pace struct{ late atomic.Int64 }

// Measure measures until the test's end.
func Measure(t testing.TB) *Pace {
	t.Helper()
	p, ended := &Pace{}, make(chan struct{})
	go func() {
		defer close(ended)
		const nap = 5 * time.Millisecond
		for before := time.Now(); pause.For(t.Context(), nap) == nil; {
			now := time.Now()
			if over := now.Sub(before) - nap; over > nap {
				p.late.Add(int64(over))
			}
			before = now
		}
	}()
	t.Cleanup(func() { <-ended }) // its context ends before
	return p
}

// Late is by how much the machine was late so far.
func (p *Pace) Late() time.Duration { return time.Duration(p.late.Load()) }

// Since begins a stretch, and returns how long it takes so far without what the machine was late by.
func (p *Pace) Since(began time.Time) func() time.Duration {
	before := p.Late()
	return func() time.Duration { return time.Since(began) - (p.Late() - before) }
}

// Bound is a time that something may take; several times as long under the race detector, beside other tests.
func Bound(quiet time.Duration) time.Duration {
	if race.Enabled {
		return 4 * quiet
	}
	return quiet
}
