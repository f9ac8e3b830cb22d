package pause

import (
	"context"
	"iter"
	"time"
)

// Looks gives the time, about every so often until ctx is done, to who looks after others' time. late says that this look comes
// more than two intervals late, as after the whole process was stopped: who is looked at had no time, either, and what is
// counted of it begins anew. The first one is after one interval.
func Looks(ctx context.Context, every time.Duration) iter.Seq2[time.Time, bool] {
	return func(yield func(now time.Time, late bool) bool) {
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		before := time.Now()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			now := time.Now()
			late := now.Sub(before) > 3*every
			before = now
			if !yield(now, late) {
				return
			}
		}
	}
}
