package cmd

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"muster/proto/token"
)

// The scripts run the real command. A replay of the arena lies beside them, arena.muster, and matches whose players'
// skills are known, matches.csv. What they can use beside testscript's own commands:
//
//	oneline TEXT            the command before wrote one line to standard error, which holds TEXT
//	listening NAME          somebody listens on the address $NAME until the script ends
//	exit2 COMMAND…          the command ends with status 2, as a replay does that cannot be read
//	verifies FILE KEY SUB NAME [ROLE…]   FILE holds a player's token that is signed with the key in the file KEY
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Setup: func(env *testscript.Env) error {
			home := filepath.Join(env.WorkDir, "home")
			env.Setenv("HOME", home)
			env.Setenv("XDG_CONFIG_HOME", "")
			env.Setenv("XDG_CACHE_HOME", "")
			env.Setenv("TMPDIR", filepath.Join(env.WorkDir, "tmp"))
			if err := os.MkdirAll(env.Getenv("TMPDIR"), 0o700); err != nil {
				return err
			}
			if err := os.Mkdir(home, 0o700); err != nil {
				return err
			}
			for name, from := range map[string]string{
				"arena.muster": arenaReplay, "matches.csv": filepath.Join("..", "lobby", "rating", "testdata", "matches.csv"),
			} {
				b, err := os.ReadFile(from)
				if err != nil {
					return err
				}
				if err := os.WriteFile(filepath.Join(env.WorkDir, name), b, 0o600); err != nil {
					return err
				}
			}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"oneline": oneline, "listening": listening, "verifies": verifies, "exit2": exit2,
		},
	})
}

func oneline(ts *testscript.TestScript, neg bool, args []string) {
	text := ts.ReadFile("stderr")
	if len(args) != 1 || neg {
		ts.Fatalf("usage: oneline TEXT")
	}
	if strings.Count(text, "\n") != 1 || !strings.HasPrefix(text, "muster: ") || !strings.Contains(text, args[0]) {
		ts.Fatalf("standard error is not one line of muster's with %q:\n%s", args[0], text)
	}
}

func exit2(ts *testscript.TestScript, _ bool, args []string) {
	var ee *exec.ExitError
	if err := ts.Exec(args[0], args[1:]...); !errors.As(err, &ee) || ee.ExitCode() != statusUnreadable {
		ts.Fatalf("it ends with %v, want status 2", err)
	}
}

func listening(ts *testscript.TestScript, _ bool, args []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { _ = l.Close() })
	ts.Setenv(args[0], l.Addr().String())
}

func verifies(ts *testscript.TestScript, neg bool, args []string) {
	file, key, sub, name, roles := args[0], args[1], args[2], args[3], args[4:]
	k, err := token.New([]byte(strings.TrimSpace(ts.ReadFile(key))), nil)
	ts.Check(err)
	text := ts.ReadFile(file)
	p, err := k.VerifyPlayer(strings.TrimSuffix(text, "\n"))
	if neg {
		if err == nil {
			ts.Fatalf("the token verifies")
		}
		return
	}
	ts.Check(err)
	if p.ID != sub || p.Name != name || !slices.Equal(p.Roles, roles) || time.Until(p.Expires) < 59*time.Minute {
		ts.Fatalf("the token speaks for %+v", p)
	}
}
