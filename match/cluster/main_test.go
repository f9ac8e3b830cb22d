package cluster_test

import (
	"flag"
	"testing"

	"go.uber.org/goleak"

	"muster/match/journal/journaltest"
)

func TestMain(m *testing.M) {
	_ = flag.Set("rapid.checks", "25") // unless the command line says more: scripts on the embedded Redis take their time
	journaltest.Warm()
	goleak.VerifyTestMain(m)
}
