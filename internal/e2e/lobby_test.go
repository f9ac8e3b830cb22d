package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"muster/internal/needs"
)

// trio is a queue of three who are asked, so that a party of two waits there.
const trio = `queues:
  trio: {game: arena, team_size: 3, confirm: 15s}
`

// The TypeScript client's Lobby against the built command: a party by code, a ticket and why it waits, a match, chat,
// who is there, a notification that waited, and a socket that was lost.
func TestTypeScriptLobbyDoesWithTheServerWhatItPromises(t *testing.T) {
	node := needs.Program(t, "node")
	client := filepath.Join(root, "client", "ts")
	needs.File(t, filepath.Join(client, "node_modules", "tsx"), "npm ci in client/ts")
	muster, config := build(t), t.TempDir()
	queues := filepath.Join(config, "queues.yaml")
	if err := os.WriteFile(queues, []byte(trio), 0o600); err != nil {
		t.Fatal(err)
	}
	url := serveIn(t, muster, config, "--queues", queues)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	sign := exec.CommandContext(ctx, muster, "token", "--sub", "operator", "--role", "service")
	sign.Env = append(os.Environ(), "XDG_CONFIG_HOME="+config)
	service, err := sign.Output()
	if err != nil {
		t.Fatalf("signing a token: %v", err)
	}
	// Node has a WebSocket of its own from version 22 on; before, behind this flag.
	cmd := exec.CommandContext(ctx, node, "--import", "tsx", "--experimental-websocket", "test/e2e/lobby.ts", url)
	cmd.Dir, cmd.Env = client, append(os.Environ(), "SERVICE_TOKEN="+strings.TrimSpace(string(service)))
	cmd.WaitDelay = 10 * time.Second
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}
