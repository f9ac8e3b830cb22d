//go:build race

// Package race says whether the race detector is on: it makes sync.Pool forget at random, so tests that count
// allocations have nothing to count.
package race

// Enabled says that the race detector is on.
const Enabled = true
