package e2e

import (
	"testing"

	"muster/internal/needs"
	"muster/internal/testport"
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
	redis, addr := testredis.Start(t), testport.Held(t)
	server := newMortal(t, "XDG_CONFIG_HOME="+t.TempDir(), "--listen", addr, "--redis", redis.URL())
	ask(t, "canvas-away.mjs", server.do, "http://"+addr, shots(t))
}
