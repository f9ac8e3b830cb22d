package e2e

import "testing"

func TestAMatchIsWatchedLiveAndThenAsAReplay(t *testing.T) {
	ofPages(t)
	play(t, "watch.mjs", serve(t, build(t)), shots(t))
}

func TestAMatchOfAnyGameIsWatchedAsTables(t *testing.T) {
	ofPages(t)
	play(t, "watch-tables.mjs", serve(t, build(t)), shots(t))
}
