package e2e

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"muster/games/arena"
	"muster/internal/needs"
	"muster/internal/testport"
	"muster/internal/testprocess"
	"muster/match"
)

// lateBy is longer than a client bears silence, laterBy than a page may take to a match that has just begun.
const (
	lateBy  = 11 * time.Second
	laterBy = 30 * time.Second
)

// late is the arena as those who watch it see it in a tournament, so long after it is played.
func late(delay time.Duration) match.Game {
	rules := arena.Game.Rules()
	rules.Spectators = 10_000
	rules.SpectatorDelay = delay
	return match.Define[arena.World, arena.Input](arena.Game.Name(), arena.Arena{}, rules)
}

// The TypeScript client watches a match late: what it shows goes on evenly, and it is as old as it should be.
func TestTypeScriptMatchIsWatchedLate(t *testing.T) {
	node := needs.Program(t, "node")
	client := filepath.Join(root, "client", "ts")
	needs.File(t, filepath.Join(client, "node_modules", "tsx"), "npm ci in client/ts")
	addr := testport.Held(t)
	testprocess.Start(t, "late", []string{"serve", "--listen", addr}, "XDG_CONFIG_HOME="+t.TempDir()).After(t, "lobby ")
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, node, "--import", "tsx", "--experimental-websocket", "test/e2e/watch.ts", "http://"+addr, fmt.Sprint(lateBy.Seconds()))
	cmd.Dir, cmd.WaitDelay = client, 10*time.Second
	complete(t, cmd)
}
