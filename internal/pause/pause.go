// Package pause waits for a time that a context can cut short. It never waits for anything else.
package pause

import (
	"context"
	"time"
)

// For waits for d, not at all where it is not positive, and returns ctx's error where that ended first. Any goroutine may
// call it.
func For(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
