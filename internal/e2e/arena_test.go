package e2e

import "testing"

func TestThePageAnswersAtOnceAndNothingJumpsOnABadLine(t *testing.T) {
	play(t, "bad-line.mjs", serve(t, build(t)), shots(t))
}

func TestPagesReceiveNothingThatTheirPlayersMustNotKnow(t *testing.T) {
	play(t, "secrets.mjs", serve(t, build(t)))
}
