package lobby

import "context"

// maxCreating is how many requests that make something new a process works at, at a time. Each asks Redis several times; of
// those beyond it none would be answered sooner if it were let in, and those who wait, cancel or accept would wait for them.
const maxCreating = 1024

// creating works at requests that make something new, as many as may be under way; others are told to come again, whole
// bodies read, so that nobody holds a place by sending slowly. What players do about what is there is never refused by it.
func creating[I, O any](l *Lobby, do func(context.Context, *I) (*O, error)) func(context.Context, *I) (*O, error) {
	return func(ctx context.Context, in *I) (*O, error) {
		select {
		case l.creating <- struct{}{}:
		default:
			l.metrics.overloaded.Inc()
			return nil, later("the lobby has too much to do for anything new", "1")
		}
		l.metrics.creating.Inc()
		defer func() {
			l.metrics.creating.Dec()
			<-l.creating
		}()
		return do(ctx, in)
	}
}
