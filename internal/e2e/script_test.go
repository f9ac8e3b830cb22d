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

// scriptTime bounds a script. Each has bounds of its own for what it waits for, which say what did not come about.
const scriptTime = 3 * time.Minute

// shots is where scripts keep their pictures: the directory that MUSTER_SCREENSHOTS names, else one that goes with the
// test.
func shots(t *testing.T) string {
	t.Helper()
	if dir := os.Getenv("MUSTER_SCREENSHOTS"); dir != "" {
		return dir
	}
	return t.TempDir()
}

// browse is a script of web/e2e that drives a browser, which must be there. The browser leaves the processor to the
// servers where there is too little for both.
func browse(t *testing.T, ctx context.Context, script string, args ...string) *exec.Cmd { //nolint:revive // as t.Context is another
	t.Helper()
	node, chromium, nice := needs.Program(t, "node"), needs.Program(t, "chromium"), needs.Program(t, "nice")
	for _, name := range []string{"playwright-core", "axe-core", "tsx"} {
		needs.File(t, filepath.Join(root, "web", "node_modules", name), "npm ci in web/")
	}
	cmd := exec.CommandContext(ctx, nice, append([]string{"-n", "5", node, "--import", "tsx", "--experimental-websocket", "e2e/" + script}, args...)...)
	cmd.Dir, cmd.Env = filepath.Join(root, "web"), append(os.Environ(), "CHROMIUM="+chromium)
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

// play runs a script to its end, which must be a good one.
func play(t *testing.T, script string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), scriptTime)
	defer cancel()
	out, err := browse(t, ctx, script, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}
