package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"muster/internal/needs"
)

func TestTheOverlayTellsOfAKilledHostAndStaysOutOfTheGamesWay(t *testing.T) {
	node, chromium := needs.Program(t, "node"), needs.Program(t, "chromium")
	needs.File(t, filepath.Join(root, "web", "node_modules", "axe-core"), "npm ci in web/")
	needs.File(t, filepath.Join(root, "client", "ts", "node_modules", "typescript"), "npm ci in client/ts/")
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	args := []string{"e2e/overlay.mjs"}
	if dir := os.Getenv("MUSTER_SCREENSHOTS"); dir != "" {
		args = append(args, dir)
	}
	cmd := exec.CommandContext(ctx, node, args...)
	cmd.Dir, cmd.Env = filepath.Join(root, "web"), append(os.Environ(), "CHROMIUM="+chromium)
	cmd.WaitDelay = 10 * time.Second
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}
