package faults

import (
	"testing"

	"go.uber.org/goleak"

	"muster/internal/testprocess"
)

func TestMain(m *testing.M) {
	if role := testprocess.Role(); role != "" {
		play(role)
		return
	}
	goleak.VerifyTestMain(m)
}
