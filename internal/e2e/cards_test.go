package e2e

import "testing"

func TestPagesPlayCardsAndReceiveNobodyElsesHand(t *testing.T) {
	ofPages(t)
	url := serve(t, build(t))
	for _, part := range []string{"friends", "round", "alone"} {
		t.Run(part, func(t *testing.T) { play(t, "cards.mjs", url, part, shots(t)) })
	}
}
