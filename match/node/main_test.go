package node_test

import (
	"flag"
	"testing"

	"go.uber.org/goleak"

	"muster/match/journal/journaltest"
)

func TestMain(m *testing.M) {
	_ = flag.Set("rapid.checks", "10") // unless the command line says more: each is a deployment's life
	journaltest.Warm()
	goleak.VerifyTestMain(m)
}
