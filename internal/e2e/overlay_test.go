package e2e

import (
	"path/filepath"
	"testing"

	"muster/internal/needs"
)

func TestTheOverlayTellsOfAKilledHostAndStaysOutOfTheGamesWay(t *testing.T) {
	needs.File(t, filepath.Join(root, "web", "node_modules", "axe-core"), "npm ci in web/")
	needs.File(t, filepath.Join(root, "client", "ts", "node_modules", "typescript"), "npm ci in client/ts/")
	playAsEqual(t, "overlay.mjs", shots(t))
}
