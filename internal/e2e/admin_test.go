package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"muster/internal/testport"
	"muster/internal/testprocess"
)

func TestOperatorsSeeWhatRunsAndActOnIt(t *testing.T) {
	ofPages(t)
	addr := testport.Held(t)
	server := newMortal(t, "XDG_CONFIG_HOME="+t.TempDir(), "--listen", addr)
	ask(t, "admin.mjs", server.do, "acts", "http://"+addr, shots(t))
	for _, act := range []string{
		`"what":"a server drains"`, `"what":"a server drains no longer"`, `"title":"A <b>storm</b> is coming"`,
		`"reason":"Too good for the others"`, `"reason":"Maintenance until noon"`,
	} {
		if n := audited(server.killed, act); n != 1 {
			t.Errorf("%d lines of the log are audits with %s, want 1", n, act)
		}
	}
}

func TestOperatorsPageFitsSmallWindowsAndBothThemes(t *testing.T) {
	ofPages(t)
	addr := testport.Held(t)
	testprocess.Start(t, "serve", []string{"serve", "--listen", addr}, "XDG_CONFIG_HOME="+t.TempDir()).After(t, "lobby ")
	play(t, "admin.mjs", "looks", "http://"+addr, shots(t))
}

func TestOperatorsSignInWithATokenAndPlayersCannot(t *testing.T) {
	ofPages(t)
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, []byte("a key of those who run this server, not of development\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	addr := testport.Held(t)
	testprocess.Start(t, "serve", []string{"serve", "--listen", addr, "--key-file", key}).After(t, "lobby ")
	for name, args := range map[string][]string{"PLAYER_TOKEN": {"--sub", "mallory"}, "ADMIN_TOKEN": {"--sub", "root", "--role", "admin"}} {
		p := testprocess.Start(t, "serve", append([]string{"token", "--key-file", key}, args...))
		<-p.Ended()
		t.Setenv(name, strings.TrimSpace(p.Output()))
	}
	play(t, "admin.mjs", "signs-in", "http://"+addr, shots(t))
}

// audited is how many lines of a log are audits that say something, and who did it.
func audited(log, what string) (n int) {
	for line := range strings.Lines(log) {
		if strings.Contains(line, `"msg":"audit"`) && strings.Contains(line, what) && strings.Contains(line, `"by":"guest-`) {
			n++
		}
	}
	return n
}
