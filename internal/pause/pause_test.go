package pause_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"muster/internal/pause"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestForWaitsAsLongAsItIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, d := range []time.Duration{-time.Second, 0, time.Millisecond, time.Hour} {
			began := time.Now()
			if err := pause.For(t.Context(), d); err != nil {
				t.Error(err)
			}
			if took := time.Since(began); took != max(d, 0) {
				t.Errorf("%v took %v", d, took)
			}
		}
	})
}

func TestForEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		if err := pause.For(ctx, time.Hour); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		if err := pause.For(ctx, 0); err == nil {
			t.Error("a context that has ended counts for nothing where there is nothing to wait for")
		}
	})
}
