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

func TestLooksComeAtTheirIntervalAndSayWhenOneIsLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		began, n := time.Now(), 0
		for now, late := range pause.Looks(ctx, time.Second) {
			n++
			at := now.Sub(began)
			switch {
			case n <= 3 && (at != time.Duration(n)*time.Second || late):
				t.Errorf("look %d is after %v, late: %v", n, at, late)
			case n == 3:
				time.Sleep(3 * time.Second) // a slow look is none that is late
			case n == 4 && late:
				t.Errorf("look 4 is late after %v", at)
			case n == 4:
				time.Sleep(3*time.Second + time.Millisecond) // as if the process had stood still
			case n == 5 && !late:
				t.Errorf("look 5 is not late after %v", at)
			case n == 6 && late:
				t.Errorf("look 6 is late after %v", at)
			case n == 7:
				cancel()
			}
		}
		if n != 7 {
			t.Errorf("%d looks", n)
		}
		n = 0
		for range pause.Looks(t.Context(), time.Second) { // until nobody wants another one
			if n++; n == 2 {
				break
			}
		}
		if n != 2 {
			t.Errorf("%d looks", n)
		}
	})
}
