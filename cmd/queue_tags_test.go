package cmd

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestMatchesOfAQueueWithTagsAreMadeWhereAServerHasThem(t *testing.T) {
	file := filepath.Join(t.TempDir(), "queues.yaml")
	must(t, os.WriteFile(file, []byte(`queues:
  here: {game: arena, team_size: 1, tags: [disk=fast]}
  nowhere: {game: arena, team_size: 1, tags: [disk=fast, gpu=yes]}
`), 0o600))
	r := serve(t, withArena, "--queues", file, "--tag", "disk=fast", "--tag", "more=x")
	if m := r.match("alice", "here"); m.Room == "" {
		t.Errorf("alice plays at %+v", m)
	}
	ticket, err := r.lobby("bob").CreateTicket(soon(t), "nowhere")
	must(t, err)
	until(t, "bob is told which tag is missing", func() bool {
		a := r.ask(http.MethodGet, "/v1/tickets/"+ticket.ID+"/explain", "bob")
		return strings.Contains(a.body, "no server of this game has the tag gpu=yes now")
	})
	if a := r.ask(http.MethodGet, "/v1/admin/placement?game=arena&tag=disk=fast&tag=gpu=yes", ""); !strings.Contains(a.body, "it lacks the tag gpu=yes") {
		t.Errorf("where it would go: %d %s", a.status, a.body)
	}
}
