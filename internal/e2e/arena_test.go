package e2e

import (
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
	steady, mortalAt, config := testport.Held(t), testport.Held(t), t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", config) // the script signs tokens with the servers' key
	newMortal(t, "XDG_CONFIG_HOME="+config, "--listen", steady)
	server := newMortal(t, "XDG_CONFIG_HOME="+config, "--listen", mortalAt)
	ask(t, "hardships.mjs", server.do, "http://"+steady, "http://"+mortalAt, build(t), shots(t))
}
