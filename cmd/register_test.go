package cmd

import (
	"testing"
	"time"
)

func TestFlowIsMeasuredOverASecondAtLeast(t *testing.T) {
	var f flow
	at := time.Unix(100, 0)
	for _, step := range []struct {
		after  time.Duration
		total  uint64
		perSec float64
	}{
		{0, 1000, 0}, // since when it grows nobody knows
		{500 * time.Millisecond, 1500, 0},
		{500 * time.Millisecond, 2000, 1000},
		{400 * time.Millisecond, 9000, 1000},
		{1600 * time.Millisecond, 6000, 2000},
	} {
		at = at.Add(step.after)
		if total, perSec := f.look(step.total, at); total != step.total || perSec != step.perSec {
			t.Errorf("at %v: %d, %v a second; want %d, %v", at, total, perSec, step.total, step.perSec)
		}
	}
}
