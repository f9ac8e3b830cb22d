package node_test

import (
	"flag"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	_ = flag.Set("rapid.checks", "10") // unless the command line says more: each is a deployment's life
	goleak.VerifyTestMain(m)
}
