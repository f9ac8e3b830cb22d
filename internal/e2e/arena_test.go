package e2e

import (
	"net"
	"strings"
	"testing"

	"muster/internal/testprocess"
)

func TestThePageAnswersAtOnceAndNothingJumpsOnABadLine(t *testing.T) {
	play(t, "bad-line.mjs", serve(t, build(t)), shots(t))
}

func TestPagesReceiveNothingThatTheirPlayersMustNotKnow(t *testing.T) {
	play(t, "secrets.mjs", serve(t, build(t)))
}

func TestTwoHundredShipsCostABrowserLittle(t *testing.T) {
	addr := freeAddr(t)
	testprocess.Start(t, "serve", []string{"serve", "--listen", addr}, "XDG_CONFIG_HOME="+t.TempDir()).After(t, "lobby ")
	play(t, "decode.mjs", "http://"+addr)
}

func TestEveryScreenIsAccessibleInDarkAndLight(t *testing.T) {
	play(t, "accessible.mjs", serve(t, build(t)), shots(t))
}

func TestAPagePlaysAgainAfterItsTabItsTokenOrItsServerWasGone(t *testing.T) {
	addr, env := freeAddr(t), "XDG_CONFIG_HOME="+t.TempDir()
	start := func() *testprocess.Process {
		p := testprocess.Start(t, "serve", []string{"serve", "--listen", addr}, env)
		p.After(t, "lobby ")
		return p
	}
	server := start()
	token := func(sub string) string {
		p := testprocess.Start(t, "serve", []string{"token", "--sub", sub, "--name", sub, "--ttl", "20s"}, env)
		<-p.Ended()
		return strings.TrimSpace(p.Output())
	}
	do := func(line string) bool {
		switch line {
		case "kill the server":
			server.Kill()
		case "start the server":
			server = start()
		default:
			return false
		}
		return true
	}
	ask(t, "hardships.mjs", do, "http://"+addr, token("guest-ben"), token("guest-cleo"), shots(t))
}

// freeAddr is an address of the loopback on which nobody listens.
func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}
