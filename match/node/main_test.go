package node_test

import (
	"bytes"
	"flag"
	"testing"

	"go.uber.org/goleak"

	"muster/match/journal"
)

func TestMain(m *testing.M) {
	_ = flag.Set("rapid.checks", "10") // unless the command line says more: each is a deployment's life
	// The compressor makes its channels at its first use, and a bubble may not use those of another.
	var b bytes.Buffer
	w, err := journal.NewWriter(&b, journal.Header{Room: "r", Game: "g"})
	if err == nil {
		err = w.Close()
	}
	if err == nil {
		_, err = journal.NewReader(bytes.NewReader(b.Bytes()))
	}
	if err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}
