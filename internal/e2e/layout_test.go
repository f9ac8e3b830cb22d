package e2e

import (
	"os"
	"testing"
)

func TestNothingOfTheArenaIsCutOffOrCoveredInAnyWindow(t *testing.T) {
	url := serve(t, build(t))
	for _, part := range []string{"front", "arena", "podium"} {
		t.Run(part, func(t *testing.T) { fits(t, url, part) })
	}
}

func TestNothingOfCardsCanvasAndOtherPagesIsCutOffOrCoveredInAnyWindow(t *testing.T) {
	ofPages(t)
	url := serve(t, build(t))
	for _, part := range []string{"cards", "canvas", "chat", "admin", "watch"} {
		t.Run(part, func(t *testing.T) { fits(t, url, part) })
	}
}

// fits looks at a page in all sizes. Pictures are taken only where they are asked for: there are many.
func fits(t *testing.T, url, part string) {
	t.Helper()
	play(t, "layout.mjs", url, part, os.Getenv("MUSTER_SCREENSHOTS"))
}
