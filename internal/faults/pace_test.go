package faults

import (
	"sync/atomic"
	"testing"
	"time"

	"muster/internal/pause"
	"muster/internal/race"
)

// pace is how late the machine is: what a test may take besides what the documentation says. On a quiet machine it is next to
// nothing.
type pace struct{ late atomic.Int64 }

// measure measures it until the test's end.
func measure(t *testing.T) *pace {
	t.Helper()
	p, ended := &pace{}, make(chan struct{})
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

// since begins a stretch, and returns how long it takes so far without what the machine was late by.
func (p *pace) since(began time.Time) func() time.Duration {
	before := p.late.Load()
	return func() time.Duration { return time.Since(began) - time.Duration(p.late.Load()-before) }
}

// bound is a time that something may take; several times as long under the race detector, beside other tests.
func bound(quiet time.Duration) time.Duration {
	if race.Enabled {
		return 4 * quiet
	}
	return quiet
}
