package cmd

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// trend is a straight line through samples that were taken once a second.
type trend struct {
	slope     float64 // units a second
	low, high float64 // where the true slope is, with 95 % confidence
}

// trendOf fits the line by least squares. Neighbouring samples of a heap are alike, and so say less than as many that are
// not: the interval is widened by what the residuals' autocorrelation says.
func trendOf(y []float64) trend {
	n := float64(len(y))
	if n < 3 {
		return trend{0, math.Inf(-1), math.Inf(1)}
	}
	var sumX, sumY float64
	for i, v := range y {
		sumX += float64(i)
		sumY += v
	}
	meanX, meanY := sumX/n, sumY/n
	var xx, xy float64
	for i, v := range y {
		dx := float64(i) - meanX
		xx += dx * dx
		xy += dx * (v - meanY)
	}
	slope := xy / xx
	var squares, lagged, before float64
	for i, v := range y {
		r := v - meanY - slope*(float64(i)-meanX)
		squares += r * r
		if i > 0 {
			lagged += r * before
		}
		before = r
	}
	rho := 0.0
	if squares > 0 {
		rho = max(0, min(0.9, lagged/squares))
	}
	const two = 2.05 // standard errors, for the 30 samples and more that count
	wide := two * math.Sqrt(squares/(n-2)/xx) * math.Sqrt((1+rho)/(1-rho))
	return trend{slope, slope - wide, slope + wide}
}

func (t trend) String() string {
	return fmt.Sprintf("%.1f (%.1f to %.1f) a second", t.slope, t.low, t.high)
}

func TestTrendFindsALeakInNoiseAndNoneWhereThereIsNone(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	wrong := 0
	for range 200 {
		flat, leaking := make([]float64, 300), make([]float64, 300)
		wave := 0.0
		for i := range flat {
			wave = 0.7*wave + rng.NormFloat64()*50e3 // a heap goes up and down slowly
			flat[i] = 20e6 + wave
			leaking[i] = 20e6 + wave + 1024*float64(i)
		}
		if got := trendOf(flat); got.low > 0 || got.high < 0 {
			wrong++
		}
		if got := trendOf(leaking); got.low <= 0 || got.high < 1024/2 {
			t.Fatalf("a leak of 1 KiB a second is taken for %v", got)
		}
	}
	if wrong > 20 {
		t.Errorf("of 200 heaps that do not grow, %d are said to", wrong)
	}
	if got := trendOf([]float64{5, 5, 5, 5}); got != (trend{0, 0, 0}) {
		t.Errorf("a constant has the trend %v", got)
	}
}
