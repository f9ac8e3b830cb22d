package e2e

import "testing"

func TestPagesPlayCardsAndReceiveNobodyElsesHand(t *testing.T) {
	play(t, "cards.mjs", serve(t, build(t)), shots(t))
}
