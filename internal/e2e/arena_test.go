package e2e

import (
	"strings"
	"testing"

	"muster/internal/testport"
	"muster/internal/testprocess"
)

func TestThePageAnswersAtOnceAndNothingJumpsOnABadLine(t *testing.T) {
	play(t, "bad-line.mjs", serve(t, build(t)), shots(t))
}

func TestPagesReceiveNothingThatTheirPlayersMustNotKnow(t *testing.T) {
	play(t, "secrets.mjs", serve(t, build(t)))
}

func TestTwoHundredShipsCostABrowserLittle(t *testing.T) {
	addr := testport.Held(t)
	testprocess.Start(t, "serve", []string{"serve", "--listen", addr}, "XDG_CONFIG_HOME="+t.TempDir()).After(t, "lobby ")
	play(t, "decode.mjs", "http://"+addr)
}

func TestEveryScreenIsAccessibleInDarkAndLight(t *testing.T) {
	play(t, "accessible.mjs", serve(t, build(t)), shots(t))
}

func TestAPagePlaysAgainAfterItsTabItsTokenOrItsServerWasGone(t *testing.T) {
	steady, mortalAt, env := testport.Held(t), testport.Held(t), "XDG_CONFIG_HOME="+t.TempDir()
	newMortal(t, env, "--listen", steady)
	server := newMortal(t, env, "--listen", mortalAt)
	token := func(sub string) string {
		p := testprocess.Start(t, "serve", []string{"token", "--sub", sub, "--name", sub, "--ttl", "45s"}, env)
		<-p.Ended()
		return strings.TrimSpace(p.Output())
	}
	ask(t, "hardships.mjs", server.do, "http://"+steady, "http://"+mortalAt, token("guest-ben"), token("guest-cleo"), shots(t))
}
