package cmd

import (
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestARunningServerTakesItsQueuesAnewAtAHangup(t *testing.T) {
	file := filepath.Join(t.TempDir(), "queues.yaml")
	write := func(text string) {
		t.Helper()
		must(t, os.WriteFile(file, []byte(text), 0o600))
	}
	write(goodQueues)
	r := serve(t, withArena, "--queues", file)
	queues := func() string {
		t.Helper()
		return r.ask(http.MethodGet, "/v1/queues", "alice").body
	}
	if got := queues(); !strings.Contains(got, `"duel"`) || strings.Contains(got, `"arena"`) && strings.Contains(got, `"name":"arena"`) {
		t.Errorf("the queues are %s", got)
	}
	write(goodQueues + "  trio: {game: arena, team_size: 3}\n")
	must(t, syscall.Kill(os.Getpid(), syscall.SIGHUP))
	until(t, "the new queue", func() bool { return strings.Contains(queues(), `"trio"`) })

	write("queues:\n  trio: {game: chess, team_size: 3}\n")
	must(t, syscall.Kill(os.Getpid(), syscall.SIGHUP))
	until(t, "the mistake in the log", func() bool { return strings.Contains(r.stderr.String(), `"line":2`) })
	if got := queues(); !strings.Contains(got, `"duel"`) || !strings.Contains(got, `"trio"`) {
		t.Errorf("the queues are %s, want the old ones", got)
	}
}

func TestAServerWithoutAFileOfQueuesGoesOnAtAHangup(t *testing.T) {
	survive := make(chan os.Signal, 1) // else a server that does not listen would end the test's process
	signal.Notify(survive, syscall.SIGHUP)
	defer signal.Stop(survive)
	r := serve(t, withArena, "--key-file", ownKey(t))
	must(t, syscall.Kill(os.Getpid(), syscall.SIGHUP))
	until(t, "the word in the log", func() bool {
		return strings.Contains(r.stderr.String(), "a hangup was ignored: this server reads no file of queues")
	})
}
