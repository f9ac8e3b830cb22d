package faults

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// roleVar is the variable by which this test's program becomes a server: a fault that ends or spoils a process needs one
// of its own.
const roleVar = "MUSTER_FAULTS_ROLE"

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVar); role != "" {
		play(role)
		return
	}
	goleak.VerifyTestMain(m)
}
