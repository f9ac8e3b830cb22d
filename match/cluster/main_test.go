package cluster_test

import (
	"flag"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	_ = flag.Set("rapid.checks", "25") // unless the command line says more: scripts on the embedded Redis take their time
	goleak.VerifyTestMain(m)
}
