// Package testmetric reads metrics in tests.
package testmetric

import (
	"slices"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// Value returns a counter or gauge: the sum of those with all these labels, NAME=VALUE. The test ends where there is none.
func Value(t testing.TB, from prometheus.Gatherer, name string, labels ...string) float64 {
	t.Helper()
	sum, n := read(t, from, name, labels)
	if n == 0 {
		t.Fatalf("there is no metric %s%v", name, labels)
	}
	return sum
}

// Sum is Value, and 0 where there is none, as of labels that nothing has been counted for yet.
func Sum(t testing.TB, from prometheus.Gatherer, name string, labels ...string) float64 {
	t.Helper()
	sum, _ := read(t, from, name, labels)
	return sum
}

// read sums up, and says how many there are.
func read(t testing.TB, from prometheus.Gatherer, name string, labels []string) (sum float64, n int) {
	t.Helper()
	families, err := from.Gather()
	if err != nil {
		t.Fatalf("reading metrics: %v", err)
	}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			has := make([]string, 0, len(m.GetLabel()))
			for _, l := range m.GetLabel() {
				has = append(has, l.GetName()+"="+l.GetValue())
			}
			if !slices.ContainsFunc(labels, func(l string) bool { return !slices.Contains(has, l) }) {
				sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
				n++
			}
		}
	}
	return sum, n
}
