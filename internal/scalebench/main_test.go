package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"muster/cmd"
	"muster/internal/needs"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "serve" { // a server of the benchmark
		plain, kept := games()
		cmd.Main(cmd.Game{Game: plain}, cmd.Game{Game: kept})
		return
	}
	goleak.VerifyTestMain(m)
}

// small is a run that shows that everything works, and no figures.
func small(t *testing.T) *options {
	t.Helper()
	needs.Program(t, "redis-server")
	needs.File(t, "/proc/self/stat", "Linux")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	o := &options{Window: 300 * time.Millisecond, Rooms: 2, Each: 2, Turns: 1, Settle: 100 * time.Millisecond, Self: self, Dir: t.TempDir(), Err: io.Discard, Most: 150}
	if err := os.WriteFile(filepath.Join(o.Dir, "key"), []byte(secret), 0o600); err != nil {
		t.Fatal(err)
	}
	return o
}

func TestRoomsAreMeasuredWithAndWithoutJournals(t *testing.T) {
	text, err := measureRooms(t.Context(), small(t))
	if err != nil || !strings.Contains(text, "| server: µs of CPU for a player and tick") || strings.Contains(text, "NaN") {
		t.Errorf("%s\n%v", text, err)
	}
}

func TestBridgedPlayersAreMeasuredBesideDirectOnes(t *testing.T) {
	text, err := measureBridge(t.Context(), small(t))
	if err != nil || strings.Count(text, "| a command until its frame, p50, ms |") != 2 || !strings.Contains(text, "20 rooms with a journal") {
		t.Errorf("%s\n%v", text, err)
	}
}

func TestJournalsAreRampedUp(t *testing.T) {
	text, err := measureJournals(t.Context(), small(t))
	if err != nil || !strings.Contains(text, "| 100 |") || !strings.Contains(text, "The end:") {
		t.Errorf("%s\n%v", text, err)
	}
}

func TestLinksAreRampedUpOnOneRedisAndOnACluster(t *testing.T) {
	text, err := measureLinks(t.Context(), small(t))
	if err != nil || strings.Count(text, "| 200 |") != 2 || strings.Count(text, "The end:") != 2 {
		t.Errorf("%s\n%v", text, err)
	}
}

func TestPageHasAPlaceForEachPart(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "SCALING.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range partNames() {
		begin, end := marks(p)
		_, rest, ok := strings.Cut(string(page), begin)
		if _, _, ok2 := strings.Cut(rest, end); !ok || !ok2 {
			t.Errorf("docs/SCALING.md has no place for %s", p)
		}
	}
}
