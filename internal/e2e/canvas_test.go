package e2e

import (
	"testing"

	"muster/internal/needs"
	"muster/internal/testprocess"
	"muster/internal/testredis"
)

func TestPeopleDrawAndWriteTogetherOnOneCanvas(t *testing.T) {
	ofPages(t)
	play(t, "canvas.mjs", serve(t, build(t)), shots(t))
}

func TestACanvasIsUsedByKeysByFingersAndByWhoComposesWords(t *testing.T) {
	ofPages(t)
	play(t, "canvas-hands.mjs", serve(t, build(t)), shots(t))
}

func TestACanvasWithTenThousandLinesAndAHundredKilobytesOfTextStaysInstant(t *testing.T) {
	ofPages(t)
	play(t, "canvas-big.mjs", serve(t, build(t)), shots(t))
}

func TestACanvasGoesOnWhenItsServerWasGone(t *testing.T) {
	ofPages(t)
	needs.Program(t, "redis-server")
	redis, addr, config := testredis.Start(t), freeAddr(t), t.TempDir()
	start := func() *testprocess.Process {
		args := []string{"serve", "--listen", addr, "--redis", redis.URL()}
		p := testprocess.Start(t, "serve", args, "XDG_CONFIG_HOME="+config)
		p.After(t, "lobby ")
		return p
	}
	server := start()
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
	ask(t, "canvas-away.mjs", do, "http://"+addr, shots(t))
}
