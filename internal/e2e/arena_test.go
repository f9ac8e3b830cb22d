package e2e

import (
	"net"
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
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	_ = l.Close()
	testprocess.Start(t, "serve", []string{"serve", "--listen", addr}, "XDG_CONFIG_HOME="+t.TempDir()).After(t, "lobby ")
	play(t, "decode.mjs", "http://"+addr)
}

func TestEveryScreenIsAccessibleInDarkAndLight(t *testing.T) {
	play(t, "accessible.mjs", serve(t, build(t)), shots(t))
}
