package testmetric

import (
	"fmt"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// ending is a test that notes that it would end.
type ending struct {
	testing.TB

	said string
}

func (*ending) Helper() {}

func (e *ending) Fatalf(format string, args ...any) { e.said = fmt.Sprintf(format, args...) }

func TestMetricsAreSummedUpOverTheLabelsThatAreNotNamed(t *testing.T) {
	reg := prometheus.NewRegistry()
	plain := prometheus.NewGauge(prometheus.GaugeOpts{Name: "plain"})
	closes := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "closes"}, []string{"code", "by"})
	none := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "none"}, []string{"code"})
	reg.MustRegister(plain, closes, none)
	plain.Set(-1.5)
	closes.WithLabelValues("lost", "me").Add(2)
	closes.WithLabelValues("lost", "you").Add(3)
	closes.WithLabelValues("left", "me").Add(10)
	for _, c := range []struct {
		name   string
		labels []string
		want   float64
		there  bool
	}{
		{"plain", nil, -1.5, true},
		{"closes", nil, 15, true},
		{"closes", []string{"code=lost"}, 5, true},
		{"closes", []string{"by=me"}, 12, true},
		{"closes", []string{"by=me", "code=lost"}, 2, true},
		{"closes", []string{"code=los"}, 0, false},
		{"closes", []string{"by=lost"}, 0, false},
		{"close", nil, 0, false},
		{"none", nil, 0, false},
	} {
		if got := Sum(t, reg, c.name, c.labels...); got != c.want {
			t.Errorf("%s%v is %v, want %v", c.name, c.labels, got, c.want)
		}
		e := &ending{TB: t}
		if got := Value(e, reg, c.name, c.labels...); got != c.want || (e.said == "") != c.there {
			t.Errorf("%s%v is %v, want %v; it is there: %v, and was told %q", c.name, c.labels, got, c.want, c.there, e.said)
		}
	}
}
