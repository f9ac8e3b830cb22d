package testpace

import (
	"testing"
	"testing/synctest"
	"time"

	"muster/internal/pause"
)

func TestAStretchIsAsLongAsItTakesWithoutWhatTheMachineIsLateBy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := Measure(t)
		quietly := p.Since(time.Now())
		_ = pause.For(t.Context(), time.Second)
		if took := quietly(); took != time.Second || p.Late() != 0 {
			t.Errorf("a second of an idle machine is %v, late by %v", took, p.Late())
		}
		p.late.Add(int64(300 * time.Millisecond))
		if took := quietly(); took != 700*time.Millisecond {
			t.Errorf("a second of which 300 ms were the machine's is %v", took)
		}
	})
}
