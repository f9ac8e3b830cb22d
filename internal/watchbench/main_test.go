package main

import (
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"muster/cmd"
	"muster/games/arena"
	"muster/internal/needs"
)

func TestMain(m *testing.M) {
	switch {
	case len(os.Args) > 1 && os.Args[1] == "serve": // the server of the benchmark
		cmd.Main(cmd.Game{Game: arena.Game, Bot: arena.Bot})
		return
	case len(os.Args) > 1 && os.Args[1] == "crowd":
		exit(crowd(os.Args[2:], os.Stdout))
		return
	}
	goleak.VerifyTestMain(m)
}

// It shows that 500 watch a match over real sockets and are sent it; the figures are of no use.
func TestFiveHundredWatchAMatchAndAreMeasured(t *testing.T) {
	needs.File(t, "/proc/self/stat", "Linux")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	o := &options{Watch: 500, Slow: 10, Rooms: 1, Window: time.Second, Settle: 500 * time.Millisecond, Self: self, Err: io.Discard}
	s, err := newStage(t.Context(), withDir(t, o))
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	text, err := s.measure(t.Context())
	if err != nil || !strings.Contains(text, "500 watch") || strings.Contains(text, "NaN") || strings.Contains(text, "Inf") {
		t.Fatalf("%s\n%v", text, err)
	}
	m, err := s.metrics(t.Context())
	if err != nil || m["muster_spectators"] < 495 || m["muster_spectator_writes_total"] < 1000 {
		t.Errorf("%v watch, %v writes, %v\n%s", m["muster_spectators"], m["muster_spectator_writes_total"], err, text)
	}
	if n := m[`muster_closes_total{code="slow_reader"}`]; n > 0 {
		t.Errorf("%v were closed", n)
	}
}

// withDir gives the benchmark a directory and its key.
func withDir(t *testing.T, o *options) *options {
	t.Helper()
	o.Dir = t.TempDir()
	if err := o.writeKey(); err != nil {
		t.Fatal(err)
	}
	return o
}
