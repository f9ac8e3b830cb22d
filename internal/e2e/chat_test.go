package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"muster/internal/testport"
	"muster/internal/testprocess"
)

// threes has a queue in which two wait for a third, and all are asked.
const threes = `queues:
  trio: {game: arena, teams: 1, team_size: 3, confirm: 1m, connect: 1m}
`

func TestThreePeopleMeetInTheLobbyTalkAndPlay(t *testing.T) {
	ofPages(t)
	addr, env := testport.Held(t), "XDG_CONFIG_HOME="+t.TempDir()
	queues := filepath.Join(t.TempDir(), "queues.yaml")
	if err := os.WriteFile(queues, []byte(threes), 0o600); err != nil {
		t.Fatal(err)
	}
	server := newMortal(t, env, "--listen", addr, "--queues", queues)
	p := testprocess.Start(t, "serve", []string{"token", "--sub", "news", "--role", "service"}, env)
	<-p.Ended()
	ask(t, "chat.mjs", server.do, "http://"+addr, strings.TrimSpace(p.Output()), shots(t))
}
