package main

import (
	"bytes"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"muster/cmd"
	"muster/games/arena"
	"muster/internal/needs"
)

// serveVar is the variable by which this test's program becomes the server.
const serveVar = "MUSTER_LOBBYBENCH_SERVE"

func TestMain(m *testing.M) {
	if os.Getenv(serveVar) != "" {
		cmd.Main(cmd.Game{Game: arena.Game, Bot: arena.Bot})
		return
	}
	goleak.VerifyTestMain(m)
}

func TestSmallRunMatchesAndAnswersAllItsTickets(t *testing.T) {
	needs.Program(t, "redis-server")
	needs.File(t, "/proc/self/stat", "Linux")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(serveVar, "1")
	o := options{Rate: 100, Waiting: 45, Warm: 200 * time.Millisecond, For: time.Second, Knot: 9, Seed: 1, Serve: []string{self}}
	r, err := run(t.Context(), o, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := r.write(&out); err != nil {
		t.Fatal(err)
	}
	matches, odd := r.sizes()
	if len(r.failures) > 0 || r.made == 0 || r.waits.TotalCount() != int64(r.made) || matches == 0 || len(odd) > 0 {
		t.Errorf("%d created, %d answered:\n%s", r.made, r.waits.TotalCount(), out.String())
	}
	if r.load.commands == 0 || r.load.mem["server"] == 0 || r.load.took < o.For/2 {
		t.Errorf("nothing was measured: %+v", r.load)
	}
}
