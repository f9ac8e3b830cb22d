package e2e

import (
	"testing"

	"muster/internal/testport"
	"muster/internal/testprocess"
)

func TestAMatchIsWatchedLiveAndThenAsAReplay(t *testing.T) {
	ofPages(t)
	play(t, "watch.mjs", serve(t, build(t)), shots(t))
}

func TestAMatchOfAnyGameIsWatchedAsTables(t *testing.T) {
	ofPages(t)
	play(t, "watch-tables.mjs", serve(t, build(t)), shots(t))
}

// Who comes to a match that is shown late is told how long it takes.
func TestAMatchIsWatchedLiveOnceItsDelayIsCountedDown(t *testing.T) {
	ofPages(t)
	addr := testport.Held(t)
	testprocess.Start(t, "later", []string{"serve", "--listen", addr}, "XDG_CONFIG_HOME="+t.TempDir()).After(t, "lobby ")
	play(t, "watch-late.mjs", "http://"+addr, shots(t))
}
